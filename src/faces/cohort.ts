import { robustMoments } from '../core/statistics.ts';
import { LEAST_PEOPLE } from './adapt-curve.ts';
import { type OwnedTemplates, rowsByPerson } from './cross-person-scores.ts';
import { cosine } from './embedding.ts';

/** People of a gallery, a sample of them where there are many, and what is told by how alike a face is to all of these. */
export interface Cohort {
  /** Its people: owners of the templates it was made of, by rising number. */
  readonly members: readonly number[];
  /** How much of what a face is more alike to everybody than faces are in the mean is taken off its scores, 0..1. */
  readonly weight: number;
  /** By how much that lessens the variance of scores of different people. */
  readonly variance: number;
  /**
   * What is to be taken off the scores of a face, by the owner it is compared with (a number as in the templates it was made of); below 0
   * for a face that is less alike to all than faces are in the mean. Nobody tells about their own score.
   *
   * @param probe unit length
   */
  allowance(probe: Float32Array): (owner: number) => number;
}

/** People a face is compared with at most: they tell how alike it is to all to less than a tenth of the deviation of scores. */
const MOST_PEOPLE = 128;

/**
 * The people of a gallery as the cohort of test normalisation (T-norm; Auckenthaler et al., "Score normalization for text-independent
 * speaker verification systems", 2000): among people who are alike, some faces are like everybody, and high scores of theirs mean
 * little. Only the mean is normalised, and by as much as such differences are beyond the chance of a small cohort (empirical Bayes;
 * Efron and Morris, "Stein's estimation rule and its competitors", 1973), which the people of the gallery show among themselves: in a mixed public
 * there are hardly any. Null for too few people to tell.
 */
export function cohortOf(templates: OwnedTemplates, rows = rowsByPerson(templates.owners)): Cohort | null {
  if (rows.length < LEAST_PEOPLE) return null;
  const size = Math.min(rows.length, MOST_PEOPLE);
  const members = Array.from({ length: size }, (_, place) => Math.floor((place * rows.length) / size));
  const vectors = members.map((owner) => meanOf(templates, rows[owner] ?? []));
  const crossed = vectors.map((one, place) => vectors.slice(0, place).map((other) => cosine(one, other)));
  // Somebody who is there twice is no more alike than the most alike of the others.
  const { counted } = robustMoments(crossed.flat());
  const sums = new Float64Array(size);
  let [sum, squares] = [0, 0];
  crossed.forEach((scores, one) => {
    scores.forEach((score, other) => {
      const value = counted(score);
      sums[one] = (sums[one] ?? 0) + value;
      sums[other] = (sums[other] ?? 0) + value;
      sum += value;
      squares += value * value;
    });
  });
  const pairs = (size * (size - 1)) / 2;
  const centre = sum / pairs;
  const variance = Math.max(0, squares / pairs - centre ** 2);
  const between = sums.reduce((all, own) => all + (own / (size - 1) - centre) ** 2, 0) / (size - 1);
  const beyondChance = Math.max(0, between - variance / (size - 1));
  const weight = beyondChance > 0 ? beyondChance / (beyondChance + variance / size) : 0;
  const placeOf = new Map(members.map((owner, place) => [owner, place]));
  return {
    members,
    weight,
    variance: weight * beyondChance,
    allowance(probe) {
      if (weight === 0) return () => 0;
      const scores = vectors.map((vector) => counted(cosine(vector, probe)));
      const all = scores.reduce((total, score) => total + score, 0);
      return (owner) => {
        const own = placeOf.get(owner);
        const mean = own === undefined ? all / size : (all - (scores[own] ?? 0)) / (size - 1);
        return weight * (mean - centre);
      };
    },
  };
}

/** A cosine with something taken off, or added: a score, -1 to 1 as cosines are. */
export function lessened(cosine: number, allowance: number): number {
  return Math.max(-1, Math.min(1, cosine - allowance));
}

/** The mean of a person's templates, whose score with a face is the mean of theirs. */
function meanOf({ vectorOf }: OwnedTemplates, rows: readonly number[]): Float32Array {
  const [first = 0, ...others] = rows;
  const mean = vectorOf(first).slice();
  for (const row of others) {
    const vector = vectorOf(row);
    for (let at = 0; at < mean.length; at++) mean[at] = (mean[at] ?? 0) + (vector[at] ?? 0);
  }
  return mean.map((value) => value / Math.max(1, rows.length));
}
