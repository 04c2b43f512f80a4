import type { Box, Size } from '../core/geometry.ts';
import { headTurn } from './head-turn.ts';
import type { GreyCrop } from './landmarkers/face-landmarker.ts';
import type { FaceLandmarks } from './landmarks.ts';

/** What makes a face easy or hard to recognise. Every part is 0 (useless) to 1 (as good as it needs to be). */
export interface FaceQuality {
  readonly size: number;
  readonly sharpness: number;
  readonly exposure: number;
  readonly pose: number;
  readonly completeness: number;
  /** All parts in one number, 0..1: the geometric mean, so that one useless part spoils the whole. */
  readonly score: number;
}

/** Distance between the eye centres from which more pixels stop helping a 112 pixel encoder. */
const ENOUGH_EYE_DISTANCE_PX = 36;
/** Deviation of the Laplacian, in units of the crop's own contrast, of a face in focus at 64 pixels. */
const SHARP_LAPLACIAN = 0.35;
/** Contrast (standard deviation of grey levels) from which lighting no longer matters. */
const ENOUGH_CONTRAST = 32;
const DARK = 50;
const BRIGHT = 205;

/**
 * Quality of one face.
 *
 * @param box      face box, pixels of the picture
 * @param landmarks pixels of the picture
 * @param grey     the box
 * @param picture  size of the picture
 */
export function faceQuality(
  box: Box,
  { points, five }: Pick<FaceLandmarks, 'points' | 'five'>,
  grey: GreyCrop,
  picture: Size,
): FaceQuality {
  const [leftEye, rightEye] = five;
  const eyes = Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y);
  const tones = toneStatistics(grey.pixels, grey.side);

  const size = clamp01(eyes / ENOUGH_EYE_DISTANCE_PX);
  const sharpness = clamp01(tones.laplacian / Math.max(tones.contrast, 1) / SHARP_LAPLACIAN);
  const exposure =
    clamp01(tones.contrast / ENOUGH_CONTRAST) *
    clamp01(tones.mean / DARK) *
    clamp01((255 - tones.mean) / (255 - BRIGHT));

  const pose = clamp01(1.25 - Math.abs(headTurn(five)) * 2.5);

  const right = Math.min(box.x + box.width, picture.width);
  const lower = Math.min(box.y + box.height, picture.height);
  const inside = points.filter(({ x, y }) => x >= 0 && y >= 0 && x < picture.width && y < picture.height).length;
  const touches = box.x <= 0 || box.y <= 0 || right >= picture.width || lower >= picture.height;
  const completeness = (inside / points.length) * (touches ? 0.6 : 1);

  const parts = [size, sharpness, exposure, pose, completeness];
  const score = parts.reduce((product, part) => product * part, 1) ** (1 / parts.length);
  return { size, sharpness, exposure, pose, completeness, score };
}

/** Mean, standard deviation, and standard deviation of the 4-neighbour Laplacian of a square grey crop. */
export function toneStatistics(grey: Uint8Array, side: number): { mean: number; contrast: number; laplacian: number } {
  let sum = 0;
  let squares = 0;
  for (const value of grey) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / grey.length;
  let edges = 0;
  let edgeSquares = 0;
  let count = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const at = y * side + x;
      const edge =
        4 * (grey[at] ?? 0) -
        (grey[at - 1] ?? 0) -
        (grey[at + 1] ?? 0) -
        (grey[at - side] ?? 0) -
        (grey[at + side] ?? 0);
      edges += edge;
      edgeSquares += edge * edge;
      count++;
    }
  }
  const edgeMean = edges / Math.max(count, 1);
  return {
    mean,
    contrast: Math.sqrt(Math.max(squares / grey.length - mean * mean, 0)),
    laplacian: Math.sqrt(Math.max(edgeSquares / Math.max(count, 1) - edgeMean * edgeMean, 0)),
  };
}

function clamp01(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
