import fc from 'fast-check';
import { expect, it } from 'vitest';
import { selected } from '../../src/core/select.ts';

it('gives what sorting would put at a place', () => {
  const values = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(values, fc.nat(), (numbers, any) => {
      const index = any % numbers.length;
      const sorted = Float64Array.from(numbers).sort();
      // -0 and 0 are equal: which of them comes first is left open.
      expect(selected(Float64Array.from(numbers), index) === sorted[index]).toBe(true);
    }),
  );
});

it('gives no number outside, and ends where there are values that are none', () => {
  expect(selected(new Float32Array(0), 0)).toBeNaN();
  expect(selected(Float32Array.of(1, 2), 2)).toBeNaN();
  expect(selected(Float32Array.of(Number.NaN, 2, Number.NaN, 1), 1)).toEqual(expect.any(Number));
});
