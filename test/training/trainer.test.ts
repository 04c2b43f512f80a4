import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, StepGraph, Trainer, TrainerSettings, TrainStep } from '../../src/training/engine.ts';
import { meanSquaredError } from '../../src/training/losses/mean-squared-error.ts';
import { buildStepGraph } from '../../src/training/step-graph.ts';
import { openTrainStep } from '../../src/training/train-step.ts';
import { createTrainer } from '../../src/training/trainer.ts';
import { floats, noise, openSession } from './step-rig.ts';

/** y = x w + b, fitted to numbers that no w and b give exactly. */
const GRAPH: StepGraph = buildStepGraph((graph) => {
  const x = graph.input('x', [8, 3]);
  const w = graph.parameter({ name: 'w', shape: [3, 2], initial: noise([3, 2], 5), decays: true });
  const b = graph.parameter({ name: 'b', shape: [2], initial: new Float32Array(2), decays: false });
  const values = graph.op('Gemm', [x, w, b]);
  return { loss: meanSquaredError(graph, { values, targets: graph.input('y', [8, 2]) }) };
});
const batch = (seed: number): Batch => ({
  x: floats([8, 3], noise([8, 3], seed)),
  y: floats([8, 2], noise([8, 2], seed + 1)),
});

const SETTINGS: Readonly<Record<string, TrainerSettings>> = {
  adamw: {
    optimiser: { kind: 'adamw', weightDecay: 0.1 },
    schedule: { peak: 0.05, warmUpSteps: 2, steps: 12 },
    clipNorm: 0.5,
  },
  sgd: { optimiser: { kind: 'sgd', nesterov: true, weightDecay: 0.01 }, schedule: { peak: 0.1, steps: 12 } },
};

/** A checkpoint as it is read from its file. */
const saved = (trainer: Trainer) => new Uint8Array(Buffer.concat(trainer.save()));

describe('a trainer', () => {
  let step: TrainStep;
  beforeAll(async () => {
    step = await openTrainStep(GRAPH, openSession);
  });
  afterAll(() => step.release());

  it.each(Object.entries(SETTINGS))('goes on after a restart bit for bit (%s)', async (_, settings) => {
    const whole = createTrainer(step, settings);
    for (let index = 0; index < 10; index++) await whole.train(batch(index));

    const first = createTrainer(step, settings);
    for (let index = 0; index < 4; index++) await first.train(batch(index));
    const second = createTrainer(step, settings);
    second.restore(saved(first));
    expect(second.step).toBe(4);
    for (let index = 4; index < 10; index++) await second.train(batch(index));
    expect(second.values).toEqual(whole.values);
    expect(saved(second)).toEqual(saved(whole));
  });

  it('comes down to the least squares', async () => {
    const trainer = createTrainer(step, {
      optimiser: { kind: 'adamw', weightDecay: 0 },
      schedule: { peak: 0.1, steps: 300 },
    });
    const fixed = batch(3);
    const losses: number[] = [];
    for (let index = 0; index < 300; index++) losses.push((await trainer.train(fixed)).loss);
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
    const { gradients } = await step.run(fixed, trainer.values);
    expect(Math.max(...(gradients.w ?? [1]).map(Math.abs))).toBeLessThan(1e-3);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('touches nothing when the loss is %d', async (bad) => {
    const trainer = createTrainer(step, SETTINGS.adamw as TrainerSettings);
    await trainer.train(batch(1));
    const before = saved(trainer);
    const broken = { ...batch(2), y: floats([8, 2], new Float32Array(16).fill(bad)) };
    await expect(trainer.train(broken)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    expect(saved(trainer)).toEqual(before);
  });

  it('refuses checkpoints that are none of its own, and keeps what it has', async () => {
    const trainer = createTrainer(step, SETTINGS.adamw as TrainerSettings);
    await trainer.train(batch(1));
    const before = saved(trainer);
    const other = saved(createTrainer(step, SETTINGS.sgd as TrainerSettings));
    for (const bytes of [
      other,
      before.slice(0, -8),
      new Uint8Array(4),
      new TextEncoder().encode('no tensors at all'),
    ]) {
      expect(() => trainer.restore(bytes)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNREADABLE' }));
    }
    expect(saved(trainer)).toEqual(before);
  });

  it('names what does not fit in a batch', async () => {
    await expect(step.run({ ...batch(1), y: floats([8, 3]) }, {})).rejects.toThrow(
      'y of the batch is float32 8 x 3, not float32 8 x 2',
    );
    await expect(step.run({ x: floats([8, 3]) }, {})).rejects.toThrow('the batch has no y');
  });
});
