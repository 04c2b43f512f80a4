import { EyelineError, messageOf } from '../core/errors.ts';
import type { Layout } from './graph/pixel-input.ts';
import { layoutOfGraph } from './graph/prepare.ts';
import type { ModelEntry } from './manifest.ts';
import type { GraphInput } from './onnxruntime-model.ts';
import type { Tensor } from './vision-model.ts';

/** Runs a graph once; the adapter's `evaluateGraph`. */
export type EvaluateGraph = (graph: Uint8Array, input: GraphInput) => Promise<Readonly<Record<string, Tensor>>>;

/** Share of the largest output that a batched row may differ: kernels may add in another order. */
const TOLERANCE = 1e-4;
const PICTURES = 3;

/**
 * Runs the original on single pictures, normalised here, and the prepared graph on all of them as one batch of bytes;
 * every row must be the same; of a `mirrored` encoder, the mean of a picture's and its mirror image's. This finds what looking at the graph does not: an exporter can fix the batch in many ways.
 *
 * Throws MODEL_UNSUPPORTED, which names the output and the picture.
 */
export async function checkPreparedGraph({
  original,
  prepared,
  entry,
  evaluate,
}: {
  original: Uint8Array;
  prepared: Uint8Array;
  entry: ModelEntry;
  evaluate: EvaluateGraph;
}): Promise<void> {
  const { id, input, outputs, mirrored = false } = entry;
  const refuse = (message: string, cause?: unknown) =>
    new EyelineError('MODEL_UNSUPPORTED', `model ${id}: ${message}`, { cause });
  const layout = layoutOfGraph(original, input);
  const size = input.width * input.height * input.channels;
  const pictures = Array.from({ length: PICTURES }, (_, index) => patternedPicture(size, index));
  const shape = [PICTURES, input.height, input.width, input.channels];
  const batch = new Uint8Array(pictures.length * size);
  for (const [index, picture] of pictures.entries()) batch.set(picture, index * size);

  const batched = await evaluate(prepared, { type: 'uint8', data: batch, shape }).catch((error: unknown) => {
    throw refuse(`cannot take a batch of ${PICTURES}: ${messageOf(error)}`, error);
  });
  for (const [index, picture] of pictures.entries()) {
    const alone = (shown: Uint8Array) =>
      evaluate(original, originalInput(shown, entry, layout)).catch((error: unknown) => {
        throw refuse(`does not run as it came: ${messageOf(error)}`, error);
      });
    const single = await alone(picture);
    const second = mirrored ? await alone(mirroredPicture(picture, input)) : null;
    for (const output of outputs) {
      const numbers = output.shape.reduce((product, extent) => product * extent, 1);
      const own = single[output.name]?.data;
      const other = second?.[output.name]?.data;
      const expected = other ? own?.map((value, at) => (value + (other[at] ?? Number.NaN)) / 2) : own;
      const found = batched[output.name]?.data;
      if (expected?.length !== numbers) {
        throw refuse(
          `output ${output.name} has ${expected?.length} numbers a picture, not ${output.shape.join(' x ')}`,
        );
      }
      if (found?.length !== numbers * PICTURES) throw refuse(`output ${output.name} does not follow the batch`);
      const row = found.subarray(index * numbers, (index + 1) * numbers);
      if (!sameNumbers(expected, row)) {
        throw refuse(`output ${output.name} of picture ${index} in a batch differs from the picture on its own`);
      }
    }
  }
}

/** Normalised in the usual way outside the graph: `(pixel - mean) * scale`. */
function originalInput(picture: Uint8Array, { input }: ModelEntry, layout: Layout): GraphInput {
  const { width, height, channels, colour, mean, scale } = input;
  const pixels = width * height;
  const data = new Float32Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const from = colour === 'bgr' ? channels - 1 - channel : channel;
      const value = picture[pixel * channels + from] ?? 0;
      const to = layout === 'nchw' ? channel * pixels + pixel : pixel * channels + channel;
      data[to] = (value - (mean[channel] ?? 0)) * (scale[channel] ?? 1);
    }
  }
  return {
    type: 'float32',
    data,
    shape: layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels],
  };
}

/** Left and right exchanged. */
function mirroredPicture(picture: Uint8Array, { width, height, channels }: ModelEntry['input']): Uint8Array {
  const mirrored = new Uint8Array(picture.length);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const from = (row * width + column) * channels;
      mirrored.set(picture.subarray(from, from + channels), (row * width + width - 1 - column) * channels);
    }
  }
  return mirrored;
}

/** Bytes that look like nothing, but the same at each call: a linear congruential sequence (Numerical Recipes). */
export function patternedPicture(size: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

function sameNumbers(expected: Float32Array, found: Float32Array): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.every((value, index) => Math.abs(value - (found[index] ?? Number.NaN)) <= TOLERANCE * largest);
}
