import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { EventSpool } from './event-spool.ts';
import { type Instant, type Lifetime, lifetimeOf, messageExpiryS, remainingMs } from './expiry.ts';
import { completeIdentity, type IdentityDraft, type IdentityEvent, identityEvent } from './identity-event.ts';
import { LogOnce } from './log-once.ts';
import { Outbox, type Waiting } from './outbox.ts';
import { SpoolKeeper } from './spool-keeper.ts';

export interface IdentityQueueOptions {
  readonly device: string;
  /** An event may be acted on for so long after its capture. */
  readonly expireAfterMs: number;
  /** Most events that wait. */
  readonly bufferMax: number;
  /** Events that wait longer than this, by the wall clock, are dropped. */
  readonly maxAgeMs: number;
  /** Where events wait so that the end of the process does not lose them; null for memory alone. */
  readonly spool: EventSpool | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An event as it is to be sent now. */
export interface OutgoingIdentity {
  readonly payload: string;
  /** Names the event (its `id`). */
  readonly id: string;
  /** Message expiry interval, whole seconds. */
  readonly expiryS: number;
  /** The broker answered: call once. */
  settle(accepted: boolean): void;
}

interface Pending {
  /** Where it is kept; null when in memory alone. */
  readonly position: number | null;
  /** Null when it is to be read from where it is kept. */
  readonly event: IdentityEvent | null;
  /** Null of an event that an earlier run of the daemon left. */
  readonly lifetime: Lifetime | null;
}

/**
 * Makes events of drafts and keeps them, in order, until the broker has them; with a spool those of earlier runs of the
 * daemon come first. An event is written out at the moment it is sent, so that `late` is true of whatever waited for the
 * broker, is sent again, is of an earlier run or has expired by then.
 */
export class IdentityQueue {
  readonly #options: IdentityQueueOptions;
  readonly #outbox: Outbox<Pending>;
  readonly #keeper: SpoolKeeper;
  readonly #log: LogOnce;
  readonly #bootId = randomUUID();
  readonly #count = { published: 0, late: 0, dropped: 0, invalid: 0 };
  #sequence = 0;
  #dropTold = false;

  constructor(options: IdentityQueueOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.bufferMax);
    this.#keeper = new SpoolKeeper(options.spool, options.logger);
    this.#log = new LogOnce(options.logger);
    for (const position of this.#keeper.left()) {
      this.#drop(this.#outbox.push({ position, event: null, lifetime: null }, true));
    }
  }

  get bootId(): string {
    return this.#bootId;
  }

  /** Events by what became of them; see `PublisherCounters`. */
  get counters() {
    return { ...this.#count, waiting: this.#outbox.waiting, inFlight: this.#outbox.inFlight };
  }

  /** Takes a draft over; `late` when the broker is away. A draft that makes no valid event is counted and logged. */
  accept(draft: IdentityDraft, late: boolean): void {
    const problem = this.#push(draft, late);
    if (problem === null) return;
    this.#count.invalid++;
    this.#log.error({ camera: draft.camera }, `camera ${draft.camera}: identity event is not valid: ${problem}`);
  }

  /** The next event to send, or null. */
  next(): OutgoingIdentity | null {
    for (let waiting = this.#outbox.take(); waiting; waiting = this.#outbox.take()) {
      const event = this.#eventOf(waiting.item);
      if (event && !this.#isTooOld(event)) return this.#outgoing(waiting, event);
      this.#outbox.settle(waiting);
      this.#drop([waiting.item]);
    }
    return null;
  }

  /** The connection broke: what is in flight waits again. */
  recall(): void {
    this.#drop(this.#outbox.recall());
  }

  /** The broker is back: events that are dropped from now on are a new matter. */
  recovered(): void {
    this.#dropTold = false;
  }

  /** Leaves what is left to the next run, gives up what cannot be kept, and says so. */
  abandon(): void {
    const left = [...this.#outbox.recall(), ...this.#outbox.clear()];
    const kept = left.filter(({ position }) => position !== null).length;
    const lost = left.length - kept;
    this.#count.dropped += lost;
    const { logger } = this.#options;
    if (lost > 0) logger.warn({ lost }, `${lost} identity events were not sent before the stop`);
    if (kept > 0) logger.info({ kept }, `${kept} identity events are kept for the next start`);
    this.#keeper.close();
  }

  /** A draft that came after the end. */
  refuse(): void {
    this.#count.dropped++;
  }

  #outgoing(waiting: Waiting<Pending>, event: IdentityEvent): OutgoingIdentity {
    const { clock, expireAfterMs } = this.#options;
    const { lifetime, position } = waiting.item;
    const now = this.#now();
    const leftMs = remainingMs(lifetime ?? lifetimeOf(Date.parse(event.capturedAt), expireAfterMs, now), now);
    const late = waiting.late || leftMs <= 0;
    const waitedMs = lifetime
      ? clock.monotonic() - lifetime.takenMonotonicMs
      : now.wallMs - Date.parse(event.decidedAt);
    const publish = Number(Math.max(0, waitedMs).toFixed(1));
    return {
      payload: JSON.stringify({ ...event, late, latencyMs: { ...event.latencyMs, publish } }),
      id: event.id,
      expiryS: messageExpiryS(leftMs),
      settle: (accepted) => {
        if (!this.#outbox.settle(waiting)) return;
        if (position !== null) this.#keeper.forget(position);
        if (!accepted) return;
        this.#count.published++;
        if (late) this.#count.late++;
      },
    };
  }

  #eventOf({ event, position }: Pending): IdentityEvent | null {
    return event ?? (position === null ? null : this.#keeper.read(position));
  }

  #isTooOld(event: IdentityEvent): boolean {
    return this.#options.clock.now() - Date.parse(event.decidedAt) > this.#options.maxAgeMs;
  }

  #push(draft: IdentityDraft, late: boolean): string | null {
    try {
      const lifetime = lifetimeOf(draft.capturedAtMs, this.#options.expireAfterMs, this.#now());
      const event = completeIdentity(draft, {
        id: randomUUID(),
        bootId: this.#bootId,
        sequence: this.#sequence + 1,
        device: this.#options.device,
        expiresAtMs: lifetime.expiresAtMs,
        late,
        publishMs: 0,
      });
      const { error } = identityEvent.safeParse(event);
      if (error) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      this.#sequence = event.sequence;
      const position = this.#keeper.keep(event);
      // What waits for the broker may wait for days: on the disk, not in memory.
      const held = late && position !== null ? null : event;
      this.#drop(this.#outbox.push({ position, event: held, lifetime }, late));
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  #now(): Instant {
    const { clock } = this.#options;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #drop(dropped: readonly Pending[]): void {
    for (const { position } of dropped) if (position !== null) this.#keeper.forget(position);
    this.#count.dropped += dropped.length;
    if (dropped.length === 0 || this.#dropTold) return;
    this.#dropTold = true;
    const { bufferMax, logger } = this.#options;
    logger.warn(
      { bufferMax },
      `more than ${bufferMax} identity events, or too old ones, waited for the MQTT broker: the oldest are dropped`,
    );
  }
}
