import { redactUrl } from '../core/redact.ts';
import type { Config, Secret } from './schema.ts';

/** A copy that may be shown to anybody: secrets in the clear and credentials in URLs are `***`. */
export function printable(config: Config): Config {
  const copy = structuredClone(config);
  for (const camera of copy.cameras) {
    camera.source = redactUrl(camera.source);
    if (camera.credentials) camera.credentials.password = hide(camera.credentials.password);
  }
  copy.mqtt.url = redactUrl(copy.mqtt.url);
  if (copy.mqtt.password) copy.mqtt.password = hide(copy.mqtt.password);
  if (copy.mqtt.tls.keyPassword) copy.mqtt.tls.keyPassword = hide(copy.mqtt.tls.keyPassword);
  if (copy.gallery.key) copy.gallery.key = hide(copy.gallery.key);
  if (copy.gallery.sync.url) copy.gallery.sync.url = redactUrl(copy.gallery.sync.url);
  if (copy.gallery.sync.proxy) copy.gallery.sync.proxy = redactUrl(copy.gallery.sync.proxy);
  copy.gallery.sync.keys = copy.gallery.sync.keys.map(hide);
  if (copy.privacy.crops.key) copy.privacy.crops.key = hide(copy.privacy.crops.key);
  return copy;
}

function hide(secret: Secret): Secret {
  return typeof secret === 'string' ? '***' : secret;
}
