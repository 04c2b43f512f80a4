/** Entry of a thread that makes batches while the step runs: pixels in JavaScript alone, since OpenCV cannot be loaded in threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../core/errors.ts';
import type { Batch } from '../engine.ts';
import { FaceStore } from './face-store.ts';
import { makeSampler, type Sampling } from './sampling.ts';

/** What the thread is given. */
export interface SampleWorkerData {
  readonly folder: string;
  readonly sampling: Sampling;
}

export type FromSampleWorker =
  | { readonly number: number; readonly batch: Batch; readonly error: null }
  | { readonly number: number; readonly batch: null; readonly error: string };

const { folder, sampling } = workerData as SampleWorkerData;
const sampler = FaceStore.open(folder).then((store) => makeSampler(store, sampling));

parentPort?.on('message', async (number: number) => {
  try {
    const batch = (await sampler).batch(number);
    const answer: FromSampleWorker = { number, batch, error: null };
    parentPort?.postMessage(
      answer,
      Object.values(batch).map(({ data }) => data.buffer as ArrayBuffer),
    );
  } catch (error) {
    parentPort?.postMessage({ number, batch: null, error: messageOf(error) } satisfies FromSampleWorker);
  }
});
