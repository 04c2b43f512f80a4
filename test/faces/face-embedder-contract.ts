import { describe, expect, it } from 'vitest';
import type { Affine } from '../../src/core/geometry.ts';
import type { Picture } from '../../src/core/picture.ts';
import type { FaceEmbedder } from '../../src/faces/face-embedder.ts';

export interface EmbedderUnderTest {
  readonly embedder: FaceEmbedder;
  readonly picture: Picture;
  /** Of at least two different faces of the picture. */
  readonly alignments: readonly Affine[];
  /** Numbers in a feature. */
  readonly dimension: number;
}

/** What every FaceEmbedder keeps to, wherever it aligns. */
export function describeFaceEmbedder(name: string, build: () => Promise<EmbedderUnderTest>): void {
  describe(`${name} as a FaceEmbedder`, () => {
    it('gives a row a face, in order, the same whoever else is looked at', async () => {
      const { embedder, picture, alignments, dimension } = await build();
      const together = await embedder.embed(picture, alignments);
      expect(together.shape).toEqual([alignments.length, dimension]);
      const turned = await embedder.embed(picture, [...alignments].reverse());
      for (const [row, alignment] of alignments.entries()) {
        const feature = together.data.subarray(row * dimension, (row + 1) * dimension);
        const alone = await embedder.embed(picture, [alignment]);
        expect(alone.shape).toEqual([1, dimension]);
        const back = (alignments.length - 1 - row) * dimension;
        expect(likeness(feature, alone.data)).toBeGreaterThan(0.99999);
        expect(likeness(feature, turned.data.subarray(back, back + dimension))).toBeGreaterThan(0.99999);
      }
      const [first, second] = [together.data.subarray(0, dimension), together.data.subarray(dimension, 2 * dimension)];
      expect(likeness(first, second)).toBeLessThan(0.9999);
    });

    it('takes more faces than go into one run', async () => {
      const { embedder, picture, alignments, dimension } = await build();
      const many = Array.from({ length: 11 }, (_, index) => alignments[index % alignments.length] as Affine);
      const { data, shape } = await embedder.embed(picture, many);
      expect(shape).toEqual([11, dimension]);
      for (let row = alignments.length; row < many.length; row++) {
        const same = (row % alignments.length) * dimension;
        const feature = data.subarray(row * dimension, (row + 1) * dimension);
        expect(likeness(feature, data.subarray(same, same + dimension))).toBeGreaterThan(0.99999);
      }
    });

    it('takes a face that sticks out of the picture', async () => {
      const { embedder, picture, alignments, dimension } = await build();
      const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = alignments[0] ?? [];
      const { width, height } = picture;
      for (const [x, y] of [
        [-width, 0],
        [width / 2, height],
        [10 * width, -10 * height],
      ] as const) {
        const out: Affine = [a, b, c + a * x + b * y, d, e, f + d * x + e * y];
        const { data, shape } = await embedder.embed(picture, [out]);
        expect(shape).toEqual([1, dimension]);
        expect(data.every(Number.isFinite)).toBe(true);
      }
    });

    it('adds to the trace', async () => {
      const { embedder, picture, alignments } = await build();
      const trace = { queuedMs: 1000, runMs: 2000 };
      await embedder.embed(picture, alignments, trace);
      expect(trace.queuedMs).toBeGreaterThanOrEqual(1000);
      expect(trace.runMs).toBeGreaterThan(2000);
    });
  });
}

/** Cosine of two features of any length. */
export function likeness(first: Float32Array, second: Float32Array): number {
  let [both, ofFirst, ofSecond] = [0, 0, 0];
  for (const [index, value] of first.entries()) {
    const other = second[index] ?? Number.NaN;
    both += value * other;
    ofFirst += value * value;
    ofSecond += other * other;
  }
  return both / Math.sqrt(ofFirst * ofSecond);
}
