import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { trainLinearSvm } from '../../../src/evaluation/classifiers/linear-svm.ts';
import { matrixOf } from '../../../src/training/classifiers/feature-matrix.ts';

const matrix = (...rows: number[][]) => matrixOf(rows.map((row) => Float32Array.from(row)));
const decide = (rows: number[][], labels: number[], cost: number, classes = 2) =>
  trainLinearSvm(matrix(...rows), labels, { classes, cost, random: seededRandom(1) });

describe('trainLinearSvm', () => {
  it('puts the boundary in the middle: two points at -1 and 1 have the margin 1 there', () => {
    // At any price that matters the weights are those of the hard margin: w = 1, b = 0.
    const answer = decide([[-1], [1]], [0, 1], 1e4);
    expect(answer(Float32Array.of(1))[1]).toBeCloseTo(1, 2);
    expect(answer(Float32Array.of(0))[1]).toBeCloseTo(0, 2);
    expect(answer(Float32Array.of(-1))[1]).toBeCloseTo(-1, 2);
    expect(answer(Float32Array.of(-1))[0]).toBeCloseTo(1, 2);
  });

  it('solves the soft margin that can be solved by hand', () => {
    // By symmetry b = 0; the loss w^2 / 2 + 2 C (1 - w)^2 is least at w = 4 C / (1 + 4 C): for C = 1/4 at 1/2.
    const answer = decide([[-1], [1]], [0, 1], 0.25);
    expect(answer(Float32Array.of(1))[1]).toBeCloseTo(0.5, 3);
  });

  it('is least: no other boundary has a smaller loss', () => {
    const rows = [[0.2], [0.9], [1.4], [2.2], [2.9]];
    const sides = [-1, 1, -1, 1, 1];
    const cost = 0.7;
    const answer = decide(
      rows,
      sides.map((side) => (side > 0 ? 1 : 0)),
      cost,
    );
    const b = answer(Float32Array.of(0))[1] ?? Number.NaN;
    const w = (answer(Float32Array.of(1))[1] ?? Number.NaN) - b;
    const loss = (weight: number, offset: number) =>
      (weight ** 2 + offset ** 2) / 2 +
      cost * rows.reduce((sum, [x = 0], at) => sum + Math.max(0, 1 - (sides[at] ?? 0) * (weight * x + offset)) ** 2, 0);
    const best = loss(w, b);
    const step = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(fc.property(step, step, (dw, db) => loss(w + dw, b + db) >= best - 1e-3));
  });

  it('tells three people from each other, and knows nothing of a fourth', () => {
    const answer = decide(
      [
        [10, 0],
        [9, 1],
        [0, 10],
        [1, 9],
        [-8, -8],
      ],
      [0, 0, 1, 1, 2],
      1,
      4,
    );
    const best = (x: number, y: number) => {
      const scores = answer(Float32Array.of(x, y));
      return scores.indexOf(Math.max(...scores));
    };
    expect([best(11, 1), best(-1, 12), best(-5, -6)]).toEqual([0, 1, 2]);
    expect(answer(Float32Array.of(0, 0))[3]).toBe(Number.NEGATIVE_INFINITY);
  });

  it('refuses a label that is no class', () => {
    expect(() => decide([[0], [1]], [0, 2], 1)).toThrow(RangeError);
    expect(() => decide([[0], [1]], [0], 1)).toThrow(RangeError);
  });
});
