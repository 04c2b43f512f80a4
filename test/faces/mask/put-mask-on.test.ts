import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { blur } from '../../../src/faces/mask/blur.ts';
import { MASK_COLOURS, MASK_FITS, MASK_TYPES, type MaskSpec } from '../../../src/faces/mask/mask-spec.ts';
import { putMaskOn } from '../../../src/faces/mask/put-mask-on.ts';
import { contains, distanceTo } from './polygons.ts';
import { syntheticLandmarks } from './synthetic-face.ts';
import { SIZE, syntheticPicture } from './synthetic-picture.ts';

const LANDMARKS = syntheticLandmarks();

function spec(change: Partial<MaskSpec> = {}): MaskSpec {
  return {
    type: 'surgical',
    fit: 'normal',
    colour: MASK_COLOURS.white,
    pattern: 'plain',
    patternColour: MASK_COLOURS.black,
    scale: 1,
    rise: 0,
    lean: 0,
    looseSide: 'left',
    valve: false,
    seed: 5,
    ...change,
  };
}

function meanOf(rgb: Uint8Array, where: (point: Point) => boolean): [number, number, number] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      if (!where({ x, y })) continue;
      count++;
      for (let channel = 0; channel < 3; channel++) {
        sums[channel] = (sums[channel] ?? 0) + (rgb[(y * SIZE.width + x) * 3 + channel] ?? 0);
      }
    }
  }
  return sums.map((sum) => sum / count) as [number, number, number];
}

const hash = (bytes: Uint8Array = new Uint8Array()) => createHash('sha256').update(bytes).digest('hex');

const brightness = ([red, green, blue]: readonly [number, number, number]) => 0.3 * red + 0.59 * green + 0.11 * blue;

/** The middle of the mask, away from its edges. */
const CENTRE = ({ x, y }: Point) => Math.hypot(x - 100, y - 132) < 14;
const within = (polygon: readonly Point[], side: -1 | 1) => (point: Point) =>
  side * (point.x - 100) > 15 && contains(polygon, point);

describe('putting a mask on', () => {
  it('gives the same bytes for the same arguments, others for another seed, and leaves its input alone', () => {
    const rgb = syntheticPicture({ noise: 4 });
    const before = hash(rgb);
    const [first, again, other] = [3, 3, 4].map((seed) => putMaskOn(rgb, SIZE, LANDMARKS, seed));
    expect(again?.mask).toEqual(first?.mask);
    expect(hash(again?.rgb)).toBe(hash(first?.rgb));
    expect(hash(other?.rgb)).not.toBe(hash(first?.rgb));
    expect(hash(rgb)).toBe(before);
    expect(first?.rgb.buffer).not.toBe(rgb.buffer);
  });

  it('changes pixels on the mask, its attachments and their shadow, and nowhere else', () => {
    const rgb = syntheticPicture({ noise: 2 });
    // Half a blur of 0.7 pixels and the shadow: a fall and a softness of less than 2 % of the face each, both ways.
    const reach = 3 + 0.08 * 98;
    for (const type of MASK_TYPES) {
      for (const fit of MASK_FITS) {
        const { rgb: masked, mask } = putMaskOn(rgb, SIZE, LANDMARKS, spec({ type, fit, valve: true }));
        const parts = [mask.polygon, ...mask.attachments];
        const strays: Point[] = [];
        for (let pixel = 0; pixel < SIZE.width * SIZE.height; pixel++) {
          const at = pixel * 3;
          if (masked[at] === rgb[at] && masked[at + 1] === rgb[at + 1] && masked[at + 2] === rgb[at + 2]) continue;
          const point = { x: pixel % SIZE.width, y: Math.floor(pixel / SIZE.width) };
          if (Math.min(...parts.map((part) => distanceTo(part, point))) > reach) strays.push(point);
        }
        expect(strays, `${type} ${fit}`).toEqual([]);
      }
    }
  });

  it('covers the whole polygon with cloth', () => {
    const skin = [205, 160, 135] as const;
    const { rgb, mask } = putMaskOn(syntheticPicture({ skin }), SIZE, LANDMARKS, spec({ colour: [40, 60, 160] }));
    const middle = { x: 100, y: 128 };
    // Away from the edge by more than the blur.
    const inner = mask.polygon.map(({ x, y }) => ({
      x: middle.x + (x - middle.x) * 0.94,
      y: middle.y + (y - middle.y) * 0.94,
    }));
    let skinLike = 0;
    for (let y = 0; y < SIZE.height; y++) {
      for (let x = 0; x < SIZE.width; x++) {
        if (!contains(inner, { x, y })) continue;
        const at = (y * SIZE.width + x) * 3;
        if ((rgb[at] ?? 0) > (rgb[at + 2] ?? 0)) skinLike++;
      }
    }
    expect(skinLike).toBe(0);
  });

  it.each([
    ['high', 'worn'],
    ['normal', 'worn'],
    ['low', 'incorrect'],
    ['loose', 'incorrect'],
  ] as const)('tells that a mask worn %s is %s', (fit, state) => {
    const { mask } = putMaskOn(syntheticPicture(), SIZE, LANDMARKS, spec({ fit, type: 'cloth', pattern: 'dots' }));
    expect(mask).toMatchObject({ type: 'cloth', fit, state, pattern: 'dots', colour: MASK_COLOURS.white });
  });

  it('draws what it tells for a seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const { rgb, mask } = putMaskOn(syntheticPicture(), SIZE, LANDMARKS, seed);
        expect(rgb).toHaveLength(SIZE.width * SIZE.height * 3);
        const nose = meanOf(rgb, ({ x, y }) => Math.hypot(x - 100, y - 121) < 3);
        const changed = Math.abs(brightness(nose) - brightness([205, 160, 135])) > 12;
        // Incorrectly worn masks leave the nose free.
        if (mask.fit === 'low') expect(changed).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the light on a mask', () => {
  const white = (options: Parameters<typeof syntheticPicture>[0]) =>
    putMaskOn(syntheticPicture(options), SIZE, LANDMARKS, spec());

  it('is as strong as that on the face', () => {
    const levels = [0.15, 0.4, 0.7, 1].map((level) => {
      const skin = [210 * level, 165 * level, 140 * level] as const;
      return brightness(meanOf(white({ skin }).rgb, CENTRE));
    });
    expect(levels).toEqual([...levels].sort((a, b) => a - b));
    expect((levels.at(-1) ?? 0) - (levels[0] ?? 0)).toBeGreaterThan(60);
    // White cloth is brighter than skin, and never darker than a third of what the camera can show at noon.
    expect(levels.at(-1)).toBeGreaterThan(200);
  });

  it('comes from the side it comes from', () => {
    for (const toTheRight of [-0.7, 0.7]) {
      const { rgb, mask } = white({ toTheRight });
      const [left, right] = [
        brightness(meanOf(rgb, within(mask.polygon, -1))),
        brightness(meanOf(rgb, within(mask.polygon, 1))),
      ];
      expect(Math.sign(right - left)).toBe(Math.sign(toTheRight));
      expect(Math.abs(right - left)).toBeGreaterThan(15);
    }
    const { rgb, mask } = white({});
    const even = [-1, 1].map((side) => brightness(meanOf(rgb, within(mask.polygon, side as -1 | 1))));
    expect(Math.abs((even[0] ?? 0) - (even[1] ?? 0))).toBeLessThan(8);
  });

  it('has its colour', () => {
    const [red, , blue] = meanOf(white({ skin: [225, 140, 70], background: [150, 95, 60] }).rgb, CENTRE);
    expect(red).toBeGreaterThan(blue + 15);
    const [coldRed, , coldBlue] = meanOf(white({ skin: [150, 150, 175], background: [90, 100, 150] }).rgb, CENTRE);
    expect(coldBlue).toBeGreaterThan(coldRed + 8);
  });

  it('leaves a picture without colour without colour', () => {
    const grey = { skin: [150, 150, 150], background: [80, 80, 80] } as const;
    const { rgb } = putMaskOn(syntheticPicture(grey), SIZE, LANDMARKS, spec({ colour: MASK_COLOURS.blue }));
    for (let at = 0; at < rgb.length; at += 3) {
      const pixel = [rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0];
      expect(Math.max(...pixel) - Math.min(...pixel)).toBeLessThan(3);
    }
  });

  it('keeps the colours of cloth apart', () => {
    const of = (colour: MaskSpec['colour']) =>
      meanOf(putMaskOn(syntheticPicture(), SIZE, LANDMARKS, spec({ colour })).rgb, CENTRE);
    expect(brightness(of(MASK_COLOURS.black))).toBeLessThan(70);
    expect(brightness(of(MASK_COLOURS.white))).toBeGreaterThan(190);
    const [red, , blue] = of(MASK_COLOURS.blue);
    expect(blue).toBeGreaterThan(red + 15);
  });
});

describe('the sharpness and noise of a mask', () => {
  /** Greatest step between two neighbours across the lower edge of a black mask, and roughness of its middle. */
  const measured = (rgb: Uint8Array) => {
    const { rgb: masked } = putMaskOn(rgb, SIZE, LANDMARKS, spec({ colour: MASK_COLOURS.black, type: 'kn95' }));
    const at = (x: number, y: number) => masked[(y * SIZE.width + x) * 3 + 1] ?? 0;
    let step = 0;
    for (let y = 150; y < 180; y++) step = Math.max(step, Math.abs(at(100, y + 1) - at(100, y)));
    return { step };
  };

  it('are those of the picture', () => {
    const sharp = syntheticPicture();
    const soft = Float32Array.from(sharp);
    blur(soft, SIZE, 3, 2.2);
    expect(measured(sharp).step).toBeGreaterThan(1.5 * measured(Uint8Array.from(soft, Math.round)).step);

    const roughness = (noise: number) => {
      const { rgb } = putMaskOn(
        syntheticPicture({ noise }),
        SIZE,
        LANDMARKS,
        spec({ type: 'gas', colour: MASK_COLOURS.grey }),
      );
      const clean = putMaskOn(
        syntheticPicture(),
        SIZE,
        LANDMARKS,
        spec({ type: 'gas', colour: MASK_COLOURS.grey }),
      ).rgb;
      let sum = 0;
      let count = 0;
      for (let y = 112; y < 122; y++) {
        for (let x = 94; x < 106; x++) {
          sum += Math.abs((rgb[(y * SIZE.width + x) * 3 + 1] ?? 0) - (clean[(y * SIZE.width + x) * 3 + 1] ?? 0));
          count++;
        }
      }
      return sum / count;
    };
    expect(roughness(9)).toBeGreaterThan(roughness(2) + 2);
  });
});

describe('a face at the edge', () => {
  it('is masked as far as it is seen: an aligned crop without a chin', () => {
    const size = { width: 112, height: 112 };
    const rgb = new Uint8Array(112 * 112 * 3).fill(140);
    const landmarks = syntheticLandmarks({ at: { x: 56, y: 58 }, scale: 0.95 });
    const { rgb: masked, mask } = putMaskOn(rgb, size, landmarks, spec());
    expect(Math.max(...mask.polygon.map(({ y }) => y))).toBeGreaterThan(112);
    expect(masked[(100 * 112 + 56) * 3]).not.toBe(140);
    expect(masked[(30 * 112 + 56) * 3]).toBe(140);
  });

  it('is left as it is when it lies outside', () => {
    const rgb = syntheticPicture();
    expect(hash(putMaskOn(rgb, SIZE, syntheticLandmarks({ at: { x: 900, y: 900 } }), 1).rgb)).toBe(hash(rgb));
  });

  it('may have any size and place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        fc.record({ x: fc.integer({ min: -60, max: 150 }), y: fc.integer({ min: -60, max: 150 }) }),
        fc.double({ min: 0.02, max: 3, noNaN: true }),
        fc.double({ min: -60, max: 60, noNaN: true }),
        fc.nat(1000),
        (width, height, at, scale, yaw, seed) => {
          const rgb = new Uint8Array(width * height * 3).fill(120);
          const { rgb: masked } = putMaskOn(rgb, { width, height }, syntheticLandmarks({ at, scale, yaw }), seed);
          expect(masked).toHaveLength(rgb.length);
        },
      ),
    );
  });

  it('is refused when the bytes do not fill the picture', () => {
    expect(() => putMaskOn(new Uint8Array(5), SIZE, LANDMARKS, 1)).toThrow(RangeError);
  });
});
