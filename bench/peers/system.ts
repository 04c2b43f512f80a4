import type { Box } from '../../src/core/geometry.ts';

/** What Eyeline is measured beside: each as its documentation advises for this job, and in its fastest settings. */
export const PEERS = ['human', 'human-no-mesh', 'face-api', 'face-api-tiny'] as const;

export type PeerName = (typeof PEERS)[number];
export type SystemName = 'eyeline' | PeerName;

/** A decoded picture: `height * width * 3` bytes, rows of RGB. The same bytes go to every system. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export interface FoundFace {
  /** Pixels of the picture. */
  readonly box: Box;
  readonly embedding: Float32Array;
}

/** For the report. */
export interface SystemTraits {
  /** Name and version. */
  readonly name: string;
  /** What computes, with how many threads. */
  readonly runsOn: string;
  readonly settings: string;
}

/** Face recognition of one make, opened: finds the faces of a picture, aligns them as it does, and embeds them. */
export interface FaceSystem extends SystemTraits {
  /** Pictures to have in hand at a time, where that makes it faster. */
  readonly inHand: number;
  /** All faces of a picture: from its bytes to embeddings, nothing kept from the picture before. */
  read(picture: RgbPicture): Promise<readonly FoundFace[]>;
}

/** Most faces of a picture each system looks at: as many as Eyeline's default. */
export const MAX_FACES = 20;
