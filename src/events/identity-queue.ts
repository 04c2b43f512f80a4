import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type Instant, type Lifetime, lifetimeOf, messageExpiryS, remainingMs } from './expiry.ts';
import { completeIdentity, type IdentityDraft, type IdentityEvent, identityEvent } from './identity-event.ts';
import { LogOnce } from './log-once.ts';
import { Outbox } from './outbox.ts';

export interface IdentityQueueOptions {
  readonly device: string;
  /** An event may be acted on for so long after its capture. */
  readonly expireAfterMs: number;
  /** Most events that wait. */
  readonly bufferMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An event as it is to be sent now. */
export interface OutgoingIdentity {
  readonly payload: string;
  /** Message expiry interval, whole seconds. */
  readonly expiryS: number;
  /** The broker answered: call once. */
  settle(accepted: boolean): void;
}

interface Pending {
  readonly draft: IdentityDraft;
  readonly id: string;
  readonly sequence: number;
  readonly lifetime: Lifetime;
}

/**
 * Makes events of drafts and keeps them, in order, until the broker has them. An event is written out at the moment
 * it is sent, so that `late` is true of whatever waited for the broker, is sent again or has expired by then.
 */
export class IdentityQueue {
  readonly #options: IdentityQueueOptions;
  readonly #outbox: Outbox<Pending>;
  readonly #log: LogOnce;
  readonly #bootId = randomUUID();
  readonly #count = { published: 0, late: 0, dropped: 0, invalid: 0 };
  #sequence = 0;
  #dropTold = false;

  constructor(options: IdentityQueueOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.bufferMax);
    this.#log = new LogOnce(options.logger);
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
    const waiting = this.#outbox.take();
    if (!waiting) return null;
    const leftMs = remainingMs(waiting.item.lifetime, this.#now());
    const late = waiting.late || leftMs <= 0;
    return {
      payload: JSON.stringify(this.#complete(waiting.item, late)),
      expiryS: messageExpiryS(leftMs),
      settle: (accepted) => {
        if (!this.#outbox.settle(waiting) || !accepted) return;
        this.#count.published++;
        if (late) this.#count.late++;
      },
    };
  }

  /** The connection broke: what is in flight waits again. */
  recall(): void {
    this.#dropped(this.#outbox.recall());
  }

  /** The broker is back: events that are dropped from now on are a new matter. */
  recovered(): void {
    this.#dropTold = false;
  }

  /** Gives up what is left and says so. */
  abandon(): void {
    const lost = this.#outbox.recall() + this.#outbox.clear();
    this.#count.dropped += lost;
    if (lost > 0) this.#options.logger.warn({ lost }, `${lost} identity events were not sent before the stop`);
  }

  /** A draft that came after the end. */
  refuse(): void {
    this.#count.dropped++;
  }

  #push(draft: IdentityDraft, late: boolean): string | null {
    try {
      const pending: Pending = {
        draft,
        id: randomUUID(),
        sequence: this.#sequence + 1,
        lifetime: lifetimeOf(draft.capturedAtMs, this.#options.expireAfterMs, this.#now()),
      };
      const { error } = identityEvent.safeParse(this.#complete(pending, late));
      if (error) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      this.#sequence = pending.sequence;
      this.#dropped(this.#outbox.push(pending, late));
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  #complete({ draft, id, sequence, lifetime }: Pending, late: boolean): IdentityEvent {
    return completeIdentity(draft, {
      id,
      bootId: this.#bootId,
      sequence,
      device: this.#options.device,
      expiresAtMs: lifetime.expiresAtMs,
      late,
      publishMs: this.#options.clock.monotonic() - lifetime.takenMonotonicMs,
    });
  }

  #now(): Instant {
    const { clock } = this.#options;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #dropped(count: number): void {
    this.#count.dropped += count;
    if (count === 0 || this.#dropTold) return;
    this.#dropTold = true;
    const { bufferMax, logger } = this.#options;
    logger.warn({ bufferMax }, `${bufferMax} identity events wait for the MQTT broker: the oldest are dropped`);
  }
}
