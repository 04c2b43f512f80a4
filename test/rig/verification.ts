/** Verification protocol of Labeled Faces in the Wild (Huang et al. 2007), view 2: the threshold comes from other folds. */

export interface ScoredPair {
  readonly same: boolean;
  readonly score: number;
}

/** Mean share of pairs told right, each of `folds` parts with the threshold that is best on all the others. */
export function foldedAccuracy(pairs: readonly ScoredPair[], folds: number): number {
  const parts = Array.from({ length: folds }, (_, fold) => pairs.filter((_, index) => index % folds === fold));
  const accuracies = parts.map((part, fold) => {
    const threshold = bestThreshold(parts.filter((_, other) => other !== fold).flat());
    return part.filter(({ same, score }) => score >= threshold === same).length / part.length;
  });
  return accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / folds;
}

function bestThreshold(pairs: readonly ScoredPair[]): number {
  const sorted = [...pairs].sort((a, b) => b.score - a.score);
  let right = sorted.filter(({ same }) => !same).length;
  let best = { right, threshold: Number.POSITIVE_INFINITY };
  for (const { same, score } of sorted) {
    right += same ? 1 : -1;
    if (right > best.right) best = { right, threshold: score };
  }
  return best.threshold;
}
