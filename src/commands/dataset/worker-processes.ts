import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type FromWorker, type ToWorker, unpackError } from './worker-messages.ts';

/** Work that is spread over processes. */
export interface Workers<Job, Answer> {
  /** Does one job, when a process is free. Rejects as the job does, or when its process died. */
  run(job: Job): Promise<Answer>;
  /** Ends the processes once what they have is done. */
  close(): Promise<void>;
}

export interface WorkerOptions<Data> {
  /** The module that runs in each, which calls `serveJobs`. */
  readonly entry: URL;
  readonly count: number;
  /** What each is given to open. */
  readonly data: Data;
  readonly env: NodeJS.ProcessEnv;
}

/** While one picture is read or written another is worked on. */
const JOBS_PER_PROCESS = 2;

interface Waiting<Job, Answer> {
  readonly job: Job;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Starts the processes; resolves when all are ready, rejects when one cannot open what it works with.
 *
 * Processes and not threads: OpenCV's add-on answers asynchronous calls without a handle scope, which in a worker thread
 * ends the whole program ("Cannot create a handle without a HandleScope").
 */
export async function startWorkers<Data, Job, Answer>(options: WorkerOptions<Data>): Promise<Workers<Job, Answer>> {
  const queue: Waiting<Job, Answer>[] = [];
  const hands: Hand<Data, Job, Answer>[] = [];
  const next = () => {
    while (queue.length > 0) {
      const [free] = hands.filter((hand) => hand.free > 0).sort((a, b) => b.free - a.free);
      const waiting = free && queue.shift();
      if (!waiting) return;
      free.give(waiting);
    }
  };
  const lost = (error: unknown) => {
    if (hands.every(({ over }) => over)) for (const { reject } of queue.splice(0)) reject(error);
  };
  for (let index = 0; index < options.count; index++) hands.push(new Hand(forkEntry(options), next, lost));

  const close = async () => {
    await Promise.all(hands.map((hand) => hand.close()));
  };
  const outcomes = await Promise.allSettled(hands.map((hand) => hand.open(options.data)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject });
        if (hands.every(({ over }) => over)) lost(new Error('all worker processes have ended'));
        else next();
      }),
    close,
  };
}

/** One process and the jobs it has. */
class Hand<Data, Job, Answer> {
  readonly #child: ChildProcess;
  readonly #jobs = new Map<number, Waiting<Job, Answer>>();
  readonly #onFree: () => void;
  readonly #onLost: (error: unknown) => void;
  #nextId = 0;
  over = false;

  constructor(child: ChildProcess, onFree: () => void, onLost: (error: unknown) => void) {
    this.#child = child;
    this.#onFree = onFree;
    this.#onLost = onLost;
  }

  /** Resolves when the process takes jobs; from then on answers come in. */
  open(data: Data): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: unknown) => {
        if (this.over) return;
        this.over = true;
        reject(error);
        for (const job of this.#jobs.values()) job.reject(error);
        this.#jobs.clear();
        this.#onLost(error);
      };
      this.#child.once('error', end);
      this.#child.once('exit', (code, signal) => {
        end(new Error(`a worker process ${signal ? `was ended by ${signal}` : `ended with status ${code}`}`));
      });
      this.#child.on('message', (message: FromWorker<Answer>) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed') reject(unpackError(message.error));
        else this.#take(message);
      });
      this.#send({ kind: 'open', data });
    });
  }

  /** Jobs it would still take. */
  get free(): number {
    return this.over ? 0 : JOBS_PER_PROCESS - this.#jobs.size;
  }

  give(waiting: Waiting<Job, Answer>): void {
    const id = this.#nextId++;
    this.#jobs.set(id, waiting);
    this.#send({ kind: 'job', id, job: waiting.job });
  }

  async close(): Promise<void> {
    if (this.over) return;
    const gone = once(this.#child, 'exit');
    this.#send({ kind: 'close' });
    await gone;
  }

  #send(message: ToWorker<Data, Job>): void {
    // What a process that has just died was sent is rejected when its end is noticed.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #take(message: Extract<FromWorker<Answer>, { id: number }>): void {
    const waiting = this.#jobs.get(message.id);
    this.#jobs.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(unpackError(message.error));
    this.#onFree();
  }
}

/** The entry compiled, or as source with the loader that runs TypeScript; without what may hold secrets. */
function forkEntry({ entry, env }: Pick<WorkerOptions<unknown>, 'entry' | 'env'>): ChildProcess {
  const tsx = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return fork(fileURLToPath(entry), [], {
    execArgv: entry.pathname.endsWith('.ts') ? ['--import', tsx()] : [],
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('EYELINE_'))),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
