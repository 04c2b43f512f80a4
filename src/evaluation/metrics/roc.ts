import type { Comparisons } from './comparisons.ts';

/** What happens at a threshold: scores from it on are taken for the same person. */
export interface RocPoint {
  readonly threshold: number;
  /** False accept rate: share of comparisons of different people that reach the threshold. */
  readonly far: number;
  /** True accept rate: share of comparisons of the same person that do. */
  readonly tar: number;
}

/** A detection error trade-off point (Martin et al. 1997): both errors, as ISO/IEC 19795-1 names them for comparisons. */
export interface DetPoint {
  readonly threshold: number;
  /** False match rate: the false accept rate of single comparisons. */
  readonly fmr: number;
  /** False non-match rate: 1 - true accept rate. */
  readonly fnmr: number;
}

/** Comparisons by falling score, made once and used by every figure that needs a threshold. */
export interface Ranking {
  readonly comparisons: Comparisons;
  /** Indices of the comparisons, highest score first. */
  readonly order: Uint32Array;
  readonly genuine: number;
  readonly impostors: number;
}

/** Weight of each comparison; 1 where left out. */
export type Weights = (index: number) => number;

/**
 * Fewest impostor comparisons that must be expected above the threshold of a rate: with half a one, the threshold is the
 * highest impostor's, and the interval says how little that is; with less, the rate is out of the data's reach.
 */
const LEAST_EXPECTED = 0.5;
/** Rates are decimal fractions: 0.1 * 30 must not be less than 3. */
const ROUNDING = 1e-9;

/** Throws RangeError when a score is not a number. */
export function rank(comparisons: Comparisons): Ranking {
  const { scores, same, length } = comparisons;
  if (scores.some(Number.isNaN)) throw new RangeError('a score is not a number');
  const order = Uint32Array.from({ length }, (_, index) => index);
  order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const genuine = same.reduce((sum, value) => sum + value, 0);
  return { comparisons, order, genuine, impostors: length - genuine };
}

/** Whether there are comparisons of different people enough for a false accept rate. */
export function supportsRate(impostors: number, rate: number): boolean {
  return impostors * rate >= LEAST_EXPECTED - ROUNDING;
}

/**
 * The operating point at the lowest threshold whose false accept rate is not above `rate`; null where there are too few
 * comparisons of different people for the rate ({@link supportsRate}), or none of the same.
 */
export function operatingPoint(ranking: Ranking, rate: number): RocPoint | null {
  const { genuine, impostors } = ranking;
  if (genuine === 0 || !supportsRate(impostors, rate)) return null;
  return pointAt(ranking, rate, () => 1);
}

/** As {@link operatingPoint} over weighted comparisons and without its limits; null where one kind weighs nothing. */
export function pointAt(ranking: Ranking, rate: number, weights: Weights): RocPoint | null {
  return weightedPoints(ranking, [rate])(weights)[0] ?? null;
}

/**
 * The same at several rates, for many weights one after the other, as a bootstrap has them. Comparisons of the same two
 * people weigh the same, so that totals are sums over pairs of people; and only the best scores are walked through.
 */
export function weightedPoints(
  { order, comparisons }: Ranking,
  rates: readonly number[],
): (weights: Weights) => readonly (RocPoint | null)[] {
  const { scores, same } = comparisons;
  const groups = groupsOf(comparisons);
  return (weights) => {
    let [genuine, impostors] = [0, 0];
    for (const { index, count } of groups) {
      if (same[index]) genuine += count * weights(index);
      else impostors += count * weights(index);
    }
    if (genuine === 0 || impostors === 0) return rates.map(() => null);
    const points: (RocPoint | undefined)[] = rates.map(() => undefined);
    let reached: RocPoint = { threshold: Number.POSITIVE_INFINITY, far: 0, tar: 0 };
    let [accepted, falsely, open] = [0, 0, rates.length];
    for (let at = 0; at < order.length && open > 0; ) {
      const score = scores[order[at] as number] as number;
      for (; at < order.length && scores[order[at] as number] === score; at++) {
        const index = order[at] as number;
        if (same[index]) accepted += weights(index);
        else falsely += weights(index);
      }
      for (const [which, rate] of rates.entries()) {
        if (points[which] || falsely <= rate * impostors + ROUNDING) continue;
        points[which] = reached;
        open--;
      }
      reached = { threshold: score, far: falsely / impostors, tar: accepted / genuine };
    }
    return points.map((point) => point ?? reached);
  };
}

/** One comparison for each kind and two people, with how many there are of it. */
function groupsOf({ length, same, first, second }: Comparisons): readonly { index: number; count: number }[] {
  const groups = new Map<string, { index: number; count: number }>();
  for (let index = 0; index < length; index++) {
    const key = `${first[index]} ${second[index]} ${same[index]}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { index, count: 1 });
  }
  return [...groups.values()];
}

/**
 * Receiver operating characteristic, from "nobody is the same" to "everybody is": a point for each score, thinned to at
 * most `limit` evenly spread along false and true accepts. Empty without both kinds of comparison.
 */
export function rocCurve(ranking: Ranking, limit = 400): RocPoint[] {
  const { order, comparisons, genuine, impostors } = ranking;
  const { scores, same } = comparisons;
  if (genuine === 0 || impostors === 0) return [];
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, far: 0, tar: 0 }];
  let [accepted, falsely] = [0, 0];
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at] ?? 0] ?? 0;
    for (; at < order.length && scores[order[at] ?? 0] === score; at++) {
      if (same[order[at] ?? 0]) accepted++;
      else falsely++;
    }
    points.push({ threshold: score, far: falsely / impostors, tar: accepted / genuine });
  }
  return thinned(points, limit);
}

/** The same curve by its errors. */
export function detCurve(roc: readonly RocPoint[]): DetPoint[] {
  return roc.map(({ threshold, far, tar }) => ({ threshold, fmr: far, fnmr: 1 - tar }));
}

/** Equal error rate: where false match and false non-match rates meet, by a straight line between points; null without. */
export function equalErrorRate(roc: readonly RocPoint[]): number | null {
  const meets = roc.findIndex(({ far, tar }) => far >= 1 - tar);
  const [before, after] = [roc[meets - 1], roc[meets]];
  if (!after) return null;
  if (!before) return after.far;
  const gap = (point: RocPoint) => 1 - point.tar - point.far;
  const share = gap(before) / (gap(before) - gap(after));
  return before.far + share * (after.far - before.far);
}

/** Keeps first and last, and of the rest those that moved furthest; rates below a thousandth are kept finer. */
function thinned(points: readonly RocPoint[], limit: number): RocPoint[] {
  if (points.length <= limit) return [...points];
  // Along the curve, small false accept rates stretched by their logarithm: that is where thresholds are chosen.
  const place = ({ far, tar }: RocPoint) => tar + far + Math.log10(far + 1e-6) / 6;
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const step = (place(last) - place(first)) / (limit - 2);
  const kept = [first];
  let previous = place(first);
  for (const point of points.slice(1, -1)) {
    if (place(point) - previous < step) continue;
    kept.push(point);
    previous = place(point);
  }
  return [...kept, last];
}
