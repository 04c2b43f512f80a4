import type { Size } from '../core/geometry.ts';
import type { Cut } from '../core/picture.ts';

/**
 * What a camera's process and the daemon say to each other. The daemon pulls: it asks for a frame, and the process
 * holds that one until it is released or the next is asked for. Pixels travel only as fitted input and small crops.
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
    }
  /** Asks for the newest frame not given yet; answered by `frame` as soon as there is one. */
  | { readonly type: 'next' }
  /** Both are answered by `pixels`, or by `refused` when the frame is no longer held. */
  | { readonly type: 'cut'; readonly id: number; readonly sequence: number; readonly cuts: readonly Cut[] }
  | { readonly type: 'fit'; readonly id: number; readonly sequence: number; readonly input: Size }
  | { readonly type: 'release'; readonly sequence: number }
  /** Ends the process, politely to the camera. */
  | { readonly type: 'close' };

/** Counts since the source was opened. */
export interface ReadCounts {
  /** Frames the decoder handed out. */
  readonly read: number;
  /** Of those, frames nobody will see: over the rate, or replaced by a newer one. */
  readonly dropped: number;
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
