import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import {
  crossValidatedReliability,
  fitLogistic,
  probability,
  reliability,
} from '../../../src/evaluation/metrics/calibration.ts';
import { comparisonsOf } from '../../../src/evaluation/metrics/comparisons.ts';

describe('fitLogistic', () => {
  it('meets the mean target at each of two scores', () => {
    // At 0 one of four is the same, at 1 three of four. Platt's targets are 5/6 and 1/6, their means 1/3 and 2/3: the
    // logits of those are -ln 2 and ln 2.
    const fit = fitLogistic([0, 0, 0, 0, 1, 1, 1, 1], [1, 0, 0, 0, 1, 1, 1, 0]);
    expect(fit?.offset).toBeCloseTo(-Math.LN2, 6);
    expect(fit?.slope).toBeCloseTo(2 * Math.LN2, 6);
  });

  it('stays finite where scores separate', () => {
    const fit = fitLogistic([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]);
    expect(fit && probability(fit, 0.9)).toBeGreaterThan(0.7);
    expect(fit && probability(fit, 0.1)).toBeLessThan(0.3);
    expect(fit?.slope).toBeLessThan(100);
  });

  it('finds the curve that scores were drawn from', () => {
    const random = seededRandom(2);
    const scores = Array.from({ length: 40_000 }, () => random() * 2 - 1);
    const same = scores.map((score) => (random() < 1 / (1 + Math.exp(-(6 * score - 2))) ? 1 : 0));
    const fit = fitLogistic(scores, same);
    expect(Math.abs((fit?.slope ?? 0) - 6)).toBeLessThan(0.3);
    expect(Math.abs((fit?.offset ?? 0) + 2)).toBeLessThan(0.15);
  });

  it('is nothing without both kinds', () => {
    expect(fitLogistic([0.1, 0.2], [1, 1])).toBeNull();
    expect(fitLogistic([0.1, 0.2], [0, 0])).toBeNull();
  });
});

describe('reliability', () => {
  it('compares by hand', () => {
    // Lower bin: 0.1 and 0.3, none the same: 0.2 away. Upper: 0.6, 0.8 and 1, two of three the same: 0.8 - 2/3 away.
    const { bins, ece } = reliability([0.1, 0.3, 0.6, 0.8, 1], [0, 0, 1, 0, 1], 2);
    expect(bins).toEqual([
      { from: 0, to: 0.5, count: 2, predicted: expect.closeTo(0.2), observed: 0 },
      { from: 0.5, to: 1, count: 3, predicted: expect.closeTo(0.8), observed: expect.closeTo(2 / 3) },
    ]);
    expect(ece).toBeCloseTo((2 * 0.2 + 3 * (0.8 - 2 / 3)) / 5, 12);
  });

  it('says nothing of an empty bin', () => {
    expect(reliability([0.9], [1], 2).bins[0]).toEqual({ from: 0, to: 0.5, count: 0, predicted: null, observed: null });
  });
});

describe('crossValidatedReliability', () => {
  const drawn = (count: number, slope: number) => {
    const random = seededRandom(4);
    return Array.from({ length: count }, () => {
      const score = random() * 2 - 0.99;
      return { same: random() < 1 / (1 + Math.exp(-slope * score)), score };
    });
  };

  it('is small for scores that follow a logistic curve', () => {
    expect(crossValidatedReliability(comparisonsOf(drawn(20_000, 5)))?.ece).toBeLessThan(0.015);
  });

  it('is large for scores that do not', () => {
    // The same in the middle, others on both sides: no logistic curve bends twice.
    const bent = drawn(2000, 0).map(({ score }) => ({
      same: Math.abs(score) < 0.3,
      score: score < -0.3 ? -0.9 : score,
    }));
    expect(crossValidatedReliability(comparisonsOf(bent))?.ece).toBeGreaterThan(0.1);
  });

  it('leaves out what was not compared', () => {
    const made = drawn(1000, 5);
    const missed = [...made, ...Array.from({ length: 1000 }, () => ({ same: true, score: -1 }))];
    expect(crossValidatedReliability(comparisonsOf(missed))).toEqual(crossValidatedReliability(comparisonsOf(made)));
  });

  it('is nothing where a fit has only one kind', () => {
    expect(crossValidatedReliability(comparisonsOf([{ same: true, score: 0.5 }]))).toBeNull();
  });

  it('takes evenly spread ones of very many, and finds about the same', () => {
    const many = comparisonsOf(drawn(1_000_000, 5));
    const reliable = crossValidatedReliability(many);
    const counted = reliable?.bins.reduce((sum, { count }) => sum + count, 0) ?? 0;
    expect(counted).toBeGreaterThan(20_000);
    expect(counted).toBeLessThanOrEqual(400_000);
    expect(reliable?.ece).toBeLessThan(0.015);
  });
});
