import { expect, it } from 'vitest';
import { scoreOfSameRate } from '../../src/faces/calibration.ts';

const FULL = [
  { threshold: 0.4, far: 1e-4 },
  { threshold: 0.2, far: 1e-2 },
];
const UPPER = [
  { threshold: 0.5, far: 1e-2 },
  { threshold: 0.7, far: 1e-4 },
];

it.each([
  [0.2, 0.5],
  [0.3, 0.6],
  [0.5, 0.8],
])('%f of one encoder is as rare as %f of the other', (score, expected) => {
  expect(scoreOfSameRate(FULL, score, UPPER)).toBeCloseTo(expected, 9);
});

it('needs two points', () => {
  expect(() => scoreOfSameRate(FULL.slice(1), 0.3, UPPER)).toThrow('a calibration needs two points');
});
