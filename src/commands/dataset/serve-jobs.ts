import { type FromWorker, packError, type ToWorker } from './worker-messages.ts';

/** What a worker works with: how to do one job, and how to end. */
export interface WorkerPart<Job, Answer> {
  run(job: Job): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * The process's side of `startWorkers`: opens what it works with, then does jobs until it is told to end or nobody is
 * there any more to work for.
 *
 * @param open gets what `startWorkers` was given for the processes
 */
export function serveJobs<Data, Job, Answer>(open: (data: Data) => Promise<WorkerPart<Job, Answer>>): void {
  const send = (message: FromWorker<Answer>) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  let part: WorkerPart<Job, Answer> | undefined;
  const running = new Set<Promise<void>>();
  const work = async (id: number, job: Job) => {
    try {
      if (!part) throw new Error('a job came before there was anything to do it with');
      send({ kind: 'answer', id, answer: await part.run(job) });
    } catch (error) {
      send({ kind: 'error', id, error: packError(error) });
    }
  };
  const start = async (data: Data) => {
    try {
      part = await open(data);
      send({ kind: 'ready' });
    } catch (error) {
      send({ kind: 'failed', error: packError(error) });
    }
  };
  const end = async () => {
    await Promise.all(running);
    await part?.close();
    part = undefined;
    if (process.connected) process.disconnect();
  };
  process.on('message', (message: ToWorker<Data, Job>) => {
    if (message.kind === 'open') void start(message.data);
    else if (message.kind === 'close') void end();
    else {
      const job = work(message.id, message.job);
      running.add(job);
      void job.finally(() => running.delete(job));
    }
  });
  process.once('disconnect', () => void end());
  // A terminal sends Ctrl-C to the whole group; when to end is for the program to say that started this one.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
}
