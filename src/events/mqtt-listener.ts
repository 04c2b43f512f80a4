import mqtt, { type MqttClient } from 'mqtt';
import { loginOptions, type MqttLogin } from './mqtt-connection.ts';

export interface MqttListenerOptions {
  readonly url: string;
  /** Nobody in particular when left out. */
  readonly login?: MqttLogin;
  /** Topic filter, wildcards allowed. */
  readonly topic: string;
  readonly protocolVersion: 4 | 5;
  readonly connectTimeoutMs: number;
  readonly onMessage: (topic: string, payload: string, retained: boolean) => void;
}

/** A subscriber as any other: for showing what really arrives. */
export class MqttListener {
  readonly #options: MqttListenerOptions;
  #client: MqttClient | null = null;

  constructor(options: MqttListenerOptions) {
    this.#options = options;
  }

  /** Connects and subscribes (QoS 1). Rejects when the broker cannot be reached or refuses. */
  async start(): Promise<void> {
    const { url, login, topic, protocolVersion, connectTimeoutMs: connectTimeout, onMessage } = this.#options;
    const client = await mqtt.connectAsync(
      url,
      {
        protocolVersion,
        connectTimeout,
        reconnectPeriod: 1000,
        ...(login && loginOptions(login)),
      },
      false,
    );
    this.#client = client;
    client.on('error', () => {});
    client.on('message', (where, payload, { retain }) => onMessage(where, payload.toString('utf8'), retain));
    await client.subscribeAsync(topic, { qos: 1 });
  }

  /** Disconnects; never throws. */
  async stop(): Promise<void> {
    await this.#client?.endAsync(true).catch(() => {});
    this.#client = null;
  }
}
