import type { Command } from 'commander';

/** What a shell reports for a command ended by Ctrl-C. */
export const EXIT_INTERRUPTED = 130;

/** What a subcommand gets from `main.ts`: nothing else of the process is touched. */
export interface CommandContext {
  /** Prints one line to standard output. */
  print(line: string): void;
  /** Prints one line to standard error. */
  warn(line: string): void;
  /** True when standard output is a terminal. */
  readonly interactive: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Sets the status the process ends with when the command returns (0 unless told). */
  exitWith(code: number): void;
  /** Has the process killed (SIGKILL) when the command has returned: a thread that hangs keeps it from ending by itself. */
  endByForce(): void;
}

/** Adds one subcommand to the program. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;
