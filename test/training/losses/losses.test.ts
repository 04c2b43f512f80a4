import { describe, expect, it } from 'vitest';
import type { BatchTensor, StepParts, TensorGraph } from '../../../src/training/engine.ts';
import { accuracy, crossEntropy } from '../../../src/training/losses/classification.ts';
import { infoNce } from '../../../src/training/losses/contrastive.ts';
import { batchHardTriplet, semiHardTriplet, tripletMargin } from '../../../src/training/losses/triplet.ts';
import { floats, integers, noise, runStep, slopeRatios, withStep } from '../step-rig.ts';

/** Four faces of two people in the plane; the angles say how alike they are. */
const ANGLES = [0, 0.5, 1.5, 2.5];
const FACES = ANGLES.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
const PEOPLE = floats([4], [7, 7, 9, 9]);
const cosine = (a: number, b: number) => Math.cos((ANGLES[a] ?? 0) - (ANGLES[b] ?? 0));
const squared = (a: number, b: number) => 2 - 2 * cosine(a, b);
const logSumExp = (values: readonly number[]) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Case {
  readonly build: (graph: TensorGraph, rows: string) => StepParts;
  readonly batch?: Readonly<Record<string, BatchTensor>>;
  /** Of FACES, whose rows are doubled first: losses on directions must not see it. */
  readonly wanted: number;
  readonly metrics?: Readonly<Record<string, number>>;
}

const CENTRES = { name: 'centres', shape: [2, 2], initial: Float32Array.from([1, 0, 0, 1]), decays: true };

const CASES: Readonly<Record<string, Case>> = {
  infoNce: {
    build: (graph, rows) => {
      const half = (start: number) =>
        graph.op('Slice', [rows, graph.int64s([start]), graph.int64s([start + 2]), graph.int64s([0])]);
      return { loss: infoNce(graph, { anchors: half(0), positives: half(2), temperature: 0.5 }) };
    },
    wanted: mean([
      (logSumExp([2 * cosine(0, 2), 2 * cosine(0, 3)]) + logSumExp([2 * cosine(0, 2), 2 * cosine(1, 2)])) / 2 -
        2 * cosine(0, 2),
      (logSumExp([2 * cosine(1, 2), 2 * cosine(1, 3)]) + logSumExp([2 * cosine(0, 3), 2 * cosine(1, 3)])) / 2 -
        2 * cosine(1, 3),
    ]),
  },
  'infoNce, two pictures of one person': {
    build: (graph, rows) => ({
      loss: infoNce(graph, { anchors: rows, positives: rows, people: graph.input('p', [4]), temperature: 1 }),
    }),
    batch: { p: PEOPLE },
    wanted: mean(
      [0, 1, 2, 3].map((row) => logSumExp([1, ...(row < 2 ? [2, 3] : [0, 1]).map((other) => cosine(row, other))]) - 1),
    ),
  },
  tripletMargin: {
    build: (graph, embeddings) => {
      const [anchors = '', positives = '', negatives = ''] = ['a', 'b', 'c'].map((name) =>
        graph.input(name, [2], 'int64'),
      );
      const { loss, active } = tripletMargin(graph, { embeddings, anchors, positives, negatives, margin: 4 });
      return { loss, metrics: { active } };
    },
    batch: { a: integers([0, 1]), b: integers([1, 0]), c: integers([2, 3]) },
    wanted: mean([squared(0, 1) - squared(0, 2) + 4, squared(1, 0) - squared(1, 3) + 4]),
    metrics: { active: 1 },
  },
  batchHardTriplet: {
    build: (graph, embeddings) => {
      const { loss, active } = batchHardTriplet(graph, { embeddings, people: graph.input('p', [4]), margin: 1 });
      return { loss, metrics: { active } };
    },
    batch: { p: PEOPLE },
    wanted: mean([
      Math.max(0, squared(0, 1) - squared(0, 2) + 1),
      Math.max(0, squared(1, 0) - squared(1, 2) + 1),
      Math.max(0, squared(2, 3) - squared(2, 1) + 1),
      Math.max(0, squared(3, 2) - squared(3, 1) + 1),
    ]),
    metrics: { active: 0.5 },
  },
  semiHardTriplet: {
    build: (graph, embeddings) => {
      const { loss, active } = semiHardTriplet(graph, { embeddings, people: graph.input('p', [4]), margin: 1 });
      return { loss, metrics: { active } };
    },
    batch: { p: floats([4], [7, 9, 7, 9]) },
    wanted: mean([
      // One is farther than the positive.
      Math.max(0, squared(0, 2) - squared(0, 3) + 1),
      Math.max(0, squared(3, 1) - squared(3, 0) + 1),
      // None is: the farthest.
      squared(2, 0) - squared(2, 1) + 1,
      squared(1, 3) - squared(1, 2) + 1,
    ]),
    metrics: { active: 0.75 },
  },
  crossEntropy: {
    build: (graph, logits) => {
      const labels = graph.input('l', [4], 'int64');
      return {
        loss: crossEntropy(graph, { logits, labels, smoothing: 0.2 }),
        metrics: { right: accuracy(graph, { logits, labels }) },
      };
    },
    batch: { l: integers([0, 1, 1, 0]) },
    wanted: mean(
      [0, 1, 1, 0].map((label, row) => {
        const logits = [2 * (FACES[2 * row] ?? 0), 2 * (FACES[2 * row + 1] ?? 0)];
        return logSumExp(logits) - 0.9 * (logits[label] ?? 0) - 0.1 * (logits[1 - label] ?? 0);
      }),
    ),
    metrics: { right: 0.5 },
  },
};

describe.each(Object.entries(CASES))('%s', (_, { build, batch = {}, wanted, metrics }) => {
  const rows = (data: ArrayLike<number>) => ({
    name: 'rows',
    shape: [4, 2],
    initial: Float32Array.from(data),
    decays: true,
  });
  const start = FACES.map((value) => 2 * value);
  const whole = (graph: TensorGraph) => build(graph, graph.parameter(rows(start)));
  const centres = { centres: CENTRES.initial };

  it('is what its formula says', async () => {
    const result = await runStep(whole, batch, { rows: Float32Array.from(start), ...centres });
    expect(result.loss).toBeCloseTo(wanted, 4);
    if (metrics)
      for (const [name, value] of Object.entries(metrics)) expect(result.metrics[name]).toBeCloseTo(value, 6);
  });

  it('has the slope its gradient says', async () => {
    // Another place than the one above, which may be a corner.
    const place = Float32Array.from(start, (value, index) => value + 0.1 * (noise([8], 3)[index] ?? 0));
    await withStep(whole, batch, async (run) => {
      const ratios = await slopeRatios(run, { rows: place, ...centres }, 1e-2);
      for (const ratio of Object.values(ratios)) expect(Math.abs(ratio - 1)).toBeLessThan(0.02);
    });
  });
});
