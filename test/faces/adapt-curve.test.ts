import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptCurve, alikenessOf, referenceOf, scoreOfDeviation } from '../../src/faces/adapt-curve.ts';
import { curveOfRates, meaningOf, type ScoreCurve, scoreAtRate } from '../../src/faces/score-calibration.ts';
import { TENTHS } from '../tracks/score-curve.ts';

const FEW: ScoreCurve = {
  impostors: 1e3,
  genuine: 10,
  correlation: 0.9,
  points: [
    { score: 0.2, far: 0.999, llr: -3 },
    { score: 0.6, far: 0.05, llr: 3 },
  ],
};
const RATES = curveOfRates([
  { threshold: 0.3, far: 1e-2 },
  { threshold: 0.5, far: 1e-4 },
]);
const among = (mean: number, deviation: number, error = 0.01) => ({
  mean,
  deviation,
  people: 20,
  meanError: error,
  deviationError: error,
  leftOut: 0,
});

describe('how alike people are', () => {
  const reference = { mean: 0.01, deviation: 0.1 };

  it.each([
    ['as the reference', 0.01, 0.1, 0, 1],
    ['a deviation more', 0.11, 0.1, 0.99, 1],
    ['in groups', 0.01, 0.15, 0, 1.48],
    ['less than the reference', -0.2, 0.05, 0, 1],
  ])('%s', (_, mean, deviation, shift, spread) => {
    const told = alikenessOf(among(mean, deviation), reference);
    expect(told.shift).toBeCloseTo(shift, 9);
    expect(told.spread).toBeCloseTo(spread, 9);
  });

  it('does not count what may be chance', () => {
    expect(alikenessOf(among(0.03, 0.11, 0.03), reference)).toEqual({ shift: 0, spread: 1 });
  });
});

describe('a curve among people who are more alike', () => {
  it('asks for the score that strangers who are so much more alike have at a rate', () => {
    // Scores are a tenth of a deviation here: those of strangers 2 deviations more alike, 1.5 times as wide.
    const adapted = adaptCurve(TENTHS, { shift: 2, spread: 1.5 });
    for (const [rate, normal] of [
      [1e-2, 2.326348],
      [1e-4, 3.719016],
    ] as const) {
      expect(scoreAtRate(adapted, rate)).toBeCloseTo(0.1 * (2 + 1.5 * normal), 2);
    }
    expect(scoreOfDeviation(TENTHS)).toBeCloseTo(0.1, 6);
  });

  it('is the same where they are not', () => {
    expect(adaptCurve(TENTHS, { shift: 0, spread: 1 })).toEqual(TENTHS);
    expect(adaptCurve(FEW, { shift: 0, spread: 1 })).toEqual(FEW);
  });

  it.each([
    ['a long curve', TENTHS],
    ['a short one', FEW],
    ['one of rates alone', RATES ?? FEW],
  ])('never means more by a score, and rises: %s', (_, curve) => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(number(0, 12), number(1, 3), number(-1, 1), number(-1, 1), (shift, spread, one, other) => {
        const adapted = adaptCurve(curve, { shift, spread });
        const [now, before] = [meaningOf(adapted, one), meaningOf(curve, one)];
        expect(now.normal).toBeLessThanOrEqual(before.normal + 1e-9);
        expect(now.llr).toBeLessThanOrEqual(before.llr + 1e-9);
        for (const rate of [0.5, 1e-2, 1e-4, 1e-6]) {
          expect(scoreAtRate(adapted, rate)).toBeGreaterThanOrEqual(scoreAtRate(curve, rate) - 1e-9);
        }
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(meaningOf(adapted, high).normal).toBeGreaterThanOrEqual(meaningOf(adapted, low).normal - 1e-9);
        for (const [index, { score, far }] of adapted.points.entries()) {
          const next = adapted.points[index + 1];
          if (next) expect([next.score > score, next.far < far]).toEqual([true, true]);
        }
      }),
    );
  });
});

it('asks for a score of 1 where no score is enough any more', () => {
  const steep: ScoreCurve = {
    ...FEW,
    points: [...FEW.points, { score: 0.9, far: 1e-5, llr: 6 }],
  };
  const adapted = adaptCurve(steep, { shift: 1, spread: 1 });
  expect(adapted.points).toHaveLength(3);
  expect(scoreAtRate(adapted, 1e-5)).toBe(1);
  const { normal, llr } = meaningOf(adapted, 1);
  expect(normal).toBeLessThan(meaningOf(steep, 0.9).normal);
  expect(llr).toBeLessThan(6);
});

it('takes how alike the people of a curve are from the curve where nobody measured it', () => {
  const told = referenceOf(TENTHS, { none: TENTHS });
  expect(told.mean).toBeCloseTo(0, 2);
  expect(told.deviation).toBeCloseTo(0.1, 2);
  const measured = { mean: 0.2, deviation: 0.3 };
  expect(referenceOf({ ...TENTHS, reference: measured }, { none: TENTHS })).toBe(measured);
  expect(referenceOf(FEW, { none: TENTHS, worn: FEW })).toEqual(told);
});
