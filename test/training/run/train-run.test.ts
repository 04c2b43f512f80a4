import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Trainer } from '../../../src/training/engine.ts';
import { RunFolder } from '../../../src/training/run/run-folder.ts';
import { endedBefore, endOf, trainRun } from '../../../src/training/run/train-run.ts';

/** One weight that moves by what the number of the batch says: where it ends tells which batches it saw, in which order. */
function oneWeight(): Trainer {
  const w = new Float32Array([1]);
  let step = 0;
  return {
    values: { w },
    get step() {
      return step;
    },
    async train(batch) {
      const seen = batch.number?.data[0] ?? 0;
      w[0] = (w[0] ?? 0) * 0.9 + Math.sin(Number(seen));
      step++;
      return { loss: w[0], metrics: {}, outputs: {}, step, learningRate: 1, gradientNorm: 1 };
    },
    save: () => [new Uint8Array(new Float32Array([step]).buffer), new Uint8Array(Float32Array.of(w[0] ?? 0).buffer)],
    restore(bytes) {
      const [at = 0, value = 0] = new Float32Array(new Uint8Array(bytes).buffer);
      step = at;
      w[0] = value;
    },
  };
}

async function run(path: string, stopAt: number) {
  const trainer = oneWeight();
  const stop = new AbortController();
  const folder = new RunFolder(path);
  const outcome = await trainRun({
    folder,
    task: {
      trainer,
      batchSize: 1,
      complete: async (batch) => batch,
      judge: async ({ w }) => ({ score: w?.[0] ?? 0, figures: {} }),
      exportModel: ({ w }) => new Uint8Array(new Float32Array(w ?? []).buffer),
    },
    settings: {
      steps: 40,
      averageDecay: 0.9,
      validateEverySteps: 7,
      patience: 99,
      checkpointEverySteps: 5,
      maxMs: null,
    },
    clock: systemClock,
    signal: stop.signal,
    batches: () => ({
      next: async (number) => ({ number: { type: 'float32', data: Float32Array.of(number), shape: [1] } }),
      close: async () => {},
    }),
    onProgress: ({ step }) => step === stopAt && stop.abort(),
  });
  return { outcome, weight: trainer.values.w?.[0], validations: await folder.readValidations() };
}

async function scratchFolder(): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'eyeline-run-'));
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  return scratch;
}

it('goes on after a stop to the same weight and validations to the last bit', async () => {
  const scratch = await scratchFolder();
  for (const name of ['whole', 'stopped']) await new RunFolder(join(scratch, name)).begin({});
  const whole = await run(join(scratch, 'whole'), -1);
  expect((await run(join(scratch, 'stopped'), 17)).outcome.end).toBe('interrupted');
  const resumed = await run(join(scratch, 'stopped'), -1);
  expect(resumed.weight).toBe(whole.weight);
  expect(resumed.validations).toEqual(whole.validations);
  expect(resumed.outcome.state.best).toEqual(whole.outcome.state.best);
});

it('what has ended is not judged again', async () => {
  const path = await scratchFolder();
  await new RunFolder(path).begin({});
  const first = await run(path, -1);
  const second = await run(path, -1);
  expect(second.validations).toEqual(first.validations);
  expect(second.outcome.state.withoutGain).toBe(first.outcome.state.withoutGain);
});

it('what was measured before there was a checkpoint is forgotten', async () => {
  const path = await scratchFolder();
  const folder = new RunFolder(path);
  await folder.begin({});
  await folder.addValidation({ step: 0, score: 99 });
  await folder.addMetrics([{ step: 1, loss: 99 }]);
  const { validations } = await run(path, -1);
  expect(validations.map(({ step }) => step)).toEqual([0, 7, 14, 21, 28, 35, 40]);
  expect((await folder.readMetrics()).map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
});

it('tells from its files what has ended', async () => {
  const path = await scratchFolder();
  const folder = new RunFolder(path);
  const settings = { steps: 40, patience: 99, maxMs: null };
  await folder.begin({});
  expect(await endedBefore(folder, settings)).toBeNull();
  await run(path, 17);
  expect(await endedBefore(folder, settings)).toBeNull();
  // Its time is up, but what was reached has not been judged.
  expect(await endedBefore(folder, { ...settings, maxMs: 0 })).toBeNull();
  const { outcome } = await run(path, -1);
  expect(await endedBefore(folder, settings)).toEqual(outcome);
});

it.each([
  [{ step: 10 }, 'done'],
  [{ step: 9 }, null],
  [{ step: 9, withoutGain: 3 }, 'no gain'],
  [{ step: 9, withoutGain: 2 }, null],
  [{ step: 9, elapsedMs: 1000 }, 'time is up'],
  [{ step: 9, elapsedMs: 999 }, null],
] as const)('%j: %s', (state, end) => {
  const at = { best: null, withoutGain: 0, elapsedMs: 0, ...state };
  const settings = { steps: 10, patience: 3, maxMs: 1000 };
  expect(endOf(at, settings)).toBe(end);
  if (end === 'time is up') expect(endOf(at, { ...settings, maxMs: null })).toBeNull();
});
