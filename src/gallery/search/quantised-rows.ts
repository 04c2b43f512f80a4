import { atOnce, type Steps } from '../../core/steps.ts';

/** Unit vectors as 8-bit numbers, with what is known of the error. */
export interface QuantisedRows {
  /** `rows * dimension` numbers in -127..127: the vectors times `scale`, rounded. */
  readonly values: Int8Array;
  readonly scale: number;
  /** No row is further than this from what its numbers say (Euclidean, in units of the vectors). */
  readonly maxError: number;
}

const LARGEST = 127;
/** Numbers looked at in a step: about a millisecond. */
const STEP = 2 ** 19;

/**
 * Vectors as 8-bit numbers on one scale, the finest that holds the largest number of any: a quarter of the memory to read
 * for each search, and the error of any dot product is bounded, since
 * `<v, p> - <v', p'> = <v - v', p> + <v', p - p'>`, at most `error(v) |p| + |v'| error(p)` by Cauchy and Schwarz.
 */
export function* quantising(vectors: Float32Array, dimension: number): Steps<QuantisedRows> {
  let largest = 0;
  for (let from = 0; from < vectors.length; from += STEP) {
    const end = Math.min(vectors.length, from + STEP);
    for (let i = from; i < end; i++) largest = Math.max(largest, Math.abs(vectors[i] ?? 0));
    yield;
  }
  const scale = largest > 0 ? LARGEST / largest : 1;
  const values = new Int8Array(vectors.length);
  let worst = 0;
  const rowsAStep = Math.max(1, Math.floor(STEP / dimension)) * dimension;
  for (let from = 0; from < vectors.length; from += rowsAStep) {
    worst = Math.max(worst, round(vectors, values, dimension, scale, from, Math.min(vectors.length, from + rowsAStep)));
    yield;
  }
  return { values, scale, maxError: Math.sqrt(worst) / scale };
}

/** {@link quantising} at once. */
export function quantise(vectors: Float32Array, dimension: number): QuantisedRows {
  return atOnce(quantising(vectors, dimension));
}

/** Fills in whole rows; gives the largest squared error of one, in units of the numbers. */
function round(vectors: Float32Array, values: Int8Array, dimension: number, scale: number, from: number, end: number) {
  let worst = 0;
  for (let start = from; start < end; start += dimension) {
    let squares = 0;
    for (let i = start; i < start + dimension; i++) {
      const scaled = (vectors[i] ?? 0) * scale;
      const whole = Math.floor(scaled + 0.5);
      values[i] = whole;
      squares += (scaled - whole) * (scaled - whole);
    }
    if (squares > worst) worst = squares;
  }
  return worst;
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
