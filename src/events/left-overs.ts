import type { MqttIncoming } from './mqtt-connection.ts';
import type { RetainedState } from './retained-state.ts';
import type { DeviceTopics } from './topics.ts';

/** Removes what the broker still holds of cameras that an earlier run had and this one does not. */
export class LeftOvers {
  readonly #topics: DeviceTopics;
  readonly #cameras: ReadonlySet<string>;
  readonly #retained: RetainedState;

  constructor(topics: DeviceTopics, cameras: readonly { readonly id: string }[], retained: RetainedState) {
    this.#topics = topics;
    this.#cameras = new Set(cameras.map(({ id }) => id));
    this.#retained = retained;
  }

  /** Topic filters to subscribe to. */
  get filters(): readonly string[] {
    return this.#topics.retainedOfCameras;
  }

  /** Takes a message that the broker kept. */
  take({ payload, retained, topic }: MqttIncoming): void {
    const camera = this.#topics.cameraOf(topic);
    if (!retained || payload.length === 0 || camera === null || this.#cameras.has(camera)) return;
    this.#retained.set(topic, '');
  }
}
