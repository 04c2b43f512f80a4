import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestThreshold, foldedAccuracy } from '../../../src/evaluation/metrics/folded-accuracy.ts';

const pair = (same: boolean, score: number) => ({ same, score });

describe('bestThreshold', () => {
  it.each([
    ['separated', [pair(true, 0.9), pair(true, 0.7), pair(false, 0.3), pair(false, 0.1)], 0.7],
    [
      'one of the same below one of another',
      [pair(true, 0.9), pair(false, 0.8), pair(true, 0.5), pair(false, 0.1)],
      0.9,
    ],
    ['nobody is the same', [pair(false, 0.9), pair(false, 0.2)], Number.POSITIVE_INFINITY],
    ['everybody is', [pair(true, 0.9), pair(true, 0.2)], 0.2],
    // 0.5 cannot be told apart: accepting all three of it costs two and wins one.
    ['equal scores', [pair(true, 0.9), pair(true, 0.5), pair(false, 0.5), pair(false, 0.5)], 0.9],
  ])('%s', (_, pairs, threshold) => {
    expect(bestThreshold(pairs)).toBe(threshold);
  });

  it('is never beaten by another score', () => {
    const pairs = fc.array(fc.record({ same: fc.boolean(), score: fc.integer({ min: 0, max: 9 }) }), { minLength: 1 });
    fc.assert(
      fc.property(pairs, (list) => {
        const right = (threshold: number) => list.filter(({ same, score }) => score >= threshold === same).length;
        const best = right(bestThreshold(list));
        for (let other = 0; other <= 10; other++) expect(right(other)).toBeLessThanOrEqual(best);
      }),
    );
  });
});

describe('foldedAccuracy', () => {
  it('takes the threshold from the other folds', () => {
    // Fold 0: the same at 0.8, others at 0.2. Fold 1: the same at 0.4, others at 0.1. Thresholds 0.4 and 0.8:
    // fold 0 is told right with 0.4; in fold 1 the 0.4 stays below 0.8 and is told wrong.
    const result = foldedAccuracy([pair(true, 0.8), pair(true, 0.4), pair(false, 0.2), pair(false, 0.1)], 2);
    expect(result.thresholds).toEqual([0.4, 0.8]);
    expect(result.right).toEqual([true, false, true, true]);
    expect(result.accuracy).toBe(0.75);
    // Folds 1 and 0.5: deviation sqrt(0.125), divided by the root of 2.
    expect(result.standardError).toBeCloseTo(0.25, 12);
  });

  it('counts what was not compared as different people', () => {
    const pairs = [pair(true, 0.9), pair(true, 0.9), pair(true, -1), pair(false, -1), pair(false, 0), pair(false, 0)];
    expect(foldedAccuracy(pairs, 2).right).toEqual([true, true, false, true, true, true]);
  });

  it('is 1 for scores that separate, and about a half for scores that say nothing', () => {
    const separated = Array.from({ length: 200 }, (_, index) => pair(index < 100, index < 100 ? 0.8 : 0.2));
    expect(foldedAccuracy(separated, 10).accuracy).toBe(1);
    // The kinds by turns: parts of every tenth pair would hold one kind alone.
    const same = Array.from({ length: 200 }, (_, index) => pair(index % 2 === 0, 0.5));
    expect(foldedAccuracy(same, 10).accuracy).toBe(0.5);
  });

  it.each([
    [9, 10],
    [3, 1],
  ])('refuses %i pairs in %i folds', (count, folds) => {
    expect(() => foldedAccuracy(Array<{ same: boolean; score: number }>(count).fill(pair(true, 1)), folds)).toThrow(
      RangeError,
    );
  });
});
