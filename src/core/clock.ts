import { setTimeout as delay } from 'node:timers/promises';

/** Time as the product needs it, injected so that tests decide what time it is. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch: for what leaves the process. */
  now(): number;
  /** Monotonic milliseconds: for every duration and time-out. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : undefined);
  },
};
