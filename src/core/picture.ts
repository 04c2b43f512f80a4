import type { Affine, Size } from './geometry.ts';

/** One crop to take from a picture: `matrix` maps picture coordinates to crop coordinates. */
export interface Cut extends Size {
  readonly matrix: Affine;
  readonly colour: 'rgb' | 'grey';
}

/**
 * A picture whose pixels stay where they are (native memory, another process). What is taken out of it is small:
 * bytes in rows, channels interleaved, 3 bytes a pixel (RGB) or 1 (grey). What lies outside the picture is black.
 */
export interface Picture extends Size {
  /** The whole picture as RGB, letterboxed (core/geometry `letterbox`) into `input`: `input.height * input.width * 3` bytes. */
  fit(input: Size): Promise<Uint8Array>;
  /** Crops by bilinear affine warps, one result a cut, in order. */
  cut(cuts: readonly Cut[]): Promise<Uint8Array[]>;
  /** All pixels as they are kept: `height * width * 3` bytes in rows, BGR. Not small: 2.8 MB of a 1280x720 picture. */
  pixels(): Promise<Uint8Array>;
}

/** A picture that came from a camera. `release` gives its memory back; the picture must not be used after. */
export interface Frame extends Picture {
  readonly camera: string;
  /** Counts the frames delivered by this camera's source since it was opened; gaps are frames dropped on purpose. */
  readonly sequence: number;
  /**
   * Wall clock, milliseconds since the epoch, when the decoder handed the frame out, less the time a live stream's own
   * clock says it was held up on its way.
   */
  readonly capturedAtMs: number;
  /** From the decoder handing the frame out until it was on its way to the consumer, milliseconds. */
  readonly captureMs: number;
  release(): void;
}
