import type { Clock } from '../core/clock.ts';

/** How often whoever waits gives a sign of life: more often than `health.stallAfterMs` may ask for. */
export const ALIVE_MS = 500;

/** Waits for `ms`, or until the signal is aborted, with a sign of life at the beginning and twice a second. */
export async function sleepAlive(
  ms: number,
  signal: AbortSignal,
  alive: () => void,
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
): Promise<void> {
  const until = clock.monotonic() + ms;
  for (let left = ms; left > 0 && !signal.aborted; left = until - clock.monotonic()) {
    alive();
    await clock.sleep(Math.min(left, ALIVE_MS), signal).catch(() => undefined);
  }
}
