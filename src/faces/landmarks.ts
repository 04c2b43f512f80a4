import { EyelineError } from '../core/errors.ts';
import type { Box, Point } from '../core/geometry.ts';
import type { Tensor } from '../inference/vision-model.ts';

/** The 68 points of the iBUG 300-W mark-up, in pixels of the picture. */
export type Landmarks = readonly Point[];

/** Eye centres (as seen: left, right), nose tip, mouth corners: the points the ArcFace template is made of. */
export type FivePoints = readonly [leftEye: Point, rightEye: Point, nose: Point, leftMouth: Point, rightMouth: Point];

/** What faces are aligned by. */
export interface AlignmentMarks {
  readonly five: FivePoints;
  /** Bridge of the nose, between the eyes and halfway to the tip (points 27 and 28 of iBUG); null when a model does not give it. */
  readonly bridge: readonly [Point, Point] | null;
}

/** What a landmark model found on a face, in pixels of the picture; each user takes the points it needs. */
export interface FaceLandmarks extends AlignmentMarks {
  /** Every point of the model, in the order of its mark-up. */
  readonly points: readonly Point[];
  /** For drawing masks; null when the model's mark-up cannot give them. */
  readonly ibug: Landmarks | null;
}

const POINTS = 68;
const LEFT_EYE = [36, 41] as const;
const RIGHT_EYE = [42, 47] as const;
const BRIDGE = [27, 28] as const;
const NOSE_TIP = 30;
const LEFT_MOUTH = 48;
const RIGHT_MOUTH = 54;

/** Numbers a model of the iBUG mark-up gives a face. */
export const IBUG_VALUES = POINTS * 2;

/** Landmarks of one face of a batch: 136 numbers, x and y by turns, in 0..1 of the box the crop was taken from. */
export function decodeLandmarks(output: Tensor, row: number, box: Box): Landmarks {
  const start = row * POINTS * 2;
  return Array.from({ length: POINTS }, (_, point) => ({
    x: box.x + (output.data[start + point * 2] ?? 0) * box.width,
    y: box.y + (output.data[start + point * 2 + 1] ?? 0) * box.height,
  }));
}

/** What a model of the iBUG mark-up found. Throws RangeError unless there are 68 points. */
export function ibugLandmarks(points: Landmarks): FaceLandmarks {
  return { points, five: fivePoints(points), bridge: bridgePoints(points), ibug: points };
}

/** The 68 points, for whoever cannot do without. Throws MODEL_UNSUPPORTED when the model does not give them. */
export function requireIbug({ ibug, points }: FaceLandmarks): Landmarks {
  if (ibug) return ibug;
  throw new EyelineError(
    'MODEL_UNSUPPORTED',
    `drawing a mask takes the 68 points of iBUG, models.landmarks gives ${points.length} others`,
  );
}

/** The five points alignment uses. Throws RangeError unless there are 68 landmarks. */
export function fivePoints(landmarks: Landmarks): FivePoints {
  if (landmarks.length !== POINTS) throw new RangeError(`expected ${POINTS} landmarks, got ${landmarks.length}`);
  return [
    centre(landmarks, LEFT_EYE),
    centre(landmarks, RIGHT_EYE),
    at(landmarks, NOSE_TIP),
    at(landmarks, LEFT_MOUTH),
    at(landmarks, RIGHT_MOUTH),
  ];
}

/** The bridge of the nose, of 68 landmarks. */
export function bridgePoints(landmarks: Landmarks): readonly [Point, Point] {
  return [at(landmarks, BRIDGE[0]), at(landmarks, BRIDGE[1])];
}

function at(landmarks: Landmarks, index: number): Point {
  const point = landmarks[index];
  if (!point) throw new RangeError(`landmark ${index} is missing`);
  return point;
}

function centre(landmarks: Landmarks, [first, last]: readonly [number, number]): Point {
  const count = last - first + 1;
  let x = 0;
  let y = 0;
  for (let index = first; index <= last; index++) {
    x += at(landmarks, index).x / count;
    y += at(landmarks, index).y / count;
  }
  return { x, y };
}
