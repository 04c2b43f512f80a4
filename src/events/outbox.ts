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
  readonly #inFlight = new Set<Waiting<T>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Events that wait to be sent. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Events sent and not yet acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Adds an event at the end; gives the number of events dropped to make room. */
  push(item: T, late: boolean): number {
    this.#waiting.push({ item, late });
    return this.#trim();
  }

  /** Takes the next event to send; it is in flight until it is settled or the connection breaks. */
  take(): Waiting<T> | null {
    const next = this.#waiting.shift();
    if (!next) return null;
    this.#inFlight.add(next);
    return next;
  }

  /** The broker answered: the event is done with. False when it was not in flight (any more). */
  settle(sent: Waiting<T>): boolean {
    return this.#inFlight.delete(sent);
  }

  /** The connection broke: everything waits, late; gives the number of events dropped to make room. */
  recall(): number {
    this.#waiting = [...this.#inFlight, ...this.#waiting].map(({ item }) => ({ item, late: true }));
    this.#inFlight.clear();
    return this.#trim();
  }

  /** Drops everything that waits; gives the number of events dropped. */
  clear(): number {
    return this.#waiting.splice(0).length;
  }

  #trim(): number {
    const surplus = Math.max(0, this.#waiting.length - this.#max);
    if (surplus > 0) this.#waiting.splice(0, surplus);
    return surplus;
  }
}
