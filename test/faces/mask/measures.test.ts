import { describe, expect, it } from 'vitest';
import { blur } from '../../../src/faces/mask/blur.ts';
import { faceFrame } from '../../../src/faces/mask/face-frame.ts';
import { measureLight } from '../../../src/faces/mask/face-light.ts';
import { measureGrain } from '../../../src/faces/mask/grain.ts';
import { toLinear, toSrgb } from '../../../src/faces/mask/srgb.ts';
import { syntheticLandmarks } from './synthetic-face.ts';
import { SIZE, syntheticPicture } from './synthetic-picture.ts';

const FACE = faceFrame(syntheticLandmarks());
const WHOLE = { x: 0, y: 0, ...SIZE };

describe('the grain of a picture', () => {
  it.each([2, 4, 8])('is its noise: grey noise of deviation %d', (deviation) => {
    // Grey is 0.299 R + 0.587 G + 0.114 B: of independent channels 0.669 of the noise of one is left.
    const { noise } = measureGrain(syntheticPicture({ noise: deviation }), SIZE, WHOLE);
    expect(noise / (0.669 * deviation)).toBeGreaterThan(0.8);
    expect(noise / (0.669 * deviation)).toBeLessThan(1.25);
  });

  it('is its blur', () => {
    const measured = [0.6, 1, 1.6, 2.4].map((sigma) => {
      const soft = Float32Array.from(syntheticPicture());
      blur(soft, SIZE, 3, sigma);
      return measureGrain(Uint8Array.from(soft, Math.round), SIZE, { x: 20, y: 20, width: 160, height: 180 }).blur;
    });
    expect(measured).toEqual([...measured].sort((a, b) => a - b));
    expect(measured[1]).toBeGreaterThan(0.75);
    expect(measured[1]).toBeLessThan(1.35);
    expect(measured[3]).toBeGreaterThan(1.6);
  });

  it('is a guess where there is next to nothing to look at', () => {
    const tiny = { width: 3, height: 3 };
    expect(measureGrain(new Uint8Array(27), tiny, { x: 0, y: 0, ...tiny })).toEqual({ blur: 0.7, noise: 1 });
  });
});

describe('the light on a face', () => {
  it('comes from the brighter side', () => {
    for (const toTheRight of [-0.6, 0.6]) {
      const light = measureLight(syntheticPicture({ toTheRight }), SIZE, FACE);
      expect(Math.sign(light.across)).toBe(Math.sign(toTheRight));
      const [left, right] = [light.shade([-0.6, 0, 0.8]), light.shade([0.6, 0, 0.8])];
      expect(Math.sign((right[1] ?? 0) - (left[1] ?? 0))).toBe(Math.sign(toTheRight));
    }
  });

  it('is not fooled by a beard', () => {
    const plain = syntheticPicture();
    const bearded = new Uint8Array(plain);
    for (let y = 140; y < 170; y++) {
      for (let x = 70; x < 130; x++) bearded.fill(30, (y * SIZE.width + x) * 3, (y * SIZE.width + x) * 3 + 3);
    }
    const strength = (rgb: Uint8Array) => measureLight(rgb, SIZE, FACE).strength[1];
    expect(strength(bearded) / strength(plain)).toBeGreaterThan(0.85);
  });

  it('is the same in every part of a picture of one colour', () => {
    const rgb = new Uint8Array(SIZE.width * SIZE.height * 3).fill(128);
    const light = measureLight(rgb, SIZE, FACE);
    expect(light.across).toBeCloseTo(0, 3);
    expect(light.saturation).toBe(0);
    const [red, green, blue] = light.strength;
    expect(red).toBeCloseTo(green, 6);
    expect(blue).toBeCloseTo(green, 6);
  });
});

describe('sRGB', () => {
  it('is what the standard says', () => {
    // Values of IEC 61966-2-1: 0.5 in sRGB is 0.2140 in linear light; the linear part ends at 0.04045.
    expect(toLinear(128)).toBeCloseTo(0.2159, 3);
    expect(toLinear(10)).toBeCloseTo(10 / 255 / 12.92, 6);
    expect(toLinear(255)).toBe(1);
    expect(toSrgb(1.7)).toBe(255);
    expect(toSrgb(-1)).toBe(0);
  });

  it('comes back from linear light', () => {
    for (let byte = 0; byte < 256; byte++) expect(Math.abs(toSrgb(toLinear(byte)) - byte)).toBeLessThan(0.5);
  });
});
