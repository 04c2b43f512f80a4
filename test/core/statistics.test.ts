import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile, robustMoments, rounded, slope } from '../../src/core/statistics.ts';

describe('quantile', () => {
  it.each([
    [[5], 0.5, 5],
    [[4, 1, 3, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.75, 3],
    [[4, 1, 3, 2], 0.76, 4],
    [[10, 9, 100], 0.95, 100],
    [[2, 1], 0, 1],
    [[], 0.5, null],
  ])('of %j at %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });

  it('is one of the numbers, and that share of them is not above it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const found = quantile(values, share) ?? Number.NaN;
          expect(values).toContain(found);
          expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length - 1e-9);
        },
      ),
    );
  });
});

describe('slope', () => {
  it('is that of a line', () => {
    expect(slope([0, 1, 2, 5].map((x) => [x, 3 * x - 7] as const))).toBeCloseTo(3, 12);
    // By hand: means 1 and 2, sums (−1)(−1) + 0 + (1)(1) = 2 over 2.
    expect(
      slope([
        [0, 1],
        [1, 2],
        [2, 3],
      ]),
    ).toBe(1);
    expect(
      slope([
        [0, 0],
        [1, 3],
        [2, 0],
      ]),
    ).toBe(0);
  });

  it('is unknown for one point, or many above one another', () => {
    expect(slope([[1, 2]])).toBeNull();
    expect(
      slope([
        [1, 2],
        [1, 5],
      ]),
    ).toBeNull();
  });
});

it('rounds to digits', () => {
  expect([rounded(1.2345, 2), rounded(-0.5, 0), rounded(10, 3)]).toEqual([1.23, -1, 10]);
});

describe('robustMoments', () => {
  const even = Array.from({ length: 101 }, (_, at) => at);

  it('has the middle, and the width by the quartiles', () => {
    const { median, deviation } = robustMoments(even);
    expect([median, deviation]).toEqual([50, 50 / 1.349]);
    expect(robustMoments([])).toMatchObject({ median: 0, deviation: 0 });
  });

  it('counts what is far as what is less far, and is hardly moved by it', () => {
    const { median, deviation, counted } = robustMoments([...even, 1e6]);
    expect(median).toBe(50);
    expect(counted(1e6)).toBeCloseTo(median + 2.5 * deviation, 9);
    expect(counted(-1e6)).toBeCloseTo(median - 2.5 * deviation, 9);
    expect(counted(60)).toBe(60);
  });
});
