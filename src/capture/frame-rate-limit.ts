/** Share of an interval a frame may come early: cameras do not keep time to the millisecond. */
const EARLY = 0.25;

/**
 * Lets through at most `fps` frames a second of a stream that may be faster. A stream at just that rate passes whole,
 * although its frames come a little early or late; a gap is not made up for by a burst.
 */
export class FrameRateLimit {
  readonly #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(fps: number) {
    this.#intervalMs = 1000 / fps;
  }

  /** Whether the frame that came at `nowMs` (monotonic) passes. */
  admits(nowMs: number): boolean {
    if (nowMs < this.#dueMs - this.#intervalMs * EARLY) return false;
    const late = nowMs - this.#dueMs >= this.#intervalMs;
    this.#dueMs = (late ? nowMs : this.#dueMs) + this.#intervalMs;
    return true;
  }
}
