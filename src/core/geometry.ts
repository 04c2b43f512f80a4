/** Plane geometry in pixels. Pixel centres have whole coordinates, as in OpenCV: pixel 0 covers -0.5 to 0.5. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Axis-aligned box: left upper corner and extent, in pixels of the frame. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** 2x3 matrix, rows first: x' = a x + b y + c, y' = d x + e y + f. Maps frame coordinates to crop coordinates. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Where `matrix` puts `point`. */
export function apply(matrix: Affine, point: Point): Point {
  const [a, b, c, d, e, f] = matrix;
  return { x: a * point.x + b * point.y + c, y: d * point.x + e * point.y + f };
}

/** The inverse mapping. Throws RangeError when the matrix flattens the plane. */
export function invert(matrix: Affine): Affine {
  const [a, b, c, d, e, f] = matrix;
  const det = a * e - b * d;
  if (!Number.isFinite(det) || Math.abs(det) < 1e-12) throw new RangeError('affine matrix cannot be inverted');
  return [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det];
}

/** Scales `box` to fill `target` exactly, each axis on its own (no squaring); half-pixel centres, as cv.resize does. */
export function boxToCrop(box: Box, target: Size): Affine {
  const sx = target.width / box.width;
  const sy = target.height / box.height;
  return [sx, 0, (0.5 - box.x) * sx - 0.5, 0, sy, (0.5 - box.y) * sy - 0.5];
}

/** How a frame is fitted into a fixed-size input: same aspect, centred, the rest padded black. */
export interface Letterbox {
  /** Input pixels per frame pixel. */
  readonly scale: number;
  /** Frame's extent inside the input, whole pixels. */
  readonly inner: Size;
  /** Left upper corner of the frame inside the input, whole pixels. */
  readonly offset: Point;
}

/** Letterbox of a frame of size `frame` in an input of size `input`. */
export function letterbox(frame: Size, input: Size): Letterbox {
  const scale = Math.min(input.width / frame.width, input.height / frame.height);
  const inner = {
    width: Math.max(1, Math.min(input.width, Math.round(frame.width * scale))),
    height: Math.max(1, Math.min(input.height, Math.round(frame.height * scale))),
  };
  return {
    scale,
    inner,
    offset: { x: Math.floor((input.width - inner.width) / 2), y: Math.floor((input.height - inner.height) / 2) },
  };
}

/** Intersection over union of two boxes, 0..1. */
export function iou(first: Box, second: Box): number {
  const width = Math.min(first.x + first.width, second.x + second.width) - Math.max(first.x, second.x);
  const height = Math.min(first.y + first.height, second.y + second.height) - Math.max(first.y, second.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (first.width * first.height + second.width * second.height - shared);
}
