import { Presets, SingleBar } from 'cli-progress';
import type { Clock } from '../core/clock.ts';
import type { CommandContext } from './command.ts';

/** How far long work has come, told on standard error. */
export interface Progress {
  /** `done` of the total are done. */
  update(done: number): void;
  stop(): void;
}

/** Between two lines where there is no terminal. */
const EVERY_MS = 5000;

/** A bar on a terminal, a line now and then elsewhere. */
export function startProgress(
  context: Pick<CommandContext, 'warn' | 'interactive'>,
  clock: Clock,
  total: number,
  unit: string,
): Progress {
  const startedMs = clock.monotonic();
  const rate = (done: number) => Math.round((done * 1000) / Math.max(clock.monotonic() - startedMs, 1));
  if (context.interactive) {
    const format = ` {bar} {percentage}% | {value} of {total} ${unit}, {rate} a second`;
    const bar = new SingleBar({ format, hideCursor: true, gracefulExit: false }, Presets.shades_classic);
    bar.start(total, 0, { rate: 0 });
    return { update: (done) => bar.update(done, { rate: rate(done) }), stop: () => bar.stop() };
  }
  let toldMs = startedMs;
  return {
    update(done) {
      if (clock.monotonic() - toldMs < EVERY_MS && done < total) return;
      toldMs = clock.monotonic();
      context.warn(`  ${done} of ${total} ${unit}, ${rate(done)} a second`);
    },
    stop() {},
  };
}
