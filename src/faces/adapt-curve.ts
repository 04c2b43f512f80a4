import { normalTail, normalTailQuantile } from '../core/normal.ts';
import type { CrossPersonScores } from './cross-person-scores.ts';
import {
  type CalibrationPoint,
  curveFor,
  meaningOf,
  type ScoreCalibration,
  type ScoreCurve,
  type ScoreMoments,
  scoreAtNormal,
} from './score-calibration.ts';

/** How much more alike some people are than those a curve was fitted on, in deviations of the scores of the latter; never less. */
export interface Alikeness {
  /** How much higher their scores are in the mean, 0 or more. */
  readonly shift: number;
  /** How many times as wide they are spread, 1 or more: of several groups of people, each alike among themselves. */
  readonly spread: number;
}

/** Of fewer people nothing is told: a family is alike, and strangers at its door are not. */
export const LEAST_PEOPLE = 8;

/** Rates between which scores are taken to go on as evenly: there curves are known best, and decisions fall. */
const STEADY_RATES = [1e-2, 1e-4] as const;

const LOWEST = -4;

/**
 * How much more alike the people of a gallery are than those of the reference, as far as it is no chance of who is enrolled:
 * both moments are shrunk by the positive-part rule of James and Stein (1961), so that a gallery of a mixed public changes nothing.
 */
export function alikenessOf(gallery: CrossPersonScores, reference: ScoreMoments): Alikeness {
  const unit = reference.deviation;
  return {
    shift: beyondChance((gallery.mean - reference.mean) / unit, gallery.meanError / unit),
    spread: 1 + beyondChance(gallery.deviation / unit - 1, gallery.deviationError / unit),
  };
}

/** What is left of something above 0 when it is allowed for its standard error. */
function beyondChance(value: number, error: number): number {
  return value > error ? value * (1 - (error / value) ** 2) : 0;
}

/**
 * The curve as it is among people so much more alike: the scores that stand for its rates are raised as if the scores of strangers were as many
 * deviations higher and wider, as z-norm has it (Auckenthaler et al., "Score normalization for text-independent speaker
 * verification systems", 2000; Matejka et al., "Analysis of score normalization in multilingual speaker recognition", 2017). No score means more
 * than before.
 */
export function adaptCurve(curve: ScoreCurve, { shift, spread }: Alikeness): ScoreCurve {
  const slope = scoreOfDeviation(curve);
  const raised = curve.points.map((point) => {
    const by = Math.max(0, shift + (spread - 1) * deviationsOf(point.far));
    return { ...point, score: point.score + slope * by };
  });
  return { ...curve, points: upToOne(raised, curve) };
}

/** The points cut off at a score of 1, which no two faces reach: lower rates stand for it. */
function upToOne(points: readonly CalibrationPoint[], curve: ScoreCurve): readonly CalibrationPoint[] {
  const within = points.filter(({ score }) => score < 1);
  if (within.length === points.length || within.length === 0) return points.slice(0, within.length || 2);
  const { llr, normal } = meaningOf({ ...curve, points }, 1);
  return [...within, { score: 1, far: normalTail(normal), llr }];
}

/** How much the score rises with a deviation, in the tail of the curve. */
export function scoreOfDeviation(curve: ScoreCurve): number {
  const last = deviationsOf(curve.points.at(-1)?.far ?? 1);
  const [from, to] = STEADY_RATES.map((rate) => Math.min(deviationsOf(rate), last)) as [number, number];
  const low = from < to ? from : deviationsOf(curve.points[0]?.far ?? 1);
  return (scoreAtNormal(curve, to) - scoreAtNormal(curve, low)) / (to - low);
}

/** Deviations above the mean that strangers are at this rate; a rate of 1 is below all that was measured. */
function deviationsOf(far: number): number {
  return Math.max(normalTailQuantile(far), LOWEST);
}

/** How alike the people are that a curve of an encoder was fitted on; from the curves where nobody measured it. */
export function referenceOf(curve: ScoreCurve, calibration: ScoreCalibration): ScoreMoments {
  if (curve.reference) return curve.reference;
  const plain = curveFor(calibration, 'none') ?? curve;
  const [low, middle, high] = [-1, 0, 1].map((normal) => scoreAtNormal(plain, normal)) as [number, number, number];
  return { mean: middle, deviation: (high - low) / 2 };
}
