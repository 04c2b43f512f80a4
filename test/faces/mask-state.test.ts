import { expect, it } from 'vitest';
import { decodeMask, maskAssessor, partToEmbed } from '../../src/faces/mask-state.ts';
import type { VisionModel } from '../../src/inference/vision-model.ts';
import { StagedFrame } from '../fakes/fake-face-analyser.ts';

it('gives the likeliest state with its probability', () => {
  const logits = { data: Float32Array.of(2, 0, 0, -1, 3, 3 - Math.log(3)), shape: [2, 3] };
  expect(decodeMask(logits, 0)).toEqual({
    state: 'none',
    confidence: expect.closeTo(Math.exp(2) / (Math.exp(2) + 2), 6),
  });
  expect(decodeMask(logits, 1)).toEqual({
    state: 'worn',
    confidence: expect.closeTo(1 / (1 + 1 / 3 + Math.exp(-4)), 6),
  });
});

it('recognises by the upper part wherever a mask is worn, rightly or not', () => {
  const parts = (['none', 'worn', 'incorrect'] as const).map((state) => partToEmbed({ state, confidence: 0.4 }));
  expect(parts).toEqual(['full', 'upper', 'upper']);
  expect(partToEmbed(null)).toBe('full');
});

it('gives the model the crops that the landmark model saw, and runs nothing for nobody', async () => {
  const seen: (readonly Uint8Array[])[] = [];
  const model: VisionModel = {
    id: 'mask',
    fingerprint: 'm',
    provider: 'cpu',
    input: { width: 2, height: 2, channels: 1 },
    run: async (pictures) => {
      seen.push(pictures);
      return { logits: { data: Float32Array.of(0, 0, 5, 5, 0, 0), shape: [2, 3] } };
    },
  };
  const crops = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8)];
  const picture = new StagedFrame(1, 0, []);
  const box = { x: 0, y: 0, width: 9, height: 9 };
  const told = await maskAssessor(model).assess(
    picture,
    crops.map((pixels) => ({ box, grey: { pixels, side: 2 } })),
  );
  expect(told.map(({ state }) => state)).toEqual(['incorrect', 'none']);
  expect(await maskAssessor(model).assess(picture, [])).toEqual([]);
  expect(seen).toEqual([crops]);
  // A crop of another size does not fit: one is cut from the picture.
  await maskAssessor(model).assess(picture, [{ box, grey: { pixels: new Uint8Array(9), side: 3 } }]);
  expect(seen[1]?.map(({ length }) => length)).toEqual([4]);
});
