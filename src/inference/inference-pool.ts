import { availableParallelism } from 'node:os';
import type { Logger } from '../core/logger.ts';
import type { ThreadOptions } from './inference-protocol.ts';
import { InferenceThread } from './inference-thread.ts';
import { defaultThreads, type GraphFiles } from './onnxruntime-model.ts';
import type { AligningModel, BatchModel } from './vision-model.ts';

/** Each has a copy of the models in memory; more than these were not measured. */
const MAX_WORKERS = 2;

/**
 * Threads models run in, unless configured: as many as find cores of their own, so that one runs while the other makes ready
 * and hands over. On a GPU one is enough: what it runs does not get faster by being asked twice.
 *
 * @param cores of the machine
 */
export function inferenceWorkers(
  { workers, threads, providers }: { readonly workers: number } & Pick<ThreadOptions, 'threads' | 'providers'>,
  cores = availableParallelism(),
): number {
  if (workers > 0) return workers;
  if (providers[0] !== 'cpu') return 1;
  const runThreads = threads > 0 ? threads : defaultThreads(cores);
  return Math.min(MAX_WORKERS, Math.max(1, Math.floor(cores / runThreads)));
}

interface Worker {
  readonly thread: InferenceThread;
  /** Runs it was given and has not done. */
  load: number;
}

/**
 * Several threads that ONNX Runtime works in, each with a session of every model. A run goes to the thread with the least to
 * do, so runs of one model may end in another order than they were begun.
 */
export class InferencePool {
  readonly #workers: readonly Worker[];
  readonly #failed: Promise<never>;

  /** @param count threads, at least one */
  constructor(count: number, logger: Logger, create: (logger: Logger) => InferenceThread = makeThread) {
    if (!(count >= 1)) throw new RangeError(`a pool of ${count} inference threads`);
    // Each says of every model what the first said already.
    const quiet: Logger = { ...bound(logger), info: () => {} };
    this.#workers = Array.from({ length: count }, (_, index) => ({
      thread: create(index === 0 ? logger : quiet),
      load: 0,
    }));
    this.#failed = Promise.race(this.#workers.map(({ thread }) => thread.failed));
    this.#failed.catch(() => {});
  }

  /** Rejects with INFERENCE_FAILED when a thread ends though nobody closed it, or a model's runs only fail. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /** Opens a model in every thread, one after another; see `InferenceThread.open`. */
  async open(files: GraphFiles, id: string, options: ThreadOptions): Promise<BatchModel> {
    const places: { readonly worker: Worker; readonly model: BatchModel }[] = [];
    const close = async () => {
      await Promise.all(places.map(({ model }) => model.close()));
    };
    try {
      for (const worker of this.#workers) {
        // The first found what works here; embeddings of two providers would differ in their last digits.
        const providers = places[0] ? [places[0].model.provider] : options.providers;
        places.push({ worker, model: await worker.thread.open(files, id, { ...options, providers }) });
      }
    } catch (error) {
      await close();
      throw error;
    }
    const [first] = places;
    if (!first) throw new RangeError('a pool without threads');
    const { fingerprint, provider, input, timings } = first.model;
    return {
      id: first.model.id,
      fingerprint,
      provider,
      input,
      timings,
      parallelRuns: places.length,
      async runBatch(pixels, count) {
        const { worker, model } = places.reduce((best, place) => (place.worker.load < best.worker.load ? place : best));
        return counted(worker, () => model.runBatch(pixels, count));
      },
      close,
    };
  }

  /** Opens an encoder that aligns faces itself, in the first thread; see `InferenceThread.openAligning`. */
  async openAligning(files: GraphFiles, id: string, options: ThreadOptions): Promise<AligningModel> {
    const [worker] = this.#workers;
    if (!worker) throw new RangeError('a pool without threads');
    const model = await worker.thread.openAligning(files, id, options);
    return { ...model, runAligned: (frame, alignments) => counted(worker, () => model.runAligned(frame, alignments)) };
  }

  /** Ends all threads. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map(({ thread }) => thread.close()));
  }
}

async function counted<T>(worker: Worker, run: () => Promise<T>): Promise<T> {
  worker.load++;
  try {
    return await run();
  } finally {
    worker.load--;
  }
}

function makeThread(logger: Logger): InferenceThread {
  return new InferenceThread(logger);
}

function bound(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
