import { EyelineError } from '../core/errors.ts';
import { type Affine, apply, type Point } from '../core/geometry.ts';
import type { AlignmentMarks, FivePoints } from './landmarks.ts';

/**
 * Where the five points stand in an aligned 112x112 crop (Deng et al., "ArcFace", CVPR 2019; the template published
 * with InsightFace).
 */
export const ARCFACE_TEMPLATE: FivePoints = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];

/**
 * The bridge of the nose between the eyes and halfway to where a mask begins (points 27 and 28 of iBUG) in a crop aligned to
 * the template: medians over 395 people of `lfw/train`, aligned by all five points of `landmarks-68`.
 */
const BRIDGE_TEMPLATE: readonly [Point, Point] = [
  { x: 55.9, y: 51.1 },
  { x: 56.0, y: 58.3 },
];

/**
 * What a face is aligned by: both eyes, nose tip and corners of the mouth; the eyes alone; or the eyes and the bridge of the
 * nose. The last two are what a mask leaves free.
 */
export const ALIGNMENT_POINTS = ['five', 'eyes', 'eyes-bridge'] as const;
export type AlignmentPoints = (typeof ALIGNMENT_POINTS)[number];

/** Side of the square the template is drawn in, pixels. */
export const TEMPLATE_SIZE = 112;

/**
 * Least-squares similarity (rotation, uniform scale, translation; no reflection) that takes `from` to `to`: Umeyama,
 * "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991, whose solution in the
 * plane is linear in (scale cos, scale sin).
 *
 * Throws RangeError when the lists differ in length or all points of `from` coincide.
 */
export function similarity(from: readonly Point[], to: readonly Point[]): Affine {
  if (from.length !== to.length || from.length < 2) throw new RangeError('similarity needs two lists of equal length');
  const p = mean(from);
  const q = mean(to);
  let spread = 0;
  let cosine = 0;
  let sine = 0;
  from.forEach((point, index) => {
    const target = to[index] ?? q;
    const x = point.x - p.x;
    const y = point.y - p.y;
    const u = target.x - q.x;
    const v = target.y - q.y;
    spread += x * x + y * y;
    cosine += x * u + y * v;
    sine += x * v - y * u;
  });
  if (!(spread > 0)) throw new RangeError('similarity is undefined: all points coincide');
  const a = cosine / spread;
  const b = sine / spread;
  return [a, -b, q.x - a * p.x + b * p.y, b, a, q.y - b * p.x - a * p.y];
}

/** Matrix that takes a face's five points to the ArcFace template in a square crop of `size` pixels. */
export function alignToTemplate(points: FivePoints, size: number = TEMPLATE_SIZE): Affine {
  const scale = size / TEMPLATE_SIZE;
  return similarity(
    points,
    ARCFACE_TEMPLATE.map(({ x, y }) => ({ x: x * scale, y: y * scale })),
  );
}

/**
 * Matrix that takes a face to the ArcFace template in a square crop of `size` pixels by the points named. Throws
 * MODEL_UNSUPPORTED where the landmark model does not give them.
 */
export function alignBy(which: AlignmentPoints, marks: AlignmentMarks, size: number = TEMPLATE_SIZE): Affine {
  const scale = size / TEMPLATE_SIZE;
  return similarity(
    marksFor(which, marks),
    templateOf(which).map(({ x, y }) => ({ x: x * scale, y: y * scale })),
  );
}

/** Where the points stand in an aligned crop of 112x112. */
export function templateOf(which: AlignmentPoints): readonly Point[] {
  if (which === 'five') return ARCFACE_TEMPLATE;
  const eyes = ARCFACE_TEMPLATE.slice(0, 2);
  return which === 'eyes' ? eyes : [...eyes, ...BRIDGE_TEMPLATE];
}

/** The marks of a face that stands exactly as the template does. */
export const TEMPLATE_MARKS: AlignmentMarks = { five: ARCFACE_TEMPLATE, bridge: BRIDGE_TEMPLATE };

/** Marks where a matrix takes them. */
export function movedMarks({ five, bridge }: AlignmentMarks, matrix: Affine): AlignmentMarks {
  const at = (point: Point) => apply(matrix, point);
  const [a, b, c, d, e] = five;
  return { five: [at(a), at(b), at(c), at(d), at(e)], bridge: bridge && [at(bridge[0]), at(bridge[1])] };
}

/** Whether the landmark model gives these points. */
export function canAlignBy(which: AlignmentPoints, { bridge }: AlignmentMarks): boolean {
  return which !== 'eyes-bridge' || bridge !== null;
}

function marksFor(which: AlignmentPoints, { five, bridge }: AlignmentMarks): readonly Point[] {
  if (which === 'five') return five;
  const eyes = five.slice(0, 2);
  if (which === 'eyes') return eyes;
  if (bridge) return [...eyes, ...bridge];
  throw new EyelineError(
    'MODEL_UNSUPPORTED',
    'a model is aligned by eyes-bridge, which takes the bridge of the nose, and models.landmarks does not give it: ' +
      'choose landmarks of 68 points or facemesh, or another encoder',
  );
}

function mean(points: readonly Point[]): Point {
  let x = 0;
  let y = 0;
  for (const point of points) {
    x += point.x / points.length;
    y += point.y / points.length;
  }
  return { x, y };
}
