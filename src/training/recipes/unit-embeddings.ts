import { normalise } from '../../faces/embedding.ts';
import type { Values } from '../engine.ts';
import type { Student } from './student.ts';

/** What of an encoder's answer is an embedding. */
export interface EmbeddingOf {
  readonly output: string;
  /** The mean with what it says of the mirror image, as the manifest has it. */
  readonly mirrored: boolean;
}

/**
 * Embeddings of crops by a student with these weights, unit length.
 *
 * @param crops numbers of `count` crops as the model takes them, channels first, one after another
 */
export async function unitEmbeddings(
  student: Student,
  values: Values,
  { crops, count }: { readonly crops: Float32Array; readonly count: number },
  { output, mirrored }: EmbeddingOf,
): Promise<Float32Array[]> {
  const look = async (some: Float32Array) => (await student.run(some, count, values))[output] ?? new Float32Array();
  const given = await look(crops);
  const other = mirrored ? await look(mirroredRows(crops, student.inputShape.at(-1) ?? 1)) : null;
  const mean = other ? given.map((value, at) => (value + (other[at] ?? 0)) / 2) : given;
  const dimension = mean.length / count;
  return Array.from({ length: count }, (_, row) => normalise(mean.slice(row * dimension, (row + 1) * dimension)));
}

/** Left and right exchanged, of all rows of all channels. */
function mirroredRows(crops: Float32Array, width: number): Float32Array {
  const mirrored = crops.slice();
  for (let row = 0; row < mirrored.length; row += width) mirrored.subarray(row, row + width).reverse();
  return mirrored;
}
