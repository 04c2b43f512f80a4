import { describe, expect, it } from 'vitest';
import { normalNumbers, seededRandom } from '../../src/core/seeded-random.ts';
import { cohortOf, lessened } from '../../src/faces/cohort.ts';
import type { OwnedTemplates } from '../../src/faces/cross-person-scores.ts';
import { cosine, normalise } from '../../src/faces/embedding.ts';

const DIMENSION = 128;

/** Faces that share one direction, each to the degree of its share. */
function facesOf(shares: readonly number[], seed = 1): Float32Array[] {
  const normal = normalNumbers(seededRandom(seed));
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, normal));
  const shared = normalise(Float32Array.from({ length: DIMENSION }, normalNumbers(seededRandom(99))));
  return shares.map((share) => {
    const any = direction();
    const along = cosine(any, shared);
    const own = normalise(any.map((value, at) => value - along * (shared[at] ?? 0)));
    return normalise(own.map((value, at) => Math.sqrt(1 - share ** 2) * value + share * (shared[at] ?? 0)));
  });
}

const templatesOf = (vectors: readonly Float32Array[]): OwnedTemplates => ({
  owners: vectors.map((_, owner) => owner),
  vectorOf: (row) => vectors[row] ?? new Float32Array(),
});
const even = (people: number, share: number) => Array.from({ length: people }, () => share);
/** Half are like everybody of them, half are like nobody. */
const uneven = (people: number) => Array.from({ length: people }, (_, at) => (at % 2 === 0 ? 0.7 : 0.1));
const made = (shares: readonly number[], seed?: number) => {
  const vectors = facesOf(shares, seed);
  const cohort = cohortOf(templatesOf(vectors));
  if (!cohort) throw new Error('there are people enough');
  return { vectors, cohort };
};

describe('people of a gallery as a cohort', () => {
  it('tells nothing of fewer than eight', () => {
    expect(cohortOf(templatesOf(facesOf(uneven(7))))).toBeNull();
    expect(cohortOf(templatesOf([]))).toBeNull();
  });

  it.each([
    ['a mixed public', even(60, 0)],
    ['people who are all equally alike', even(60, 0.5)],
  ])('takes hardly anything off the scores of %s', (_, shares) => {
    const { cohort, vectors } = made(shares);
    expect(cohort.weight).toBeLessThan(0.4);
    const deviation = 1 / Math.sqrt(DIMENSION);
    for (const probe of [...vectors, ...facesOf(shares, 2)]) {
      expect(Math.abs(cohort.allowance(probe)(-1))).toBeLessThan(deviation / 4);
    }
  });

  it('takes off what a face is like everybody, and adds what it is not', () => {
    const { cohort, vectors } = made(uneven(40));
    expect(cohort.weight).toBeGreaterThan(0.8);
    const strangers = facesOf([0.7, 0.1], 2);
    const scores = strangers.map((stranger) => vectors.map((vector) => cosine(vector, stranger)));
    const [alike = 0, apart = 0] = strangers.map((stranger) => cohort.allowance(stranger)(-1));
    expect(alike).toBeGreaterThan(0.05);
    expect(apart).toBeLessThan(-0.05);
    const mean = (all: readonly number[] = []) => all.reduce((sum, it) => sum + it, 0) / all.length;
    const [before, after] = [mean(scores[0]) - mean(scores[1]), mean(scores[0]) - alike - (mean(scores[1]) - apart)];
    expect(after).toBeLessThan(before / 4);
  });

  it('lessens the spread of the scores of strangers by what it says', () => {
    const { cohort, vectors } = made(uneven(100));
    const strangers = facesOf(uneven(200), 2);
    const deviationOf = (score: (one: Float32Array, other: Float32Array) => number) => {
      const all = strangers.flatMap((stranger) => vectors.map((vector) => score(vector, stranger)));
      const mean = all.reduce((sum, it) => sum + it, 0) / all.length;
      return Math.sqrt(all.reduce((sum, it) => sum + (it - mean) ** 2, 0) / all.length);
    };
    const before = deviationOf(cosine);
    const after = deviationOf((vector, stranger) => cosine(vector, stranger) - cohort.allowance(stranger)(-1));
    expect(after).toBeLessThan(before);
    expect(after / Math.sqrt(before ** 2 - cohort.variance)).toBeCloseTo(1, 1);
  });

  it('asks nobody about their own score', () => {
    const { cohort, vectors } = made(uneven(20));
    const [, probe = new Float32Array()] = vectors;
    const scores = vectors.map((vector) => cosine(vector, probe));
    const others = scores.filter((_, owner) => owner !== 1);
    const mean = (all: readonly number[]) => all.reduce((sum, it) => sum + it, 0) / all.length;
    const allowance = cohort.allowance(probe);
    // The others are alike to it by less than the limit from which scores count no more; it is to itself by more.
    expect(allowance(2) - allowance(1)).toBeGreaterThan(0.005 * cohort.weight);
    expect(allowance(-1) - allowance(1)).toBeLessThanOrEqual(cohort.weight * (mean(scores) - mean(others)) + 1e-6);
  });

  it('is hardly moved by somebody who is there twice', () => {
    const vectors = facesOf(even(12, 0.3));
    const [first = new Float32Array()] = vectors;
    const twice = cohortOf(templatesOf([...vectors, first]));
    expect(twice?.weight).toBeLessThan(0.5);
    expect(Math.abs(twice?.allowance(first)(0) ?? 1)).toBeLessThan(0.06);
  });

  it('takes the mean of a person with several templates, and a sample of many people', () => {
    const vectors = facesOf(uneven(400));
    const many = {
      owners: vectors.flatMap((_, owner) => [owner, owner]),
      vectorOf: (row: number) => vectors[row >> 1] ?? new Float32Array(),
    };
    const cohort = cohortOf(many);
    expect(cohort?.members).toHaveLength(128);
    expect(cohort?.members).toEqual([...new Set(cohort?.members)].sort((a, b) => a - b));
    const [probe = new Float32Array()] = facesOf([0.5], 3);
    const same = cohortOf(templatesOf(vectors));
    for (const owner of [0, 1, 3, -1]) {
      expect(cohort?.allowance(probe)(owner)).toBeCloseTo(same?.allowance(probe)(owner) ?? Number.NaN, 6);
    }
  });

  it.each([
    [0.5, 0.2, 0.3],
    [0.99, -0.2, 1],
    [-0.9, 0.2, -1],
    [0.4, 0, 0.4],
  ])('leaves of a cosine of %f, %f taken off, a score of %f', (cosine, allowance, score) => {
    expect(lessened(cosine, allowance)).toBeCloseTo(score, 9);
  });

  it('takes nothing off where all scores are the same', () => {
    const one = facesOf([0.5])[0] ?? new Float32Array();
    const cohort = cohortOf(templatesOf(Array.from({ length: 9 }, () => one)));
    expect([cohort?.weight, cohort?.allowance(one)(3)]).toEqual([0, 0]);
  });
});
