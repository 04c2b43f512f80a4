import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalTail } from '../../src/core/normal.ts';
import { scoreOfSameRate } from '../../src/evaluation/score-of-same-rate.ts';
import type { ScoreCurve } from '../../src/faces/score-calibration.ts';

/** Scores by the normal scores they stand for. */
function curve(...points: readonly (readonly [score: number, normal: number])[]): ScoreCurve {
  return {
    impostors: 1e6,
    genuine: 100,
    correlation: 0.8,
    points: points.map(([score, normal]) => ({ score, far: normalTail(normal), llr: normal })),
  };
}
const FULL = curve([0.2, 1], [0.4, 3]);
const UPPER = curve([0.5, 1], [0.6, 2], [0.65, 3]);

it.each([
  [0.2, 0.5],
  [0.25, 0.55],
  [0.3, 0.6],
  [0.4, 0.65],
  [0.5, 0.7],
  [0.1, 0.4],
  [9, 1],
])('%f of one encoder is as rare as %f of the other, beyond what was measured, too', (score, expected) => {
  expect(scoreOfSameRate(FULL, score, UPPER)).toBeCloseTo(expected, 5);
});

it('keeps the order of scores', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.6, noNaN: true }), (score) => {
      expect(scoreOfSameRate(FULL, score + 0.01, UPPER)).toBeGreaterThan(scoreOfSameRate(FULL, score, UPPER));
    }),
  );
});

it('needs two points', () => {
  expect(() => scoreOfSameRate(curve([0.2, 1]), 0.3, UPPER)).toThrow('a calibration needs two points');
});
