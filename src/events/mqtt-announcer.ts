import mqtt from 'mqtt';
import { EyelineError, messageOf } from '../core/errors.ts';
import { loginOptions, type MqttLogin } from './mqtt-connection.ts';

export interface AnnouncerOptions extends MqttLogin {
  readonly url: string;
  readonly connectTimeoutMs: number;
}

/** Leaves one retained message with the broker (QoS 1). Rejects with MQTT_UNREACHABLE. */
export async function announceRetained(topic: string, payload: string, options: AnnouncerOptions): Promise<void> {
  const { connectTimeoutMs: connectTimeout, url, ...login } = options;
  try {
    const client = await mqtt.connectAsync(
      url,
      {
        protocolVersion: 5,
        connectTimeout,
        reconnectPeriod: 0,
        ...loginOptions(login),
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
