import type { Clock } from '../core/clock.ts';
import {
  type DeviceDiscovery,
  type DiscoveredEntity,
  type DiscoveryOptions,
  deviceDiscovery,
} from './home-assistant-discovery.ts';
import type { IdentityDraft } from './identity-event.ts';
import type { MqttIncoming, MqttOutgoing } from './mqtt-connection.ts';
import type { RetainedState } from './retained-state.ts';

export interface HomeAssistantOptions extends DiscoveryOptions {
  /** First part of Home Assistant's topics. */
  readonly prefix: string;
  /** False takes back what an earlier run announced. */
  readonly enabled: boolean;
  readonly retained: RetainedState;
  /** Sends a message that is worth something only now. */
  readonly send: (message: MqttOutgoing) => void;
  readonly clock: Clock;
}

const JSON_TYPE = 'application/json';

/** Makes the device known to Home Assistant, again whenever that starts, and takes back what is no longer there. */
export class HomeAssistant {
  readonly #options: HomeAssistantOptions;
  readonly #configTopic: string;
  readonly #birthTopic: string;
  /** Entities of earlier runs that are gone, by key. */
  readonly #gone = new Map<string, DiscoveredEntity>();
  readonly #clearing = new Map<string, AbortController>();

  constructor(options: HomeAssistantOptions) {
    this.#options = options;
    this.#configTopic = `${options.prefix}/device/${options.device.id}/config`;
    this.#birthTopic = `${options.prefix}/status`;
    if (options.enabled) this.#announce();
  }

  /** The topics to subscribe to: when Home Assistant starts, and what an earlier run announced. */
  get topics(): readonly string[] {
    return this.#options.enabled ? [this.#birthTopic, this.#configTopic] : [this.#configTopic];
  }

  /** Takes a message on one of {@link topics}. */
  take({ topic, payload, retained }: MqttIncoming): void {
    if (topic === this.#birthTopic && this.#options.enabled && payload.toString('utf8') === 'online') {
      this.#options.retained.repeat([this.#configTopic]);
    } else if (topic === this.#configTopic && retained) this.#compare(payload);
  }

  /** Somebody was recognised, or not: the last person of the camera is who was, for as long as that is worth something. */
  seen({ camera, decision, person, score, type }: IdentityDraft): void {
    if (!this.#options.enabled || type === 'exit' || decision !== 'known' || !person) return;
    this.#tell(camera, { name: person.name, id: person.id, score });
    this.#clearing.get(camera)?.abort();
    const over = new AbortController();
    this.#clearing.set(camera, over);
    const { clock, lastPersonS } = this.#options;
    clock.sleep(lastPersonS * 1000, over.signal).then(
      () => this.#tell(camera, { name: null, id: null, score: null }),
      () => {},
    );
  }

  /** Nothing is cleared any more. */
  stop(): void {
    for (const over of this.#clearing.values()) over.abort();
  }

  #tell(camera: string, person: { name: string | null; id: string | null; score: number | null }): void {
    const { lastPersonS, send, topics } = this.#options;
    // Not retained: a name that is read days later is a stale identity.
    send({
      topic: topics.cameraLastPerson(camera),
      payload: JSON.stringify(person),
      retain: false,
      contentType: JSON_TYPE,
      expiryS: lastPersonS,
    });
  }

  #announce(): void {
    const discovery = deviceDiscovery(this.#options);
    const components = { ...Object.fromEntries(this.#gone), ...discovery.components };
    const payload: DeviceDiscovery = { ...discovery, components };
    this.#options.retained.set(this.#configTopic, JSON.stringify(payload), JSON_TYPE);
  }

  /** What an earlier run announced and this one does not is taken back: an entity with nothing but its platform is gone. */
  #compare(payload: Buffer): void {
    const before = announcedIn(payload);
    if (before === null) return;
    if (!this.#options.enabled) {
      this.#options.retained.set(this.#configTopic, '');
      return;
    }
    const now = deviceDiscovery(this.#options).components;
    for (const [key, platform] of before) if (!(key in now)) this.#gone.set(key, { platform });
    if (this.#gone.size > 0) this.#announce();
  }
}

/** Keys and platforms of the entities that a discovery message of ours adds; null when it is none of ours. */
function announcedIn(payload: Buffer): [key: string, platform: string][] | null {
  try {
    const value = JSON.parse(payload.toString('utf8')) as Partial<DeviceDiscovery> | null;
    if (value?.origin?.name !== 'Eyeline') return null;
    return Object.entries(value.components ?? {}).flatMap(([key, entity]): [string, string][] =>
      typeof entity?.platform === 'string' && Object.keys(entity).length > 1 ? [[key, entity.platform]] : [],
    );
  } catch {
    return null;
  }
}
