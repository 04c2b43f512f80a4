import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { degrade } from '../../../src/training/data/degrade.ts';
import { relight } from '../../../src/training/data/relight.ts';

const SIZE = { width: 12, height: 10 };
const even = (grey: number) => ({ rgb: new Uint8Array(SIZE.width * SIZE.height * 3).fill(grey), ...SIZE });
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
/** Everything else that could change a picture left out. */
const ONLY_LIGHT = {
  lightShare: 1,
  brightness: 0,
  contrast: 0,
  saturation: 0,
  tint: 0,
  blurShare: 0,
  blurPx: 0,
  shrinkShare: 0,
  shrinkTo: 1,
  jpegShare: 0,
  jpegQuality: 90,
  noise: 0,
};

describe('another light', () => {
  it('keeps grey grey, brighter pixels at a place no darker, and is the same for the same numbers', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 254 }), (seed, grey) => {
        const dark = relight(even(grey), seededRandom(seed));
        const bright = relight(even(grey + 1), seededRandom(seed));
        for (let at = 0; at < dark.rgb.length; at += 3) {
          expect(dark.rgb[at]).toBe(dark.rgb[at + 1]);
          expect(dark.rgb[at]).toBe(dark.rgb[at + 2]);
          expect(bright.rgb[at]).toBeGreaterThanOrEqual(dark.rgb[at] ?? 0);
        }
        expect(relight(even(grey), seededRandom(seed))).toEqual(dark);
      }),
    );
  });

  it('makes pictures darker and brighter, comes from a side, and veils black', () => {
    const lit = Array.from({ length: 60 }, (_, seed) => relight(even(120), seededRandom(seed)).rgb);
    const means = lit.map((rgb) => rgb.reduce((sum, value) => sum + value, 0) / rgb.length);
    expect(Math.min(...means)).toBeLessThan(60);
    expect(Math.max(...means)).toBeGreaterThan(170);
    expect(lit.filter((rgb) => Math.max(...rgb) - Math.min(...rgb) > 40).length).toBeGreaterThan(15);
    const black = Array.from({ length: 60 }, (_, seed) => relight(even(0), seededRandom(seed)).rgb[0] ?? 0);
    expect(Math.max(...black)).toBeGreaterThan(60);
    expect(black.filter((value) => value < 20).length).toBeGreaterThan(15);
  });

  it('is given to the share of pictures asked for', () => {
    const changed = (lightShare: number) =>
      Array.from({ length: 100 }, (_, seed) =>
        degrade(even(120), { ...ONLY_LIGHT, lightShare }, seededRandom(seed)),
      ).filter(({ rgb }) => rgb.some((value) => value !== 120)).length;
    expect(changed(0)).toBe(0);
    expect(changed(0.5)).toBeGreaterThan(30);
    expect(changed(0.5)).toBeLessThan(70);
    expect(changed(1)).toBeGreaterThan(90);
  });
});
