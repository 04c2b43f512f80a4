import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ARCFACE_TEMPLATE } from '../../src/faces/align.ts';
import type { FivePoints } from '../../src/faces/landmarks.ts';
import { cropBytes, cropOf } from '../../src/gallery/crop-bytes.ts';

const point = fc.record({ x: fc.float({ noNaN: true }), y: fc.float({ noNaN: true }) });
const five = fc.tuple(point, point, point, point, point) as fc.Arbitrary<FivePoints>;
const marks = fc.option(fc.record({ five, bridge: fc.option(fc.tuple(point, point)) }));

it('gives a crop back as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(255), marks, (side, grey, its) => {
      const crop = { side, rgb: new Uint8Array(side * side * 3).fill(grey), marks: its };
      expect(cropOf(cropBytes(crop), side)).toEqual(crop);
    }),
  );
});

it('takes the bytes of a crop that was kept without marks', () => {
  expect(cropOf(new Uint8Array(12).fill(7), 2)).toEqual({ side: 2, rgb: new Uint8Array(12).fill(7), marks: null });
});

it.each([11, 13, 12 + 16, 12 + 40 + 8])('refuses %i bytes for a crop of 2 pixels', (length) => {
  expect(() => cropOf(new Uint8Array(length), 2)).toThrow(RangeError);
});

it('reads marks at any place of a buffer', () => {
  const stored = cropBytes({ side: 1, rgb: new Uint8Array(3), marks: { five: ARCFACE_TEMPLATE, bridge: null } });
  const within = new Uint8Array(stored.length + 5);
  within.set(stored, 5);
  expect(cropOf(within.subarray(5), 1).marks?.five[0].x).toBeCloseTo(38.2946, 4);
});
