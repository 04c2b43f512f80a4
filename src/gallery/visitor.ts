import type { FacePart, MaskState } from '../core/person.ts';

/** What a track looked like to one encoder. */
export interface TrackTemplate {
  /** Fingerprint: embeddings of different ones are never compared. */
  readonly encoder: string;
  readonly part: FacePart;
  readonly mask: MaskState | null;
  /** Unit length. */
  readonly embedding: Float32Array;
  /** 0..1 */
  readonly quality: number;
}

/** A track that was decided. */
export interface TrackSighting {
  readonly track: string;
  readonly camera: string;
  /** Wall clock, milliseconds. */
  readonly seenAtMs: number;
  /** Best first; one an encoder, or more. */
  readonly templates: readonly TrackTemplate[];
}

/** Somebody unknown who came, once or often. */
export interface Visitor {
  readonly id: string;
  /** Whom they were named; null while they are unknown. */
  readonly person: string | null;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly sightings: readonly { readonly track: string; readonly camera: string; readonly seenAtMs: number }[];
  readonly templates: number;
}

/** How many are kept, and for how long. */
export interface VisitorLimits {
  readonly maxVisitors: number;
  readonly keepMs: number;
}

/** Least similarity at which two looks by an encoder are taken for one visitor; above 1 where nothing was measured. */
export type SameVisitor = (encoder: string, mask: MaskState | null) => number;
