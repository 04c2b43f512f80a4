import type { Affine, Size } from '../core/geometry.ts';
import type { Provider } from './providers.ts';

/** One output of a batch: `shape[0]` is the batch size; `data` is laid out row by row. */
export interface Tensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export type Outputs = Readonly<Record<string, Tensor>>;

/** Where the time of runs goes; each run adds its own. Milliseconds. */
export interface RunTrace {
  /** Waiting for a batch and for the runtime to be free. */
  queuedMs: number;
  /** In the runtime: of a batch the whole time, since all its pictures wait for it. */
  runMs: number;
}

/** What is known of a model, whoever runs it. */
export interface ModelTraits {
  /** Id in the manifest. */
  readonly id: string;
  /** Hex digest over weights and preprocessing: results of different fingerprints are never compared. */
  readonly fingerprint: string;
  /** Execution provider that runs it. */
  readonly provider: Provider;
  /** Size of one picture; `channels` 3 is RGB, 1 is grey. */
  readonly input: Size & { readonly channels: 1 | 3 };
}

/**
 * A prepared graph: takes raw pixels, everything up to the first layer (cast, normalise, transpose) happens inside.
 * Consumers know nothing of the runtime behind it, nor with whose pictures theirs share a batch.
 */
export interface VisionModel extends ModelTraits {
  /**
   * Runs any number of pictures, each `height * width * channels` bytes. Gives each output by name, a row a picture,
   * in order. Throws RangeError when a picture has another size.
   */
  run(pictures: readonly Uint8Array[], trace?: RunTrace): Promise<Outputs>;
}

/** How long a run of so many pictures takes when nothing else is going on. */
export interface RunTiming {
  readonly pictures: number;
  readonly ms: number;
}

/** A model as its runtime has it: batches, the pictures of each one after another in one buffer. */
export interface BatchModel extends ModelTraits {
  /** Batches it works on at a time, which may then end in any order; 1 when left out. */
  readonly parallelRuns?: number;
  /** Measured when it was opened, smallest batch first; no larger batch was tried. */
  readonly timings: readonly RunTiming[];
  /**
   * Runs one batch of `count` pictures, the first of `pixels`. The buffer may be moved away; the result holds one of
   * the same size to use again.
   */
  runBatch(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult>;
  /** Finishes what runs and frees the session. */
  close(): Promise<void>;
}

export interface BatchResult {
  readonly outputs: Outputs;
  readonly runMs: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** A whole picture as bytes: rows, 3 bytes a pixel, BGR. */
export interface FramePixels extends Size {
  readonly bgr: Uint8Array;
}

/** An encoder that takes whole pictures, and cuts and aligns the faces itself. */
export interface AligningModel extends Omit<ModelTraits, 'input'> {
  /** Size of the crops it makes: what alignments lead to. */
  readonly input: Size;
  /**
   * Runs faces of one picture. Gives each output by name, a row an alignment, in order. Throws RangeError when the bytes do
   * not fill the picture, a side of it is a single pixel, or an alignment cannot be inverted.
   *
   * @param alignments picture to crop coordinates
   */
  runAligned(frame: FramePixels, alignments: readonly Affine[]): Promise<AlignedResult>;
  /** Finishes what runs and frees the session. */
  close(): Promise<void>;
}

export interface AlignedResult {
  readonly outputs: Outputs;
  /** In the runtime, milliseconds. */
  readonly runMs: number;
}

/** Bytes of one picture of a model. */
export function pictureBytes({ input }: Pick<ModelTraits, 'input'>): number {
  return input.width * input.height * input.channels;
}
