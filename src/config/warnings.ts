import type { Config } from './schema.ts';
import { holdsCredentials } from './schema-cameras.ts';

/** What is allowed but unwise, one `path: message` line each; no secret is repeated. */
export function warningsOf(config: Config): string[] {
  const plain = 'is written in plain text; use {file: path}, {credential: name} or {env: NAME}';
  const warnings: string[] = [];
  for (const [index, camera] of config.cameras.entries()) {
    if (holdsCredentials(camera.source)) {
      warnings.push(`cameras[${index}].source: holds a user name or password; use cameras[${index}].credentials`);
    }
    if (typeof camera.credentials?.password === 'string') {
      warnings.push(`cameras[${index}].credentials.password: ${plain}`);
    }
  }
  const { url, password, tls } = config.mqtt;
  if (holdsCredentials(url))
    warnings.push('mqtt.url: holds a user name or password; use mqtt.username and mqtt.password');
  if (typeof password === 'string') warnings.push(`mqtt.password: ${plain}`);
  if (typeof tls.keyPassword === 'string') warnings.push(`mqtt.tls.keyPassword: ${plain}`);
  if (typeof config.gallery.key === 'string') warnings.push(`gallery.key: ${plain}`);
  for (const [index, key] of config.gallery.sync.keys.entries()) {
    if (typeof key === 'string') warnings.push(`gallery.sync.keys[${index}]: ${plain}`);
  }
  if (typeof config.privacy.crops.key === 'string') warnings.push(`privacy.crops.key: ${plain}`);
  if (!tls.verify) warnings.push('mqtt.tls.verify: anybody can pose as the broker');
  return warnings;
}
