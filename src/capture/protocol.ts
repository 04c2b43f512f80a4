import type { Point, Size } from '../core/geometry.ts';
import type { Cut } from '../core/picture.ts';

/**
 * What a camera's process and the daemon say to each other. The daemon pulls: it asks for a frame, and the process
 * holds that one until it is released (or too many are held). Pixels travel as fitted input and small crops, all of them
 * only when a model takes whole frames.
 */

/** What OpenCV is to open; the URL may hold credentials, so it travels here and not in argv or the environment. */
export interface SourceRequest {
  /** URL, path, device or GStreamer pipeline. */
  readonly target: string;
  readonly api: 'ffmpeg' | 'gstreamer' | 'v4l2';
  /** Files end, and are played at the pace they were recorded. */
  readonly file: boolean;
  /** Files only: start again at the end. */
  readonly loop: boolean;
}

/** What counts as motion, and what is done while there is none. */
export interface MotionOptions {
  /** Grey levels (of 255) a spot must change by. */
  readonly threshold: number;
  /** Share of the picture that must change, 0..1. */
  readonly minArea: number;
  /** Polygons where nothing counts, in 0..1 of the picture's sides. */
  readonly ignore: readonly (readonly Point[])[];
  /** All frames are offered for this long after the last motion. */
  readonly holdMs: number;
  /** Without motion a frame is offered this often. */
  readonly idleIntervalMs: number;
}

export type ToCamera =
  | {
      readonly type: 'open';
      readonly source: SourceRequest;
      /** Most frames a second that are offered; the others are dropped. */
      readonly fps: number;
      /** Size every frame is letterboxed into. */
      readonly input: Size;
      /** Least time between two progress messages, milliseconds. */
      readonly progressMs: number;
      /** Frames of a scene in which nothing moves are held back; null offers all. */
      readonly motion: MotionOptions | null;
    }
  /** Asks for the newest frame not given yet; answered by `frame` as soon as there is one. */
  | { readonly type: 'next' }
  /** Offer all frames for so long from now, also when nothing moves. Unanswered. */
  | { readonly type: 'attend'; readonly forMs: number }
  /** All three are answered by `pixels`, or by `refused` when the frame is no longer held. */
  | { readonly type: 'cut'; readonly id: number; readonly sequence: number; readonly cuts: readonly Cut[] }
  | { readonly type: 'fit'; readonly id: number; readonly sequence: number; readonly input: Size }
  | { readonly type: 'pixels'; readonly id: number; readonly sequence: number }
  | { readonly type: 'release'; readonly sequence: number }
  /** Ends the process, politely to the camera. */
  | { readonly type: 'close' };

/** Counts since the source was opened. */
export interface ReadCounts {
  /** Frames the decoder handed out. */
  readonly read: number;
  /** Of those, frames nobody will see: over the rate, or replaced by a newer one. */
  readonly dropped: number;
  /** Frames read and held back because nothing moved; they do not count as dropped. */
  readonly idle: number;
}

export type FromCamera =
  | ({ readonly type: 'opened' } & Size)
  | { readonly type: 'failed'; readonly message: string }
  /** Frames are coming, whether or not anybody asks for them. */
  | ({ readonly type: 'progress' } & ReadCounts)
  | ({
      readonly type: 'frame';
      readonly sequence: number;
      readonly capturedAtMs: number;
      readonly captureMs: number;
      readonly fitted: Uint8Array;
    } & Size &
      ReadCounts)
  | { readonly type: 'pixels'; readonly id: number; readonly pixels: readonly Uint8Array[] }
  | { readonly type: 'refused'; readonly id: number; readonly message: string }
  /** No more frames will be read; `left` says whether one waits to be asked for. */
  | { readonly type: 'ended'; readonly left: boolean };
