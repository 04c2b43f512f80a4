import type { Clock } from './clock.ts';

/**
 * Whether work is over, well or not, within `ms`. Never throws; work that takes longer is left to itself, since what hangs in native
 * code cannot be interrupted.
 */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
  const over = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const timeIsUp = clock.sleep(ms, over.signal).then(
    () => false,
    () => false,
  );
  const isOver = await Promise.race([ended, timeIsUp]);
  over.abort();
  return isOver;
}
