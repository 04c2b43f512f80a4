import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { histogramOf, learnCodebook } from '../../../src/training/classifiers/bag-of-features.ts';
import { matrixOf } from '../../../src/training/classifiers/feature-matrix.ts';

const matrix = (...rows: number[][]) => matrixOf(rows.map((row) => Float32Array.from(row)));

describe('histogramOf', () => {
  const codebook = { centres: matrix([0, 0], [3, 4]), width: 5 };

  it('answers by distance, scaled to a sum of 1, as in equations 1 to 3 of the paper', () => {
    // At the first centre: exp(-0 / 5) and exp(-5 / 5).
    const [first, second] = histogramOf(codebook, matrix([0, 0]));
    expect(first).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(second).toBeCloseTo(Math.exp(-1) / (1 + Math.exp(-1)), 6);
  });

  it('is the mean over descriptors: half way between two answers', () => {
    expect([...histogramOf(codebook, matrix([0, 0], [3, 4]))]).toEqual([expect.closeTo(0.5), expect.closeTo(0.5)]);
  });

  it('does not round to nothing far away', () => {
    const [first, second] = histogramOf(codebook, matrix([1e6, 1e6]));
    // Half as far along the line to the second centre: a difference of about 7 / root 2 in distance.
    expect(first).toBeCloseTo(Math.exp(-0.99) / (1 + Math.exp(-0.99)), 2);
    expect((first ?? 0) + (second ?? 0)).toBeCloseTo(1, 6);
  });

  it('adds up to 1, and does not care for the order of descriptors', () => {
    const value = fc.float({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 9 }), (rows) => {
        const histogram = histogramOf(codebook, matrix(...rows));
        expect(histogram.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
        const turned = histogramOf(codebook, matrix(...[...rows].reverse()));
        turned.forEach((share, word) => {
          expect(share).toBeCloseTo(histogram[word] ?? Number.NaN, 5);
        });
      }),
    );
  });
});

describe('learnCodebook', () => {
  it('has its neurons as wide as descriptors are far from their centres', () => {
    // Two clusters, each two points at distance 1 from their mean: mean distance 1, half of that asked for.
    const codebook = learnCodebook(matrix([0, 0], [0, 2], [50, 0], [50, 2]), 2, 0.5, seededRandom(1));
    expect(codebook.width).toBeCloseTo(0.5, 6);
    expect([...codebook.centres.data].sort((a, b) => a - b)).toEqual([0, 1, 1, 50]);
  });

  it('stays usable when every descriptor is a word', () => {
    const codebook = learnCodebook(matrix([0], [1]), 2, 0.5, seededRandom(1));
    expect(histogramOf(codebook, matrix([0])).every(Number.isFinite)).toBe(true);
  });
});
