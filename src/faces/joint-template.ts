import { normalise } from './embedding.ts';
import { type FaceMask, partToEmbed } from './mask-state.ts';

/** How templates of an upper-part encoder are made of bare faces. */
export interface JointTemplates {
  /** Fingerprint of the full-face encoder whose space it learned: the embeddings of both compare with each other. */
  readonly encoder: string;
  /** Of that one's embedding in a template, 0..1. */
  readonly share: number;
}

/** What a face is to both encoders. */
export interface FaceToBoth {
  /** By the upper-part encoder, unit length. */
  readonly own: Float32Array;
  /** By the full-face encoder, unit length; null for what is no face to it. */
  readonly whole: Float32Array | null;
  readonly mask: FaceMask | null;
}

/**
 * What a probe of the upper part is compared with: of a bare face the mean of what both encoders say. The probe shows half a face;
 * what is enrolled need not be held to that half. Of a face with a mask the whole says nothing. Unit length.
 *
 * @param share of what the full-face encoder says, 0..1
 * Throws RangeError when the dimensions differ.
 */
export function upperTemplate({ own, whole, mask }: FaceToBoth, share: number): Float32Array {
  return whole && share > 0 && partToEmbed(mask) === 'full' ? jointTemplate(own, whole, share) : own;
}

/** The mean of two embeddings of one space, weighed. Throws RangeError when the dimensions differ. */
export function jointTemplate(own: Float32Array, whole: Float32Array, share: number): Float32Array {
  if (own.length !== whole.length) throw new RangeError(`dimensions differ: ${own.length} and ${whole.length}`);
  return normalise(own.map((value, at) => (1 - share) * value + share * (whole[at] ?? 0)));
}
