import { EyelineError, messageOf } from '../../core/errors.ts';
import type { ModelEntry } from '../manifest.ts';
import { convertTfjs } from './tfjs-to-onnx.ts';
import { convertTflite } from './tflite-to-onnx.ts';

/** Raised when the same source is converted in another way: what was prepared before is then prepared anew. */
export const CONVERSION_VERSION = 1;

/**
 * A model's file as ONNX: as it is, or converted. The same bytes always give the same bytes.
 *
 * @param weights of a `tfjs` model; null for all others
 * Throws MODEL_UNSUPPORTED, which names the operator and the node there is no conversion for.
 */
export function toOnnx(
  { id, format = 'onnx', columnsFirst = false, input }: Pick<ModelEntry, 'id' | 'format' | 'columnsFirst' | 'input'>,
  file: Uint8Array,
  weights: Uint8Array | null,
): Uint8Array {
  try {
    if (format === 'tfjs') return convertTfjs(file, weights ?? new Uint8Array());
    if (format === 'tflite') return convertTflite(file, { rows: input.height, columns: input.width, columnsFirst });
    return file;
  } catch (error) {
    throw new EyelineError('MODEL_UNSUPPORTED', `model ${id}: ${messageOf(error)}`, { cause: error });
  }
}
