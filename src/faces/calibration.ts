/** One measured operating point of an encoder: the share of comparisons of different people that score at least this. */
export interface OperatingPoint {
  readonly threshold: number;
  readonly far: number;
}

/**
 * False accept rate of one comparison at a threshold, between measured points by a straight line through the logarithm
 * of the rate (impostor scores fall off about exponentially). Above the last point the rate of that point, which is then
 * too high and so on the safe side; below the first point, or without any, null: nothing was measured there.
 */
export function falseAcceptRate(points: readonly OperatingPoint[], threshold: number): number | null {
  const sorted = [...points].sort((a, b) => a.threshold - b.threshold);
  const above = sorted.findIndex((point) => point.threshold >= threshold);
  if (above === -1) return sorted.at(-1)?.far ?? null;
  const [low, high] = [sorted[above - 1], sorted[above]];
  if (!high || high.threshold === threshold) return high?.far ?? null;
  if (!low) return null;
  const share = (threshold - low.threshold) / (high.threshold - low.threshold);
  return low.far ** (1 - share) * high.far ** share;
}

/**
 * The score of one encoder that different people reach as often as `score` of another: what makes scores of two encoders
 * comparable. Straight lines through the logarithm of the rate, as above, go on beyond the measured points; -1..1.
 * Throws RangeError unless each encoder has two points or more, at different scores and rates.
 */
export function scoreOfSameRate(from: readonly OperatingPoint[], score: number, to: readonly OperatingPoint[]): number {
  const rate = along(
    from.map(({ threshold, far }) => [threshold, Math.log(far)]),
    score,
  );
  const found = along(
    to.map(({ threshold, far }) => [Math.log(far), threshold]),
    rate,
  );
  return Math.max(-1, Math.min(1, found));
}

/** Where the line through the points, bent at each of them, is at `x`. */
function along(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const sorted = [...points].sort(([a], [b]) => a - b);
  const next = sorted.findIndex(([other]) => other >= x);
  const second = next === -1 ? sorted.length - 1 : Math.max(next, 1);
  const [low, high] = [sorted[second - 1], sorted[second]];
  const slope = low && high ? (high[1] - low[1]) / (high[0] - low[0]) : Number.NaN;
  if (!low || !Number.isFinite(slope)) throw new RangeError('a calibration needs two points at different scores');
  return low[1] + slope * (x - low[0]);
}
