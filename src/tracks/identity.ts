import type { Box } from '../core/geometry.ts';
import { cosine, normalise } from '../faces/embedding.ts';

export interface Place {
  readonly ms: number;
  readonly box: Box;
}

/** Who a track is about: its number, and what the looks at it had in common. */
export interface Identity {
  readonly number: number;
  /** Where it was first seen. */
  readonly born: Place;
  /** Mean of the looks, unit length; null before the first. */
  mean: Float32Array | null;
  looks: number;
  /** The face followed may be another's than before. */
  doubtful: boolean;
  /** Looks in doubt that told nothing. */
  vague: number;
  /** A look that contradicted those before. */
  rival: Float32Array | null;
}

/** What a look says of the identity it was taken for. */
export type Verdict = 'agrees' | 'vague' | 'contradicts';

export interface Likeness {
  /** Least cosine similarity of looks at the same person. */
  readonly sameFace: number;
  /** Looks less alike than this are at different people. */
  readonly differentFace: number;
}

/** A mean of more looks would be slow to follow somebody who takes glasses off. */
const MOST_LOOKS = 8;
/** So many looks that tell nothing end a doubt: a face that turns aside must not be looked at for ever. */
const VAGUE_LOOKS = 4;

/** Somebody new. */
export function newIdentity(number: number, born: Place): Identity {
  return { number, born, mean: null, looks: 0, doubtful: false, vague: 0, rival: null };
}

/**
 * Takes in one look, a unit-length embedding. A face that was followed without a doubt is the same whatever it looks
 * like, since people turn aside and put masks on; only one in doubt can be contradicted.
 */
export function weigh(identity: Identity, embedding: Float32Array, limits: Likeness): Verdict {
  const score = identity.mean === null ? 1 : cosine(identity.mean, embedding);
  const same = score >= limits.sameFace;
  if (!same && identity.doubtful) {
    if (score < limits.differentFace) return 'contradicts';
    identity.rival = null;
    identity.vague++;
    if (identity.vague >= VAGUE_LOOKS) settle(identity);
    return 'vague';
  }
  learn(identity, embedding);
  settle(identity);
  return 'agrees';
}

/** Takes one look, a unit-length embedding, into the mean. */
export function learn(identity: Identity, embedding: Float32Array): void {
  const { mean, looks } = identity;
  // Opposite looks have no mean.
  if (mean && cosine(mean, embedding) <= 0) return;
  identity.mean = mean
    ? normalise(mean.map((value, index) => value * looks + (embedding[index] ?? 0)))
    : Float32Array.from(embedding);
  identity.looks = Math.min(looks + 1, MOST_LOOKS);
}

/** No doubt is left. */
export function settle(identity: Identity): void {
  identity.doubtful = false;
  identity.vague = 0;
  identity.rival = null;
}
