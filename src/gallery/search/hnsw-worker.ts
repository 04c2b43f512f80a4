/**
 * Entry of the thread that makes graphs: adding a million rows takes minutes, which neither the event loop nor
 * anybody who needs the processor may notice.
 */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../core/errors.ts';
import type { FromHnsw, ToHnsw } from './hnsw-protocol.ts';
import { HnswWriter } from './usearch-hnsw-index.ts';

/** Of this thread alone, on Linux. */
const NICE = 10;
const ONE_THREAD = 1;

let writer: HnswWriter | null = null;

if (process.platform === 'linux') setPriority(NICE);

parentPort?.on('message', (message: ToHnsw) => {
  let answer: FromHnsw = { type: 'done' };
  try {
    if (message.type === 'begin') writer = new HnswWriter(message.dimension);
    else if (message.type === 'rows') writer?.add(message.values, ONE_THREAD);
    else writer?.save(message.file);
  } catch (error) {
    answer = { type: 'failed', message: messageOf(error) };
  }
  parentPort?.postMessage(answer);
});
