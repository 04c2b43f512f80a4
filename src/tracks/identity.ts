import type { Box } from '../core/geometry.ts';
import { cosine, normalise } from '../faces/embedding.ts';

export interface Place {
  readonly ms: number;
  readonly box: Box;
}

/** One face of one frame, looked at closely. */
export interface Look {
  /** Unit length. */
  readonly embedding: Float32Array;
  /** What made the embedding: those of different encoders are not compared. */
  readonly encoder: string;
}

/** Who a track is about: its number, and what the looks at it had in common. */
export interface Identity {
  readonly number: number;
  /** Where it was first seen. */
  readonly born: Place;
  /** Mean of the looks by each encoder, unit length, and how many they are. */
  readonly means: Map<string, { readonly mean: Float32Array; readonly looks: number }>;
  /** The face followed may be another's than before. */
  doubtful: boolean;
  /** Looks in doubt that told nothing. */
  vague: number;
  /** A look that contradicted those before. */
  rival: Look | null;
}

/** What a look says of the identity it was taken for. */
export type Verdict = 'agrees' | 'vague' | 'contradicts';

/** A cosine similarity: of every encoder, or of the one with a fingerprint. */
export type Limit = number | ((encoder: string) => number);

export interface Likeness {
  /** Least cosine similarity of looks at the same person. */
  readonly sameFace: Limit;
  /** Looks less alike than this are at different people. */
  readonly differentFace: Limit;
}

/** The limit of an encoder. */
export function limitFor(limit: Limit, encoder: string): number {
  return typeof limit === 'number' ? limit : limit(encoder);
}

/** A mean of more looks would be slow to follow somebody who takes glasses off. */
const MOST_LOOKS = 8;
/** So many looks that tell nothing end a doubt: a face that turns aside must not be looked at for ever. */
const VAGUE_LOOKS = 4;

/** Somebody new. */
export function newIdentity(number: number, born: Place): Identity {
  return { number, born, means: new Map(), doubtful: false, vague: 0, rival: null };
}

/**
 * Takes in one look. A face that was followed without a doubt is the same whatever it looks like, since people turn aside
 * and put masks on; only one in doubt can be contradicted.
 */
export function weigh(identity: Identity, look: Look, limits: Likeness): Verdict {
  const likeness = likenessOf(identity, look);
  const same = likeness === null ? identity.means.size === 0 : likeness >= limitFor(limits.sameFace, look.encoder);
  if (!same && identity.doubtful) {
    if (likeness !== null && likeness < limitFor(limits.differentFace, look.encoder)) return 'contradicts';
    identity.rival = null;
    identity.vague++;
    if (identity.vague >= VAGUE_LOOKS) settle(identity);
    return 'vague';
  }
  learn(identity, look);
  settle(identity);
  return 'agrees';
}

/** Cosine similarity of a look to those before; null where none was by the same encoder. */
export function likenessOf({ means }: Identity, { embedding, encoder }: Look): number | null {
  const known = means.get(encoder);
  return known ? cosine(known.mean, embedding) : null;
}

/** Takes one look into the mean. */
export function learn(identity: Identity, look: Look): void {
  const { embedding, encoder } = look;
  const known = identity.means.get(encoder);
  if (!known) {
    identity.means.set(encoder, { mean: embedding, looks: 1 });
    return;
  }
  const { mean, looks } = known;
  // Opposite looks have no mean.
  if (cosine(mean, embedding) <= 0) return;
  identity.means.set(encoder, {
    mean: normalise(mean.map((value, index) => value * looks + (embedding[index] ?? 0))),
    looks: Math.min(looks + 1, MOST_LOOKS),
  });
}

/** No doubt is left. */
export function settle(identity: Identity): void {
  identity.doubtful = false;
  identity.vague = 0;
  identity.rival = null;
}
