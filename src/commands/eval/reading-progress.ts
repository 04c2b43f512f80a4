import { systemClock } from '../../core/clock.ts';
import type { CommandContext } from '../command.ts';
import { type Progress, startProgress } from '../progress.ts';

/** Tells how far reading pictures is, anew for every lot of them. */
export function readingProgress(
  context: Pick<CommandContext, 'warn' | 'interactive'>,
): (done: number, of: number) => void {
  let progress: Progress | null = null;
  return (done, of) => {
    progress ??= startProgress(context, systemClock, of, 'pictures');
    progress.update(done);
    if (done < of) return;
    progress.stop();
    progress = null;
  };
}
