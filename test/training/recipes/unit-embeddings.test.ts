import { expect, it } from 'vitest';
import { RAW_PIXELS } from '../../../src/training/data/sampler.ts';
import type { Student } from '../../../src/training/recipes/student.ts';
import { unitEmbeddings } from '../../../src/training/recipes/unit-embeddings.ts';

const CROPS = { crops: [{ rgb: Uint8Array.of(1, 2, 3), width: 1, height: 1 }], pixels: RAW_PIXELS };
const OF = { output: 'embedding', mirrored: false };

/** Answers every crop with these numbers. */
const saying = (...embedding: number[]) =>
  ({ inputShape: [3, 1, 1], run: async () => ({ embedding: Float32Array.from(embedding) }) }) as unknown as Student;

it('are of length 1', async () => {
  expect(await unitEmbeddings(saying(3, 4), {}, CROPS, OF)).toEqual([Float32Array.of(0.6, 0.8)]);
});

it.each([[[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]], [[0, 0]]])(
  'of a model that says %j tell that its training has diverged',
  async (embedding) => {
    await expect(unitEmbeddings(saying(...embedding), {}, CROPS, OF)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: 'what the model says of a face is zero, or no number',
    });
  },
);
