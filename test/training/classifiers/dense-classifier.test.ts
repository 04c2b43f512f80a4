import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { openGraph } from '../../../src/inference/onnxruntime-model.ts';
import { matrixOf } from '../../../src/training/classifiers/feature-matrix.ts';
import { trainDense } from '../../../src/training/classifiers/train-dense.ts';
import type { OpenSession } from '../../../src/training/engine.ts';

const open: OpenSession = (onnx, name) => openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);
const OPTIONS = { steps: 300, learningRate: 0.05, weightDecay: 0, seed: 1, open };
const matrix = (...rows: number[][]) => matrixOf(rows.map((row) => Float32Array.from(row)));
const largest = (values: Float64Array) => values.indexOf(Math.max(...values));

describe('a dense classifier', () => {
  it('meets frequencies: softmax regression without features is a table of shares', async () => {
    // The maximum-likelihood answer for one and the same input is how often each class comes: 1/2, 1/3, 1/6.
    const labels = [0, 0, 0, 1, 1, 2];
    const classify = await trainDense(matrix(...labels.map(() => [0])), labels, {
      ...OPTIONS,
      classes: 3,
      hidden: null,
      random: seededRandom(1),
    });
    const [shares = []] = await classify([Float32Array.of(0)]);
    expect([...shares]).toEqual([expect.closeTo(1 / 2, 2), expect.closeTo(1 / 3, 2), expect.closeTo(1 / 6, 2)]);
  });

  it('meets the logistic regression that can be solved by hand', async () => {
    // At -1 one of four is of class 1, at +1 three of four: the logits are -ln 3 and ln 3, so the slope is ln 3.
    const rows = [-1, -1, -1, -1, 1, 1, 1, 1];
    const labels = [0, 0, 0, 1, 1, 1, 1, 0];
    const classify = await trainDense(matrix(...rows.map((x) => [x])), labels, {
      ...OPTIONS,
      steps: 1000,
      classes: 2,
      hidden: null,
      random: seededRandom(2),
    });
    const [right, left] = await classify([Float32Array.of(1), Float32Array.of(-1)]);
    expect(right?.[1]).toBeCloseTo(0.75, 2);
    expect(left?.[1]).toBeCloseTo(0.25, 2);
  });

  it('learns what no straight line can tell, with a hidden layer and not without', async () => {
    const corners = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    const labels = [0, 1, 1, 0];
    const right = async (hidden: number | null) => {
      const options = { ...OPTIONS, steps: 800, classes: 2, hidden, random: seededRandom(3) };
      const classify = await trainDense(matrix(...corners), labels, options);
      const told = await classify(corners.map((corner) => Float32Array.from(corner)));
      return told.filter((shares, at) => largest(shares) === labels[at]).length;
    };
    expect(await right(8)).toBe(4);
    expect(await right(null)).toBeLessThan(4);
  });

  it('keeps weights small when it is told to', async () => {
    const sureness = async (weightDecay: number) => {
      const classify = await trainDense(matrix([-1], [1]), [0, 1], {
        ...OPTIONS,
        weightDecay,
        classes: 2,
        hidden: null,
        random: seededRandom(4),
      });
      const [shares] = await classify([Float32Array.of(1)]);
      return shares?.[1] ?? 0;
    };
    expect(await sureness(0)).toBeGreaterThan(0.95);
    expect(await sureness(10)).toBeLessThan(0.7);
  });

  it('repeats for a seed', async () => {
    const run = async (seed: number) => {
      const classify = await trainDense(matrix([0, 1], [1, 0], [1, 1]), [0, 1, 2], {
        ...OPTIONS,
        steps: 5,
        classes: 3,
        hidden: 4,
        seed,
        random: seededRandom(seed),
      });
      return classify([Float32Array.of(0.3, 0.8)]);
    };
    const once = await run(1);
    expect(await run(1)).toEqual(once);
    expect(await run(2)).not.toEqual(once);
  });

  it.each([[[0, 1]], [[0, 1, 3]], [[0, 1, -1]]])(
    'refuses the labels %j for three rows of three classes',
    async (labels) => {
      const options = { ...OPTIONS, classes: 3, hidden: null, random: seededRandom(1) };
      await expect(trainDense(matrix([0], [1], [2]), labels, options)).rejects.toThrow(RangeError);
    },
  );
});
