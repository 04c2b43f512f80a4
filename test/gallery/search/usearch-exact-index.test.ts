import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { quantise } from '../../../src/gallery/search/quantised-rows.ts';
import { createExactIndex } from '../../../src/gallery/search/usearch-exact-index.ts';
import { createSnapshot } from '../../../src/gallery/snapshot.ts';

const DIMENSION = 32;

/** Unit vectors around few centres, so close to each other that 8 bits cannot tell which is nearest. */
function crowded(rows: number, spread: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const centres = Array.from({ length: 3 }, () => Array.from({ length: DIMENSION }, () => random() - 0.5));
  const vectors = new Float32Array(rows * DIMENSION);
  for (let row = 0; row < rows; row++) {
    const around = (centres[row % 3] ?? []).map((value) => value + spread * (random() - 0.5));
    const length = Math.hypot(...around);
    vectors.set(
      around.map((value) => value / length),
      row * DIMENSION,
    );
  }
  return vectors;
}

function dots(vectors: Float32Array, probe: Float32Array): number[] {
  return Array.from({ length: vectors.length / DIMENSION }, (_, row) =>
    probe.reduce((sum, value, i) => sum + value * (vectors[row * DIMENSION + i] ?? 0), 0),
  );
}

const galleries = fc.record({
  rows: fc.integer({ min: 1, max: 700 }),
  spread: fc.constantFrom(1, 0.1, 0.001),
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 40 }),
});

describe('the exact index', () => {
  it('leaves out no row that is nearer than it says', () => {
    fc.assert(
      fc.property(galleries, ({ rows, spread, seed, count }) => {
        const vectors = crowded(rows, spread, seed);
        const probe = crowded(1, 1, seed + 1);
        const { rows: found, bound } = createExactIndex(quantise(vectors, DIMENSION), DIMENSION).nearest(probe, count);
        expect(found).toHaveLength(Math.min(rows, count));
        const chosen = new Set(found);
        expect(chosen.size).toBe(found.length);
        const left = dots(vectors, probe).filter((_, row) => !chosen.has(row));
        if (left.length === 0) expect(bound).toBe(-1);
        for (const dot of left) expect(dot).toBeLessThanOrEqual((bound ?? Number.NaN) + 1e-6);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a snapshot large enough for an index', () => {
  it('finds exactly the people that comparing every template finds, however close they are', () => {
    fc.assert(
      fc.property(galleries, ({ rows, spread, seed, count }) => {
        const size = rows + 256;
        const vectors = crowded(size, spread, seed);
        const probe = crowded(1, 1, seed);
        const owners = Uint32Array.from({ length: size }, (_, row) => row >> 1);
        const people = Array.from({ length: Math.ceil(size / 2) }, (_, index) => ({ id: `${index}`, name: '' }));
        const snapshot = createSnapshot({ version: 1, encoder: 'a', dimension: DIMENSION, people, owners, vectors });
        const best = new Array<number>(people.length).fill(-2);
        dots(vectors, probe).forEach((dot, row) => {
          best[row >> 1] = Math.max(best[row >> 1] ?? -2, dot);
        });
        const expected = [...best].sort((a, b) => b - a).slice(0, count);
        const found = snapshot.search(probe, count);
        expect(found).toHaveLength(expected.length);
        found.forEach(({ person, score }, rank) => {
          expect(score).toBeCloseTo(expected[rank] ?? 0, 6);
          expect(score).toBeCloseTo(best[Number(person.id)] ?? 0, 6);
        });
      }),
      { numRuns: 60 },
    );
  });
});
