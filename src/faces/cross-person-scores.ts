import { seededRandom } from '../core/seeded-random.ts';
import { robustMoments } from '../core/statistics.ts';
import { cosine } from './embedding.ts';
import type { ScoreMoments } from './score-calibration.ts';

/** Templates of one encoder: row `i` is of person `owners[i]`, a number from 0 without gaps. */
export interface OwnedTemplates {
  readonly owners: ArrayLike<number>;
  /** The template of a row, of unit length. For reading only. */
  vectorOf(row: number): Float32Array;
}

/** How alike templates of different people are. */
export interface CrossPersonScores extends ScoreMoments {
  readonly people: number;
  /** Standard errors of mean and deviation, by leaving out each person in turn (jackknife; Efron and Stein 1981). */
  readonly meanError: number;
  readonly deviationError: number;
  /** Share of scores left out as out of reach of the others: those of one person under two names. */
  readonly leftOut: number;
}

/** Scores taken at most, and of two people: they tell both moments to a hundredth of a deviation. */
const MOST_SCORES = 20_000;
const MOST_OF_TWO = 4;
/** Robust deviations above the median from which two people are taken for one. */
const OUT_OF_REACH = 4;

/**
 * Mean and deviation of the scores of people with each other, each two people with the same weight; of many a sample, the same for the
 * same templates. Robust: scores far from the median count for less (Winsorised), and those above all others not at
 * all, so that somebody who is there twice changes little. Null for fewer than three people.
 */
export function crossPersonScores(
  templates: OwnedTemplates,
  rows = rowsByPerson(templates.owners),
): CrossPersonScores | null {
  const people = rows.length;
  if (people < 3) return null;
  const scores = sampleOf(templates, rows);
  const { median, deviation, counted } = robustMoments(scores.map(({ score }) => score));
  const within = scores.filter(({ score }) => score <= median + OUT_OF_REACH * deviation);
  const all = new Sums();
  const ofPerson = Array.from({ length: people }, () => new Sums());
  for (const { score, one, other } of within) {
    for (const sums of [all, ofPerson[one], ofPerson[other]]) sums?.add(counted(score));
  }
  const without = ofPerson.map((sums) => all.without(sums)).filter(({ count }) => count > 0);
  return {
    people,
    mean: all.mean,
    deviation: all.deviation,
    meanError: jackknife(without.map(({ mean }) => mean)),
    deviationError: jackknife(without.map(({ deviation }) => deviation)),
    leftOut: 1 - within.length / scores.length,
  };
}

interface Score {
  readonly score: number;
  readonly one: number;
  readonly other: number;
}

/** Scores of all pairs of people, some templates of each; of very many people those of pairs drawn at random. */
function sampleOf(templates: OwnedTemplates, rows: readonly (readonly number[])[]): Score[] {
  const random = seededRandom(rows.length);
  const below = (count: number) => Math.floor(random() * count);
  const vectorOf = (person: number) => {
    const own = rows[person] ?? [];
    return templates.vectorOf(own[below(own.length)] ?? 0);
  };
  const scoreOf = (one: number, other: number) => ({ score: cosine(vectorOf(one), vectorOf(other)), one, other });
  const people = rows.length;
  const pairs = (people * (people - 1)) / 2;
  if (pairs > MOST_SCORES) {
    return Array.from({ length: MOST_SCORES }, () => {
      const [one, other] = [below(people), below(people - 1)];
      return scoreOf(one, other < one ? other : other + 1);
    });
  }
  const each = Math.max(1, Math.min(MOST_OF_TWO, Math.floor(MOST_SCORES / pairs)));
  return rows.flatMap((_, one) =>
    Array.from({ length: one * each }, (__, index) => scoreOf(one, Math.floor(index / each))),
  );
}

/** The rows of each person, by number. */
export function rowsByPerson(owners: ArrayLike<number>): number[][] {
  const rows: number[][] = [];
  for (let row = 0; row < owners.length; row++) {
    const owner = owners[row] ?? 0;
    const own = rows[owner];
    if (own) own.push(row);
    else rows[owner] = [row];
  }
  return rows;
}

class Sums {
  count = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    this.#sum += value;
    this.#squares += value * value;
  }

  without(other: Sums): Sums {
    const rest = new Sums();
    rest.count = this.count - other.count;
    rest.#sum = this.#sum - other.#sum;
    rest.#squares = this.#squares - other.#squares;
    return rest;
  }

  get mean(): number {
    return this.#sum / this.count;
  }

  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.count - this.mean ** 2));
  }
}

/** Standard error of a figure, from what it is without each of the people. */
function jackknife(without: readonly number[]): number {
  const mean = without.reduce((sum, value) => sum + value, 0) / without.length;
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt((squares * (without.length - 1)) / without.length);
}
