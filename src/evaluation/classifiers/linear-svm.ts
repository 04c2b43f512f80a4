import { shuffled } from '../../core/shuffled.ts';
import { dot, type FeatureMatrix, rowOf } from '../../training/classifiers/feature-matrix.ts';

export interface SvmOptions {
  readonly classes: number;
  /** Price of a violated margin; the larger, the less the margin counts. */
  readonly cost: number;
  /** Draws the order of the examples. */
  readonly random: () => number;
}

/** Distance from the boundary of each class against all others, positive inside. */
export type Decide = (features: Float32Array) => Float64Array;

const MAX_ROUNDS = 100;
/** Largest violation of the optimality conditions that counts as solved. */
const TOLERANCE = 1e-3;

/**
 * Linear support vector machines, one class against the rest, squared hinge loss, by dual coordinate descent (Hsieh et al.,
 * "A dual coordinate descent method for large-scale linear SVM", ICML 2008). The offset is a further feature of 1.
 *
 * Throws RangeError when a label is no class.
 */
export function trainLinearSvm(features: FeatureMatrix, labels: readonly number[], options: SvmOptions): Decide {
  const { classes, cost, random } = options;
  if (labels.length !== features.rows || labels.some((label) => !(label >= 0 && label < classes))) {
    throw new RangeError(`${features.rows} rows need a label each, below ${classes}`);
  }
  const boundaries = Array.from({ length: classes }, (_, label) => {
    const sides = labels.map((it) => (it === label ? 1 : -1));
    return sides.includes(1) ? separate(features, sides, cost, random) : null;
  });
  return (row) =>
    Float64Array.from(boundaries, (boundary) =>
      boundary === null ? Number.NEGATIVE_INFINITY : dot(boundary.normal, row) + boundary.offset,
    );
}

interface Boundary {
  readonly normal: Float32Array;
  readonly offset: number;
}

function separate(features: FeatureMatrix, sides: readonly number[], cost: number, random: () => number): Boundary {
  const diagonal = 1 / (2 * cost);
  const normal = new Float32Array(features.columns);
  let offset = 0;
  const alpha = new Float64Array(features.rows);
  const squares = Float64Array.from(sides, (_, row) => dot(rowOf(features, row), rowOf(features, row)) + 1 + diagonal);
  const rows = sides.map((_, row) => row);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let worst = 0;
    for (const row of shuffled(rows, random)) {
      const point = rowOf(features, row);
      const side = sides[row] as number;
      const before = alpha[row] as number;
      const slope = side * (dot(normal, point) + offset) - 1 + diagonal * before;
      // At the bound only a step away from it is a violation.
      const violation = before === 0 ? Math.min(slope, 0) : slope;
      if (violation === 0) continue;
      worst = Math.max(worst, Math.abs(violation));
      const after = Math.max(before - slope / (squares[row] as number), 0);
      alpha[row] = after;
      const move = (after - before) * side;
      for (let at = 0; at < normal.length; at++) normal[at] = (normal[at] as number) + move * (point[at] as number);
      offset += move;
    }
    if (worst < TOLERANCE) break;
  }
  return { normal, offset };
}
