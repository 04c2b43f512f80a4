import type { Worker } from 'node:worker_threads';
import { entryBeside, startWorker } from '../../core/entry-points.ts';
import type { Batch } from '../engine.ts';
import type { FromSampleWorker, SampleWorkerData } from './sample-worker.ts';

const ENTRY = entryBeside('sample-worker', import.meta.url);

/** Batches made ahead in threads, handed out in order; so many wait at most. */
export class BatchSource {
  readonly #workers: Worker[];
  readonly #ahead: number;
  readonly #ready = new Map<number, Batch>();
  #asked: number;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /**
   * @param first number of the first batch that will be asked for
   * @param ahead batches made before they are asked for: what bounds memory
   */
  constructor(data: SampleWorkerData, { threads, first, ahead }: { threads: number; first: number; ahead: number }) {
    this.#ahead = ahead;
    this.#asked = first;
    this.#workers = Array.from({ length: threads }, () => this.#start(data));
    this.#ask(first);
  }

  /** The batch of that number; numbers must follow each other. Rejects when a thread failed. */
  async next(number: number): Promise<Batch> {
    this.#ask(number + 1);
    for (;;) {
      const batch = this.#ready.get(number);
      if (batch) {
        this.#ready.delete(number);
        return batch;
      }
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#workers.map((worker) => worker.terminate()));
  }

  #ask(next: number): void {
    for (; this.#asked < next + this.#ahead; this.#asked++) {
      this.#workers[this.#asked % this.#workers.length]?.postMessage(this.#asked);
    }
  }

  #start(data: SampleWorkerData): Worker {
    const worker = startWorker(ENTRY, { workerData: data });
    worker.on('message', (message: FromSampleWorker) => {
      if (message.batch) this.#ready.set(message.number, message.batch);
      else this.#fail(new Error(`batch ${message.number} cannot be made: ${message.error}`));
      this.#wake();
    });
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    return worker;
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }
}
