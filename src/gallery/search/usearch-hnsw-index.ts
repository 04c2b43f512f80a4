import usearch from 'usearch';
import type { VectorIndex } from './vector-index.ts';

export interface HnswOptions {
  /** Neighbours a node keeps. */
  readonly connectivity: number;
  /** Candidates kept while a row is added. */
  readonly expansionAdd: number;
  /** Candidates kept while searching. */
  readonly expansionSearch: number;
  readonly threads: number;
}

/**
 * A navigable small world graph over the rows (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search
 * using Hierarchical Navigable Small World graphs", PAMI 2020), which keeps them in 8-bit numbers. Approximate: what it does not
 * find it does not know of, so `bound` promises nothing.
 */
export function createHnswIndex(vectors: Float32Array, dimension: number, options: HnswOptions): VectorIndex {
  const size = vectors.length / dimension;
  const index = new usearch.Index({
    dimensions: dimension,
    metric: usearch.MetricKind.IP,
    quantization: usearch.ScalarKind.I8,
    connectivity: options.connectivity,
    expansion_add: options.expansionAdd,
    expansion_search: options.expansionSearch,
    multi: false,
  });
  index.add(
    BigUint64Array.from({ length: size }, (_, row) => BigInt(row)),
    vectors,
    options.threads,
  );
  return {
    size,
    nearest(probe, count) {
      const found = index.search(probe, Math.min(count, size), 1);
      return { rows: Uint32Array.from(found.keys, Number), bound: -1 };
    },
  };
}
