import { EyelineError } from '../core/errors.ts';
import { patternedPicture } from './check-graph.ts';
import type { AligningModel, Outputs, VisionModel } from './vision-model.ts';

/** Least cosine between an output for the same pixels by both ways: half precision stays far above. */
const LEAST_COSINE = 0.999;

/**
 * Gives an encoder one crop and the same encoder with alignment in its graph the frame that the crop is the whole of: what
 * comes out must be the same. This finds a provider that reads frames wrongly, before a face is named by it.
 *
 * Throws MODEL_UNSUPPORTED.
 */
export async function checkAligning(encoder: VisionModel, aligning: AligningModel): Promise<void> {
  const { width, height, channels } = encoder.input;
  const bgr = patternedPicture(width * height * channels, 0);
  const rgb = bgr.slice();
  for (let at = 0; at < rgb.length; at += 3) rgb.subarray(at, at + 3).reverse();
  const expected = await encoder.run([rgb]);
  const { outputs: found } = await aligning.runAligned({ width, height, bgr }, [[1, 0, 0, 0, 1, 0]]);
  for (const name of Object.keys(expected)) {
    const likeness = cosineOf(expected, found, name);
    if (likeness >= LEAST_COSINE) continue;
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${encoder.id}: with alignment in its graph ${aligning.provider} gives another ${name} for the same pixels ` +
        `(cosine ${likeness.toFixed(4)})`,
    );
  }
}

function cosineOf(expected: Outputs, found: Outputs, name: string): number {
  const first = expected[name]?.data ?? new Float32Array();
  const second = found[name]?.data ?? new Float32Array();
  let [both, ofFirst, ofSecond] = [0, 0, 0];
  for (const [index, value] of first.entries()) {
    const other = second[index] ?? 0;
    both += value * other;
    ofFirst += value * value;
    ofSecond += other * other;
  }
  return first.length === second.length ? both / Math.sqrt(ofFirst * ofSecond) : Number.NaN;
}
