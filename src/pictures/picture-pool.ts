import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { entryBeside, loaderArguments } from '../core/entry-points.ts';
import { ERRORS, type ErrorCode, EyelineError } from '../core/errors.ts';
import { collectYoungGarbage } from '../core/young-garbage.ts';
import type {
  Batching,
  ChainConfig,
  FromPictureWorker,
  PictureAnswer,
  PictureTask,
  Ticket,
  ToPictureWorker,
} from './picture-protocol.ts';

const WORKER = entryBeside('picture-worker', import.meta.url);
/** Pictures a worker has at a time: while one is decoded the faces of another are looked for, and runs can share a batch. */
const IN_HAND = 4;
/** Answers, some with pixels, between two small garbage collections. */
const ANSWERS_PER_COLLECTION = 32;

export interface PicturePoolOptions {
  /** How many processes. */
  readonly workers: number;
  readonly batching: Batching;
  /** Of the processes; what may hold a secret of the program is left out. */
  readonly env: NodeJS.ProcessEnv;
}

interface Member {
  readonly worker: ChildProcess;
  readonly ready: Promise<void>;
  inHand: number;
}

/** One go over a list of tasks. */
interface Run {
  readonly number: number;
  readonly tasks: Iterator<PictureTask>;
  readonly answers: Map<number, PictureAnswer<PictureTask>>;
  /** Tasks given out. */
  given: number;
  /** Those of them that are still to be answered, by number, with who works on them. */
  readonly open: Map<number, Member>;
  /** There are no more tasks. */
  ended: boolean;
  failure: Error | undefined;
  wake: () => void;
}

/** Works on stored pictures on all cores. For one `run` at a time. */
export class PicturePool {
  readonly #config: ChainConfig;
  readonly #options: PicturePoolOptions;
  #members: Member[] = [];
  #run: Run | undefined;
  #runs = 0;
  #answers = 0;
  /** Set when a worker has ended: nothing is given out any more. */
  #failure: Error | undefined;
  #closed = false;

  constructor(config: ChainConfig, options: PicturePoolOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** Starts the processes and opens their models. Throws as `openFaceAnalyser` does, and OPENCV_UNAVAILABLE. */
  async start(): Promise<void> {
    this.#members = Array.from({ length: this.#options.workers }, (_, number) => this.#begin(number));
    try {
      await Promise.all(this.#members.map(({ ready }) => ready));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Answers in the order of the tasks, which are taken as they can be worked on; those ahead of the consumer are bounded.
   * Once `tasks` ends, what is under way is finished. Throws what a task failed with, after the others under way are
   * finished, INFERENCE_FAILED likewise when a worker ends or has ended before, and the reason of `signal`.
   */
  async *run<T extends PictureTask>(tasks: Iterable<T>, signal?: AbortSignal): AsyncGenerator<PictureAnswer<T>> {
    const run: Run = {
      number: ++this.#runs,
      tasks: tasks[Symbol.iterator](),
      answers: new Map(),
      given: 0,
      open: new Map(),
      ended: false,
      failure: this.#failure,
      wake: () => {},
    };
    this.#run = run;
    const ahead = this.#options.workers * IN_HAND * 2;
    for (let index = 0; ; index++) {
      for (;;) {
        this.#deal(index + ahead);
        if (run.answers.has(index)) break;
        signal?.throwIfAborted();
        if (run.failure && run.open.size === 0) throw run.failure;
        if (run.ended && index === run.given) return;
        await new Promise<void>((resolve) => {
          run.wake = resolve;
        });
      }
      const answer = run.answers.get(index);
      run.answers.delete(index);
      yield answer as PictureAnswer<T>;
    }
  }

  /** Ends the processes. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#members.map(async ({ worker }) => {
        if (worker.exitCode !== null || worker.signalCode !== null) return;
        const gone = once(worker, 'exit').catch(() => undefined);
        worker.kill('SIGKILL');
        await gone;
      }),
    );
    this.#members = [];
  }

  /** Gives the workers tasks up to, not including, the one of number `limit`. */
  #deal(limit: number): void {
    const run = this.#run;
    if (!run) return;
    while (run.given < limit && !run.ended && !run.failure) {
      const idle = this.#members.reduce((least, member) => (member.inHand < least.inHand ? member : least));
      if (idle.inHand >= IN_HAND) return;
      const { value: task, done } = run.tasks.next();
      if (done) {
        run.ended = true;
        return;
      }
      idle.inHand++;
      run.open.set(run.given, idle);
      const message: ToPictureWorker = { type: 'task', ticket: { run: run.number, index: run.given++ }, task };
      idle.worker.send(message, () => {});
    }
  }

  #begin(number: number): Member {
    const { batching, env } = this.#options;
    const worker = fork(fileURLToPath(WORKER), {
      execArgv: loaderArguments(WORKER),
      serialization: 'advanced',
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('EYELINE_'))),
    });
    let failStart: (error: Error) => void = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      failStart = reject;
      worker.on('message', (message: FromPictureWorker) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(asError(message.code, message.message));
        else if (message.type === 'refused') this.#fail(member, message.ticket, asError(message.code, message.message));
        else this.#take(member, message.ticket, message.answer);
      });
    });
    const member: Member = { worker, ready, inHand: 0 };
    const ended = (reason: string) => {
      if (this.#closed) return;
      this.#failure ??= new EyelineError('INFERENCE_FAILED', `a picture worker ended: ${reason}`);
      failStart(this.#failure);
      if (!this.#run) return;
      const { open } = this.#run;
      // What it had will have no answer.
      for (const [index, worker] of open) if (worker === member) open.delete(index);
      this.#run.failure ??= this.#failure;
      this.#run.wake();
    };
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', (code, signal) => ended(signal ?? `status ${code}`));
    const open: ToPictureWorker = { type: 'open', config: this.#config, batching, member: number };
    worker.send(open, () => {});
    return member;
  }

  #take(member: Member, { run, index }: Ticket, answer: PictureAnswer<PictureTask>): void {
    member.inHand--;
    if (this.#run?.number === run) {
      this.#run.open.delete(index);
      this.#run.answers.set(index, answer);
    }
    this.#run?.wake();
    if (++this.#answers % ANSWERS_PER_COLLECTION === 0) collectYoungGarbage();
  }

  #fail(member: Member, { run, index }: Ticket, failure: Error): void {
    member.inHand--;
    if (this.#run?.number === run) {
      this.#run.open.delete(index);
      this.#run.failure ??= failure;
    }
    this.#run?.wake();
  }
}

function asError(code: string | null, message: string): Error {
  return code !== null && code in ERRORS ? new EyelineError(code as ErrorCode, message) : new Error(message);
}
