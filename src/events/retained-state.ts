/** One retained value and where it belongs. */
export interface RetainedValue {
  readonly topic: string;
  readonly payload: string;
  /** MIME type of the payload; null for plain words. */
  readonly contentType: string | null;
}

/**
 * The retained values the broker should hold, and which of them it has not been told yet. Only the latest value of a
 * topic counts; topics are told in the order in which they changed.
 */
export class RetainedState {
  readonly #wanted = new Map<string, RetainedValue>();
  readonly #untold = new Set<string>();

  /** Sets the value of a topic; false when it has that value already. An empty payload removes what the broker holds. */
  set(topic: string, payload: string, contentType: string | null = null): boolean {
    if (this.#wanted.get(topic)?.payload === payload) return false;
    this.#wanted.set(topic, { topic, payload, contentType });
    this.#untold.add(topic);
    return true;
  }

  /** Takes the next value to tell the broker. */
  take(): RetainedValue | null {
    for (const topic of this.#untold) {
      this.#untold.delete(topic);
      const value = this.#wanted.get(topic);
      if (value) return value;
    }
    return null;
  }

  /** These topics are to be told again, though nothing changed. */
  repeat(topics: readonly string[]): void {
    for (const topic of topics) if (this.#wanted.has(topic)) this.#untold.add(topic);
  }

  /** A new connection: the broker is told everything again, it may have lost it. */
  forgetTold(): void {
    this.#untold.clear();
    for (const topic of this.#wanted.keys()) this.#untold.add(topic);
  }
}
