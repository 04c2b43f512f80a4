import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparisonsOf, type ScoredPair } from '../../../src/evaluation/metrics/comparisons.ts';
import {
  detCurve,
  equalErrorRate,
  operatingPoint,
  rank,
  rocCurve,
  supportsRate,
} from '../../../src/evaluation/metrics/roc.ts';

const ranking = (pairs: readonly ScoredPair[]) => rank(comparisonsOf(pairs));
const scored = (same: readonly number[], scores: readonly number[]) =>
  scores.map((score, index) => ({ same: same[index] === 1, score }));

describe('rocCurve', () => {
  it('is the curve of the example in the documentation of scikit-learn’s roc_curve', () => {
    const curve = rocCurve(ranking(scored([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])));
    expect(curve.map(({ far }) => far)).toEqual([0, 0, 0.5, 0.5, 1]);
    expect(curve.map(({ tar }) => tar)).toEqual([0, 0.5, 0.5, 1, 1]);
    expect(curve.map(({ threshold }) => threshold)).toEqual([Number.POSITIVE_INFINITY, 0.8, 0.4, 0.35, 0.1]);
  });

  it('moves once for equal scores', () => {
    const curve = rocCurve(ranking(scored([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.1])));
    expect(curve.map(({ far, tar }) => [far, tar])).toEqual([
      [0, 0],
      [0.5, 1],
      [1, 1],
    ]);
  });

  it('keeps its ends and stays a staircase when it is thinned', () => {
    const pairs = Array.from({ length: 5000 }, (_, index) => ({
      same: index % 5 === 0,
      score: ((index * 7919) % 5003) / 5003 + (index % 5 === 0 ? 0.3 : 0),
    }));
    const full = rocCurve(ranking(pairs), Number.POSITIVE_INFINITY);
    const thin = rocCurve(ranking(pairs), 100);
    expect(full.length).toBeGreaterThan(4000);
    expect(thin.length).toBeLessThanOrEqual(100);
    expect(thin.length).toBeGreaterThan(50);
    expect([thin[0], thin.at(-1)]).toEqual([full[0], full.at(-1)]);
    for (const point of thin) expect(full).toContainEqual(point);
  });

  it('is empty without both kinds', () => {
    expect(rocCurve(ranking(scored([1, 1], [0.1, 0.2])))).toEqual([]);
    expect(rocCurve(ranking([]))).toEqual([]);
  });

  it('gives what counting gives at each of its thresholds', () => {
    const pairs = fc.array(fc.record({ same: fc.boolean(), score: fc.integer({ min: 0, max: 20 }) }), { minLength: 1 });
    fc.assert(
      fc.property(pairs, (list) => {
        const [genuine, impostors] = [list.filter(({ same }) => same), list.filter(({ same }) => !same)];
        const from = (some: ScoredPair[], threshold: number) => some.filter(({ score }) => score >= threshold).length;
        for (const { threshold, far, tar } of rocCurve(ranking(list))) {
          expect(far).toBe(from(impostors, threshold) / impostors.length);
          expect(tar).toBe(from(genuine, threshold) / genuine.length);
        }
      }),
    );
  });
});

describe('detCurve and equalErrorRate', () => {
  it('are the curve by its errors', () => {
    const curve = rocCurve(ranking(scored([1, 1, 0, 0], [0.9, 0.3, 0.5, 0.1])));
    expect(detCurve(curve).map(({ fmr, fnmr }) => [fmr, fnmr])).toEqual([
      [0, 1],
      [0, 0.5],
      [0.5, 0.5],
      [0.5, 0],
      [1, 0],
    ]);
    expect(equalErrorRate(curve)).toBe(0.5);
  });

  it('go between points by a straight line', () => {
    // From (0, 1) to (1, 0): both errors are a half in the middle.
    expect(equalErrorRate(rocCurve(ranking(scored([1, 0], [0.5, 0.5]))))).toBe(0.5);
    expect(equalErrorRate(rocCurve(ranking(scored([1, 0], [0.9, 0.1]))))).toBe(0);
    expect(equalErrorRate([])).toBeNull();
  });
});

describe('operatingPoint', () => {
  /** Ten of the same at 0.05, 0.15 … 0.95; a hundred others at 0.005, 0.015 … 0.995. */
  const pairs = [
    ...Array.from({ length: 10 }, (_, index) => ({ same: true, score: index / 10 + 0.05 })),
    ...Array.from({ length: 100 }, (_, index) => ({ same: false, score: index / 100 + 0.005 })),
  ];

  it.each([
    // At most one of a hundred may be accepted: the best at 0.995; the next is at 0.985. Nine of ten are below that.
    [1e-2, { threshold: 0.995, far: 0.01, tar: 0 }],
    // Ten may be: those from 0.905; and the one at 0.95.
    [1e-1, { threshold: 0.905, far: 0.1, tar: 0.1 }],
    // Half a one is expected at 0.005, so none may be accepted: above 0.995 there is nothing.
    [5e-3, { threshold: Number.POSITIVE_INFINITY, far: 0, tar: 0 }],
    [1, { threshold: 0.005, far: 1, tar: 1 }],
    [4.9e-3, null],
  ])('at %f', (rate, expected) => {
    const point = operatingPoint(ranking(pairs), rate);
    if (expected === null) expect(point).toBeNull();
    else expect(point).toEqual({ ...expected, far: expect.closeTo(expected.far), tar: expect.closeTo(expected.tar) });
  });

  it('never accepts what was not compared while others were', () => {
    const missed = [
      { same: true, score: -1 },
      { same: true, score: 0.9 },
      ...Array.from({ length: 100 }, (_, index) => ({ same: false, score: index === 0 ? 0.2 : -1 })),
    ];
    expect(operatingPoint(ranking(missed), 0.1)).toEqual({ threshold: 0.2, far: 0.01, tar: 0.5 });
  });

  it('is nothing without people of both kinds', () => {
    expect(operatingPoint(ranking(pairs.filter(({ same }) => same)), 0.1)).toBeNull();
    expect(operatingPoint(ranking(pairs.filter(({ same }) => !same)), 0.1)).toBeNull();
  });

  it.each([
    [600, 1e-3, true],
    [499, 1e-3, false],
    [5000, 1e-4, true],
    [4999, 1e-4, false],
  ])('%i comparisons of different people support %f: %s', (impostors, rate, supported) => {
    expect(supportsRate(impostors, rate)).toBe(supported);
  });

  it('refuses what is no number', () => {
    expect(() => ranking([{ same: true, score: Number.NaN }])).toThrow(RangeError);
  });
});
