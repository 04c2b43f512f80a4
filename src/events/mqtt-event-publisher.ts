import type { Clock } from '../core/clock.ts';
import { type EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RetryPolicy } from '../core/retry.ts';
import type { AttemptReport } from './attempt.ts';
import { type CameraEnabledHandler, CameraSwitches } from './camera-switches.ts';
import type { CommandName } from './command.ts';
import { type CommandHandler, Commands } from './commands.ts';
import {
  type CameraStatus,
  type DiagnosticsReport,
  type GalleryReport,
  type GallerySyncReport,
  galleryPayload,
  gallerySyncPayload,
} from './device-state.ts';
import type { EventSpool } from './event-spool.ts';
import { HomeAssistant, type HomeAssistantOptions } from './home-assistant.ts';
import type { IdentityDraft } from './identity-event.ts';
import { IdentityQueue } from './identity-queue.ts';
import { LeftOvers } from './left-overs.ts';
import type { MqttIncoming, MqttOutgoing, MqttTls } from './mqtt-connection.ts';
import { MqttSession, type Sendable } from './mqtt-session.ts';
import type { ProtocolChoice } from './mqtt-supervisor.ts';
import { RetainedState } from './retained-state.ts';
import { switchPayload } from './switch-command.ts';
import { announcementTopic, type DeviceTopics, deviceTopics } from './topics.ts';
import { TransientQueue } from './transient-queue.ts';

const JSON_TYPE = 'application/json';
/** A picture is of no use after so many seconds. */
const SNAPSHOT_S = 60;
/** Most notices that wait for the broker to take them. */
const NOTICES_MAX = 256;
/** How long stopping waits for events to be acknowledged, and for the goodbye. */
const STOP_MS = { events: 500, goodbye: 1000 };

export interface MqttEventPublisherOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Null makes one from the device's id. */
  readonly clientId: string | null;
  readonly prefix: string;
  readonly keepAliveS: number;
  readonly connectTimeoutMs: number;
  readonly protocolVersion: ProtocolChoice;
  readonly reconnect: RetryPolicy;
  readonly tls: MqttTls;
  readonly device: { readonly id: string; readonly name: string };
  /** Site whose gallery's versions are listened for; null for none. */
  readonly site?: string | null;
  /** Version of the product. */
  readonly version: string;
  readonly cameras: readonly { readonly id: string; readonly name: string; readonly enabled: boolean }[];
  readonly homeAssistant: Pick<
    HomeAssistantOptions,
    'enabled' | 'prefix' | 'lastPersonS' | 'diagnosticsS' | 'temperature' | 'snapshots'
  >;
  /** Commands that are taken on the command topic. */
  readonly commands: readonly CommandName[];
  /** An event may be acted on for so long after its capture. */
  readonly expireAfterMs: number;
  /** Most events kept while the broker is away. */
  readonly bufferMax: number;
  /** Events kept longer than this are dropped. */
  readonly maxAgeMs: number;
  /** Where they are kept so that the end of the process does not lose them; null for memory alone. Closed at the stop. */
  readonly spool: EventSpool | null;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** `online`: the broker has been told the state and takes events at once. */
export type PublisherState = 'connecting' | 'online' | 'stopped';

export interface PublisherCounters {
  readonly connects: number;
  /** Events the broker has acknowledged, and how many of them said `late`. */
  readonly published: number;
  readonly late: number;
  readonly waiting: number;
  readonly inFlight: number;
  /** Events lost: too many or too old, or the publisher stopped and could not keep them. */
  readonly dropped: number;
  /** Messages the broker did not accept (not authorised, quota). */
  readonly refused: number;
  /** Drafts that did not make a valid event. */
  readonly invalid: number;
  /** Commands taken, and commands that were malformed or retained and therefore passed over. */
  readonly commands: number;
  readonly ignoredCommands: number;
  /** Requests on the command topic that were carried out, and that were malformed, not allowed or failed. */
  readonly requests: number;
  readonly refusedRequests: number;
}

/**
 * Tells the world over MQTT who was seen and how the device is. A broker that is away never stops or delays its
 * caller: state is told when it is back, events wait on the disk, bounded, and then say `late`.
 *
 * The one rule above all others: an identity that is stale never looks fresh, or a door opens for somebody who is
 * long gone. So events are never retained, expire, and whatever waited or is sent a second time is marked.
 */
export class MqttEventPublisher {
  readonly #options: MqttEventPublisherOptions;
  readonly #topics: DeviceTopics;
  readonly #switches: CameraSwitches;
  readonly #retained = new RetainedState();
  readonly #queue: IdentityQueue;
  readonly #session: MqttSession;
  readonly #homeAssistant: HomeAssistant;
  readonly #leftOvers: LeftOvers;
  readonly #commands: Commands;
  readonly #announcements: string | null;
  #onAnnouncement: (text: string) => void = () => {};
  /** What is worth sending only now. */
  readonly #notices = new TransientQueue<MqttOutgoing>(NOTICES_MAX);
  readonly #attempts = new TransientQueue<MqttOutgoing>(NOTICES_MAX);
  /** Cameras that are online. */
  readonly #watching = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  #running = false;
  #stopping: Promise<void> | null = null;

  /** @throws RangeError when an id is not a slug or the prefix is not a topic name */
  constructor(options: MqttEventPublisherOptions) {
    this.#options = options;
    this.#topics = deviceTopics(options.prefix, options.device.id);
    this.#switches = new CameraSwitches(this.#topics, options.cameras, options.logger);
    this.#queue = new IdentityQueue({ ...options, device: options.device.id });
    const { clock, logger, protocolVersion, random, reconnect } = options;
    this.#homeAssistant = new HomeAssistant({
      ...options,
      ...options.homeAssistant,
      topics: this.#topics,
      retained: this.#retained,
      send: (message) => this.#notify(message),
    });
    this.#commands = new Commands({
      topics: this.#topics,
      prefix: options.prefix,
      discoveryPrefix: options.homeAssistant.prefix,
      allowed: options.commands,
      send: (message) => this.#notify(message),
      logger,
    });
    this.#announcements = options.site ? announcementTopic(options.prefix, options.site) : null;
    this.#leftOvers = new LeftOvers(this.#topics, options.cameras, this.#retained);
    this.#session = new MqttSession({
      supervisor: {
        connection: {
          url: options.url,
          username: options.username,
          password: options.password,
          clientId: options.clientId ?? `eyeline-${options.device.id}`,
          keepAliveS: options.keepAliveS,
          connectTimeoutMs: options.connectTimeoutMs,
          tls: options.tls,
          will: { topic: this.#topics.status, payload: 'offline' },
          userProperties: { device: options.device.name, software: `eyeline/${options.version}` },
          onMessage: (message) => {
            this.#take(message);
            this.#changed();
          },
        },
        protocolVersion,
        reconnect,
        clock,
        random,
        logger,
      },
      statusTopic: this.#topics.status,
      subscriptions: [
        ...this.#switches.topics,
        ...this.#commands.topics,
        ...this.#homeAssistant.topics,
        ...this.#leftOvers.filters,
        ...(this.#announcements === null ? [] : [this.#announcements]),
      ],
      retained: this.#retained,
      next: () => this.#next(),
      onOnline: () => this.#online(),
      onDown: () => {
        this.#queue.recall();
        this.#notices.clear();
        this.#attempts.clear();
      },
      onChange: () => this.#changed(),
      logger,
    });
    for (const { id, enabled } of options.cameras) {
      this.setCameraStatus(id, enabled ? 'connecting' : 'disabled');
      this.setCameraEnabled(id, enabled);
    }
  }

  /** Begins connecting and returns at once. */
  start(): void {
    this.#running = this.#stopping === null;
    this.#session.start();
    this.#changed();
  }

  /**
   * Sends what still waits, tells `stopped` and disconnects; gives up on a broker that does not answer after 2 s
   * (which then publishes the will). Never throws.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  /** Names this run of the daemon in its events. */
  get bootId(): string {
    return this.#queue.bootId;
  }

  get state(): PublisherState {
    if (!this.#running) return 'stopped';
    return this.#session.phase === 'online' ? 'online' : 'connecting';
  }

  /** Why the broker cannot be reached; null when it can or was not tried yet. */
  get lastError(): EyelineError | null {
    return this.#session.lastError;
  }

  counters(): PublisherCounters {
    return {
      ...this.#session.counters,
      ...this.#switches.counters,
      ...this.#commands.counters,
      ...this.#queue.counters,
    };
  }

  /** Calls `listener` after every change of {@link state}, {@link counters} or {@link lastError}. */
  onActivity(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Calls `handler` when somebody switches a camera on or off; confirm with {@link setCameraEnabled}. */
  onCameraEnabled(handler: CameraEnabledHandler): void {
    this.#switches.onSwitch(handler);
  }

  /** Has `handler` carry out the commands that are allowed. */
  onCommand(handler: CommandHandler): void {
    this.#commands.onCommand(handler);
  }

  /** Calls `handler` with what is announced of the site's gallery: nobody has checked it yet. */
  onAnnouncement(handler: (text: string) => void): void {
    this.#onAnnouncement = handler;
  }

  /** Tells how the device stands to its fleet, now and after every reconnect. */
  setGallerySync(report: GallerySyncReport): void {
    this.#setRetained(this.#topics.gallerySync, gallerySyncPayload(report), JSON_TYPE);
  }

  /** Sends a picture of a camera, if the broker is there. Throws RangeError when the camera's id is not a slug. */
  sendSnapshot(camera: string, jpeg: Uint8Array): string {
    const topic = this.#topics.cameraSnapshot(camera);
    this.#notify({ topic, payload: Buffer.from(jpeg), retain: false, contentType: 'image/jpeg', expiryS: SNAPSHOT_S });
    return topic;
  }

  /** Tells how a camera is, now and after every reconnect. Throws RangeError when its id is not a slug. */
  setCameraStatus(camera: string, status: CameraStatus): void {
    this.#setRetained(this.#topics.cameraStatus(camera), status);
    if (status === 'online') this.#watching.add(camera);
    else {
      this.#watching.delete(camera);
      this.setPersonPresent(camera, false);
    }
  }

  /** Tells whether a camera is watched, now and after every reconnect. Throws RangeError when its id is not a slug. */
  setCameraEnabled(camera: string, enabled: boolean): void {
    this.#setRetained(this.#topics.cameraEnabled(camera), switchPayload(enabled));
  }

  /**
   * Tells whether a face is in view, now and after every reconnect. Of a camera that is not online nobody is: a frame that was in
   * work as it went says nothing of now. Throws RangeError when its id is not a slug.
   */
  setPersonPresent(camera: string, present: boolean): void {
    this.#setRetained(this.#topics.cameraPerson(camera), switchPayload(present && this.#watching.has(camera)));
  }

  /** Tells how the device does, if the broker is there. */
  tellDiagnostics(report: DiagnosticsReport): void {
    const { diagnosticsS: expiryS } = this.#options.homeAssistant;
    const payload = JSON.stringify(report);
    this.#notify({ topic: this.#topics.diagnostics, payload, retain: false, contentType: JSON_TYPE, expiryS });
  }

  /** Tells what one look at a face said, if the broker is there. */
  tellAttempt(report: AttemptReport): void {
    const payload = JSON.stringify(report);
    const expiryS = Math.ceil(this.#options.expireAfterMs / 1000);
    if (this.#session.phase !== 'online') return;
    this.#attempts.push({ topic: this.#topics.attempt, payload, retain: false, contentType: JSON_TYPE, expiryS });
    this.#session.pump();
  }

  /** Tells which gallery is in use, now and after every reconnect. */
  setGallery(report: GalleryReport): void {
    this.#setRetained(this.#topics.gallery, galleryPayload(report), JSON_TYPE);
  }

  /** Publishes an event, or keeps it until the broker is back. Returns at once and never throws. */
  publishIdentity(draft: IdentityDraft): void {
    if (this.#stopping === null) {
      this.#queue.accept(draft, this.#session.phase !== 'online');
      this.#homeAssistant.seen(draft);
    } else this.#queue.refuse();
    this.#session.pump();
    this.#changed();
  }

  #take(message: MqttIncoming): void {
    if (message.topic === this.#announcements && message.payload.length > 0) {
      this.#onAnnouncement(message.payload.toString('utf8'));
    }
    this.#switches.take(message);
    this.#commands.take(message);
    this.#homeAssistant.take(message);
    this.#leftOvers.take(message);
    this.#session.pump();
  }

  #notify(message: MqttOutgoing): void {
    if (this.#session.phase !== 'online') return;
    this.#notices.push(message);
    this.#session.pump();
  }

  #next(): Sendable | null {
    const notice = this.#notices.shift();
    if (notice) return { message: notice };
    const event = this.#queue.next();
    // What is for finding faults makes nobody wait.
    const attempt = event ? null : this.#attempts.shift();
    if (attempt) return { message: attempt };
    if (!event) return null;
    const { payload, expiryS } = event;
    return {
      message: { topic: this.#topics.event, payload, expiryS, retain: false, contentType: JSON_TYPE },
      done: (refusal) => event.settle(refusal === null),
    };
  }

  #online(): void {
    const { waiting } = this.#queue.counters;
    if (waiting > 0) this.#options.logger.info({ waiting }, 'sending the events that waited for the MQTT broker');
    this.#queue.recovered();
  }

  async #shutDown(): Promise<void> {
    this.#running = false;
    this.#homeAssistant.stop();
    try {
      const isDown = () => this.#session.phase === 'down';
      const isSent = () => this.#queue.counters.waiting + this.#queue.counters.inFlight === 0;
      if (this.#session.phase === 'online') await this.#until(() => isSent() || isDown(), STOP_MS.events);
      if (!isDown()) {
        this.#session.leave();
        await this.#until(isDown, STOP_MS.goodbye);
      }
      await this.#session.stop();
      this.#queue.abandon();
    } catch (error) {
      this.#options.logger.error({ error }, `MQTT did not stop cleanly: ${messageOf(error)}`);
    }
    this.#changed();
  }

  /** Resolves when the condition holds after some change, or when the time is over. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    if (condition()) return;
    const over = new AbortController();
    this.onActivity(() => {
      if (condition()) over.abort();
    });
    await this.#options.clock.sleep(timeoutMs, over.signal).catch(() => {});
  }

  #setRetained(topic: string, payload: string, contentType: string | null = null): void {
    if (this.#retained.set(topic, payload, contentType)) this.#session.pump();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
