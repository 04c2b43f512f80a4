import { normalTailQuantile } from '../core/normal.ts';
import type { MaskState } from '../core/person.ts';

/** What was measured of one similarity. */
export interface CalibrationPoint {
  /** Cosine similarity, -1..1. */
  readonly score: number;
  /** Share of comparisons of different people that score at least this. */
  readonly far: number;
  /** Natural logarithm of how much likelier the score is between looks at one person than between different people. */
  readonly llr: number;
}

/** What the similarities of one encoder mean for faces of one kind. */
export interface ScoreCurve {
  /** Pairs of different people, and of pictures of one person, it was fitted on. */
  readonly impostors: number;
  readonly genuine: number;
  /** How far scores of different pictures of a stranger against one template go together: correlation, 0..1. */
  readonly correlation: number;
  /** By rising score: the rate falls and the likelihood ratio does not. */
  readonly points: readonly CalibrationPoint[];
}

/** The curves of one encoder: of faces without a mask, and of those that wear one, as far as they were measured. */
export interface ScoreCalibration {
  readonly none?: ScoreCurve | undefined;
  readonly worn?: ScoreCurve | undefined;
}

/** A similarity with its meaning. */
export interface ScoreMeaning {
  readonly score: number;
  /** Log-likelihood ratio, natural: above 0 it speaks for one person, below for two. */
  readonly llr: number;
  /** The score made normal: strangers have it by a standard normal distribution, so the scores of encoders compare. */
  readonly normal: number;
}

/** The curve for a face; one whose mask was not judged counts as plain. Null when nothing was measured. */
export function curveFor(calibration: ScoreCalibration, mask: MaskState | null): ScoreCurve | null {
  const masked = mask === 'worn' || mask === 'incorrect';
  return (masked ? (calibration.worn ?? calibration.none) : (calibration.none ?? calibration.worn)) ?? null;
}

/**
 * Meaning of a score. Between measured points a straight line; beyond the last ones what they say and no more, so that no
 * score is worth more than the sample it was fitted on can support.
 */
export function meaningOf({ points }: ScoreCurve, score: number): ScoreMeaning {
  const above = points.findIndex((point) => point.score >= score);
  const [low, high] = above === -1 ? [points.at(-1), points.at(-1)] : [points[above - 1] ?? points[0], points[above]];
  if (!low || !high) throw new RangeError('a curve without points');
  const [from, to] = [normalOf(low), normalOf(high)];
  if (high === low || !(high.score > low.score)) return { score, llr: low.llr, normal: from };
  const share = Math.min(1, Math.max(0, (score - low.score) / (high.score - low.score)));
  return { score, llr: low.llr + share * (high.llr - low.llr), normal: from + share * (to - from) };
}

/** What the score says that half of all strangers have. */
export function strangerOf(curve: ScoreCurve): ScoreMeaning {
  return meaningOf(curve, scoreAtNormal(curve, 0));
}

/** The least score with at least this {@link ScoreMeaning.normal} value; the highest measured where none has. */
export function scoreAtNormal({ points }: ScoreCurve, normal: number): number {
  const above = points.findIndex((point) => normalOf(point) >= normal);
  const [low, high] = above === -1 ? [points.at(-1), points.at(-1)] : [points[above - 1] ?? points[0], points[above]];
  if (!low || !high) throw new RangeError('a curve without points');
  const [from, to] = [normalOf(low), normalOf(high)];
  return to > from ? low.score + ((normal - from) / (to - from)) * (high.score - low.score) : high.score;
}

/** The score that comparisons of different people reach at this rate; the highest measured where the rate is lower. */
export function scoreAtRate(curve: ScoreCurve, far: number): number {
  return scoreAtNormal(curve, normalTailQuantile(far));
}

function normalOf({ far }: CalibrationPoint): number {
  return normalTailQuantile(far);
}
