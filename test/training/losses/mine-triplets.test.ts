import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { drawTriplets } from '../../../src/training/losses/mine-triplets.ts';

it('anchor and positive are two pictures of one person, the negative is of another', () => {
  const people = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 20 });
  fc.assert(
    fc.property(people, fc.integer(), (list, seed) => {
      const repeated = list.some((person, index) => list.indexOf(person) !== index);
      const run = () => drawTriplets(list, 30, seededRandom(seed));
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

it('draws every negative there is', () => {
  const { anchors, negatives } = drawTriplets([1, 1, 2, 3, 4], 200, seededRandom(1));
  const fromFirst = Array.from(negatives, Number).filter((_, index) => anchors[index] === 0n);
  expect([...new Set(fromFirst)].sort()).toEqual([2, 3, 4]);
});
