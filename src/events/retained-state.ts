/** One retained value and where it belongs. */
export interface RetainedValue {
  readonly topic: string;
  readonly payload: string;
}

/**
 * The retained values the broker should hold, and which of them it has not been told yet. Only the latest value of a
 * topic counts; topics are told in the order in which they changed.
 */
export class RetainedState {
  readonly #wanted = new Map<string, string>();
  readonly #untold = new Set<string>();

  /** Sets the value of a topic; false when it has that value already. */
  set(topic: string, payload: string): boolean {
    if (this.#wanted.get(topic) === payload) return false;
    this.#wanted.set(topic, payload);
    this.#untold.add(topic);
    return true;
  }

  /** Takes the next value to tell the broker. */
  take(): RetainedValue | null {
    for (const topic of this.#untold) {
      this.#untold.delete(topic);
      return { topic, payload: this.#wanted.get(topic) ?? '' };
    }
    return null;
  }

  /** A new connection: the broker is told everything again, it may have lost it. */
  forgetTold(): void {
    this.#untold.clear();
    for (const topic of this.#wanted.keys()) this.#untold.add(topic);
  }
}
