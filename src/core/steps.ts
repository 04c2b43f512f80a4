import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work in steps: what runs it may do something else between any two. Each step takes a few milliseconds at most. */
export type Steps<T> = Generator<void, T>;

/** All steps one after the other. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}

/** A turn of the event loop for each step, so that nothing else waits. Rejects with the signal's reason when aborted. */
export async function turnByTurn<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const next = steps.next();
    if (next.done) return next.value;
    await nextTurn();
  }
}
