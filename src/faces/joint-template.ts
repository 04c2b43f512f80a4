import { normalise } from './embedding.ts';

/** How templates of an upper-part encoder are made of bare faces. */
export interface JointTemplates {
  /** Fingerprint of the full-face encoder whose space it learned: the embeddings of both compare with each other. */
  readonly encoder: string;
  /** Of that one's embedding in a template, 0..1. */
  readonly share: number;
}

/**
 * What a probe of the upper part is compared with: the mean of what its encoder says of a bare face and what the full-face encoder says of
 * the whole. The probe shows half a face; what is enrolled need not be held to that half. Unit length.
 *
 * @param own   by the upper-part encoder, unit length
 * @param whole by the full-face encoder, unit length
 * Throws RangeError when the dimensions differ.
 */
export function jointTemplate(own: Float32Array, whole: Float32Array, share: number): Float32Array {
  if (own.length !== whole.length) throw new RangeError(`dimensions differ: ${own.length} and ${whole.length}`);
  return normalise(own.map((value, at) => (1 - share) * value + share * (whole[at] ?? 0)));
}
