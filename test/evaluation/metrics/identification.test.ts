import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cumulativeMatch,
  openSetPoint,
  openSetRanking,
  rankOfTruth,
  type Search,
} from '../../../src/evaluation/metrics/identification.ts';

const NOBODY = Number.NEGATIVE_INFINITY;
const search = (truth: number, ...scores: number[]): Search => ({ truth, scores: Float64Array.from(scores) });

describe('rankOfTruth', () => {
  it.each([
    ['first', search(1, 0.2, 0.9, 0.3), 1],
    ['third', search(0, 0.2, 0.9, 0.3), 3],
    ['behind an equal score', search(0, 0.9, 0.9, 0.3), 2],
    ['no face', { truth: 0, scores: null }, Number.POSITIVE_INFINITY],
    ['not in the gallery', search(0, NOBODY, 0.9), Number.POSITIVE_INFINITY],
    ['alone in the gallery', search(2, NOBODY, NOBODY, -0.5), 1],
  ])('%s', (_, it_, rank) => {
    expect(rankOfTruth(it_)).toBe(rank);
  });
});

describe('cumulativeMatch', () => {
  it('counts by hand', () => {
    expect(cumulativeMatch([1, 1, 3, Number.POSITIVE_INFINITY], 4)).toEqual([0.5, 0.5, 0.75, 0.75]);
  });

  it('never falls, and starts at rank 1', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (ranks) => {
        const curve = cumulativeMatch(ranks, 9);
        curve.forEach((share, at) => {
          expect(share).toBeGreaterThanOrEqual(curve[at - 1] ?? 0);
        });
        expect(curve[8]).toBe(1);
      }),
    );
  });
});

describe('openSetPoint', () => {
  // Four probes; own score, best other: (0.9, 0.3), (0.6, 0.5), (0.4, 0.7: not first), no face.
  const ranking = openSetRanking([
    search(0, 0.9, 0.3, 0.1),
    search(1, 0.5, 0.6, 0.2),
    search(2, 0.7, 0.1, 0.4),
    { truth: 0, scores: null },
  ]);

  it.each([
    // One of four searches may name somebody: the one with 0.7. Down to 0.6, the own score of another, nothing changes.
    [0.25, { fpir: 0.25, fnir: 0.5, threshold: 0.6 }],
    // Two of four: those with 0.7 and 0.5.
    [0.5, { fpir: 0.5, fnir: 0.5, threshold: 0.5 }],
    // Fewer than half a search is expected at 0.1 of 4.
    [0.1, null],
  ])('at %f', (rate, point) => {
    expect(openSetPoint(ranking, rate)).toEqual(point);
  });

  it('lets somebody not enrolled be nobody', () => {
    const alone = openSetRanking([search(0, 0.9, NOBODY), search(0, 0.8, NOBODY)]);
    expect(openSetPoint(alone, 0.5)).toMatchObject({ fpir: 0, fnir: 0 });
  });
});
