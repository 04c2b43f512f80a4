import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';

/** A message as a subscriber got it. */
export interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly qos: number;
  /** MQTT 5 properties. */
  readonly expiryS: number | undefined;
  readonly contentType: string | undefined;
  readonly atMs: number;
}

/** A subscriber of its own, with MQTT 5: keeps all it hears and waits for what is to come. */
export class MqttListener {
  readonly heard: Heard[] = [];
  readonly client: MqttClient;
  readonly #waiting = new Set<() => void>();

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, packet) => {
      this.heard.push({
        topic,
        text: payload.toString('utf8'),
        retain: packet.retain,
        qos: packet.qos,
        expiryS: packet.properties?.messageExpiryInterval,
        contentType: packet.properties?.contentType,
        atMs: Date.now(),
      });
      for (const look of this.#waiting) look();
    });
  }

  /** Connects and subscribes; `qos` 0 has the broker pass messages on at once, without a queue. */
  static async start(url: string, topic: string, qos: 0 | 1 = 1, options: IClientOptions = {}): Promise<MqttListener> {
    const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, keepalive: 0, ...options }, false);
    const listener = new MqttListener(client);
    await client.subscribeAsync(topic, { qos });
    return listener;
  }

  /** Texts heard on topics that end so, in order. */
  on(end: string): string[] {
    return this.heard.filter(({ topic }) => topic.endsWith(end)).map(({ text }) => text);
  }

  /** Resolves as soon as the condition holds for what was heard; it is looked at after every message. */
  async until(condition: (heard: readonly Heard[]) => boolean): Promise<void> {
    if (condition(this.heard)) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!condition(this.heard)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async publish(topic: string, text: string, retain = false): Promise<void> {
    await this.client.publishAsync(topic, text, { qos: 1, retain });
  }

  async stop(): Promise<void> {
    await this.client.endAsync(true);
  }
}
