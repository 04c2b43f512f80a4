import { describe, expect, it } from 'vitest';
import type { Picture } from '../../src/core/picture.ts';
import { cosine } from '../../src/faces/embedding.ts';
import type { FaceAnalyser } from '../../src/faces/face-analyser.ts';

export interface AnalyserUnderTest {
  readonly analyser: FaceAnalyser;
  /** A picture with at least two different people. */
  readonly crowd: Picture;
  readonly empty: Picture;
}

/** What every FaceAnalyser keeps to; the fake of the pipeline tests and the real chain both run it. */
export function describeFaceAnalyser(name: string, build: () => Promise<AnalyserUnderTest>): void {
  describe(`${name} as a FaceAnalyser`, () => {
    it('finds nobody in an empty picture, and describes and embeds nobody', async () => {
      const { analyser, empty } = await build();
      expect(await analyser.detect(empty)).toEqual([]);
      expect(await analyser.describe(empty, [])).toEqual([]);
      expect(await analyser.embed(empty, [])).toEqual([]);
      expect(await analyser.embedTemplates(empty, [])).toEqual([]);
    });

    it('gives boxes inside the picture, best first', async () => {
      const { analyser, crowd } = await build();
      const found = await analyser.detect(crowd);
      expect(found.length).toBeGreaterThanOrEqual(2);
      for (const { box, score } of found) {
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(crowd.width + 1e-3);
        expect(box.y + box.height).toBeLessThanOrEqual(crowd.height + 1e-3);
      }
      expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
    });

    it('keeps the order of what it is given', async () => {
      const { analyser, crowd } = await build();
      const found = (await analyser.detect(crowd)).slice(0, 2);
      const forward = await analyser.describe(crowd, found);
      const backward = await analyser.describe(crowd, [...found].reverse());
      expect(forward.map(({ box }) => box)).toEqual(found.map(({ box }) => box));
      expect(backward.map(({ box }) => box)).toEqual(found.map(({ box }) => box).reverse());
      const [first, second] = await analyser.embed(crowd, forward);
      const [last, beforeLast] = await analyser.embed(crowd, backward);
      if (!first || !second || !last || !beforeLast) throw new Error('an embedding is missing');
      expect(cosine(first.embedding, beforeLast.embedding)).toBeGreaterThan(0.999);
      expect(cosine(second.embedding, last.embedding)).toBeGreaterThan(0.999);
    });

    it('gives unit-length embeddings that tell people apart, and quality in 0..1', async () => {
      const { analyser, crowd } = await build();
      const faces = (await analyser.describe(crowd, await analyser.detect(crowd))).slice(0, 2);
      for (const { quality, landmarks } of faces) {
        expect(landmarks.points.length).toBeGreaterThanOrEqual(5);
        expect(landmarks.five).toHaveLength(5);
        for (const part of Object.values(quality)) {
          expect(part).toBeGreaterThanOrEqual(0);
          expect(part).toBeLessThanOrEqual(1);
        }
      }
      const [first, second] = await analyser.embed(crowd, faces);
      if (!first || !second) throw new Error('an embedding is missing');
      expect(cosine(first.embedding, first.embedding)).toBeCloseTo(1, 4);
      expect(cosine(second.embedding, second.embedding)).toBeCloseTo(1, 4);
      expect(cosine(first.embedding, second.embedding)).toBeLessThan(0.4);
    });
  });
}
