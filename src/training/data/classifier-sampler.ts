import type { Batch } from '../engine.ts';
import { pickOne, type Sampler, sampleRandom } from './sampler.ts';

export interface ClassifierSampling {
  /** Rows of features: of each face plain, then under each of its masks. */
  readonly features: Float32Array;
  readonly columns: number;
  /** A face to draw from: its first row, how many masks it has, and its class. */
  readonly faces: readonly ClassifiedFace[];
  readonly batch: number;
  readonly seed: number;
  /** Share of the samples that wear a mask. */
  readonly masked: number;
}

export interface ClassifiedFace {
  readonly row: number;
  readonly masks: number;
  readonly label: number;
}

/** Batches of features that were computed before: `input` [n, columns], and `labels` [n]. */
export function classifierSampler(options: ClassifierSampling): Sampler {
  const { features, columns, faces, batch: count, seed, masked } = options;
  return {
    batch(number): Batch {
      const input = new Float32Array(count * columns);
      const labels = new BigInt64Array(count);
      for (let at = 0; at < count; at++) {
        const random = sampleRandom(seed, number, at);
        const { row, masks, label } = pickOne(faces, random);
        const shown = masks > 0 && random() < masked ? row + 1 + Math.floor(random() * masks) : row;
        input.set(features.subarray(shown * columns, (shown + 1) * columns), at * columns);
        labels[at] = BigInt(label);
      }
      return {
        input: { type: 'float32', data: input, shape: [count, columns] },
        labels: { type: 'int64', data: labels, shape: [count] },
      };
    },
  };
}
