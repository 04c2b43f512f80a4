import type { ScoredPair } from './comparisons.ts';

/** Verification protocol of Labeled Faces in the Wild (Huang et al. 2007), view 2: the threshold comes from other folds. */
export interface FoldedAccuracy {
  /** Mean share of pairs told right over the folds. */
  readonly accuracy: number;
  /** Standard error of that mean: deviation of the folds divided by the root of their number. */
  readonly standardError: number;
  /** Of each fold, the threshold the others gave it. */
  readonly thresholds: readonly number[];
  /** Whether each pair was told right, in order. */
  readonly right: readonly boolean[];
}

/**
 * Each of `folds` parts is told with the threshold that is best on all the others. The first pair of either kind belongs to
 * the first part, the second to the second and so on, so that the parts are balanced in whatever order pairs come.
 *
 * Throws RangeError when there are fewer pairs than folds, or fewer than two folds.
 */
export function foldedAccuracy(pairs: readonly Pick<ScoredPair, 'same' | 'score'>[], folds: number): FoldedAccuracy {
  if (folds < 2 || pairs.length < folds) throw new RangeError(`${pairs.length} pairs cannot make ${folds} folds`);
  const foldOf = balancedFolds(pairs, folds);
  const thresholds = Array.from({ length: folds }, (_, fold) =>
    bestThreshold(pairs.filter((_pair, index) => foldOf[index] !== fold)),
  );
  const right = pairs.map(({ same, score }, index) => score >= (thresholds[foldOf[index] ?? 0] ?? 0) === same);
  const accuracies = thresholds.flatMap((_, fold) => {
    const part = right.filter((_right, index) => foldOf[index] === fold);
    return part.length > 0 ? [part.filter(Boolean).length / part.length] : [];
  });
  const accuracy = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const variance = accuracies.reduce((sum, value) => sum + (value - accuracy) ** 2, 0) / (accuracies.length - 1);
  return { accuracy, standardError: Math.sqrt(variance / accuracies.length), thresholds, right };
}

function balancedFolds(pairs: readonly Pick<ScoredPair, 'same'>[], folds: number): number[] {
  let [same, different] = [0, 0];
  return pairs.map((pair) => (pair.same ? same++ : different++) % folds);
}

/** The threshold at which most pairs are told right, the highest of several; scores from it on say "the same". */
export function bestThreshold(pairs: readonly Pick<ScoredPair, 'same' | 'score'>[]): number {
  const sorted = [...pairs].sort((a, b) => b.score - a.score);
  let right = sorted.filter(({ same }) => !same).length;
  let best = { right, threshold: Number.POSITIVE_INFINITY };
  for (const [index, { same, score }] of sorted.entries()) {
    right += same ? 1 : -1;
    // Equal scores fall on the same side.
    if (sorted[index + 1]?.score !== score && right > best.right) best = { right, threshold: score };
  }
  return best.threshold;
}
