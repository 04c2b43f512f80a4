import type { Tensor } from '../inference/vision-model.ts';

/**
 * One embedding of a batch, scaled to unit length; null when it is shorter than `minNorm` before that. An encoder trained
 * with a margin makes long features of what it recognises as a face and short ones of what it does not (Meng et al.,
 * "MagFace", CVPR 2021; Kim et al., "AdaFace", CVPR 2022), such as the back of a head the detector took for a face.
 * Throws RangeError when it is zero or not finite.
 */
export function unitEmbedding(output: Tensor, row: number, minNorm = 0): Float32Array | null {
  const dimension = output.data.length / (output.shape[0] ?? 1);
  const feature = output.data.subarray(row * dimension, (row + 1) * dimension);
  return lengthOf(feature) < minNorm ? null : normalise(feature);
}

/** A copy of `vector` scaled to unit length. Throws RangeError when its length is zero or not finite. */
export function normalise(vector: Float32Array): Float32Array {
  const length = lengthOf(vector);
  if (!(length > 0) || !Number.isFinite(length)) throw new RangeError('embedding has no direction');
  return vector.map((value) => value / length);
}

/** Dot product: the cosine similarity of unit vectors, -1..1. Throws RangeError when the dimensions differ. */
export function cosine(first: Float32Array, second: Float32Array): number {
  if (first.length !== second.length) throw new RangeError(`dimensions differ: ${first.length} and ${second.length}`);
  let sum = 0;
  for (let index = 0; index < first.length; index++) sum += (first[index] ?? 0) * (second[index] ?? 0);
  return sum;
}

/** Gives a row of `vectors`, rows of `dimension` numbers, by its index: the numbers themselves, no copy. */
export function rowsIn(vectors: Float32Array, dimension: number): (row: number) => Float32Array {
  return (row) => vectors.subarray(row * dimension, (row + 1) * dimension);
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
