import { describe, expect, it } from 'vitest';
import { bootstrapOverPeople, weightedShare } from '../../../src/evaluation/metrics/bootstrap.ts';
import { comparisonsOf } from '../../../src/evaluation/metrics/comparisons.ts';
import { operatingPoint, pointAt, rank } from '../../../src/evaluation/metrics/roc.ts';

const OPTIONS = { resamples: 2000, seed: 5, level: 0.95 };

/** `people` people with `each` observations, of whom the first `share` succeed, all theirs at once. */
function clustered(people: number, each: number, share: number) {
  const person = Int32Array.from({ length: people * each }, (_, index) => Math.floor(index / each));
  return { subjects: { first: person, second: person }, holds: Array.from(person, (it) => it < people * share) };
}

describe('bootstrapOverPeople', () => {
  it.each([1, 10])('is as wide as a share over people is, however often each is seen (%i times)', (each) => {
    const { subjects, holds } = clustered(400, each, 0.8);
    const [interval] = bootstrapOverPeople(subjects, (weights) => [weightedShare(holds, weights)], OPTIONS);
    // Normal approximation of a share: 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 400).
    expect(interval?.[0]).toBeCloseTo(0.8 - 0.0392, 2);
    expect(interval?.[1]).toBeCloseTo(0.8 + 0.0392, 2);
  });

  it('repeats for a seed and moves with it', () => {
    const { subjects, holds } = clustered(30, 2, 0.5);
    const run = (seed: number) =>
      bootstrapOverPeople(subjects, (weights) => [weightedShare(holds, weights)], { ...OPTIONS, resamples: 50, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('counts a comparison as often as both its people were drawn', () => {
    // One comparison of 0 with 1, one of each with itself: over a drawing, the weights are d0 * d1, d0 and d1.
    const subjects = { first: Int32Array.of(0, 0, 1), second: Int32Array.of(1, 0, 1) };
    const seen = new Set<string>();
    bootstrapOverPeople(
      subjects,
      (weights) => {
        seen.add([0, 1, 2].map(weights).join());
        return [0];
      },
      OPTIONS,
    );
    expect(seen).toEqual(new Set(['0,2,0', '1,1,1', '0,0,2']));
  });

  it('gives nothing where most resamples have nothing to count', () => {
    const { subjects } = clustered(10, 1, 1);
    let call = 0;
    const seldom = () => [call++ % 3 === 0 ? 1 : null, 1];
    expect(bootstrapOverPeople(subjects, seldom, OPTIONS)).toEqual([null, [1, 1]]);
  });

  it('surrounds the true accept rate it is about', () => {
    const pairs = Array.from({ length: 600 }, (_, index) => {
      const same = index % 2 === 0;
      const noise = ((index * 7919) % 601) / 601;
      return {
        same,
        score: noise + (same ? 0.4 : 0),
        people: [`a${index}`, same ? `a${index}` : `b${index}`] as const,
      };
    });
    const ranking = rank(comparisonsOf(pairs));
    const point = operatingPoint(ranking, 0.01);
    const [interval] = bootstrapOverPeople(
      ranking.comparisons,
      (weights) => [pointAt(ranking, 0.01, weights)?.tar ?? null],
      OPTIONS,
    );
    expect(interval?.[0]).toBeLessThan(point?.tar ?? 0);
    expect(interval?.[1]).toBeGreaterThan(point?.tar ?? 1);
    expect((interval?.[1] ?? 1) - (interval?.[0] ?? 0)).toBeLessThan(0.25);
  });
});
