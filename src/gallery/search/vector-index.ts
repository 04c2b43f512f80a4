/** Rows that may be nearest to a probe. */
export interface Nearest {
  /** Row numbers, the most alike first as far as the index can tell. */
  readonly rows: Uint32Array;
  /** No row left out has a larger dot product with the probe; -1 when none was left out, null when the index cannot tell. */
  readonly bound: number | null;
}

/** Finds the rows of a block of unit vectors that are most alike to a probe. Never changes. */
export interface VectorIndex {
  readonly kind: 'exact' | 'hnsw';
  readonly size: number;
  /** About `count` rows, at most `size`. The caller compares them itself: the order is that of the index. */
  nearest(probe: Float32Array, count: number): Nearest;
}
