/** Things worth sending only while the broker is there, in order; the oldest give way. */
export class TransientQueue<T> {
  readonly #max: number;
  #waiting: T[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  push(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length > this.#max) this.#waiting.shift();
  }

  shift(): T | null {
    return this.#waiting.shift() ?? null;
  }

  clear(): void {
    this.#waiting = [];
  }
}
