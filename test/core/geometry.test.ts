import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, boxToCrop, invert, iou, letterbox } from '../../src/core/geometry.ts';

describe('letterbox', () => {
  it.each([
    [
      { width: 1280, height: 720 },
      { scale: 0.25, inner: { width: 320, height: 180 }, offset: { x: 0, y: 30 } },
    ],
    [
      { width: 640, height: 480 },
      { scale: 0.5, inner: { width: 320, height: 240 }, offset: { x: 0, y: 0 } },
    ],
    [
      { width: 240, height: 480 },
      { scale: 0.5, inner: { width: 120, height: 240 }, offset: { x: 100, y: 0 } },
    ],
    [
      { width: 250, height: 250 },
      { scale: 0.96, inner: { width: 240, height: 240 }, offset: { x: 40, y: 0 } },
    ],
    [
      { width: 5000, height: 1 },
      { scale: 0.064, inner: { width: 320, height: 1 }, offset: { x: 0, y: 119 } },
    ],
  ])('%j', (frame, expected) => {
    expect(letterbox(frame, { width: 320, height: 240 })).toEqual(expected);
  });
});

describe('boxToCrop', () => {
  it('maps the edges of the box, half a pixel outside its outer pixel centres, to the edges of the crop', () => {
    const matrix = boxToCrop({ x: 10, y: 20, width: 30, height: 60 }, { width: 64, height: 64 });
    expect(apply(matrix, { x: 9.5, y: 19.5 })).toEqual({ x: expect.closeTo(-0.5, 9), y: expect.closeTo(-0.5, 9) });
    expect(apply(matrix, { x: 39.5, y: 79.5 })).toEqual({ x: expect.closeTo(63.5, 9), y: expect.closeTo(63.5, 9) });
  });
});

describe('invert', () => {
  it('undoes any mapping', () => {
    const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    // The diagonal outweighs the rest: none of these flattens the plane.
    const diagonal = fc.tuple(between(1, 5), fc.boolean()).map(([value, negative]) => (negative ? -value : value));
    const [beside, shift] = [between(-0.9, 0.9), between(-5, 5)];
    fc.assert(
      fc.property(diagonal, beside, shift, beside, diagonal, shift, (a, b, c, d, e, f) => {
        const back = apply(invert([a, b, c, d, e, f]), apply([a, b, c, d, e, f], { x: 3, y: -7 }));
        expect(back.x).toBeCloseTo(3, 5);
        expect(back.y).toBeCloseTo(-7, 5);
      }),
    );
  });

  it('refuses a matrix that flattens the plane', () => {
    expect(() => invert([1, 2, 0, 2, 4, 0])).toThrow(RangeError);
  });
});

describe('iou', () => {
  it.each([
    ['the same', { x: 0, y: 0, width: 10, height: 10 }, 1],
    ['half beside', { x: 5, y: 0, width: 10, height: 10 }, 1 / 3],
    ['inside', { x: 2, y: 2, width: 5, height: 5 }, 0.25],
    ['touching', { x: 10, y: 0, width: 10, height: 10 }, 0],
    ['apart', { x: 30, y: 30, width: 10, height: 10 }, 0],
  ])('%s', (_, other, expected) => {
    expect(iou({ x: 0, y: 0, width: 10, height: 10 }, other)).toBeCloseTo(expected, 9);
  });
});
