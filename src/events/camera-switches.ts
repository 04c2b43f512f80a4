import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { LogOnce } from './log-once.ts';
import type { MqttIncoming } from './mqtt-connection.ts';
import { parseSwitch, switchPayload } from './switch-command.ts';
import type { DeviceTopics } from './topics.ts';

/** Called with a camera's id when somebody switches it on or off. */
export type CameraEnabledHandler = (camera: string, enabled: boolean) => void;

/** The `…/enabled/set` topics of a device's cameras: takes `ON` and `OFF`, passes over and counts anything else. */
export class CameraSwitches {
  readonly #cameraOf: ReadonlyMap<string, string>;
  readonly #logger: Logger;
  readonly #log: LogOnce;
  readonly #count = { commands: 0, ignoredCommands: 0 };
  #handler: CameraEnabledHandler = () => {};

  constructor(topics: DeviceTopics, cameras: readonly { readonly id: string }[], logger: Logger) {
    this.#cameraOf = new Map(cameras.map(({ id }) => [topics.cameraEnabledSet(id), id]));
    this.#logger = logger;
    this.#log = new LogOnce(logger);
  }

  /** The topics to subscribe to. */
  get topics(): readonly string[] {
    return [...this.#cameraOf.keys()];
  }

  get counters() {
    return this.#count;
  }

  /** Sets who acts on commands. */
  onSwitch(handler: CameraEnabledHandler): void {
    this.#handler = handler;
  }

  /** Acts on a message. A retained one may be days old: acting on it after a reconnect could blind a door. */
  take({ topic, payload, retained }: MqttIncoming): void {
    const camera = this.#cameraOf.get(topic);
    if (camera === undefined) return;
    const enabled = parseSwitch(payload);
    if (retained || enabled === null) {
      this.#count.ignoredCommands++;
      const why = retained ? 'it is retained, so it may be old' : 'it is neither ON nor OFF';
      this.#log.warn({ camera, topic }, `camera ${camera}: command on ${topic} is ignored: ${why}`);
      return;
    }
    this.#count.commands++;
    this.#logger.info({ camera, enabled }, `camera ${camera} is switched ${switchPayload(enabled)} over MQTT`);
    try {
      this.#handler(camera, enabled);
    } catch (error) {
      this.#logger.error({ camera, error }, `camera ${camera}: command failed: ${messageOf(error)}`);
    }
  }
}
