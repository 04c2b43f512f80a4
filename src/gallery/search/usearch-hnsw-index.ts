import { closeSync, openSync, unlinkSync } from 'node:fs';
import usearch from 'usearch';
import { quantiseProbe } from './quantised-rows.ts';
import type { VectorIndex } from './vector-index.ts';

const ONE_THREAD = 1;

/** Settings of a graph: neighbours a node keeps, candidates kept while a row is added, and while searching. */
export interface HnswOptions {
  readonly connectivity: number;
  readonly expansionAdd: number;
  readonly expansionSearch: number;
}

/** Measured at a million rows of 512 numbers: docs/performance.md. */
export const HNSW: HnswOptions = { connectivity: 32, expansionAdd: 200, expansionSearch: 384 };

function emptyIndex(dimension: number, options: HnswOptions) {
  return new usearch.Index({
    dimensions: dimension,
    metric: usearch.MetricKind.IP,
    quantization: usearch.ScalarKind.I8,
    connectivity: options.connectivity,
    expansion_add: options.expansionAdd,
    expansion_search: options.expansionSearch,
    multi: false,
  });
}

/**
 * A navigable small world graph over rows (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search
 * using Hierarchical Navigable Small World graphs", PAMI 2020) that are 8-bit numbers on one scale, see quantised-rows.ts: what
 * usearch itself makes of floats is five times coarser. It is made part by part, and written to a file to be searched.
 */
export class HnswWriter {
  readonly #index: ReturnType<typeof emptyIndex>;
  readonly #dimension: number;
  #size = 0;

  constructor(dimension: number, options: HnswOptions = HNSW) {
    this.#dimension = dimension;
    this.#index = emptyIndex(dimension, options);
  }

  /** Adds the rows that come next; blocks until they are in. */
  add(values: Int8Array, threads: number): void {
    const count = values.length / this.#dimension;
    const first = this.#size;
    this.#index.add(
      BigUint64Array.from({ length: count }, (_, row) => BigInt(first + row)),
      values,
      threads,
    );
    this.#size += count;
  }

  /** Throws when there is no room; the file exists before, so that it is readable by its owner alone. */
  save(file: string): void {
    closeSync(openSync(file, 'wx', 0o600));
    this.#index.save(file);
  }
}

/**
 * The index in a file of {@link HnswWriter}, which is mapped, not read, and has no name from then on. Approximate: what it does not
 * find it does not know of.
 */
export function openHnswIndex(file: string, dimension: number, options: HnswOptions = HNSW): VectorIndex {
  const index = emptyIndex(dimension, options);
  try {
    index.view(file);
  } finally {
    unlinkSync(file);
  }
  const size = index.size();
  return {
    kind: 'hnsw',
    size,
    nearest(probe, count) {
      const found = index.search(quantiseProbe(probe).values, Math.min(count, size), ONE_THREAD);
      return { rows: Uint32Array.from(found.keys, Number), bound: null };
    },
  };
}
