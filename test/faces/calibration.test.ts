import { expect, it } from 'vitest';
import { falseAcceptRate } from '../../src/faces/calibration.ts';

const POINTS = [
  { threshold: 0.4, far: 1e-4 },
  { threshold: 0.2, far: 1e-2 },
  { threshold: 0.5, far: 1e-5 },
];

it.each([
  [0.4, 1e-4],
  [0.3, 1e-3],
  [0.25, 10 ** -2.5],
  [0.45, 10 ** -4.5],
  [0.9, 1e-5],
])('at %f: %f', (threshold, expected) => {
  expect(falseAcceptRate(POINTS, threshold)).toBeCloseTo(expected, 12);
});

it('says nothing where nothing was measured', () => {
  expect(falseAcceptRate(POINTS, 0.19)).toBeNull();
  expect(falseAcceptRate([], 0.5)).toBeNull();
});
