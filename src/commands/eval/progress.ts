import type { CommandContext } from '../command.ts';

/** Moves to the line before and clears it. */
const LINE_UP = '\u001b[1A\u001b[2K';
const EVERY_MS = 200;

/**
 * Tells on standard error how far reading pictures is, in place on a terminal, else with one line where it starts; standard
 * output is for the figures.
 */
export function progressOf(
  { warn, interactive }: Pick<CommandContext, 'warn' | 'interactive'>,
  what: string,
  now: () => number,
): (done: number, of: number) => void {
  let shownMs = Number.NEGATIVE_INFINITY;
  let begun = false;
  return (done, of) => {
    if (begun && (!interactive || (now() - shownMs < EVERY_MS && done < of))) return;
    shownMs = now();
    const line = interactive ? `${what}: ${done} of ${of} pictures` : `${what}: reading ${of} pictures`;
    warn(begun ? `${LINE_UP}${line}` : line);
    begun = true;
  };
}
