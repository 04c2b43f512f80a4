/** A share that was counted, with its interval of 95 %. */
export interface CountedRate {
  readonly events: number;
  readonly trials: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
  /** How many times as many trials as independent ones would be needed, at least 1. */
  readonly designEffect: number;
}

const Z95 = 1.959964;

/** One kind of outcome of some trials that belong together: the tracks of a stranger, or those before one gallery. */
export interface Cluster {
  readonly events: number;
  readonly trials: number;
}

/**
 * The rate of events, with Wilson's interval for as many trials as independent ones would tell as much: the number is
 * divided by Kish's design effect ("Survey Sampling", 1965), the variance between clusters over that of independent trials;
 * of several ways to form clusters the largest counts.
 */
export function countedRate(ways: readonly (readonly Cluster[])[]): CountedRate {
  const [first = []] = ways;
  const events = first.reduce((sum, cluster) => sum + cluster.events, 0);
  const trials = first.reduce((sum, cluster) => sum + cluster.trials, 0);
  const rate = trials > 0 ? events / trials : 0;
  const designEffect = Math.max(1, ...ways.map((clusters) => effectOf(clusters, rate)));
  return { events, trials, rate, designEffect, ...wilson(rate, trials / designEffect) };
}

function effectOf(clusters: readonly Cluster[], rate: number): number {
  const trials = clusters.reduce((sum, cluster) => sum + cluster.trials, 0);
  const independent = trials * rate * (1 - rate);
  if (!(independent > 0) || clusters.length < 2) return 1;
  const spread = clusters.reduce((sum, cluster) => sum + (cluster.events - cluster.trials * rate) ** 2, 0);
  return ((clusters.length / (clusters.length - 1)) * spread) / independent;
}

/** Wilson's score interval (1927) of 95 %. */
export function wilson(rate: number, trials: number): { low: number; high: number } {
  if (!(trials > 0)) return { low: 0, high: 1 };
  const z2 = Z95 * Z95;
  const middle = rate + z2 / (2 * trials);
  const half = Z95 * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials * trials));
  const whole = 1 + z2 / trials;
  return { low: Math.max(0, (middle - half) / whole), high: Math.min(1, (middle + half) / whole) };
}
