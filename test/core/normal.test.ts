import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalTail, normalTailQuantile } from '../../src/core/normal.ts';

// Abramowitz and Stegun, tables 26.1 and 26.2.
it.each([
  [0, 0.5],
  [1, 0.15865525],
  [1.96, 0.024997895],
  [3, 1.349898e-3],
  [5, 2.8665157e-7],
  [-2, 0.97724987],
])('above %f: %f', (z, p) => {
  expect(normalTail(z) / p).toBeCloseTo(1, 5);
  expect(normalTailQuantile(p)).toBeCloseTo(z, 5);
});

it('is undone by the quantile, also far out', () => {
  fc.assert(
    fc.property(fc.double({ min: -5, max: 8, noNaN: true }), (z) => {
      expect(normalTailQuantile(normalTail(z))).toBeCloseTo(z, 4);
    }),
  );
  expect(normalTailQuantile(0)).toBe(Number.POSITIVE_INFINITY);
  expect(normalTailQuantile(1)).toBe(Number.NEGATIVE_INFINITY);
});
