import { EyelineError } from '../core/errors.ts';
import type { Box } from '../core/geometry.ts';
import type { MaskState } from '../core/person.ts';
import type { AlignmentPoints } from '../faces/align.ts';
import type { FaceLandmarks } from '../faces/landmarks.ts';
import type { FaceMask } from '../faces/mask-state.ts';
import type { FaceQuality } from '../faces/quality.ts';

/** The crops an encoder takes. */
export interface CropsTaken {
  /** Side of the aligned crop, pixels. */
  readonly cropPx: number;
  /** What the face is aligned by: a crop each. */
  readonly alignedBy: readonly AlignmentPoints[];
}

/** Of whatever takes crops no more than which. */
export function cropsTaken({ cropPx, alignedBy }: CropsTaken): CropsTaken {
  return { cropPx, alignedBy };
}

/** How pictures are read. */
export interface ReadOptions extends CropsTaken {
  /** Which face counts where there are several: the one nearest the centre of the picture, or the largest. */
  readonly choose: 'central' | 'largest';
  /** Black border put around the picture, as a share of its width and height on each side: detectors miss tight crops. */
  readonly pad: number;
  /**
   * Draws a mask on the face, different for each picture and the same for a seed, and then looks for it anew. Worn as it
   * should be unless `state` is `incorrect`.
   */
  readonly mask: { readonly seed: number; readonly state?: Exclude<MaskState, 'none'> } | null;
}

/** A face as an encoder takes it. */
export interface AlignedFace {
  /**
   * RGB, `cropPx` by `cropPx`, rows from the top, 3 bytes a pixel; aligned to the ArcFace template, by what was asked for. What the
   * landmarks do not give is missing.
   */
  readonly crops: Readonly<Partial<Record<AlignmentPoints, Uint8Array>>>;
  /** Pixels of the picture, as `box`. */
  readonly landmarks: FaceLandmarks;
  readonly box: Box;
  /** Of the detector, 0..1. */
  readonly score: number;
  readonly quality: FaceQuality;
  /** Null when it is not assessed. */
  readonly mask: FaceMask | null;
}

/** The crop aligned by these points. Throws MODEL_UNSUPPORTED where the landmarks do not give them. */
export function cropBy({ crops }: Pick<AlignedFace, 'crops'>, points: AlignmentPoints): Uint8Array {
  const crop = crops[points];
  if (crop) return crop;
  throw new EyelineError('MODEL_UNSUPPORTED', `models.landmarks does not give what a model is aligned by: ${points}`);
}

/** What an encoder needs of a face. */
export type FaceToEncode = Pick<AlignedFace, 'crops' | 'mask'>;

/** What became of a picture. */
export type ReadPicture =
  | { readonly file: string; readonly face: AlignedFace; readonly reason: null }
  | {
      readonly file: string;
      readonly face: null;
      /** `unreadable`: there is no such file or it is no picture. */
      readonly reason: 'unreadable' | 'no face';
      readonly message: string;
    };

/**
 * Where aligned faces come from: all that is done with pixels before an encoder. One picture after the other comes out, in
 * the order of `files`; how many are under way at once is the source's affair.
 */
export interface FaceSource {
  /** Throws the reason of `signal` once it is aborted. */
  read(files: readonly string[], options: ReadOptions, signal?: AbortSignal): AsyncIterable<ReadPicture>;
}
