import { expect, it } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { decodeMask, MASK_STATES } from '../../src/faces/mask-state.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { evaluateGraph, openGraph } from '../../src/inference/onnxruntime-model.ts';
import { MASK_CROP_PX, MASK_OUTPUT, MASK_PIXELS, maskNetworkFile } from '../../src/training/mask-state/mask-network.ts';
import { type MaskExample, PATCH_EXTENT, PATCH_PX, plainCrop } from '../../src/training/mask-state/mask-samples.ts';
import { trainMaskState } from '../../src/training/mask-state/train-mask-state.ts';

/** A face is noise; a mask is a bright field from the nose or from the mouth downwards. */
function example(state: number, seed: number): MaskExample {
  const random = seededRandom(seed);
  const upper = [Number.POSITIVE_INFINITY, 0.5, 0.68][state] ?? 0;
  const patch = Uint8Array.from({ length: PATCH_PX ** 2 }, (_, at) => {
    const row = (Math.floor(at / PATCH_PX) / PATCH_PX - 0.5) * PATCH_EXTENT + 0.5;
    return row > upper ? 230 + 20 * random() : 40 + 80 * random();
  });
  return { patch, state, group: seed, real: false };
}

const examples = (count: number, seed: number) =>
  Array.from({ length: count }, (_, index) => example(index % 3, seed + index));

it('learns where a mask ends, and writes a file that tells the same of raw pixels', { timeout: 120_000 }, async () => {
  const losses: number[] = [];
  const held = examples(30, 1000);
  const { values, held: confusion } = await trainMaskState({
    train: examples(60, 1),
    held,
    steps: 60,
    batch: 12,
    learningRate: 0.003,
    seed: 1,
    realShare: 0,
    open: (onnx, name) => openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name),
    onStep: (_, loss) => losses.push(loss),
  });
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.75);
  const right = confusion.reduce((sum, told, state) => sum + (told[state] ?? 0), 0);
  expect(right).toBeGreaterThanOrEqual(24);

  const side = MASK_CROP_PX;
  const entry = {
    id: 'mask',
    input: {
      width: side,
      height: side,
      channels: 1 as const,
      colour: 'grey' as const,
      mean: [MASK_PIXELS.mean],
      scale: [MASK_PIXELS.scale],
    },
    outputs: [{ name: MASK_OUTPUT, shape: [3] }],
  };
  const prepared = prepareGraph(maskNetworkFile(values), entry);
  const pixels = new Uint8Array(held.length * side * side);
  const crop = new Float32Array(side * side);
  for (const [row, face] of held.entries()) {
    plainCrop(face, crop, 0);
    pixels.set(
      crop.map((value) => Math.round(value / MASK_PIXELS.scale + MASK_PIXELS.mean)),
      row * side * side,
    );
  }
  const outputs = await evaluateGraph(prepared, { type: 'uint8', data: pixels, shape: [held.length, side, side, 1] });
  const logits = outputs[MASK_OUTPUT];
  if (!logits) throw new Error('no logits');
  const told = held.map((_, row) => MASK_STATES.indexOf(decodeMask(logits, row).state));
  const rightInFile = told.filter((state, row) => state === held[row]?.state).length;
  // Pixels are whole numbers there: a face on the edge may fall on the other side.
  expect(Math.abs(rightInFile - right)).toBeLessThanOrEqual(1);
});
