import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  curveFor,
  meaningOf,
  type ScoreCurve,
  scoreAtNormal,
  scoreAtRate,
  strangerOf,
} from '../../src/faces/score-calibration.ts';

const CURVE: ScoreCurve = {
  impostors: 1e5,
  genuine: 1e3,
  correlation: 0.8,
  points: [
    { score: 0, far: 0.5, llr: -4 },
    { score: 0.2, far: 1e-2, llr: -1 },
    { score: 0.3, far: 1e-3, llr: 2 },
    { score: 0.4, far: 1e-4, llr: 5 },
  ],
};

describe('the meaning of a score', () => {
  it.each([
    [0, -4, 0],
    [0.1, -2.5, 2.3263 / 2],
    [0.3, 2, 3.0902],
    [0.4, 5, 3.719],
  ])('%f: llr %f, normal %f', (score, llr, normal) => {
    expect(meaningOf(CURVE, score)).toEqual({ score, llr: expect.closeTo(llr, 9), normal: expect.closeTo(normal, 3) });
  });

  it('claims nothing beyond what was measured, on either side', () => {
    expect(meaningOf(CURVE, 0.99)).toEqual({ ...meaningOf(CURVE, 0.4), score: 0.99 });
    expect(meaningOf(CURVE, -1)).toEqual({ ...meaningOf(CURVE, 0), score: -1 });
    expect(scoreAtRate(CURVE, 1e-9)).toBe(0.4);
  });

  it('rises with the score', () => {
    const score = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(score, score, (one, other) => {
        const [low, high] = [meaningOf(CURVE, Math.min(one, other)), meaningOf(CURVE, Math.max(one, other))];
        expect(high.llr).toBeGreaterThanOrEqual(low.llr);
        expect(high.normal).toBeGreaterThanOrEqual(low.normal);
      }),
    );
  });

  it('is undone by the score at a rate', () => {
    expect(scoreAtRate(CURVE, 1e-3)).toBeCloseTo(0.3, 9);
    expect(scoreAtNormal(CURVE, meaningOf(CURVE, 0.27).normal)).toBeCloseTo(0.27, 9);
    expect(strangerOf(CURVE)).toEqual({ score: 0, llr: -4, normal: expect.closeTo(0, 9) });
  });
});

it('takes the curve that was measured for the face, or the other one', () => {
  const worn = { ...CURVE, correlation: 0.9 };
  expect(curveFor({ none: CURVE, worn }, 'incorrect')).toBe(worn);
  expect(curveFor({ none: CURVE, worn }, null)).toBe(CURVE);
  expect(curveFor({ none: CURVE }, 'worn')).toBe(CURVE);
  expect(curveFor({}, 'none')).toBeNull();
});
