import type { Clock } from '../core/clock.ts';

/** When each part of the daemon last got on with its work. A part counts from its first `report` until `forget`. */
export class ProgressLedger {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #stallAfterMs: number;
  readonly #lastReport = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonic'>, stallAfterMs: number) {
    this.#clock = clock;
    this.#stallAfterMs = stallAfterMs;
  }

  /** `part` has got on: looked at a frame, or tried again to reach a camera that is away. */
  report(part: string): void {
    this.#lastReport.set(part, this.#clock.monotonic());
  }

  /** `part` has ended on purpose and owes no progress. */
  forget(part: string): void {
    this.#lastReport.delete(part);
  }

  /** Parts without progress for longer than they may be, at `now` (monotonic milliseconds). */
  stalledParts(now: number = this.#clock.monotonic()): string[] {
    return [...this.#lastReport].filter(([, at]) => now - at > this.#stallAfterMs).map(([part]) => part);
  }
}
