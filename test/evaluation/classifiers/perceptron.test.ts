import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { matrixOf } from '../../../src/evaluation/classifiers/feature-matrix.ts';
import { trainPerceptron } from '../../../src/evaluation/classifiers/perceptron.ts';

const OPTIONS = { steps: 300, learningRate: 0.05, weightDecay: 0 };
const matrix = (...rows: number[][]) => matrixOf(rows.map((row) => Float32Array.from(row)));
const largest = (values: Float64Array) => values.indexOf(Math.max(...values));

describe('trainPerceptron', () => {
  it('meets frequencies: softmax regression without features is a table of shares', () => {
    // The maximum-likelihood answer for one and the same input is how often each class comes: 1/2, 1/3, 1/6.
    const labels = [0, 0, 0, 1, 1, 2];
    const classify = trainPerceptron(matrix(...labels.map(() => [0])), labels, {
      ...OPTIONS,
      classes: 3,
      hidden: null,
      random: seededRandom(1),
    });
    const shares = classify(Float32Array.of(0));
    expect([...shares]).toEqual([expect.closeTo(1 / 2, 2), expect.closeTo(1 / 3, 2), expect.closeTo(1 / 6, 2)]);
  });

  it('meets the logistic regression that can be solved by hand', () => {
    // At -1 one of four is of class 1, at +1 three of four: the logits are -ln 3 and ln 3, so the slope is ln 3.
    const rows = [-1, -1, -1, -1, 1, 1, 1, 1];
    const labels = [0, 0, 0, 1, 1, 1, 1, 0];
    const classify = trainPerceptron(matrix(...rows.map((x) => [x])), labels, {
      ...OPTIONS,
      steps: 1000,
      classes: 2,
      hidden: null,
      random: seededRandom(2),
    });
    expect(classify(Float32Array.of(1))[1]).toBeCloseTo(0.75, 2);
    expect(classify(Float32Array.of(-1))[1]).toBeCloseTo(0.25, 2);
  });

  it('learns what no straight line can tell, with a hidden layer and not without', () => {
    const corners = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    const labels = [0, 1, 1, 0];
    const right = (hidden: number | null) => {
      const options = { ...OPTIONS, steps: 800, classes: 2, hidden, random: seededRandom(3) };
      const classify = trainPerceptron(matrix(...corners), labels, options);
      return corners.filter((corner, at) => largest(classify(Float32Array.from(corner))) === labels[at]).length;
    };
    expect(right(8)).toBe(4);
    expect(right(null)).toBeLessThan(4);
  });

  it('keeps weights small when it is told to', () => {
    const sureness = (weightDecay: number) => {
      const classify = trainPerceptron(matrix([-1], [1]), [0, 1], {
        ...OPTIONS,
        weightDecay,
        classes: 2,
        hidden: null,
        random: seededRandom(4),
      });
      return classify(Float32Array.of(1))[1] ?? 0;
    };
    expect(sureness(0)).toBeGreaterThan(0.95);
    expect(sureness(10)).toBeLessThan(0.7);
  });

  it('repeats for a seed', () => {
    const run = (seed: number) =>
      trainPerceptron(matrix([0, 1], [1, 0], [1, 1]), [0, 1, 2], {
        ...OPTIONS,
        steps: 5,
        classes: 3,
        hidden: 4,
        random: seededRandom(seed),
      })(Float32Array.of(0.3, 0.8));
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it.each([[[0, 1]], [[0, 1, 3]], [[0, 1, -1]]])('refuses the labels %j for three rows of three classes', (labels) => {
    const options = { ...OPTIONS, classes: 3, hidden: null, random: seededRandom(1) };
    expect(() => trainPerceptron(matrix([0], [1], [2]), labels, options)).toThrow(RangeError);
  });
});
