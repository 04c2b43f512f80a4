import { boxToCrop } from '../../core/geometry.ts';
import type { Cut, Picture } from '../../core/picture.ts';
import type { RunTrace } from '../../inference/vision-model.ts';
import type { Detection } from '../detect.ts';
import type { FaceLandmarks } from '../landmarks.ts';

/** A face's box scaled to a square, whatever its shape: one byte a pixel, rows. */
export interface GreyCrop {
  readonly pixels: Uint8Array;
  readonly side: number;
}

/** A face as a landmark model saw it. */
export interface LocatedFace {
  readonly landmarks: FaceLandmarks;
  /** The detected box, for whatever is told from tones. */
  readonly grey: GreyCrop;
  /** What the model gives of the face beside its points, by the names of its outputs. */
  readonly extras: Readonly<Record<string, Float32Array>>;
}

/** Finds the landmarks of faces, whatever the model behind it. */
export interface FaceLandmarker {
  /** Faces found in the same picture, in order. Adds the time spent to `trace`. */
  locate(picture: Picture, detections: readonly Detection[], trace?: RunTrace): Promise<LocatedFace[]>;
}

/** Side of the grey crop where the model itself needs none. */
export const GREY_SIDE = 64;

/** What to cut for a face's {@link GreyCrop}. */
export function greyCut({ box }: Pick<Detection, 'box'>, side: number): Cut {
  const size = { width: side, height: side };
  return { ...size, matrix: boxToCrop(box, size), colour: 'grey' };
}
