import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { decodeBag, encodeBag, learnBag, wordsOf } from '../../../src/training/classifiers/bag-of-words.ts';

/** Faces of four places: descriptors around two corners, more or fewer of each. */
const face = (near: number, seed: number) => {
  const random = seededRandom(seed);
  const rows = Array.from({ length: 4 }, (_, row) => (row < near ? [0, 0] : [10, 10]));
  return { rows: 4, columns: 2, data: Float32Array.from(rows.flat().map((value) => value + random())) };
};
const faces = [1, 2, 3, 1, 2, 3].map(face);

it('makes features of mean 0 and deviation 1 of the faces it was learnt from, and tells how often a word comes', () => {
  const bag = learnBag(faces, { words: 2, softness: 0.2 }, seededRandom(1));
  const rows = faces.map((it) => wordsOf(bag, it));
  for (const word of [0, 1]) {
    const values = rows.map((row) => row[word] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeCloseTo(0, 4);
    expect(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length).toBeCloseTo(1, 3);
  }
  // One word comes once, twice, three times; the other the other way round.
  const [few = 0, some = 0, many = 0] = rows.map((row) => row[0]);
  expect((some - few) * (many - some)).toBeGreaterThan(0);
});

it('goes through its file unchanged', () => {
  const bag = learnBag(faces, { words: 2, softness: 0.2 }, seededRandom(1));
  const read = decodeBag(encodeBag(bag));
  expect(wordsOf(read, face(2, 9))).toEqual(wordsOf(bag, face(2, 9)));
});

it('is refused when it is cut off', () => {
  const bag = learnBag(faces, { words: 2, softness: 0.2 }, seededRandom(1));
  expect(() => decodeBag(encodeBag(bag).slice(0, 40))).toThrow(/CHECKPOINT|cut|checkpoint/i);
});
