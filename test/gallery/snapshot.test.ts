import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { createSnapshot } from '../../src/gallery/snapshot.ts';
import type { TemplateMatrix } from '../../src/gallery/template.ts';

const DIMENSION = 7;

/** People `p0`, `p1`... with the given rows each. */
function matrix(rowsOfPeople: readonly (readonly number[])[][], dimension = DIMENSION): TemplateMatrix {
  return {
    version: 3,
    encoder: 'encoder-a',
    dimension,
    people: rowsOfPeople.map((_, index) => ({ id: `p${index}`, name: `Person ${index}` })),
    owners: Uint32Array.from(rowsOfPeople.flatMap((rows, owner) => rows.map(() => owner))),
    vectors: Float32Array.from(rowsOfPeople.flat(2)),
  };
}

const unit = fc
  .array(fc.integer({ min: -9, max: 9 }), { minLength: DIMENSION, maxLength: DIMENSION })
  .filter((numbers) => numbers.some((it) => it !== 0))
  .map((numbers) => numbers.map((it) => it / Math.hypot(...numbers)));

describe('search', () => {
  it('finds what comparing everybody in double precision finds', () => {
    const gallery = fc.array(fc.array(unit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(gallery, unit, fc.integer({ min: 1, max: 14 }), (people, probe, k) => {
        const naive = people.map((rows, index) => ({
          id: `p${index}`,
          score: Math.max(...rows.map((row) => row.reduce((sum, value, i) => sum + value * (probe[i] ?? 0), 0))),
        }));
        const ranked = naive.map(({ score }) => score).sort((a, b) => b - a);
        const found = createSnapshot(matrix(people)).search(Float32Array.from(probe), k);

        expect(found).toHaveLength(Math.min(k, people.length));
        found.forEach(({ person, score }, rank) => {
          expect(score).toBeCloseTo(naive.find(({ id }) => id === person.id)?.score ?? Number.NaN, 5);
          expect(score).toBeCloseTo(ranked[rank] ?? Number.NaN, 5);
        });
        expect(new Set(found.map(({ person }) => person.id)).size).toBe(found.length);
      }),
    );
  });

  it.each([1, 2, 3, 5])('takes the mean of the %i best templates, as comparing all of them gives it', (bestOf) => {
    const random = seededRandom(bestOf);
    const numbers = () => Array.from({ length: DIMENSION }, () => random() - 0.5);
    const unitRow = () => {
      const row = numbers();
      return row.map((it) => it / Math.hypot(...row));
    };
    // Enough templates for an index to choose whom to compare.
    const people = Array.from({ length: 300 }, (_, index) => Array.from({ length: 1 + (index % 4) }, unitRow));
    const snapshot = createSnapshot(matrix(people), { bestOf });
    for (let round = 0; round < 20; round++) {
      const probe = unitRow();
      const means = people.map((rows) => {
        const scores = rows.map((row) => row.reduce((sum, value, i) => sum + value * (probe[i] ?? 0), 0));
        const counted = scores.sort((a, b) => b - a).slice(0, bestOf);
        return counted.reduce((sum, score) => sum + score, 0) / counted.length;
      });
      const order = [...means.keys()].sort((a, b) => (means[b] ?? 0) - (means[a] ?? 0)).slice(0, 5);
      const found = snapshot.search(Float32Array.from(probe), 5);
      expect(found.map(({ person }) => person.id)).toEqual(order.map((index) => `p${index}`));
      found.forEach(({ score }, rank) => {
        expect(score).toBeCloseTo(means[order[rank] ?? 0] ?? 0, 5);
      });
    }
  });

  it('takes the best template of a person and ranks people by it', () => {
    // Cosines with (1, 0) by hand: p0 has 0.6 and 0, p1 has 0.8, p2 has -1.
    const snapshot = createSnapshot(
      matrix(
        [
          [
            [0.6, 0.8],
            [0, 1],
          ],
          [[0.8, -0.6]],
          [[-1, 0]],
        ],
        2,
      ),
    );
    const found = snapshot.search(Float32Array.of(1, 0), 3);
    expect(found.map(({ person }) => person.id)).toEqual(['p1', 'p0', 'p2']);
    expect(found.map(({ score }) => Number(score.toFixed(6)))).toEqual([0.8, 0.6, -1]);
  });

  it('orders equal scores by id, also where the last place is shared', () => {
    const same = [[0, 1]];
    const snapshot = createSnapshot(matrix([[[1, 0]], same, same, same], 2));
    expect(snapshot.search(Float32Array.of(0, 1), 2).map(({ person }) => person.id)).toEqual(['p1', 'p2']);
    expect(snapshot.search(Float32Array.of(0, 1), 4).map(({ person }) => person.id)).toEqual(['p1', 'p2', 'p3', 'p0']);
  });

  it('finds nobody in an empty gallery', () => {
    const snapshot = createSnapshot(matrix([]));
    expect(snapshot.search(Float32Array.of(1, 0, 0, 0, 0, 0, 0), 5)).toEqual([]);
    expect(snapshot).toMatchObject({ version: 3, encoder: 'encoder-a', templateCount: 0, people: [] });
  });

  const two = createSnapshot(matrix([[[1, 0]]], 2));
  it.each([
    ['another dimension', Float32Array.of(1, 0, 0), 1, 'probe has 3 numbers, expected 2'],
    ['no unit norm', Float32Array.of(1, 1), 1, /probe has norm 1\.41\d*, expected 1/],
    ['no number', Float32Array.of(Number.NaN, 0), 1, 'probe has norm NaN, expected 1'],
    ['k of 0', Float32Array.of(1, 0), 0, 'k is 0, expected a positive whole number'],
    ['k of 1.5', Float32Array.of(1, 0), 1.5, 'k is 1.5, expected a positive whole number'],
  ])('refuses a probe of %s', (_, probe, k, message) => {
    expect(() => two.search(probe, k)).toThrow(message);
    expect(() => two.search(probe, k)).toThrow(RangeError);
  });
});

describe('createSnapshot', () => {
  it('refuses templates that are no embeddings, naming the person', () => {
    expect(() => createSnapshot(matrix([[[1, 0]], [[0.5, 0]]], 2))).toThrow('a template of person p1 has norm 0.5');
  });

  it('refuses sizes that do not fit', () => {
    expect(() => createSnapshot({ ...matrix([[[1, 0]]], 2), dimension: 3 })).toThrow(RangeError);
    expect(() => createSnapshot({ ...matrix([[[1, 0]]], 2), owners: Uint32Array.of(1) })).toThrow('belongs to nobody');
  });

  it('cannot be changed', () => {
    const snapshot = createSnapshot(matrix([[[1, 0]]], 2));
    expect(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.people)).toBe(true);
  });
});
