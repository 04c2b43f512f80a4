import { MqttListener } from '../../src/events/mqtt-listener.ts';

export interface Recorded {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
  readonly atMs: number;
}

/** Subscribes to everything and lets a test wait for the message it needs. */
export class MqttRecorder {
  readonly messages: Recorded[] = [];
  readonly #listener: MqttListener;
  readonly #waiting = new Set<() => void>();

  constructor(url: string) {
    this.#listener = new MqttListener({
      url,
      topic: '#',
      protocolVersion: 5,
      connectTimeoutMs: 10_000,
      onMessage: (topic, payload, retained) => {
        this.messages.push({ topic, payload, retained, atMs: Date.now() });
        for (const look of this.#waiting) look();
      },
    });
  }

  start(): Promise<void> {
    return this.#listener.start();
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** The first message from index `from` on that fits; waits until there is one. The test's time-out is the limit. */
  async until(fits: (message: Recorded) => boolean, from = 0): Promise<Recorded> {
    return await new Promise((resolve) => {
      const look = () => {
        const found = this.messages.slice(from).find(fits);
        if (!found) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
