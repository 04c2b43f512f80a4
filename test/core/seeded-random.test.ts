import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom, seedOf } from '../../src/core/seeded-random.ts';

describe('seeded random numbers', () => {
  it('are those of mulberry32', () => {
    // From the reference implementation in C for seed 0, divided by 2 ** 32.
    const random = seededRandom(0);
    expect([random(), random()]).toEqual([0.26642920868471265, 0.0003297457005828619]);
  });

  it('lie in 0..1, evenly', () => {
    const random = seededRandom(42);
    const tenths = new Uint32Array(10);
    for (let count = 0; count < 20_000; count++) {
      const value = random();
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('differ from seed to seed', () => {
    expect(new Set(Array.from({ length: 1000 }, (_, seed) => seededRandom(seed)())).size).toBe(1000);
  });
});

describe('the seed of a name', () => {
  it('is another for another name and another seed, and always the same for the same', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `person/${index}.jpg`);
    expect(new Set(names.map((name) => seedOf(1, name))).size).toBe(2000);
    expect(seedOf(1, 'a')).not.toBe(seedOf(2, 'a'));
    fc.assert(
      fc.property(fc.nat(), fc.string(), (seed, name) => {
        expect(seedOf(seed, name)).toBe(seedOf(seed, name));
        expect(Number.isInteger(seedOf(seed, name)) && seedOf(seed, name) >= 0 && seedOf(seed, name) < 2 ** 32).toBe(
          true,
        );
      }),
    );
  });
});
