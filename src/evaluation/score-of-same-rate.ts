import { normalTailQuantile } from '../core/normal.ts';
import type { ScoreCurve } from '../faces/score-calibration.ts';

/**
 * The score of one encoder that different people reach as often as `score` of another: what makes scores of two encoders
 * comparable. Between the measured points of a curve a straight line through its normal scores, and on beyond them, where what a
 * look is worth to a decision ends: of two scores the higher stays the higher. -1..1.
 * Throws RangeError unless each curve has two points or more, at different scores and rates.
 */
export function scoreOfSameRate(from: ScoreCurve, score: number, to: ScoreCurve): number {
  const normal = along(
    from.points.map((point) => [point.score, normalTailQuantile(point.far)]),
    score,
  );
  const found = along(
    to.points.map((point) => [normalTailQuantile(point.far), point.score]),
    normal,
  );
  return Math.max(-1, Math.min(1, found));
}

/** Where the line through the points, by rising x and bent at each of them, is at `x`. */
function along(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const next = points.findIndex(([other]) => other >= x);
  const second = next === -1 ? points.length - 1 : Math.max(next, 1);
  const [low, high] = [points[second - 1], points[second]];
  const slope = low && high ? (high[1] - low[1]) / (high[0] - low[0]) : Number.NaN;
  if (!low || !Number.isFinite(slope)) throw new RangeError('a calibration needs two points at different scores');
  return low[1] + slope * (x - low[0]);
}
