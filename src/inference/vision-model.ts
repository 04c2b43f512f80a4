import type { Size } from '../core/geometry.ts';

/** One output of a batch: `shape[0]` is the batch size; `data` is laid out row by row. */
export interface Tensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/**
 * A prepared graph: takes raw pixels, everything up to the first layer (cast, normalise, transpose) happens inside.
 * Consumers know nothing of the runtime behind it.
 */
export interface VisionModel {
  /** Id in the manifest. */
  readonly id: string;
  /** Hex digest over weights and preprocessing: results of different fingerprints are never compared. */
  readonly fingerprint: string;
  /** Execution provider that runs it (`cpu`, `cuda`, `tensorrt`). */
  readonly provider: string;
  /** Size of one picture; `channels` 3 is RGB, 1 is grey. */
  readonly input: Size & { readonly channels: 1 | 3 };
  /**
   * Runs one batch: each picture `height * width * channels` bytes. Gives each output by name.
   * Throws RangeError when a picture has another size.
   */
  run(pictures: readonly Uint8Array[]): Promise<Readonly<Record<string, Tensor>>>;
  /** Frees the session. The model must not be used after. */
  close(): Promise<void>;
}
