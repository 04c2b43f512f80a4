import type { ModelEntry } from './manifest.ts';
import type { Provider } from './providers.ts';
import type { BatchModel, Outputs } from './vision-model.ts';

/** What the daemon and its inference thread say to each other. */

export type ToInference =
  | {
      readonly type: 'open';
      readonly call: number;
      readonly entry: ModelEntry;
      /** Path of the prepared graph, checked. */
      readonly graph: string;
      readonly providers: readonly Provider[];
      readonly threads: number;
    }
  /** `pixels` moves over, and comes back with the answer. */
  | {
      readonly type: 'run';
      readonly call: number;
      readonly model: number;
      readonly pixels: Uint8Array<ArrayBuffer>;
      readonly count: number;
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
