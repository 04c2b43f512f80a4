import { describe, expect, it } from 'vitest';
import { rgbPicture } from '../../src/capture/opencv-picture.ts';
import type { Affine } from '../../src/core/geometry.ts';
import { PaddedPicture } from '../../src/evaluation/padded-picture.ts';

/** Smooth colours, so that half a pixel more or less is a small difference. */
function gradient(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    return [60 + (150 * x) / width, 60 + (150 * y) / height, 120][at % 3] ?? 0;
  });
}

/** The same with a real border of black pixels. */
function bordered(rgb: Uint8Array, width: number, height: number, left: number, top: number): Uint8Array {
  const whole = new Uint8Array((width + 2 * left) * (height + 2 * top) * 3);
  for (let row = 0; row < height; row++) {
    whole.set(rgb.subarray(row * width * 3, (row + 1) * width * 3), ((row + top) * (width + 2 * left) + left) * 3);
  }
  return whole;
}

const meanDifference = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;

describe('PaddedPicture', () => {
  it.each([
    [160, 160, 0.75],
    [128, 128, 0.35],
    [100, 60, 0.5],
    [640, 480, 0.25],
  ])('is what a %ix%i picture with a border of %f would be', async (width, height, share) => {
    const rgb = gradient(width, height);
    const [left, top] = [Math.round(width * share), Math.round(height * share)];
    const picture = rgbPicture(rgb, { width, height });
    const padded = new PaddedPicture(picture, share);
    const size = { width: width + 2 * left, height: height + 2 * top };
    const real = rgbPicture(bordered(rgb, width, height, left, top), size);
    expect({ width: padded.width, height: padded.height }).toEqual(size);

    const input = { width: 320, height: 240 };
    const [fitted, expected] = [await padded.fit(input), await real.fit(input)];
    expect(fitted).toHaveLength(input.width * input.height * 3);
    // A frame of a pixel around it may be shared between black and picture.
    expect(meanDifference(fitted, expected)).toBeLessThan(2.5);

    // Turned a little, with the picture's left upper corner at 20, 15 of the crop.
    const matrix: Affine = [0.8, -0.2, 20 - 0.8 * left + 0.2 * top, 0.2, 0.8, 15 - 0.2 * left - 0.8 * top];
    const cut = { matrix, width: 90, height: 70, colour: 'rgb' } as const;
    const [[mine], [theirs]] = [await padded.cut([cut]), await real.cut([cut])];
    // OpenCV places samples in steps of a 32nd of a pixel.
    expect(meanDifference(mine ?? new Uint8Array(), theirs ?? new Uint8Array())).toBeLessThan(1.5);
    expect(mine?.some((value) => value > 100)).toBe(true);
    picture.release();
    real.release();
  });

  it('fits to its own size without a change of a pixel', async () => {
    const rgb = gradient(30, 20);
    const picture = rgbPicture(rgb, { width: 30, height: 20 });
    const padded = new PaddedPicture(picture, 0.5);
    expect(await padded.fit(padded)).toEqual(bordered(rgb, 30, 20, 15, 10));
    picture.release();
  });
});
