import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import { InferenceThread, startInferenceWorker } from '../../src/inference/inference-thread.ts';
import { filesOf, tinyEmbedding } from './graphs.ts';
import { TINY_SIZE, tinyBytes, tinyModel, useTinyModelFile } from './tiny-model.ts';

const OPTIONS = { providers: ['cpu'], threads: 1 } as const;

describe('InferenceThread', () => {
  const { dir, files } = useTinyModelFile();
  const lines: string[] = [];
  const say = (_fields: object, message: string) => lines.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };

  const start = () => {
    const thread = new InferenceThread(logger);
    onTestFinished(() => thread.close());
    return thread;
  };

  it('runs batches in a thread of its own and gives the buffer back', async () => {
    const thread = start();
    const model = await thread.open(files(), 'tiny', OPTIONS);
    expect(model).toMatchObject({ id: 'tiny', provider: 'cpu', input: { width: 8, height: 9, channels: 3 } });
    expect(model.timings.map(({ pictures }) => pictures)).toEqual([1, 2]);
    expect(lines).toContain('model tiny runs on cpu');
    const pixels = new Uint8Array(TINY_SIZE * 4);
    pixels.set([...tinyBytes(1), ...tinyBytes(2)]);
    const result = await model.runBatch(pixels, 2);
    expect(pixels).toHaveLength(0);
    expect(result.pixels).toHaveLength(TINY_SIZE * 4);
    expect(result.runMs).toBeGreaterThan(0);
    expect(result.outputs.embedding?.shape).toEqual([2, 4]);
    for (const [row, seed] of [1, 2].entries()) {
      for (const [column, value] of tinyEmbedding(tinyBytes(seed)).entries()) {
        expect(result.outputs.embedding?.data[row * 4 + column]).toBeCloseTo(value, 1);
      }
    }
    await model.close();
    await expect(model.runBatch(result.pixels, 1)).rejects.toThrow('is closed');
  });

  it('hands on what opening a model fails with, and opens the next', async () => {
    const thread = start();
    const broken = join(dir(), 'broken.onnx');
    await writeFile(broken, 'no graph');
    await expect(thread.open(filesOf(tinyModel, broken), 'tiny', OPTIONS)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('model tiny: no provider works: cpu: '),
    });
    expect((await thread.open(files(), 'tiny', OPTIONS)).id).toBe('tiny');
  });

  it('refuses what comes after it was closed, and does not call that a failure', async () => {
    const thread = start();
    const model = await thread.open(files(), 'tiny', OPTIONS);
    let failed = false;
    thread.failed.catch(() => {
      failed = true;
    });
    const running = model.runBatch(new Uint8Array(TINY_SIZE), 1).catch((error: unknown) => error);
    await thread.close();
    const refused = { code: 'INFERENCE_FAILED', message: 'the inference thread was closed' };
    // It may have been answered in time.
    expect([expect.objectContaining(refused), expect.objectContaining({ runMs: expect.any(Number) })]).toContainEqual(
      await running,
    );
    await expect(model.runBatch(new Uint8Array(TINY_SIZE), 1)).rejects.toMatchObject(refused);
    await model.close();
    expect(failed).toBe(false);
  });

  it('says so when the thread ends by itself, and refuses whatever waits and comes after', async () => {
    let worker: Worker | undefined;
    const thread = new InferenceThread(logger, () => {
      worker = startInferenceWorker();
      return worker;
    });
    const model = await thread.open(files(), 'tiny', OPTIONS);
    const ended = { code: 'INFERENCE_FAILED', message: 'the inference thread ended: status 1' };
    const failed = expect(thread.failed).rejects.toMatchObject(ended);
    await worker?.terminate();
    await failed;
    await expect(model.runBatch(new Uint8Array(TINY_SIZE), 1)).rejects.toMatchObject(ended);
    await model.close();
    await thread.close();
  });

  it.each([
    ['cpu', 300],
    ['cuda', 900],
  ] as const)('leaves a thread behind in which a model hangs while it is opened on %s', async (provider, limitS) => {
    const waits: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        waits.push(ms);
      },
    };
    const busy = () => new Worker('for (;;);', { eval: true });
    const thread = new InferenceThread(logger, busy, clock);
    const hangs = { code: 'MODEL_HANGS', message: `model tiny: not open after ${limitS} s (${provider})` };
    const failed = expect(thread.failed).rejects.toMatchObject(hangs);
    await expect(thread.open(files(), 'tiny', { providers: [provider], threads: 1 })).rejects.toMatchObject(hangs);
    await failed;
    expect(waits).toEqual([limitS * 1000]);
    await expect(thread.open(files(), 'tiny', OPTIONS)).rejects.toMatchObject(hangs);
    await thread.close();
  });

  it('says so when no run of a model has succeeded for half a minute', async () => {
    let nowMs = 0;
    const thread = new InferenceThread(logger, startInferenceWorker, { ...systemClock, monotonic: () => nowMs });
    onTestFinished(() => thread.close());
    const model = await thread.open(files(), 'tiny', OPTIONS);
    const other = await thread.open(files(), 'tiny', OPTIONS);
    let failure: unknown;
    thread.failed.catch((error: unknown) => {
      failure = error;
    });
    // What a picture lacks fails in the runtime.
    const fail = () => expect(model.runBatch(new Uint8Array(1), 1)).rejects.toThrow();
    const succeed = (one: typeof model) => one.runBatch(new Uint8Array(TINY_SIZE), 1);
    for (let run = 0; run < 20; run++) await fail();
    nowMs = 29_999;
    await fail();
    await succeed(model);
    for (nowMs = 30_000; nowMs <= 60_000; nowMs += 5000) await fail();
    nowMs = 59_999;
    for (let run = 0; run < 5; run++) await fail();
    expect(failure).toBeUndefined();
    // That another model runs says nothing of this one.
    await succeed(other);
    nowMs = 60_000;
    await fail();
    const ended = {
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('model tiny: no run has succeeded for 30 s: '),
    };
    await expect(thread.failed).rejects.toMatchObject(ended);
    await expect(succeed(other)).rejects.toMatchObject(ended);
  });
});
