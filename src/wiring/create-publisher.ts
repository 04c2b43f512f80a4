import { readFile } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { MqttEventPublisher, type MqttEventPublisherOptions } from '../events/mqtt-event-publisher.ts';
import { openEventSpool, type SqliteEventSpool } from '../events/sqlite-event-spool.ts';
import { readSecret } from '../platform/credentials.ts';
import { hottestC } from '../platform/temperature.ts';
import { packageVersion } from '../platform/version.ts';

const DAY_MS = 86_400_000;

/** How to reach the broker: what the configuration says, with secrets and certificates read. */
export async function readMqttAccess(
  { mqtt }: Pick<Config, 'mqtt'>,
  env: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Promise<Pick<MqttEventPublisherOptions, 'url' | 'username' | 'password' | 'tls' | 'connectTimeoutMs'>> {
  const { connectTimeoutMs, password, tls, url, username } = mqtt;
  return {
    url,
    username,
    password: password === null ? null : await readSecret(password, env, warn),
    connectTimeoutMs,
    tls: {
      ca: await readPem(tls.caFile, 'mqtt.tls.caFile'),
      cert: await readPem(tls.certFile, 'mqtt.tls.certFile'),
      key: await readPem(tls.keyFile, 'mqtt.tls.keyFile'),
      passphrase: tls.keyPassword === null ? null : await readSecret(tls.keyPassword, env, warn),
      verify: tls.verify,
    },
  };
}

/** The publisher, not connected yet. Throws SECRET_UNREADABLE and CONFIG_INVALID. */
export async function createPublisher(
  config: Config,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  clock: Clock,
  random: () => number,
): Promise<MqttEventPublisher> {
  const { mqtt, device, events } = config;
  return new MqttEventPublisher({
    ...(await readMqttAccess(config, env, (message) => logger.warn({ part: 'mqtt' }, message))),
    clientId: mqtt.clientId,
    prefix: mqtt.prefix,
    keepAliveS: mqtt.keepAliveS,
    protocolVersion: 'auto',
    reconnect: mqtt.reconnect,
    device,
    site: config.gallery.sync.url === null ? null : device.site,
    version: packageVersion(),
    cameras: config.cameras.map(({ id, name, enabled }) => ({ id, name, enabled })),
    homeAssistant: {
      enabled: mqtt.homeAssistant.enabled,
      prefix: mqtt.homeAssistant.prefix,
      lastPersonS: Math.ceil(mqtt.homeAssistant.lastPersonMs / 1000),
      diagnosticsS: Math.ceil(mqtt.diagnosticsMs / 1000),
      temperature: (await hottestC()) !== null,
      snapshots: config.privacy.snapshots && mqtt.commands.includes('snapshot'),
    },
    commands: mqtt.commands,
    expireAfterMs: events.expireAfterMs,
    bufferMax: events.bufferMax,
    maxAgeMs: events.bufferDays * DAY_MS,
    spool: openSpool(events.bufferFile, device.id, logger),
    clock,
    random,
    logger,
  });
}

/** A door must not wait for a database: where it cannot be used, events are kept in memory. */
function openSpool(file: string | null, device: string, logger: Logger): SqliteEventSpool | null {
  if (file === null) return null;
  try {
    return openEventSpool(file, device, logger);
  } catch (error) {
    const { code, help } = error instanceof EyelineError ? error : { code: undefined, help: undefined };
    logger.error({ code, help }, `${messageOf(error)}; events are kept in memory alone`);
    return null;
  }
}

async function readPem(file: string | null, key: string): Promise<Buffer | null> {
  if (file === null) return null;
  try {
    return await readFile(file);
  } catch (error) {
    throw new EyelineError('SECRET_UNREADABLE', `${key}: ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
