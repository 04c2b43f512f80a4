import { EyelineError } from '../../core/errors.ts';
import { normalise } from '../../faces/embedding.ts';
import { type PixelScale, writePlanes } from '../data/sampler.ts';
import type { RgbImage } from '../data/warp.ts';
import type { Values } from '../engine.ts';
import { sizeOf } from '../graph/shapes.ts';
import type { Student } from './student.ts';

/** What of an encoder's answer is an embedding. */
export interface EmbeddingOf {
  readonly output: string;
  /** The mean with what it says of the mirror image, as the manifest has it. */
  readonly mirrored: boolean;
}

/** Crops that are given as numbers at once: those of all would fill the memory. */
const MOST_AT_ONCE = 16;

/**
 * Embeddings of crops by a student with these weights, unit length. Throws TRAINING_DIVERGED where one is no number, or zero.
 *
 * @param crops of the size the model takes; each is asked for when it is its turn
 */
export async function unitEmbeddings(
  student: Student,
  values: Values,
  { crops, pixels }: { readonly crops: Iterable<RgbImage>; readonly pixels: PixelScale },
  of: EmbeddingOf,
): Promise<Float32Array[]> {
  const size = sizeOf(student.inputShape);
  const planes = new Float32Array(MOST_AT_ONCE * size);
  const embeddings: Float32Array[] = [];
  let count = 0;
  for (const crop of crops) {
    writePlanes(crop, pixels, planes, count++ * size);
    if (count < MOST_AT_ONCE) continue;
    embeddings.push(...(await embedded(student, values, planes, count, of)));
    count = 0;
  }
  if (count > 0) embeddings.push(...(await embedded(student, values, planes.subarray(0, count * size), count, of)));
  return embeddings;
}

/** Changes the crops: left and right are exchanged. */
async function embedded(
  student: Student,
  values: Values,
  crops: Float32Array,
  count: number,
  { output, mirrored }: EmbeddingOf,
): Promise<Float32Array[]> {
  const look = async () => (await student.run(crops, count, values))[output] ?? new Float32Array();
  const given = await look();
  if (mirrored) mirrorRows(crops, student.inputShape.at(-1) ?? 1);
  const other = mirrored ? await look() : null;
  const mean = other ? given.map((value, at) => (value + (other[at] ?? 0)) / 2) : given;
  const dimension = mean.length / count;
  return Array.from({ length: count }, (_, row) => direction(mean.slice(row * dimension, (row + 1) * dimension)));
}

function direction(embedding: Float32Array): Float32Array {
  try {
    return normalise(embedding);
  } catch (error) {
    const what = 'what the model says of a face is zero, or no number';
    throw new EyelineError('TRAINING_DIVERGED', what, { cause: error });
  }
}

/** Exchanges left and right of all rows of all channels. */
function mirrorRows(crops: Float32Array, width: number): void {
  for (let row = 0; row < crops.length; row += width) crops.subarray(row, row + width).reverse();
}
