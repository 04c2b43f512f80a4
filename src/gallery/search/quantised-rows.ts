/** Unit vectors as 8-bit numbers, with what is known of the error. */
export interface QuantisedRows {
  /** `rows * dimension` numbers in -127..127: the vectors times `scale`, rounded. */
  readonly values: Int8Array;
  readonly scale: number;
  /** No row is further than this from what its numbers say (Euclidean, in units of the vectors). */
  readonly maxError: number;
}

const LARGEST = 127;

/**
 * Vectors as 8-bit numbers on one scale, the finest that holds the largest number of any: a quarter of the memory to read
 * for each search, and the error of any dot product is bounded, since
 * `<v, p> - <v', p'> = <v - v', p> + <v', p - p'>`, at most `error(v) |p| + |v'| error(p)` by Cauchy and Schwarz.
 */
export function quantise(vectors: Float32Array, dimension: number): QuantisedRows {
  let largest = 0;
  for (let i = 0; i < vectors.length; i++) largest = Math.max(largest, Math.abs(vectors[i] ?? 0));
  const scale = largest > 0 ? LARGEST / largest : 1;
  const values = new Int8Array(vectors.length);
  let worst = 0;
  for (let start = 0; start < vectors.length; start += dimension) {
    let squares = 0;
    for (let i = start; i < start + dimension; i++) {
      const scaled = (vectors[i] ?? 0) * scale;
      const whole = Math.floor(scaled + 0.5);
      values[i] = whole;
      squares += (scaled - whole) * (scaled - whole);
    }
    if (squares > worst) worst = squares;
  }
  return { values, scale, maxError: Math.sqrt(worst) / scale };
}

/** A probe on the scale of its own, and its distance from what its numbers say. */
export function quantiseProbe(probe: Float32Array): { values: Int8Array; scale: number; error: number } {
  const { values, scale, maxError } = quantise(probe, probe.length);
  return { values, scale, error: maxError };
}

/** How far a dot product of quantised unit vectors may be from that of the vectors themselves. */
export function dotErrorBound(rowError: number, probeError: number): number {
  return rowError + (1 + rowError) * probeError;
}
