import mqtt from 'mqtt';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { MqttTls } from './mqtt-connection.ts';

export interface AnnouncerOptions {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: MqttTls;
  readonly connectTimeoutMs: number;
}

/** Leaves one retained message with the broker (QoS 1). Rejects with MQTT_UNREACHABLE. */
export async function announceRetained(topic: string, payload: string, options: AnnouncerOptions): Promise<void> {
  const { connectTimeoutMs: connectTimeout, password, tls, url, username } = options;
  try {
    const client = await mqtt.connectAsync(
      url,
      {
        protocolVersion: 5,
        connectTimeout,
        reconnectPeriod: 0,
        ...(username ? { username } : {}),
        ...(password ? { password } : {}),
        ...(tls.ca ? { ca: tls.ca } : {}),
        ...(tls.cert ? { cert: tls.cert } : {}),
        ...(tls.key ? { key: tls.key } : {}),
        ...(tls.passphrase ? { passphrase: tls.passphrase } : {}),
        rejectUnauthorized: tls.verify,
      },
      false,
    );
    try {
      await client.publishAsync(topic, payload, { qos: 1, retain: true });
    } finally {
      await client.endAsync();
    }
  } catch (error) {
    throw new EyelineError('MQTT_UNREACHABLE', `the version could not be announced: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
