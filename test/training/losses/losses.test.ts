import { describe, expect, it } from 'vitest';
import type { BatchTensor, StepParts, TensorGraph } from '../../../src/training/engine.ts';
import { accuracy, arcFace, crossEntropy } from '../../../src/training/losses/classification.ts';
import { infoNce, supervisedContrastive } from '../../../src/training/losses/contrastive.ts';
import {
  cosineDistillation,
  detectorDistillation,
  meanSquaredError,
} from '../../../src/training/losses/distillation.ts';
import { smoothL1, wing } from '../../../src/training/losses/regression.ts';
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
  cosineDistillation: {
    build: (graph, embeddings) => ({
      loss: cosineDistillation(graph, { embeddings, targets: graph.input('t', [4, 2]) }),
    }),
    batch: { t: floats([4, 2], [1, 0, 1, 0, 3, 0, 1, 0]) },
    wanted: 1 - mean(ANGLES.map(Math.cos)),
  },
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
  supervisedContrastive: {
    build: (graph, embeddings) => ({
      loss: supervisedContrastive(graph, { embeddings, people: graph.input('p', [4]), temperature: 1 }),
    }),
    batch: { p: PEOPLE },
    wanted: mean(
      [0, 1, 2, 3].map((row) => {
        const others = [0, 1, 2, 3].filter((other) => other !== row).map((other) => cosine(row, other));
        return logSumExp(others) - cosine(row, row ^ 1);
      }),
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
  arcFace: {
    build: (graph, embeddings) => {
      const { loss, accuracy: right } = arcFace(graph, {
        embeddings,
        labels: graph.input('l', [4], 'int64'),
        centres: CENTRES,
        margin: 0.3,
        scale: 4,
      });
      return { loss, metrics: { right } };
    },
    batch: { l: integers([0, 0, 1, 1]) },
    wanted: mean(
      ANGLES.map((angle, row) => {
        const own = row < 2 ? Math.abs(angle) : Math.abs(angle - Math.PI / 2);
        const other = row < 2 ? angle - Math.PI / 2 : angle;
        const logits = [4 * Math.cos(own + 0.3), 4 * Math.cos(other)];
        return logSumExp(logits) - (logits[0] ?? 0);
      }),
    ),
    metrics: { right: 1 },
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
  meanSquaredError: {
    build: (graph, values) => ({ loss: meanSquaredError(graph, { values, targets: graph.input('t', [4, 2]) }) }),
    batch: { t: floats([4, 2], FACES) },
    wanted: 0.5,
  },
  wing: {
    build: (graph, values) => ({
      loss: wing(graph, { values, targets: graph.input('t', [4, 2]), width: 1, curvature: 0.2 }),
    }),
    batch: {
      t: floats(
        [4, 2],
        FACES.map((value, index) => 2 * value + (index % 2 === 0 ? 0.5 : 3)),
      ),
    },
    wanted: (Math.log(1 + 0.5 / 0.2) + (3 - 1 + Math.log(1 + 1 / 0.2))) / 2,
  },
  smoothL1: {
    build: (graph, values) => ({ loss: smoothL1(graph, { values, targets: graph.input('t', [4, 2]), beta: 1 }) }),
    batch: {
      t: floats(
        [4, 2],
        FACES.map((value, index) => 2 * value + (index % 2 === 0 ? 0.5 : 3)),
      ),
    },
    wanted: (0.125 + 2.5) / 2,
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

describe('detectorDistillation', () => {
  const shape = (last: number) => [1, 3, last];
  const teacherScores = [0.1, 0.9, 0.99, 0.01, 0.5, 0.5];
  const scores = [0.2, 0.8, 0.9, 0.1, 0.5, 0.5];
  const boxes = noise(shape(4), 5);
  const run = (given: ArrayLike<number>, shift: number) =>
    runStep(
      (graph) => {
        const [s = '', b = ''] = [
          graph.parameter({ name: 's', shape: shape(2), initial: new Float32Array(), decays: true }),
          graph.input('b', shape(4)),
        ];
        const teacher = { teacherScores: graph.input('ts', shape(2)), teacherBoxes: graph.input('tb', shape(4)) };
        const { loss, divergence, distance } = detectorDistillation(graph, {
          scores: s,
          boxes: b,
          ...teacher,
          boxWeight: 2,
          boxBeta: 1,
        });
        return { loss, metrics: { divergence, distance } };
      },
      {
        b: floats(
          shape(4),
          boxes.map((value) => value + shift),
        ),
        ts: floats(shape(2), teacherScores),
        tb: floats(shape(4), boxes),
      },
      { s: Float32Array.from(given) },
    );

  it('is nothing for a student that says the same', async () => {
    expect((await run(teacherScores, 0)).loss).toBeCloseTo(0, 6);
  });

  it('counts scores everywhere, boxes where the teacher sees a face', async () => {
    const { loss, metrics } = await run(scores, 0.5);
    const faces = 0.9 + 0.01 + 0.5;
    const divergence = teacherScores.reduce((sum, t, index) => sum + t * Math.log(t / (scores[index] ?? 1)), 0) / faces;
    expect(metrics.divergence).toBeCloseTo(divergence, 5);
    expect(metrics.distance).toBeCloseTo(4 * 0.125, 5);
    expect(loss).toBeCloseTo(divergence + 2 * 4 * 0.125, 5);
  });
});
