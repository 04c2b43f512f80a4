import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { entryBeside, startWorker } from '../../core/entry-points.ts';
import type { FromHnsw, ToHnsw } from './hnsw-protocol.ts';
import type { QuantisedRows } from './quantised-rows.ts';
import { openHnswIndex } from './usearch-hnsw-index.ts';
import type { VectorIndex } from './vector-index.ts';

/** Embeddings in the clear: memory alone may hold them, never a disk. */
const MEMORY = '/dev/shm';
/** So many at once: the thread adds them within about a second, which is how long ending it may take. */
const ROWS_AT_ONCE = 1024;

/** Makes an index of rows, in another thread. Rejects with the signal's reason when aborted. */
export type BuildGraph = (rows: QuantisedRows, dimension: number, signal: AbortSignal) => Promise<VectorIndex>;

/** A graph, made in a thread of its own on one processor core and handed over through a file in memory. */
export const buildHnsw: BuildGraph = async ({ values }, dimension, signal) => {
  signal.throwIfAborted();
  if (!existsSync(MEMORY)) throw new Error(`there is no ${MEMORY} to make it in`);
  const file = join(MEMORY, `eyeline-graph-${randomUUID()}`);
  const worker = startWorker(entryBeside('hnsw-worker', import.meta.url), { name: 'hnsw' });
  worker.unref();
  // One that fails while nobody waits for its answer, as when this was aborted, must not end the process.
  worker.on('error', () => {});
  try {
    await ask(worker, { type: 'begin', dimension }, signal);
    const step = ROWS_AT_ONCE * dimension;
    for (let at = 0; at < values.length; at += step) {
      await ask(worker, { type: 'rows', values: values.slice(at, at + step) }, signal);
    }
    await ask(worker, { type: 'save', file }, signal);
    return openHnswIndex(file, dimension);
  } finally {
    await worker.terminate();
    await rm(file, { force: true });
  }
};

function ask(worker: Worker, message: ToHnsw, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', aborted);
      worker.off('error', settle).off('exit', exited).off('message', answered);
      if (error === undefined) resolve();
      else reject(error);
    };
    const aborted = () => settle(signal.reason);
    const exited = (code: number) => settle(new Error(`its thread ended with ${code}`));
    const answered = (answer: FromHnsw) => settle(answer.type === 'failed' ? new Error(answer.message) : undefined);
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted);
    worker.once('error', settle).once('exit', exited).once('message', answered);
    worker.postMessage(message);
  });
}
