import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keepWeights } from '../../../src/training/recipes/keep-weights.ts';

const values = fc.float32Array({ minLength: 1, maxLength: 8, noNaN: true, noDefaultInfinity: true });

it('lies between what training began with and what it came to', () => {
  fc.assert(
    fc.property(
      values,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
      (first, share, step) => {
        const trained = first.map((value) => value + step);
        const { weight } = keepWeights({ weight: first }, { weight: trained }, share);
        weight?.forEach((value, at) => {
          const [low, high] = [first[at] ?? 0, trained[at] ?? 0].sort((a, b) => a - b);
          const slack = 1e-5 * (1 + Math.abs(value));
          expect(value).toBeGreaterThanOrEqual((low ?? 0) - slack);
          expect(value).toBeLessThanOrEqual((high ?? 0) + slack);
        });
      },
    ),
  );
});

it.each([
  [0, [4, 8]],
  [0.25, [3, 6.5]],
  [1, [0, 2]],
])('keeps a share of %s', (share, expected) => {
  const kept = keepWeights({ weight: Float32Array.of(0, 2) }, { weight: Float32Array.of(4, 8) }, share);
  expect(kept).toEqual({ weight: Float32Array.from(expected) });
});

it('changes neither', () => {
  const [first, trained] = [{ weight: Float32Array.of(1) }, { weight: Float32Array.of(3) }];
  keepWeights(first, trained, 0.5);
  expect([first.weight[0], trained.weight[0]]).toEqual([1, 3]);
});

it('refuses weights of another model', () => {
  expect(() => keepWeights({ weight: Float32Array.of(1) }, { other: Float32Array.of(1) }, 0.5)).toThrow(RangeError);
});
