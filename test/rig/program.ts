import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MODELS_DIR } from './config.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  /** What killed it; null when it ended by itself. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program as a user starts it. */
export class Program {
  readonly #child: ChildProcess;
  readonly #finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';

  /** `main` is another installation's than that of the project. */
  constructor(args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv; main?: string }) {
    const { main = MAIN } = options;
    if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
    this.#child = spawn(process.execPath, ['--max-semi-space-size=2', main, ...args], {
      cwd: options.cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, EYELINE_MODELS_DIR: MODELS_DIR, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#finished = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves when the program has written this to standard error; rejects when it ends without. */
  warned(text: string): Promise<void> {
    return this.#said(text, this.#child.stderr, () => this.#stderr);
  }

  /** Resolves when the program has written this to standard output; rejects when it ends without. */
  printed(text: string): Promise<void> {
    return this.#said(text, this.#child.stdout, () => this.#stdout);
  }

  /** Resolves when the program has ended. */
  finished(): Promise<Finished> {
    return this.#finished;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the program if it still runs. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#finished;
  }

  #said(text: string, stream: Readable | null, all: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => all().includes(text) && resolve();
      stream?.on('data', look);
      this.#child.once('close', () => reject(new Error(`ended without "${text}": ${all()}`)));
      look();
    });
  }
}

/** Runs the built program to its end. */
export async function runProgram(
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Finished> {
  return await new Program(args, options).finished();
}
