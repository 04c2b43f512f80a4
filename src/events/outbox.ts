/** What waits in an {@link Outbox}. */
export interface Waiting<T> {
  readonly item: T;
  /** True once it has waited for the broker, or may have reached it before. */
  readonly late: boolean;
}

/**
 * Events on their way to the broker, in order: those that wait and those that are sent but not acknowledged. Holds
 * at most `max` that wait; the oldest gives way. What was in flight when the connection broke waits again, at the
 * front and late: the broker may have it already.
 */
export class Outbox<T> {
  readonly #max: number;
  #waiting: Waiting<T>[] = [];
  /** Those before it are taken already: taking one must not move all others of a long queue. */
  #head = 0;
  readonly #inFlight = new Set<Waiting<T>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Events that wait to be sent. */
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  /** Events sent and not yet acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Adds an event at the end; gives those dropped to make room. */
  push(item: T, late: boolean): readonly T[] {
    this.#waiting.push({ item, late });
    return this.#trim();
  }

  /** Takes the next event to send; it is in flight until it is settled or the connection breaks. */
  take(): Waiting<T> | null {
    const next = this.#shift();
    if (next) this.#inFlight.add(next);
    return next;
  }

  /** The broker answered: the event is done with. False when it was not in flight (any more). */
  settle(sent: Waiting<T>): boolean {
    return this.#inFlight.delete(sent);
  }

  /** The connection broke: everything waits, late; gives those dropped to make room. */
  recall(): readonly T[] {
    this.#waiting = [...this.#inFlight, ...this.#waiting.slice(this.#head)].map(({ item }) => ({ item, late: true }));
    this.#head = 0;
    this.#inFlight.clear();
    return this.#trim();
  }

  /** Takes everything that waits off the queue. */
  clear(): readonly T[] {
    const left = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    return left.map(({ item }) => item);
  }

  #trim(): readonly T[] {
    const dropped: T[] = [];
    while (this.waiting > this.#max) {
      const oldest = this.#shift();
      if (oldest) dropped.push(oldest.item);
    }
    return dropped;
  }

  #shift(): Waiting<T> | null {
    const next = this.#waiting[this.#head];
    if (!next) return null;
    this.#head++;
    if (this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }
}
