import { BOOTSTRAP, bootstrapOverPeople, type Interval, weightedShare } from './metrics/bootstrap.ts';
import { crossValidatedReliability, type Reliability } from './metrics/calibration.ts';
import type { Comparisons, ScoredPair } from './metrics/comparisons.ts';
import { comparisonsOf } from './metrics/comparisons.ts';
import { foldedAccuracy } from './metrics/folded-accuracy.ts';
import {
  cumulativeMatch,
  type OpenSetPoint,
  openSetPoint,
  openSetRanking,
  rankOfTruth,
  type Search,
} from './metrics/identification.ts';
import {
  equalErrorRate,
  operatingPoint,
  type Ranking,
  type RocPoint,
  rank,
  rocCurve,
  supportsRate,
  weightedPoints,
} from './metrics/roc.ts';

/** False accept rates that true accept rates are told at, as scripts name them. */
export const FAR_KEYS = ['1e-2', '1e-3', '1e-4'] as const;
export type FarKey = (typeof FAR_KEYS)[number];
/** False positive identification rates that open-set errors are told at. */
export const FPIR_KEYS = ['1e-1', '1e-2'] as const;
export type FpirKey = (typeof FPIR_KEYS)[number];

const FOLDS = 10;
const CMC_DEPTH = 20;

/** What comparisons of two faces say, whatever protocol made them. */
export interface ComparisonFigures {
  readonly genuine: number;
  readonly impostors: number;
  /** True accept rate at each false accept rate; null where there are too few comparisons of different people. */
  readonly tar: Readonly<Record<FarKey, number | null>>;
  /** Threshold of each; null as `tar`, or where nothing may be accepted. */
  readonly thresholds: Readonly<Record<FarKey, number | null>>;
  readonly tarInterval: Readonly<Record<FarKey, Interval | null>>;
  readonly eer: number | null;
  readonly roc: readonly RocPoint[];
  readonly calibration: Reliability | null;
}

export interface VerificationFigures extends ComparisonFigures {
  /** Of {@link FOLDS} folds; null with fewer than two pairs. */
  readonly accuracy: number | null;
  readonly accuracyInterval: Interval | null;
  readonly accuracyStandardError: number | null;
  /** Mean of the folds' thresholds. */
  readonly threshold: number | null;
}

export interface IdentificationFigures {
  readonly rank1: number;
  readonly rank1Interval: Interval | null;
  /** Among probes whose face was found; null when there is none. */
  readonly rank1Found: number | null;
  /** Share of probes whose person is among the first 1, 2, … people. */
  readonly cmc: readonly number[];
  readonly openSet: Readonly<Record<FpirKey, OpenSetPoint | null>>;
}

/** Figures of a table of comparisons. */
export function comparisonFigures(comparisons: Comparisons): ComparisonFigures {
  const ranking = rank(comparisons);
  const roc = rocCurve(ranking);
  const points = FAR_KEYS.map((key) => operatingPoint(ranking, Number(key)));
  const intervals = tarIntervals(ranking);
  return {
    genuine: ranking.genuine,
    impostors: ranking.impostors,
    tar: keyed(FAR_KEYS, (at) => points[at]?.tar ?? null),
    thresholds: keyed(FAR_KEYS, (at) => finite(points[at]?.threshold)),
    tarInterval: keyed(FAR_KEYS, (at) => intervals[at] ?? null),
    eer: equalErrorRate(roc),
    roc,
    calibration: crossValidatedReliability(comparisons, FOLDS),
  };
}

/** Figures of pairs, by the protocol of Labeled Faces in the Wild. */
export function verificationFigures(pairs: readonly ScoredPair[]): VerificationFigures {
  const comparisons = comparisonsOf(pairs);
  const figures = comparisonFigures(comparisons);
  const folds = Math.min(FOLDS, pairs.length);
  if (folds < 2) {
    return { ...figures, accuracy: null, accuracyInterval: null, accuracyStandardError: null, threshold: null };
  }
  const { accuracy, standardError, thresholds, right } = foldedAccuracy(pairs, folds);
  const [accuracyInterval = null] = bootstrapOverPeople(comparisons, (weights) => [weightedShare(right, weights)]);
  const threshold = finite(thresholds.reduce((sum, value) => sum + value, 0) / folds);
  return { ...figures, accuracy, accuracyInterval, accuracyStandardError: finite(standardError), threshold };
}

/** Figures of probes that were searched for. Throws RangeError without any. */
export function identificationFigures(searches: readonly Search[]): IdentificationFigures {
  if (searches.length === 0) throw new RangeError('no probe was searched for');
  const ranks = searches.map(rankOfTruth);
  const first = ranks.map((place) => place === 1);
  const found = searches.filter(({ scores }) => scores !== null).length;
  const people = Int32Array.from(searches, ({ truth }) => truth);
  const [rank1Interval = null] = bootstrapOverPeople({ first: people, second: people }, (weights) => [
    weightedShare(first, weights),
  ]);
  const right = first.filter(Boolean).length;
  const enrolled = Math.max(...searches.map(({ scores }) => scores?.length ?? 0), 1);
  const openSet = openSetRanking(searches);
  return {
    rank1: right / searches.length,
    rank1Interval,
    rank1Found: found > 0 ? right / found : null,
    cmc: cumulativeMatch(ranks, Math.min(CMC_DEPTH, enrolled)),
    openSet: keyed(FPIR_KEYS, (at) => openSetPoint(openSet, Number(FPIR_KEYS[at]))),
  };
}

/** How every interval here was made, for whoever reads a figure. */
export const INTERVALS = `${BOOTSTRAP.level * 100} % percentile bootstrap over people, ${BOOTSTRAP.resamples} resamples, seed ${BOOTSTRAP.seed}`;

function tarIntervals(ranking: Ranking): (Interval | null)[] {
  const rates = FAR_KEYS.map(Number);
  const supported = rates.map((rate) => ranking.genuine > 0 && supportsRate(ranking.impostors, rate));
  if (!supported.includes(true)) return rates.map(() => null);
  const pointsAt = weightedPoints(ranking, rates);
  return bootstrapOverPeople(ranking.comparisons, (weights) =>
    pointsAt(weights).map((point, at) => (supported[at] ? (point?.tar ?? null) : null)),
  );
}

function keyed<K extends string, V>(keys: readonly K[], valueAt: (index: number) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key, index) => [key, valueAt(index)])) as Record<K, V>;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
