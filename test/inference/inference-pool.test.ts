import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { InferencePool, inferenceWorkers } from '../../src/inference/inference-pool.ts';
import { InferenceThread, startInferenceWorker } from '../../src/inference/inference-thread.ts';
import { filesOf, tinyEmbedding } from './graphs.ts';
import { TINY_SIZE, tinyBytes, tinyModel, useTinyModelFile } from './tiny-model.ts';

const OPTIONS = { providers: ['cpu'], threads: 1 } as const;

describe('inferenceWorkers', () => {
  it.each([
    ['one core', 1, 0, 0, 'cpu', 1],
    ['two cores, a run on one', 2, 0, 0, 'cpu', 2],
    ['four cores, a run on three', 4, 0, 0, 'cpu', 1],
    ['four cores, a run on one', 4, 0, 1, 'cpu', 2],
    ['eight cores, a run on four', 8, 0, 0, 'cpu', 2],
    ['a run on more cores than there are', 2, 0, 8, 'cpu', 1],
    ['a GPU', 8, 0, 0, 'cuda', 1],
    ['as configured', 1, 5, 0, 'cuda', 5],
  ] as const)('%s', (_, cores, workers, threads, provider, expected) => {
    expect(inferenceWorkers({ workers, threads, providers: [provider, 'cpu'] }, cores)).toBe(expected);
  });
});

describe('InferencePool', () => {
  const { dir, files } = useTinyModelFile();
  const lines: string[] = [];
  const say = (_fields: object, message: string) => lines.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };

  const start = (count: number) => {
    const workers: { worker: Worker; posted: string[] }[] = [];
    const pool = new InferencePool(
      count,
      logger,
      (log) =>
        new InferenceThread(log, () => {
          const worker = startInferenceWorker();
          const posted: string[] = [];
          const post = worker.postMessage.bind(worker);
          worker.postMessage = (message: { type: string }, ...rest: [never]) => {
            posted.push(message.type);
            post(message, ...rest);
          };
          workers.push({ worker, posted });
          return worker;
        }),
    );
    onTestFinished(() => pool.close());
    return { pool, workers };
  };

  it('runs at a time as many batches as it has threads, each with its own result', async () => {
    const { pool, workers } = start(2);
    lines.length = 0;
    const model = await pool.open(files(), 'tiny', OPTIONS);
    expect(lines).toEqual(['model tiny runs on cpu']);
    expect(model).toMatchObject({ id: 'tiny', provider: 'cpu', parallelRuns: 2 });
    const seeds = [1, 2, 3, 4, 5, 6];
    const results = await Promise.all(seeds.map((seed) => model.runBatch(Uint8Array.from(tinyBytes(seed)), 1)));
    for (const [index, seed] of seeds.entries()) {
      for (const [column, value] of tinyEmbedding(tinyBytes(seed)).entries()) {
        expect(results[index]?.outputs.embedding?.data[column]).toBeCloseTo(value, 1);
      }
    }
    expect(workers.map(({ posted }) => posted)).toEqual([
      ['open', 'run', 'run', 'run'],
      ['open', 'run', 'run', 'run'],
    ]);
    await model.runBatch(new Uint8Array(TINY_SIZE), 1);
    await model.runBatch(new Uint8Array(TINY_SIZE), 1);
    expect(workers[0]?.posted).toHaveLength(6);
    await model.close();
    await expect(model.runBatch(new Uint8Array(TINY_SIZE), 1)).rejects.toThrow('is closed');
  });

  it('fails as a whole when one of its threads ends by itself', async () => {
    const { pool, workers } = start(2);
    const model = await pool.open(files(), 'tiny', OPTIONS);
    const failed = expect(pool.failed).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    await workers[1]?.worker.terminate();
    await failed;
    await model.close();
  });

  it('hands on what opening a model fails with', async () => {
    const { pool } = start(2);
    const broken = join(dir(), 'broken.onnx');
    await writeFile(broken, 'no graph');
    await expect(pool.open(filesOf(tinyModel, broken), 'tiny', OPTIONS)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    expect((await pool.open(files(), 'tiny', OPTIONS)).id).toBe('tiny');
  });
});
