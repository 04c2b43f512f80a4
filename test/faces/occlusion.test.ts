import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blankBelow,
  blockBounds,
  cutUpperBlocks,
  type FaceCrop,
  keepBlocks,
  standardise,
} from '../../src/faces/occlusion.ts';

const side = fc.constantFrom(112, 160, 100, 64);
const crop = fc
  .tuple(side, fc.constantFrom(1 as const, 3 as const), fc.nat())
  .map(([side, channels, seed]): FaceCrop => {
    const pixels = Uint8Array.from({ length: side * side * channels }, (_, at) => 1 + ((at * 31 + seed) % 255));
    return { width: side, height: side, channels, pixels };
  });

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('blocks', () => {
  it('cover the picture, each pixel once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 200 }), fc.integer({ min: 10, max: 200 }), (width, height) => {
        const seen = new Uint8Array(width * height);
        for (let block = 1; block <= 100; block++) {
          const box = blockBounds(block, { width, height });
          for (let y = box.y; y < box.y + box.height; y++) {
            for (let x = box.x; x < box.x + box.width; x++) seen[y * width + x] = (seen[y * width + x] ?? 0) + 1;
          }
        }
        expect(seen.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  it.each([
    [1, 160, { x: 0, y: 0, width: 16, height: 16 }],
    [10, 160, { x: 144, y: 0, width: 16, height: 16 }],
    [11, 160, { x: 0, y: 16, width: 16, height: 16 }],
    [50, 160, { x: 144, y: 64, width: 16, height: 16 }],
    [100, 112, { x: 101, y: 101, width: 11, height: 11 }],
  ])('number %d of a picture of %d lies at %j', (block, side, box) => {
    expect(blockBounds(block, { width: side, height: side })).toEqual(box);
  });

  it.each([0, 101, 2.5])('there is none numbered %d', (block) => {
    expect(() => blockBounds(block, { width: 112, height: 112 })).toThrow(RangeError);
  });
});

describe('occlusion removal', () => {
  it('keeps blocks 1 to 50: the upper half as it was, nothing of the lower', () => {
    fc.assert(
      fc.property(crop, (face) => {
        const before = face.pixels.slice();
        const kept = keepBlocks(face);
        const half = face.pixels.length / 2;
        expect(same(kept.pixels.subarray(0, half), face.pixels.subarray(0, half))).toBe(true);
        expect(kept.pixels.subarray(half).every((value) => value === 0)).toBe(true);
        expect(same(face.pixels, before)).toBe(true);
        expect(kept).toMatchObject({ width: face.width, height: face.height, channels: face.channels });
      }),
    );
  });

  it('keeps any other run of blocks', () => {
    const face: FaceCrop = { width: 20, height: 20, channels: 1, pixels: new Uint8Array(400).fill(9) };
    const { pixels } = keepBlocks(face, { first: 12, last: 13 }, 1);
    const kept = [...pixels.keys()].filter((at) => pixels[at] === 9);
    // Blocks of 2x2: numbers 12 and 13 are the second and third of the second row.
    expect(kept).toEqual([42, 43, 44, 45, 62, 63, 64, 65]);
    expect(pixels.filter((value) => value === 1)).toHaveLength(392);
  });

  it('cuts the upper blocks out: half the rows', () => {
    fc.assert(
      fc.property(crop, (face) => {
        const cut = cutUpperBlocks(face);
        expect(cut).toMatchObject({ width: face.width, height: face.height / 2 });
        expect(same(cut.pixels, face.pixels.subarray(0, face.pixels.length / 2))).toBe(true);
      }),
    );
  });

  it('blanks what is below a row of the template, in any size', () => {
    fc.assert(
      fc.property(crop, fc.integer({ min: 0, max: 112 }), (face, row) => {
        const { pixels } = blankBelow(face, row, 0);
        const cut = Math.round((row / 112) * face.height) * face.width * face.channels;
        expect(same(pixels.subarray(0, cut), face.pixels.subarray(0, cut))).toBe(true);
        expect(pixels.subarray(cut).every((value) => value === 0)).toBe(true);
      }),
    );
  });

  it('blanks from row 62 of 112 unless told', () => {
    const face: FaceCrop = { width: 1, height: 112, channels: 1, pixels: new Uint8Array(112).fill(7) };
    expect(blankBelow(face).pixels.lastIndexOf(7)).toBe(61);
  });

  it('refuses pixels that do not fill the picture', () => {
    const face: FaceCrop = { width: 10, height: 10, channels: 3, pixels: new Uint8Array(7) };
    for (const step of [keepBlocks, cutUpperBlocks, blankBelow]) expect(() => step(face)).toThrow(RangeError);
  });
});

describe('standardised pixels', () => {
  it('have mean 0 and deviation 1, and do not depend on brightness and contrast', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 200, max: 100 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 0, max: 50 }),
        (pixels, gain, offset) => {
          fc.pre(new Set(pixels).size > 2);
          const values = standardise(pixels);
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          expect(mean).toBeCloseTo(0, 4);
          expect(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length).toBeCloseTo(1, 3);
          const brighter = standardise(pixels.map((value) => value * gain + offset));
          const furthest = Math.max(...values.map((value, at) => Math.abs((brighter[at] ?? 9) - value)));
          expect(furthest).toBeLessThan(1e-3);
        },
      ),
    );
  });

  it('are zero where there is no contrast', () => {
    expect(standardise(new Uint8Array(12).fill(77)).every((value) => value === 0)).toBe(true);
    expect(() => standardise(new Uint8Array())).toThrow(RangeError);
  });
});
