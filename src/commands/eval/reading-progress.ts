import { systemClock } from '../../core/clock.ts';
import type { CommandContext } from '../command.ts';
import { type Progress, startProgress } from '../progress.ts';

/** How far reading pictures is, anew for every lot of them. */
export interface ReadingProgress {
  readonly onProgress: (done: number, of: number) => void;
  /** Gives the terminal back where a lot was not finished. */
  stop(): void;
}

export function readingProgress(context: Pick<CommandContext, 'warn' | 'interactive'>): ReadingProgress {
  let progress: Progress | null = null;
  const stop = () => {
    progress?.stop();
    progress = null;
  };
  return {
    onProgress(done, of) {
      progress ??= startProgress(context, systemClock, of, 'pictures');
      progress.update(done);
      if (done === of) stop();
    },
    stop,
  };
}
