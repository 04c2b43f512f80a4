import { normalTail, normalTailQuantile } from '../core/normal.ts';
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

/** Mean and standard deviation of scores. */
export interface ScoreMoments {
  readonly mean: number;
  readonly deviation: number;
}

/** What the similarities of one encoder mean for faces of one kind. */
export interface ScoreCurve {
  /** Pairs of different people, and of pictures of one person, it was fitted on. */
  readonly impostors: number;
  readonly genuine: number;
  /** How far scores of different pictures of a stranger against one template go together: correlation, 0..1. */
  readonly correlation: number;
  /**
   * How alike the people are that it was fitted on: of the scores of their plain pictures with each other, by the same encoder, as
   * {@link crossPersonScores} has them.
   */
  readonly reference?: ScoreMoments | undefined;
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
export function meaningOf(curve: ScoreCurve, score: number): ScoreMeaning {
  const { scores, llrs, normals } = columnsOf(curve);
  const { low, high, share } = between(scores, score);
  const along = (values: readonly number[]) => mix(values[low] ?? 0, values[high] ?? 0, share);
  return { score, llr: along(llrs), normal: along(normals) };
}

/** What the score says that half of all strangers have. */
export function strangerOf(curve: ScoreCurve): ScoreMeaning {
  const known = strangers.get(curve) ?? meaningOf(curve, scoreAtNormal(curve, 0));
  strangers.set(curve, known);
  return known;
}

/** The least score with at least this {@link ScoreMeaning.normal} value; the highest measured where none has. */
export function scoreAtNormal(curve: ScoreCurve, normal: number): number {
  const { low, high, share } = between(columnsOf(curve).normals, normal);
  return mix(curve.points[low]?.score ?? 1, curve.points[high]?.score ?? 1, share);
}

/** The score that comparisons of different people reach at this rate; the highest measured where the rate is lower. */
export function scoreAtRate(curve: ScoreCurve, far: number): number {
  return scoreAtNormal(curve, normalTailQuantile(far));
}

/** Two faces that score as strangers do this seldom are taken for one: of strangers, of a track and of a picture. */
const SAME_FACE_RATE = 1e-5;

/** The score from which two faces are taken for one person where no door depends on it; null when nothing was measured. */
export function sameFaceScore(calibration: ScoreCalibration, mask: MaskState | null): number | null {
  const curve = curveFor(calibration, mask);
  return curve && scoreAtRate(curve, SAME_FACE_RATE);
}

/** Looks at two people are less alike than this all but so often: what is less alike yet speaks against one person. */
export const ALIKE_RATE = 0.03;

/** The score below which two faces are taken for two people; null when nothing was measured. */
export function differentFaceScore(calibration: ScoreCalibration, mask: MaskState | null): number | null {
  const curve = curveFor(calibration, mask);
  return curve && scoreAtRate(curve, ALIKE_RATE);
}

/** One measured operating point of an encoder: the share of comparisons of different people that score at least this. */
export interface OperatingPoint {
  readonly threshold: number;
  readonly far: number;
}

/** How far false accept rates are taken on below and above the few points that were measured, as normal scores. */
const BEYOND = [-3, 0];
/** The likelihood ratio is about 1 over this many times the rate: of MobileFaceNet on LFW within 2 everywhere. */
const LIKELIHOOD_OF_RATE = 200;
/** Of what nothing was measured: looks of one track are taken to be nearly the same. */
const CAUTIOUS_CORRELATION = 0.9;

/**
 * A curve of false accept rates alone: likelihood ratios are those of an encoder that was measured, at the same rates; below
 * the lowest point scores are taken to be normal. Null without two points at different scores.
 */
export function curveOfRates(points: readonly OperatingPoint[]): ScoreCurve | null {
  const rates = [...points].sort((a, b) => a.threshold - b.threshold);
  const [first, second] = rates;
  if (!first || !second || !(second.threshold > first.threshold) || !(second.far < first.far)) return null;
  const [low, high] = [normalTailQuantile(first.far), normalTailQuantile(second.far)];
  const width = (second.threshold - first.threshold) / (high - low);
  const below = BEYOND.filter((normal) => normal < low).map((normal) => ({
    threshold: first.threshold - (low - normal) * width,
    far: normalTail(normal),
  }));
  return {
    impostors: Math.round(3 / (rates.at(-1)?.far ?? 1)),
    genuine: 0,
    correlation: CAUTIOUS_CORRELATION,
    points: [...below, ...rates].map(({ threshold, far }) => ({
      score: threshold,
      far,
      llr: -Math.log(LIKELIHOOD_OF_RATE * far),
    })),
  };
}

interface Columns {
  readonly scores: readonly number[];
  readonly llrs: readonly number[];
  readonly normals: readonly number[];
}

/** Kept for each curve: they are asked for at every look. */
const columns = new WeakMap<ScoreCurve, Columns>();
const strangers = new WeakMap<ScoreCurve, ScoreMeaning>();

function columnsOf(curve: ScoreCurve): Columns {
  const known = columns.get(curve) ?? {
    scores: curve.points.map(({ score }) => score),
    llrs: curve.points.map(({ llr }) => llr),
    normals: curve.points.map(({ far }) => normalTailQuantile(far)),
  };
  columns.set(curve, known);
  return known;
}

/** Between which of rising values one lies, and how far from the lower to the higher; at an end beyond it. */
function between(values: readonly number[], value: number): { low: number; high: number; share: number } {
  const above = values.findIndex((other) => other >= value);
  const high = above === -1 ? values.length - 1 : above;
  const low = Math.max(0, high - 1);
  const [from, to] = [values[low] ?? 0, values[high] ?? 0];
  const share = above === -1 || !(to > from) ? 1 : Math.max(0, (value - from) / (to - from));
  return { low, high, share };
}

function mix(from: number, to: number, share: number): number {
  return from + share * (to - from);
}
