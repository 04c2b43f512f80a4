import type { RunProgress } from '../../training/run/train-run.ts';
import type { CommandContext } from '../command.ts';

/** Between two lines where there is no terminal. */
const EVERY_MS = 15_000;
const LINE_UP = '\u001b[1A\u001b[2K';

/** One line that changes on a terminal, a line now and then elsewhere, on standard error. */
export function showTraining(
  { warn, interactive }: Pick<CommandContext, 'warn' | 'interactive'>,
  now: () => number,
): (progress: RunProgress) => void {
  let shownMs = Number.NEGATIVE_INFINITY;
  let shown = false;
  let judged: RunProgress['judgement'] = null;
  return (progress) => {
    const news = progress.judgement !== judged;
    judged = progress.judgement;
    const due = now() - shownMs >= (interactive ? 200 : EVERY_MS);
    if (!due && !news && progress.step < progress.steps) return;
    shownMs = now();
    const line = progressText(progress);
    warn(interactive && shown ? `${LINE_UP}${line}` : line);
    shown = true;
  };
}

/** How far a training has come, in one line. */
export function progressText({ step, steps, loss, picturesPerSecond, leftMs, judgement }: RunProgress): string {
  const figures = Object.entries(judgement?.figures ?? {})
    .slice(0, 3)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const parts = [
    `step ${step} of ${steps}`,
    `loss ${loss.toFixed(4)}`,
    ...figures,
    `${Math.round(picturesPerSecond)} pictures/s`,
    `${timeText(leftMs)} left`,
  ];
  return `  ${parts.join(' · ')}`;
}

function timeText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
