import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePeople, parsePairs, shuffle } from '../../../bench/peers/pictures.ts';

describe('shuffle', () => {
  const items = Array.from({ length: 30 }, (_, index) => index);

  it('keeps all items, in an order the seed alone decides', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 1e6 }), (list, seed) => {
        const shuffled = shuffle(list, seed);
        expect(shuffled).toEqual(shuffle(list, seed));
        expect([...shuffled].sort()).toEqual([...list].sort());
      }),
    );
  });

  it('gives another order for another seed', () => {
    expect(shuffle(items, 1)).not.toEqual(shuffle(items, 2));
    expect(shuffle(items, 1)).not.toEqual(items);
  });
});

describe('choosePeople', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 20 });

  it('takes several pictures of each, no more in all than asked for', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 60 }), (counts, most) => {
        const people = new Map(
          counts.map((count, id) => [`p${id}`, Array.from({ length: count }, (_, n) => `${id}/${n}`)]),
        );
        const chosen = choosePeople(people, most, 1);
        expect(chosen.size).toBeLessThanOrEqual(most);
        for (const [file, person] of chosen) {
          expect(people.get(person)).toContain(file);
          const own = [...chosen.values()].filter((owner) => owner === person).length;
          expect(own).toBe(Math.min(people.get(person)?.length ?? 0, 10));
          expect(own).toBeGreaterThan(1);
        }
      }),
    );
  });
});

describe('parsePairs', () => {
  it('reads lines under a heading, names within the folder', () => {
    expect(parsePairs('same,a,b\n1,x/1.jpg,x/2.jpg\r\n0,x/1.jpg,y/1.jpg\n', 'lfw')).toEqual([
      { same: true, first: 'lfw/x/1.jpg', second: 'lfw/x/2.jpg' },
      { same: false, first: 'lfw/x/1.jpg', second: 'lfw/y/1.jpg' },
    ]);
  });

  it.each(['yes,a,b', '1,a', '1,a,b,c', '1,,b'])('refuses %s', (line) => {
    expect(() => parsePairs(`same,a,b\n${line}`, '.')).toThrow(`not a pair: ${line}`);
  });
});
