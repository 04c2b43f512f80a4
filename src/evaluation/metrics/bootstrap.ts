import { seededRandom } from '../../core/seeded-random.ts';
import type { Weights } from './roc.ts';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  /** Share of resamples inside the interval. */
  readonly level: number;
}

/** What every figure of an evaluation is given with. */
export const BOOTSTRAP: BootstrapOptions = { resamples: 500, seed: 1, level: 0.95 };

/** Whom an observation is about: one person, or the two of a comparison. */
export interface Subjects {
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/**
 * Percentile bootstrap over people, seeded: each resample draws as many people as there are, with replacement, and an
 * observation counts as often as its person was drawn, one about two people the product of both (Owen and Eckles,
 * "Bootstrapping data arrays of arbitrary order", 2012). Comparisons of one person depend on each other, so drawing
 * comparisons would promise too narrow an interval.
 *
 * Gives an interval for each number of `statistic`, null where half of the resamples gave none.
 */
export function bootstrapOverPeople(
  { first, second }: Subjects,
  statistic: (weights: Weights) => readonly (number | null)[],
  { resamples, seed, level }: BootstrapOptions = BOOTSTRAP,
): (Interval | null)[] {
  const random = seededRandom(seed);
  const numbers = new Map<number, number>();
  const numbered = (people: Int32Array) =>
    people.map((person) => {
      const number = numbers.get(person) ?? numbers.size;
      numbers.set(person, number);
      return number;
    });
  const [a, b] = [numbered(first), numbered(second)];
  const people = numbers.size;
  const drawn = new Float64Array(people);
  const weights: Weights = (index) => {
    const [one, other] = [a[index] ?? 0, b[index] ?? 0];
    return one === other ? (drawn[one] ?? 0) : (drawn[one] ?? 0) * (drawn[other] ?? 0);
  };
  const collected: number[][] = [];
  for (let resample = 0; resample < resamples; resample++) {
    drawn.fill(0);
    for (let draw = 0; draw < people; draw++) {
      const person = Math.floor(random() * people);
      drawn[person] = (drawn[person] ?? 0) + 1;
    }
    for (const [index, value] of statistic(weights).entries()) {
      collected[index] ??= [];
      if (value !== null && Number.isFinite(value)) collected[index]?.push(value);
    }
  }
  return collected.map((values) => (values.length * 2 < resamples ? null : percentiles(values, level)));
}

/** Weighted share of observations that hold; null when all weigh nothing. */
export function weightedShare(holds: readonly boolean[], weights: Weights): number | null {
  let [sum, total] = [0, 0];
  for (const [index, it] of holds.entries()) {
    const weight = weights(index);
    total += weight;
    if (it) sum += weight;
  }
  return total > 0 ? sum / total : null;
}

function percentiles(values: readonly number[], level: number): Interval {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
    return low + (high - low) * (place - Math.floor(place));
  };
  return [at((1 - level) / 2), at((1 + level) / 2)];
}
