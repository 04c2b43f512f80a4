import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { entryBeside, loaderArguments } from '../core/entry-points.ts';
import { ERRORS, type ErrorCode, EyelineError } from '../core/errors.ts';
import type {
  ChainConfig,
  FromPictureWorker,
  PictureReading,
  PictureStep,
  Ticket,
  ToPictureWorker,
} from './picture-protocol.ts';

const WORKER = entryBeside('picture-worker', import.meta.url);
/** Pictures a worker has at a time: while one is decoded the faces of another are looked for, and runs can share a batch. */
const IN_HAND = 4;

interface Member {
  readonly worker: ChildProcess;
  readonly ready: Promise<void>;
  inHand: number;
}

/** One go over a list of files. */
interface Job {
  readonly number: number;
  readonly files: readonly string[];
  readonly upTo: PictureStep;
  readonly done: Map<number, PictureReading>;
  next: number;
  failure: Error | undefined;
  wake: () => void;
}

/** Reads stored pictures on all cores. For one `read` at a time. */
export class PicturePool {
  readonly #config: ChainConfig;
  readonly #size: number;
  #members: Member[] = [];
  #job: Job | undefined;
  #jobs = 0;
  #closed = false;

  /** @param workers how many processes */
  constructor(config: ChainConfig, workers: number) {
    this.#config = config;
    this.#size = workers;
  }

  /** Starts the processes and opens their models. Throws as `openFaceAnalyser` does, and OPENCV_UNAVAILABLE. */
  async start(): Promise<void> {
    this.#members = Array.from({ length: this.#size }, () => this.#begin());
    try {
      await Promise.all(this.#members.map(({ ready }) => ready));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Readings in the order of the files; those ahead of the consumer are bounded. A file that cannot be read is a reading
   * that says why. Throws INFERENCE_FAILED when a worker ends.
   */
  async *read(files: readonly string[], upTo: PictureStep, signal?: AbortSignal): AsyncGenerator<PictureReading> {
    const job: Job = {
      number: ++this.#jobs,
      files,
      upTo,
      done: new Map(),
      next: 0,
      failure: undefined,
      wake: () => {},
    };
    this.#job = job;
    const ahead = this.#size * IN_HAND * 2;
    for (let index = 0; index < files.length; index++) {
      for (;;) {
        this.#deal(index + ahead);
        if (job.done.has(index)) break;
        signal?.throwIfAborted();
        if (job.failure) throw job.failure;
        await new Promise<void>((resolve) => {
          job.wake = resolve;
        });
      }
      const reading = job.done.get(index);
      job.done.delete(index);
      if (reading) yield reading;
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

  /** Gives the workers files up to, not including, the one of number `limit`. */
  #deal(limit: number): void {
    const job = this.#job;
    if (!job) return;
    while (job.next < Math.min(limit, job.files.length)) {
      const idle = this.#members.reduce((least, member) => (member.inHand < least.inHand ? member : least));
      if (idle.inHand >= IN_HAND) return;
      const index = job.next++;
      idle.inHand++;
      const ticket = { job: job.number, index };
      const message: ToPictureWorker = { type: 'read', ticket, file: job.files[index] ?? '', upTo: job.upTo };
      idle.worker.send(message, () => {});
    }
  }

  #begin(): Member {
    const worker = fork(fileURLToPath(WORKER), {
      execArgv: ['--expose-gc', ...loaderArguments(WORKER)],
      serialization: 'advanced',
    });
    let failStart: (error: Error) => void = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      failStart = reject;
      worker.on('message', (message: FromPictureWorker) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(asError(message.code, message.message));
        else this.#receive(member, message.ticket, message.reading);
      });
    });
    const member: Member = { worker, ready, inHand: 0 };
    const ended = (reason: string) => {
      if (this.#closed) return;
      const failure = new EyelineError('INFERENCE_FAILED', `a picture worker ended: ${reason}`);
      failStart(failure);
      if (!this.#job) return;
      this.#job.failure = failure;
      this.#job.wake();
    };
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', (code, signal) => ended(signal ?? `status ${code}`));
    const open: ToPictureWorker = { type: 'open', config: this.#config };
    worker.send(open, () => {});
    return member;
  }

  #receive(member: Member, { job, index }: Ticket, reading: PictureReading): void {
    member.inHand--;
    if (this.#job?.number === job) this.#job.done.set(index, reading);
    this.#job?.wake();
  }
}

function asError(code: string | null, message: string): Error {
  return code !== null && code in ERRORS ? new EyelineError(code as ErrorCode, message) : new Error(message);
}
