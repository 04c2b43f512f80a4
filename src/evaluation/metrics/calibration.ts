import type { Comparisons } from './comparisons.ts';
import { NOT_COMPARED } from './comparisons.ts';

/** P(same | score) = 1 / (1 + exp(-(slope * score + offset))). */
export interface LogisticFit {
  readonly slope: number;
  readonly offset: number;
}

/** A bin of predicted probabilities. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean predicted probability, and the share that really are of the same person; null in an empty bin. */
  readonly predicted: number | null;
  readonly observed: number | null;
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error: mean distance of prediction and truth over bins, weighted by their count. */
  readonly ece: number;
}

const NEWTON_STEPS = 100;
const CONVERGED = 1e-10;
/** Of more comparisons than this, evenly spread ones are taken: more would change no digit that is shown. */
const MOST_COMPARISONS = 100_000;

/**
 * Logistic regression of "the same person" on the score, by Newton's method. The targets are Platt's ("Probabilistic
 * outputs for support vector machines", 1999), a little inside 0 and 1, so that scores that separate perfectly still have
 * a finite fit. Null without both kinds.
 *
 * @param start a fit to begin with, such as that of nearly the same comparisons
 */
export function fitLogistic(
  scores: ArrayLike<number>,
  same: ArrayLike<number>,
  start: LogisticFit | null = null,
): LogisticFit | null {
  const positives = countOf(same);
  const negatives = same.length - positives;
  if (positives === 0 || negatives === 0) return null;
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)];
  let { slope, offset } = start ?? { slope: 0, offset: Math.log((positives + 1) / (negatives + 1)) };
  let loss = lossOf(slope, offset);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 1e-12, 0, 1e-12];
    for (let index = 0; index < scores.length; index++) {
      const score = scores[index] ?? 0;
      const p = logistic(slope * score + offset);
      const error = p - (same[index] ? high : low);
      const curve = p * (1 - p);
      g0 += error;
      g1 += error * score;
      h00 += curve;
      h01 += curve * score;
      h11 += curve * score * score;
    }
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0)) break;
    const [d0, d1] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    // A full step may overshoot where the curve is flat: halve it until it helps (Lin, Lin and Weng 2007).
    let share = 1;
    let next = lossOf(slope - d1, offset - d0);
    while (next > loss && share > 1e-9) {
      share /= 2;
      next = lossOf(slope - share * d1, offset - share * d0);
    }
    if (!(next < loss)) break;
    const gain = loss - next;
    [slope, offset, loss] = [slope - share * d1, offset - share * d0, next];
    if (gain < CONVERGED * Math.max(1, Math.abs(loss))) break;
  }
  return { slope, offset };

  function lossOf(a: number, b: number): number {
    let sum = 0;
    for (let index = 0; index < scores.length; index++) {
      const z = a * (scores[index] ?? 0) + b;
      const target = same[index] ? high : low;
      // log(1 + exp(z)) without overflow.
      sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target * z;
    }
    return sum;
  }
}

/** Probability that a fit gives a score. */
export function probability({ slope, offset }: LogisticFit, score: number): number {
  return logistic(slope * score + offset);
}

/**
 * How far probabilities can be believed (Niculescu-Mizil and Caruana 2005; Guo et al. 2017): each of `folds` parts is
 * predicted by a fit on the others, and predictions are compared with the truth in `bins` of equal width. Comparisons
 * that could not be made have no score and are left out. Null where a part lacks either kind.
 */
export function crossValidatedReliability(comparisons: Comparisons, folds = 10, bins = 10): Reliability | null {
  const made: number[] = [];
  const stride = Math.max(1, Math.ceil(comparisons.length / MOST_COMPARISONS));
  for (let index = 0; index < comparisons.length; index += stride) {
    if (comparisons.scores[index] !== NOT_COMPARED) made.push(index);
  }
  const predicted = new Float64Array(made.length);
  const same = Uint8Array.from(made, (index) => comparisons.same[index] ?? 0);
  const scores = Float64Array.from(made, (index) => comparisons.scores[index] ?? 0);
  const whole = fitLogistic(scores, same);
  for (let fold = 0; fold < folds; fold++) {
    const elsewhere = (_value: number, at: number) => at % folds !== fold;
    const fit = fitLogistic(scores.filter(elsewhere), same.filter(elsewhere), whole);
    if (!fit) return null;
    for (let at = fold; at < made.length; at += folds) predicted[at] = probability(fit, scores[at] ?? 0);
  }
  return reliability(predicted, same, bins);
}

/** Predicted probabilities against the truth in `bins` of equal width. */
export function reliability(predicted: ArrayLike<number>, same: ArrayLike<number>, bins: number): Reliability {
  const sums = Array.from({ length: bins }, () => ({ count: 0, predicted: 0, observed: 0 }));
  for (let index = 0; index < predicted.length; index++) {
    const p = predicted[index] ?? 0;
    const sum = sums[Math.min(bins - 1, Math.floor(p * bins))];
    if (!sum) continue;
    sum.count++;
    sum.predicted += p;
    sum.observed += same[index] ? 1 : 0;
  }
  const ece = sums.reduce((total, sum) => total + Math.abs(sum.predicted - sum.observed), 0) / predicted.length;
  return {
    ece,
    bins: sums.map((sum, bin) => ({
      from: bin / bins,
      to: (bin + 1) / bins,
      count: sum.count,
      predicted: sum.count > 0 ? sum.predicted / sum.count : null,
      observed: sum.count > 0 ? sum.observed / sum.count : null,
    })),
  };
}

function logistic(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

function countOf(flags: ArrayLike<number>): number {
  let count = 0;
  for (let index = 0; index < flags.length; index++) if (flags[index]) count++;
  return count;
}
