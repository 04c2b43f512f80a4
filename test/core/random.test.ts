import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashText, seededRandom, shuffled } from '../../src/core/random.ts';

describe('seededRandom', () => {
  it('repeats for a seed and differs between seeds', () => {
    const draw = (seed: number | string) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw('ada')).toEqual(draw('ada'));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw('ada')).not.toEqual(draw('bob'));
  });

  it('is uniform: mean, variance and every tenth as expected of 100,000 draws', () => {
    const values = Array.from({ length: 100_000 }, seededRandom(1));
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    // Six standard errors of the mean are 0.0055.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0055);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    const tenths = new Map<number, number>();
    for (const value of values) tenths.set(Math.floor(value * 10), (tenths.get(Math.floor(value * 10)) ?? 0) + 1);
    expect(tenths.size).toBe(10);
    for (const count of tenths.values()) expect(Math.abs(count - 10_000)).toBeLessThan(600);
  });
});

describe('shuffled', () => {
  it('keeps every element', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (list, seed) => {
        const result = shuffled(list, seededRandom(seed));
        expect([...result].sort((a, b) => a - b)).toEqual([...list].sort((a, b) => a - b));
      }),
    );
  });

  it('gives every order of three about as often', () => {
    const random = seededRandom(3);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(180);
  });
});

// Published test vectors of 32-bit FNV-1a (Noll, draft-eastlake-fnv).
it.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('hashes %j', (text, hash) => {
  expect(hashText(text)).toBe(hash);
});
