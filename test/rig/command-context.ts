import type { CommandContext } from '../../src/commands/command.ts';

/** What a command printed and warned of, a line each, and the status it asked for. */
export interface Recorded {
  readonly context: CommandContext;
  readonly printed: string[];
  readonly warned: string[];
  status: number;
}

/** The context of one command, which records what comes of it. */
export function commandContext(given: Partial<Pick<CommandContext, 'env' | 'signal'>> = {}): Recorded {
  const [printed, warned]: [string[], string[]] = [[], []];
  const recorded: Recorded = {
    printed,
    warned,
    status: 0,
    context: {
      print: (line) => printed.push(line),
      warn: (line) => warned.push(line),
      interactive: false,
      env: {},
      signal: new AbortController().signal,
      exitWith: (code) => {
        recorded.status = code;
      },
      endByForce() {},
      ...given,
    },
  };
  return recorded;
}
