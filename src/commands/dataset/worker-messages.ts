import { type ErrorCode, EyelineError } from '../../core/errors.ts';

/** What goes to a worker process and comes back. */
export type ToWorker<Data, Job> =
  | { readonly kind: 'open'; readonly data: Data }
  | { readonly kind: 'job'; readonly id: number; readonly job: Job }
  | { readonly kind: 'close' };

export type FromWorker<Answer> =
  | { readonly kind: 'ready' }
  /** It could not open what it works with. */
  | { readonly kind: 'failed'; readonly error: PortableError }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'error'; readonly id: number; readonly error: PortableError };

/** Of an error that is sent to another process only the built-in parts arrive; a code must go beside it. */
export interface PortableError {
  readonly code: ErrorCode | null;
  readonly error: unknown;
}

export function packError(error: unknown): PortableError {
  return { code: error instanceof EyelineError ? error.code : null, error };
}

export function unpackError({ code, error }: PortableError): unknown {
  return code !== null && error instanceof Error ? new EyelineError(code, error.message, { cause: error }) : error;
}
