/** The value that a share of the numbers does not exceed (nearest rank); null without numbers. Need not be sorted. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** Slope of the least-squares line through points (x, y), in y per x; null when all x are the same. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number | null {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (!(spread > 0)) return null;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

/** The number with so many digits after the point. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Robust deviations from the median to which numbers count as they are. */
const FULLY_COUNTED = 2.5;
/** Between the quartiles of a normal distribution, in deviations. */
const QUARTILES_APART = 1.349;

/** Middle and width of numbers that some far ones hardly move. */
export interface RobustMoments {
  readonly median: number;
  /** By the distance of the quartiles, as of a normal distribution. */
  readonly deviation: number;
  /** A number as it counts: Winsorised, one far from the median as what is less far. */
  counted(value: number): number;
}

/** Of no numbers both are 0. */
export function robustMoments(values: readonly number[]): RobustMoments {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  const median = at(0.5);
  const deviation = (at(0.75) - at(0.25)) / QUARTILES_APART;
  const [low, high] = [median - FULLY_COUNTED * deviation, median + FULLY_COUNTED * deviation];
  return { median, deviation, counted: (value) => Math.min(high, Math.max(low, value)) };
}
