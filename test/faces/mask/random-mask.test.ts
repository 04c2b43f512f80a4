import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { MASK_COLOURS, MASK_FITS, MASK_TYPES, stateOf } from '../../../src/faces/mask/mask-spec.ts';
import { randomMask } from '../../../src/faces/mask/random-mask.ts';

const many = (count: number, wanted?: Parameters<typeof randomMask>[1]) => {
  const random = seededRandom(11);
  return Array.from({ length: count }, () => randomMask(random, wanted));
};

describe('a mask drawn at random', () => {
  it('is mostly surgical, seldom a gas mask, and one in ten is worn wrongly', () => {
    const masks = many(4000);
    const share = (of: (mask: ReturnType<typeof randomMask>) => boolean) => masks.filter(of).length / masks.length;
    expect(share(({ type }) => type === 'surgical')).toBeGreaterThan(0.5);
    expect(share(({ type }) => type === 'gas')).toBeLessThan(0.04);
    expect(share(({ fit }) => stateOf(fit) === 'incorrect')).toBeGreaterThan(0.07);
    expect(share(({ fit }) => stateOf(fit) === 'incorrect')).toBeLessThan(0.13);
    for (const type of MASK_TYPES) expect(share((mask) => mask.type === type)).toBeGreaterThan(0.005);
    for (const fit of MASK_FITS) expect(share((mask) => mask.fit === fit)).toBeGreaterThan(0.015);
    expect(share(({ pattern }) => pattern !== 'plain')).toBeGreaterThan(0.03);
    expect(masks.every(({ type, pattern }) => type === 'cloth' || pattern === 'plain')).toBe(true);
  });

  it('is what is wanted, the rest varies', () => {
    const masks = many(200, { types: ['n95', 'gas'], fits: ['low'], colours: [MASK_COLOURS.red, [1, 2, 3]] });
    expect(new Set(masks.map(({ type }) => type))).toEqual(new Set(['n95', 'gas']));
    expect(new Set(masks.map(({ fit }) => fit))).toEqual(new Set(['low']));
    expect(new Set(masks.map(({ colour }) => colour.join()))).toEqual(new Set([MASK_COLOURS.red.join(), '1,2,3']));
    expect(new Set(masks.map(({ seed }) => seed)).size).toBe(200);
  });

  it('has sizes and colours that exist', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { scale, lean, colour, patternColour } = randomMask(seededRandom(seed));
        expect(scale).toBeGreaterThanOrEqual(0.9);
        expect(scale).toBeLessThanOrEqual(1.1);
        expect(Math.abs(lean)).toBeLessThanOrEqual(0.05);
        for (const value of [...colour, ...patternColour]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(255);
        }
      }),
    );
  });
});
