import { describe, expect, it } from 'vitest';
import { normalNumbers, seededRandom } from '../../src/core/seeded-random.ts';
import { crossPersonScores, type OwnedTemplates } from '../../src/faces/cross-person-scores.ts';
import { normalise } from '../../src/faces/embedding.ts';

const DIMENSION = 64;

/** People as random directions that all share one to a degree: cosines have mean `alike`, deviation (1 - alike) / sqrt(dimension) about. */
function crowd(people: number, { alike = 0, each = 2, seed = 1 } = {}): OwnedTemplates {
  const normal = normalNumbers(seededRandom(seed));
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, normal));
  const shared = direction();
  const rows = Array.from({ length: people }, (_, owner) => {
    const own = direction();
    const centre = own.map((value, at) => Math.sqrt(1 - alike) * value + Math.sqrt(alike) * (shared[at] ?? 0));
    return Array.from({ length: each }, () => {
      const away = direction();
      return { owner, vector: normalise(centre.map((value, at) => value + 0.2 * (away[at] ?? 0))) };
    });
  }).flat();
  return {
    owners: rows.map(({ owner }) => owner),
    vectorOf: (row) => rows[row]?.vector ?? new Float32Array(),
  };
}

describe('the scores of people with each other', () => {
  it('have the moments that follow from the geometry', () => {
    const among = crossPersonScores(crowd(60));
    expect(among?.people).toBe(60);
    expect(among?.mean).toBeCloseTo(0, 1);
    expect((among?.deviation ?? 0) * Math.sqrt(DIMENSION)).toBeGreaterThan(0.85);
    expect((among?.deviation ?? 0) * Math.sqrt(DIMENSION)).toBeLessThan(1.05);
    expect(crossPersonScores(crowd(60, { alike: 0.3 }))?.mean).toBeCloseTo(0.3, 1);
  });

  it('are the same for the same templates, and of thousands of people a sample', () => {
    const many = crowd(1500, { each: 1, alike: 0.2 });
    const among = crossPersonScores(many);
    expect(crossPersonScores(many)).toEqual(among);
    expect(among?.people).toBe(1500);
    expect(among?.mean).toBeCloseTo(0.2, 1);
  });

  it('are hardly moved by somebody who is there twice', () => {
    const once = crowd(12, { alike: 0.1 });
    const [rows, last] = [once.owners.length, 12];
    const twice = {
      owners: [...Array.from(once.owners), last, last],
      vectorOf: (row: number) => once.vectorOf(row % rows),
    };
    const [before, after] = [crossPersonScores(once), crossPersonScores(twice)];
    expect(before?.leftOut).toBe(0);
    expect(after?.leftOut).toBeCloseTo(1 / 78, 9);
    expect(Math.abs((after?.mean ?? 9) - (before?.mean ?? 0))).toBeLessThan(before?.meanError ?? 0);
    expect((after?.deviation ?? 9) / (before?.deviation ?? 1)).toBeLessThan(1.1);
  });

  it('tell errors that are those of other people of the same kind', () => {
    const means = Array.from({ length: 60 }, (_, seed) => crossPersonScores(crowd(10, { seed, each: 1 })));
    const mean = means.reduce((sum, it) => sum + (it?.mean ?? 0), 0) / means.length;
    const spread = Math.sqrt(means.reduce((sum, it) => sum + ((it?.mean ?? 0) - mean) ** 2, 0) / means.length);
    const told = means.reduce((sum, it) => sum + (it?.meanError ?? 0), 0) / means.length;
    // The jackknife errs to the wide side where people do not differ in how alike they are to others.
    expect(told / spread).toBeGreaterThan(0.9);
    expect(told / spread).toBeLessThan(2.5);
  });

  it('need three people', () => {
    expect(crossPersonScores(crowd(2))).toBeNull();
    expect(crossPersonScores(crowd(0))).toBeNull();
  });
});
