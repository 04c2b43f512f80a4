import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { matrixOf, rowOf, squaredDistance } from '../../../src/training/classifiers/feature-matrix.ts';
import { kMeans } from '../../../src/training/classifiers/k-means.ts';

const points = (...rows: number[][]) => matrixOf(rows.map((row) => Float32Array.from(row)));

describe('kMeans', () => {
  it('finds the means of clusters that stand apart, whatever it begins with', () => {
    const clusters = points([0, 0], [0, 2], [2, 0], [2, 2], [100, 0], [102, 0], [0, 100], [0, 102], [3, 101]);
    for (let seed = 0; seed < 20; seed++) {
      const { centres, assignment, inertia } = kMeans(clusters, 3, seededRandom(seed));
      const found = Array.from({ length: 3 }, (_, row) => [...rowOf(centres, row)]).sort(
        ([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d,
      );
      // Means by hand: of the square, of (0, 100), (0, 102) and (3, 101), of (100, 0) and (102, 0).
      expect(found).toEqual([
        [1, 1],
        [1, 101],
        [101, 0],
      ]);
      expect(new Set(assignment.slice(0, 4)).size).toBe(1);
      // Four at distance root 2; two at 1 each; (0, 100) and (0, 102) at root 2, (3, 101) at 2.
      expect(inertia).toBeCloseTo(8 + 2 + 2 + 2 + 4, 5);
    }
  });

  it('gives each point its nearest centre, and each centre the mean of its points', () => {
    const coordinates = fc.integer({ min: -50, max: 50 });
    const rows = fc.array(fc.tuple(coordinates, coordinates), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), fc.integer(), (list, count, seed) => {
        const matrix = points(...list);
        const { centres, assignment } = kMeans(matrix, count, seededRandom(seed));
        for (let row = 0; row < matrix.rows; row++) {
          const own = squaredDistance(rowOf(matrix, row), rowOf(centres, assignment[row] ?? -1));
          for (let centre = 0; centre < count; centre++) {
            expect(own).toBeLessThanOrEqual(squaredDistance(rowOf(matrix, row), rowOf(centres, centre)));
          }
        }
      }),
    );
  });

  it('keeps every centre in use when points coincide', () => {
    const { centres, inertia } = kMeans(points([1, 1], [1, 1], [1, 1], [5, 5]), 2, seededRandom(1));
    expect(centres.rows).toBe(2);
    expect(inertia).toBe(0);
  });

  it('repeats for a seed', () => {
    const random = seededRandom(9);
    const cloud = matrixOf(Array.from({ length: 200 }, () => Float32Array.from({ length: 5 }, random)));
    const run = (seed: number) => kMeans(cloud, 7, seededRandom(seed)).centres.data;
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('refuses more centres than points', () => {
    expect(() => kMeans(points([0]), 2, seededRandom(1))).toThrow(RangeError);
  });
});

describe('matrixOf', () => {
  it('refuses rows of several lengths, and none', () => {
    expect(() => points([1], [1, 2])).toThrow(RangeError);
    expect(() => points()).toThrow(RangeError);
  });
});
