import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { type Mining, mineTriplets } from '../../../src/training/losses/mine-triplets.ts';

/** Unit vectors in the plane. */
const rowsOf = (angles: readonly number[]) =>
  Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));

it.each<[Mining, number, number[]]>([
  ['hard', 0.5, [2]],
  // Squared distances from 0: 0.24 to the positive, 0.04 to row 2, 0.66 to row 3, 3.4 to row 4.
  ['semi-hard', 0.5, [3]],
  ['semi-hard', 0.01, [2, 3, 4]],
  ['random', 0.5, [2, 3, 4]],
])('%s negatives at a margin of %d', (mining, margin, wanted) => {
  const people = [1, 1, 2, 3, 4];
  const embeddings = rowsOf([0, 0.5, 0.2, 0.85, 2.5]);
  const triplets = mineTriplets(embeddings, people, { mining, margin, count: 200, random: seededRandom(1) });
  const fromFirst = Array.from(triplets.negatives, Number).filter((_, index) => triplets.anchors[index] === 0n);
  expect([...new Set(fromFirst)].sort()).toEqual(wanted);
});

it('anchor and positive are two pictures of one person, the negative is of another', () => {
  const people = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 20 });
  fc.assert(
    fc.property(people, fc.constantFrom<Mining>('random', 'semi-hard', 'hard'), fc.integer(), (list, mining, seed) => {
      const repeated = list.some((person, index) => list.indexOf(person) !== index);
      const options = { mining, margin: 0.2, count: 30, random: seededRandom(seed) };
      const run = () => mineTriplets(rowsOf(list.map((_, index) => index)), list, options);
      if (!repeated || new Set(list).size < 2) {
        expect(run).toThrow(RangeError);
        return;
      }
      const { anchors, positives, negatives } = run();
      for (let index = 0; index < 30; index++) {
        const [a, p, n] = [anchors, positives, negatives].map((it) => Number(it[index]));
        expect(a).not.toBe(p);
        expect(list[a ?? -1]).toBe(list[p ?? -1]);
        expect(list[n ?? -1]).not.toBe(list[a ?? -1]);
      }
    }),
  );
});
