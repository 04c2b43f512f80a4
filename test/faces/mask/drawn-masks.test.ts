import { describe, expect, it } from 'vitest';
import { MASK_COLOURS, type MaskSpec } from '../../../src/faces/mask/mask-spec.ts';
import { putMaskOn } from '../../../src/faces/mask/put-mask-on.ts';
import { syntheticLandmarks } from './synthetic-face.ts';
import { SIZE, syntheticPicture } from './synthetic-picture.ts';

/**
 * Masks as they were drawn when what is measured with them was measured: pixels of a grid over the lower face, red, green
 * and blue, two hexadecimal digits each. Another way to draw them may round otherwise, no more.
 */
const DRAWN: readonly (readonly [Partial<MaskSpec>, string])[] = [
  [
    { type: 'surgical', colour: MASK_COLOURS.blue, seed: 5 },
    'bc9981c29c82c79687cda38cd7a98dbc967eaacddda6c8d9a9ccdfe1cbbd53685cabcedfabcfe1b2d6e881979a51665c949ea4a0c2d3a1c2d35a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'surgical', fit: 'low', colour: MASK_COLOURS.black, seed: 77 },
    'bc9981c29c82c99888cda38cd6a88bbc967ec7957bca9b8acda28954464053685c28282a2424272d2d30616d6751665c65534c28282b2b2b2e5a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'kn95', valve: true, seed: 1234 },
    'bc9981c29c82c49485cda38cd7a98dbc967ee7e9e8f6f8f7f3f4f4dfc8ba53685ce9eae9e8e9e864676c6a767051665cbf9580dcdedde9eaea5a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'n95', fit: 'high', valve: true, seed: 99 },
    'bc9981c29c82dee0dec09a85ece6e0bc967edbdddbe8eae9f1f2f2d7a68a53685cdcdddce3e4e4ebecec616e6751665cbf947fc9cac9dadbdb5a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'cloth', colour: MASK_COLOURS.navy, seed: 4096, fit: 'loose' },
    'bc9981c29c82c99888cda38cd6a88bbc967ec7957bca9b8a3b425d977b7253685cbc9c802e37552f395930395751665c2d36512b34522d36553039565263584e635d2a334f2c355360726d',
  ],
  [
    { type: 'cloth', pattern: 'stripes', seed: 31 },
    'bc9981c29c82c39484cda38cd7a98dbc967eb17576b98a8bb86467dac5b853685ca85c5ecdafafd5b9b9737b7551665cbf9c8bc6aeafa55e605a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'cloth', pattern: 'checks', seed: 32 },
    'bc9981c29c82c39484cda38cd7a98dbc967eb89292bc9797cfa5a6dac4b853685cc7b0afd8cac9ccadad71756f51665cba9484c4afafaa6e705a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'cloth', pattern: 'dots', seed: 33 },
    'bc9981c29c82c39484cda38cd7a98dbc967ed9cfcfb78586eee1e1dcc6b953685cd8cccbe7e4e3eceae9727a7451665cc1a08fdddeddcdb7b85a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'cloth', pattern: 'flowers', seed: 34 },
    'bc9981c29c82c39484cda38cd7a98cbc967ededcdbe9ebeaf7f3f3dac5b853685ce7e7e6eff1f0f0efee78837d51665cc3a291dddbdbe2e3e25a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'cloth', pattern: 'camouflage', seed: 35 },
    'bc9981c29c82c39484cda38cd7a98dbc967ededcdbe7e9e8ffffffdcc7bb53685ca14a4de9ebeaebeaea78837d51665cc2a191942f329a3d405a716a526358546c60cb9c835b756f60726d',
  ],
  [
    { type: 'gas', colour: MASK_COLOURS.grey, valve: true, seed: 8 },
    'bc9981c29c82c59585cda38c4e4a4abc967ebd8d75818488808186d6a68a53685cb6587f7f8286808286c3618a51665ca953777375797b7d81ab5177526358546c60cb9c835b756f60726d',
  ],
];

const USUAL: MaskSpec = {
  type: 'surgical',
  fit: 'normal',
  colour: MASK_COLOURS.white,
  pattern: 'plain',
  patternColour: MASK_COLOURS.red,
  scale: 1,
  rise: 0,
  lean: 0.02,
  looseSide: 'left',
  valve: false,
  seed: 5,
};

function gridOf(rgb: Uint8Array): number[] {
  const pixels: number[] = [];
  for (let y = 104; y <= 176; y += 18) {
    for (let x = 50; x <= 150; x += 25)
      pixels.push(...rgb.subarray((y * SIZE.width + x) * 3, (y * SIZE.width + x) * 3 + 3));
  }
  return pixels;
}

describe('a drawn mask', () => {
  it.each(DRAWN)('is the one it always was: %j', (change, drawn) => {
    const rgb = syntheticPicture({ noise: 3, toTheRight: 0.3 });
    const seen = gridOf(putMaskOn(rgb, SIZE, syntheticLandmarks({ yaw: 12 }), { ...USUAL, ...change }).rgb);
    const wanted = Array.from(Buffer.from(drawn, 'hex'));
    expect(seen).toHaveLength(wanted.length);
    expect(Math.max(...seen.map((value, at) => Math.abs(value - (wanted[at] ?? 0))))).toBeLessThanOrEqual(1);
  });
});
