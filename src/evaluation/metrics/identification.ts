import { ComparisonTable, NOT_COMPARED } from './comparisons.ts';
import { operatingPoint, type Ranking, rank } from './roc.ts';

/** One probe compared with everybody in the gallery. */
export interface Search {
  /** Number of the person the probe is of. */
  readonly truth: number;
  /**
   * The best score of each person of the gallery, by number; -Infinity where the gallery has no face of them. Null when
   * no face was found in the probe.
   */
  readonly scores: Float64Array | null;
}

/**
 * Place of the right person among all by falling score, 1 for the first; those with an equal score stand before them.
 * Infinity when they can't be found: no face in the probe, or none of theirs in the gallery.
 */
export function rankOfTruth({ truth, scores }: Search): number {
  const own = scores?.[truth];
  if (!scores || own === undefined || own === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  let place = 1;
  for (let person = 0; person < scores.length; person++) {
    if (person !== truth && (scores[person] ?? Number.NEGATIVE_INFINITY) >= own) place++;
  }
  return place;
}

/** Cumulative match characteristic: the share of probes whose person is among the first 1, 2, … `depth`. */
export function cumulativeMatch(ranks: readonly number[], depth: number): number[] {
  return Array.from({ length: depth }, (_, at) => ranks.filter((place) => place <= at + 1).length / ranks.length);
}

/** Open-set identification at one threshold (ISO/IEC 19795-1; Grother et al., NIST FRTE 1:N, at rank 1). */
export interface OpenSetPoint {
  /** False positive identification rate: share of searches for somebody not enrolled that name anybody. */
  readonly fpir: number;
  /** False negative identification rate: share of searches for an enrolled person that do not name them first. */
  readonly fnir: number;
  readonly threshold: number;
}

/**
 * Searches as the table that open-set rates are read from: each probe once with its person in the gallery (accepted when
 * they come first and reach the threshold), and once as if that person were not enrolled (falsely accepted when anybody
 * reaches it).
 */
export function openSetRanking(searches: readonly Search[]): Ranking {
  const table = new ComparisonTable(searches.length * 2);
  for (const search of searches) {
    const { truth, scores } = search;
    const own = rankOfTruth(search) === 1 ? (scores?.[truth] ?? NOT_COMPARED) : NOT_COMPARED;
    table.add(true, own, truth, truth);
    let other = NOT_COMPARED;
    scores?.forEach((score, person) => {
      if (person !== truth) other = Math.max(other, score);
    });
    table.add(false, other, truth, truth);
  }
  return rank(table);
}

/** FNIR at the lowest threshold whose FPIR is not above `fpir`; null where there are too few probes for that rate. */
export function openSetPoint(ranking: Ranking, fpir: number): OpenSetPoint | null {
  const point = operatingPoint(ranking, fpir);
  return point && { fpir: point.far, fnir: 1 - point.tar, threshold: point.threshold };
}
