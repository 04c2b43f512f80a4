import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Trainer } from '../../../src/training/engine.ts';
import { RunFolder } from '../../../src/training/run/run-folder.ts';
import { endedBefore, endOf, trainRun } from '../../../src/training/run/train-run.ts';
import { decodeTensors, tensorPieces } from '../../../src/training/safetensors.ts';
import { syncedPaths } from '../../rig/synced-paths.ts';

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
    save: () => tensorPieces({ tensors: { w: { shape: [1], data: w } }, metadata: { step: String(step) } }),
    restore(bytes) {
      const { tensors, metadata } = decodeTensors(bytes);
      step = Number(metadata.step);
      w.set(tensors.w?.data ?? []);
    },
  };
}

async function run(path: string, stopAt: number, judge = (weight: number | undefined) => weight ?? 0) {
  const trainer = oneWeight();
  const stop = new AbortController();
  const folder = new RunFolder(path);
  const warned: string[] = [];
  const outcome = await trainRun({
    folder,
    task: {
      trainer,
      batchSize: 1,
      complete: async (batch) => batch,
      judge: async ({ w }) => ({ score: judge(w?.[0]), figures: {} }),
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
    warn: (line) => warned.push(line),
  });
  return { outcome, warned, weight: trainer.values.w?.[0], validations: await folder.readValidations() };
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

it.each([
  ['trainer.safetensors', 0],
  ['trainer.safetensors', 70],
  ['average.f32', 0],
  ['average.f32', 3],
  ['state.json', 0],
])('goes on from the checkpoint before where %s was cut to %d bytes', async (file, length) => {
  const scratch = await scratchFolder();
  for (const name of ['whole', 'cut']) await new RunFolder(join(scratch, name)).begin({});
  const whole = await run(join(scratch, 'whole'), -1);
  await run(join(scratch, 'cut'), 17);
  const checkpoints = join(scratch, 'cut/checkpoints');
  expect(await readdir(checkpoints)).toEqual(['00000015', '00000017']);
  await truncate(join(checkpoints, '00000017', file), length);
  // Of the damaged one nothing is left that would be taken for the last.
  const { outcome, warned } = await run(join(scratch, 'cut'), 16);
  expect(outcome.state.step).toBe(16);
  expect(warned).toEqual([
    expect.stringContaining(`  damaged checkpoint: ${join(checkpoints, '00000017')}: ${file}: `),
    '  going on from the one before, of step 15',
  ]);
  expect(await readdir(checkpoints)).toEqual(['00000015', '00000016']);
  const resumed = await run(join(scratch, 'cut'), -1);
  expect(resumed.weight).toBe(whole.weight);
  expect(resumed.validations).toEqual(whole.validations);
  expect(resumed.warned).toEqual([]);

  for (const name of await readdir(checkpoints)) await truncate(join(checkpoints, name, file), length);
  await expect(run(join(scratch, 'cut'), -1)).rejects.toMatchObject({
    code: 'CHECKPOINT_UNREADABLE',
    message: expect.stringContaining(join(checkpoints, '00000040')),
  });
  // What was measured and the model stay.
  expect(await new RunFolder(join(scratch, 'cut')).readValidations()).toEqual(whole.validations);
});

it.skipIf(process.platform !== 'linux')('is on the disk before it has its name (needs Linux: asks /proc)', async () => {
  const path = await scratchFolder();
  const folder = new RunFolder(path);
  await folder.begin({});
  const synced = await syncedPaths(path, async (synced) => {
    if (synced === 'checkpoints') expect(await readdir(join(path, synced))).toEqual(['00000003']);
  });
  const state = { step: 3, best: null, withoutGain: 0, elapsedMs: 0 };
  await folder.saveCheckpoint({ state, trainer: oneWeight().save(), average: Float32Array.of(1) });
  const draft = 'checkpoints/00000003.part';
  expect(synced).toEqual([
    ...['trainer.safetensors', 'average.f32', 'state.json'].map((file) => `${draft}/${file}`),
    draft,
    'checkpoints',
  ]);
  synced.length = 0;
  await folder.writeModel(new Uint8Array(4));
  // The file under another name, and its folder once it has its own.
  expect(synced[0]).toMatch(/^\.model\.onnx\./);
  expect(synced.at(-1)).toBe('');
});

it.each([Number.NaN, Number.NEGATIVE_INFINITY])('ends where the model is worth %d', async (worth) => {
  const path = await scratchFolder();
  const folder = new RunFolder(path);
  await folder.begin({});
  let judged = 0;
  const diverging = run(path, -1, () => (++judged > 2 ? worth : -1 / judged));
  await expect(diverging).rejects.toMatchObject({
    code: 'TRAINING_DIVERGED',
    message: 'what the model of step 14 says of the people held out is no number',
  });
  expect(await folder.readValidations()).toEqual([
    { step: 0, score: -1 },
    { step: 7, score: -1 / 2 },
  ]);
  expect((await folder.lastState())?.step).toBe(10);
  expect((await folder.readMetrics()).at(-1)).toMatchObject({ step: 14 });
  // As builds before wrote it.
  await folder.addValidation({ step: 14, score: worth });
  expect(await folder.bestValidation()).toMatchObject({ step: 7 });
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
