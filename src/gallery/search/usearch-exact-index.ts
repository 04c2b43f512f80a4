import usearch from 'usearch';
import { dotErrorBound, type QuantisedRows, quantiseProbe } from './quantised-rows.ts';
import type { Nearest, VectorIndex } from './vector-index.ts';

const ONE_THREAD = 1;

/**
 * Every row is compared, in 8-bit numbers with the machine's vector instructions; what they cannot tell apart shows in
 * `bound`, so that the caller, who compares the rows given in full precision, knows whether it has seen enough.
 */
export function createExactIndex(rows: QuantisedRows, dimension: number): VectorIndex {
  const size = rows.values.length / dimension;
  return {
    kind: 'exact',
    size,
    nearest(probe, count): Nearest {
      const wanted = Math.min(count, size);
      if (wanted === 0) return { rows: new Uint32Array(), bound: -1 };
      const { values, scale, error } = quantiseProbe(probe);
      const found = usearch.exactSearch(rows.values, values, dimension, wanted, usearch.MetricKind.IP, ONE_THREAD);
      // The distance is 1 - dot product, of whole numbers below 2^24: exact in single precision.
      const last = 1 - (found.distances[wanted - 1] ?? 0);
      const bound = last / (rows.scale * scale) + dotErrorBound(rows.maxError, error);
      return { rows: Uint32Array.from(found.keys, Number), bound: wanted === size ? -1 : bound };
    },
  };
}
