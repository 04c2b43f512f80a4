import { systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';

const LOOK_EVERY_MS = 20;

/** Waits until something is so. Throws BENCH_FAILED, with what was waited for, when it is not within the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
  { what = 'what was waited for', signal }: { readonly what?: string; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new EyelineError('BENCH_FAILED', `${what} did not happen within ${withinMs / 1000} s`);
    }
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}
