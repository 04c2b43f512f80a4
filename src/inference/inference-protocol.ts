import type { Affine, Size } from '../core/geometry.ts';
import type { ModelEntry } from './manifest.ts';
import type { OpenOptions } from './onnxruntime-model.ts';
import type { AligningModel, BatchModel, Outputs } from './vision-model.ts';

/** What the daemon and its inference thread say to each other. */

/** What can be told to another thread of how a model is opened. */
export type ThreadOptions = Omit<OpenOptions, 'logger' | 'probe'>;

export type ToInference =
  | {
      /** `openAligning` opens an encoder with alignment in its graph. */
      readonly type: 'open' | 'openAligning';
      readonly call: number;
      readonly entry: ModelEntry;
      /** Path of the prepared graph, checked. */
      readonly graph: string;
      readonly options: ThreadOptions;
    }
  /** `pixels` moves over, and comes back with the answer. */
  | {
      readonly type: 'run';
      readonly call: number;
      readonly model: number;
      readonly pixels: Uint8Array<ArrayBuffer>;
      readonly count: number;
    }
  /** `pixels`, of which the first `length` bytes are the frame's, moves as well. */
  | {
      readonly type: 'align';
      readonly call: number;
      readonly model: number;
      readonly pixels: Uint8Array<ArrayBuffer>;
      readonly length: number;
      readonly size: Size;
      readonly alignments: readonly Affine[];
    }
  | { readonly type: 'close'; readonly call: number; readonly model: number };

export type FromInference =
  /** `model` names it from now on. */
  | {
      readonly type: 'opened';
      readonly call: number;
      readonly model: number;
      readonly traits: Pick<BatchModel, 'id' | 'fingerprint' | 'provider' | 'input' | 'timings'>;
    }
  | {
      readonly type: 'openedAligning';
      readonly call: number;
      readonly model: number;
      readonly traits: Pick<AligningModel, 'id' | 'fingerprint' | 'provider' | 'input'>;
    }
  /** Answers `run` and `align`. */
  | {
      readonly type: 'ran';
      readonly call: number;
      readonly outputs: Outputs;
      readonly runMs: number;
      readonly pixels: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: 'closed'; readonly call: number }
  /** `code` of an EyelineError, null for any other. */
  | { readonly type: 'failed'; readonly call: number; readonly code: string | null; readonly message: string }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };
