import type { Config } from '../config/schema.ts';
import type { Affine, Box, Point, Size } from '../core/geometry.ts';
import type { FaceMask } from '../faces/mask-state.ts';
import type { FaceQuality } from '../faces/quality.ts';

/** What is done with a picture; each step includes those before it. */
export const PICTURE_STEPS = ['decode', 'detect', 'landmarks', 'align', 'embed'] as const;
export type PictureStep = (typeof PICTURE_STEPS)[number];

/** A face of a stored picture, pixels of the picture. What comes after `upTo` is null. */
export interface PictureFace {
  readonly box: Box;
  readonly score: number;
  readonly landmarks: readonly Point[] | null;
  readonly quality: FaceQuality | null;
  /** Picture to crop. */
  readonly alignment: Affine | null;
  readonly mask: FaceMask | null;
  /** Aligned, RGB, as large as the input of the full-face encoder. */
  readonly crop: Uint8Array | null;
  /** Unit length, by the encoder for its mask state; null also when it is no face to that. */
  readonly embedding: Float32Array | null;
}

export type PictureReading =
  | { readonly file: string; readonly size: Size; readonly faces: readonly PictureFace[]; readonly error: null }
  /** Why it could not be read, in one line. */
  | { readonly file: string; readonly size: null; readonly faces: readonly []; readonly error: string };

/** What the chain of a picture worker is opened with. */
export type ChainConfig = Pick<Config, 'models' | 'inference' | 'detection'>;

export type ToPictureWorker =
  | { readonly type: 'open'; readonly config: ChainConfig }
  | { readonly type: 'read'; readonly ticket: Ticket; readonly file: string; readonly upTo: PictureStep };

/** Which file of which list; what was given up may still be answered. */
export interface Ticket {
  readonly job: number;
  readonly index: number;
}

export type FromPictureWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'reading'; readonly ticket: Ticket; readonly reading: PictureReading }
  /** The worker cannot work at all. */
  | { readonly type: 'failed'; readonly code: string | null; readonly message: string };
