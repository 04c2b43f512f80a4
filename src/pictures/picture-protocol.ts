import type { Config } from '../config/schema.ts';
import type { Affine, Box, Point, Size } from '../core/geometry.ts';
import type { ReadOptions, ReadPicture } from '../evaluation/face-source.ts';
import type { WalkPlan } from '../evaluation/streams/walk.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceEmbedding } from '../faces/face-analyser.ts';
import type { DrawnMask } from '../faces/mask/mask-spec.ts';
import type { WantedMask } from '../faces/mask/random-mask.ts';
import type { FaceMask } from '../faces/mask-state.ts';
import type { FaceQuality } from '../faces/quality.ts';
import type { MaskFits, WrittenFace } from '../training/data/prepare-face.ts';

/** What is done with a picture; each step includes those before it. */
export const PICTURE_STEPS = ['decode', 'detect', 'landmarks', 'align', 'embed'] as const;
export type PictureStep = (typeof PICTURE_STEPS)[number];

/** What a worker is asked to do with a stored picture. */
export type PictureTask =
  | ReadTask
  | FaceTask
  | DetectTask
  | MaskTask
  | SampleTask
  | PrepareTask
  | TemplatesTask
  | WalkTask;

/** Take it through the chain of faces, up to a step. */
export interface ReadTask {
  readonly kind: 'read';
  readonly file: string;
  readonly upTo: PictureStep;
}

/** Align its one face that counts, for an encoder. */
export interface FaceTask {
  readonly kind: 'face';
  readonly file: string;
  readonly options: ReadOptions;
}

/** Look for faces in it, for whoever measures the detector. */
export interface DetectTask {
  readonly kind: 'detect';
  readonly file: string;
  /** Black border put around it, a share of its sides. */
  readonly pad: number;
  /** Draws a mask on the most central face first, the same for a seed. */
  readonly mask: { readonly seed: number } | null;
}

/** Store it with a mask on its largest face. */
export interface MaskTask {
  readonly kind: 'mask';
  readonly file: string;
  /** File to write. */
  readonly to: string;
  readonly seed: number;
  readonly wanted: WantedMask;
}

/** Cut its largest face out without and with a mask, `side` x `side`. */
export interface SampleTask {
  readonly kind: 'sample';
  readonly file: string;
  readonly seed: number;
  readonly wanted: WantedMask;
  readonly side: number;
}

/** Make its largest face, with masks drawn on it, ready to train on. */
export interface PrepareTask {
  readonly kind: 'prepare';
  readonly file: string;
  /** Folder of the prepared set. */
  readonly folder: string;
  /** Says, with `seed`, which masks are drawn: the same wherever the file lies. */
  readonly name: string;
  readonly masks: number;
  readonly fits?: MaskFits;
  readonly seed: number;
  /** Border to look again with, a share of the picture's side, where no face is found in a tight crop; 0: none. */
  readonly pad: number;
}

/** Embed its most central face by every encoder. */
export interface TemplatesTask {
  readonly kind: 'templates';
  readonly file: string;
}

/** Have its person walk by a camera, and look at every frame. */
export interface WalkTask {
  readonly kind: 'walk';
  readonly file: string;
  /** Decides, with `seed`, how they walk: the same wherever the file lies. */
  readonly name: string;
  readonly seed: number;
  readonly plan: WalkPlan;
  readonly masked: boolean;
}

/** What one frame shows of somebody who walks by. */
export interface StreamLook {
  readonly face: Face;
  /** By the encoder for the mask state of the track; null when it is no face to that. */
  readonly embedding: FaceEmbedding | null;
  /** The mask state that chose the encoder. */
  readonly encodedAs: FaceMask | null;
}

/** What came of a task, by its kind. A picture that cannot be read is an answer that says why. */
export type PictureAnswer<T extends PictureTask> = T extends ReadTask
  ? PictureReading
  : T extends FaceTask
    ? ReadPicture
    : T extends DetectTask
      ? DetectOutcome
      : T extends MaskTask
        ? MaskOutcome
        : T extends SampleTask
          ? SampleOutcome
          : T extends TemplatesTask
            ? TemplatesOutcome
            : T extends WalkTask
              ? WalkOutcome
              : PrepareOutcome;

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

/** What was found in a picture, best first; `size` without the border, boxes with it. */
export type DetectOutcome =
  | {
      readonly outcome: 'looked';
      readonly size: Size;
      /** Where the picture begins, which the border moves right and down. */
      readonly offset: Point;
      readonly faces: readonly Detection[];
      readonly ms: number;
    }
  | NotMasked;

export type MaskOutcome =
  | { readonly outcome: 'masked'; readonly mask: Pick<DrawnMask, 'type' | 'fit' | 'state'> }
  | NotMasked;
export type SampleOutcome =
  | { readonly outcome: 'sampled'; readonly plain: Uint8Array; readonly masked: Uint8Array }
  | NotMasked;
export type PrepareOutcome =
  | { readonly face: WrittenFace; readonly reason: null }
  | { readonly face: null; readonly reason: string };
export type TemplatesOutcome = {
  readonly templates: readonly FaceEmbedding[] | null;
  readonly reason: string | null;
};
export type WalkOutcome = {
  /** One a frame; null where no face was found. */
  readonly looks: readonly (StreamLook | null)[] | null;
  readonly reason: string | null;
};
export type NotMasked = { readonly outcome: 'no-face' } | { readonly outcome: 'unreadable'; readonly reason: string };

/** What the chain of a picture worker is opened with. */
export type ChainConfig = Pick<Config, 'models' | 'inference' | 'detection'> & {
  /** Faces the detector is less sure of than `detection.minScore` are given too, from this score on. */
  readonly lowScore?: number;
};

/**
 * `fastest`: runs share batches as it happens. `repeatable`: one picture a run, so that what comes out is the same to the
 * last bit however many workers there are: kernels add in another order for other batches.
 */
export type Batching = 'fastest' | 'repeatable';

export type ToPictureWorker =
  | {
      readonly type: 'open';
      readonly config: ChainConfig;
      readonly batching: Batching;
      /** Number of the worker in its pool. */
      readonly member: number;
    }
  | { readonly type: 'task'; readonly ticket: Ticket; readonly task: PictureTask };

/** Which task of which run; what was given up may still be answered. */
export interface Ticket {
  readonly run: number;
  readonly index: number;
}

export type FromPictureWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly ticket: Ticket; readonly answer: PictureAnswer<PictureTask> }
  /** A task failed for a reason that is not its picture's. */
  | { readonly type: 'refused'; readonly ticket: Ticket; readonly code: string | null; readonly message: string }
  /** The worker cannot work at all. */
  | { readonly type: 'failed'; readonly code: string | null; readonly message: string };
