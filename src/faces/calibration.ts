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
