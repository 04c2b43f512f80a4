import type { Point } from '../../core/geometry.ts';
import type { Landmarks } from '../landmarks.ts';

const JAW_POINTS = 17;
const LEFT_EYE = [36, 37, 38, 39, 40, 41] as const;
const RIGHT_EYE = [42, 43, 44, 45, 46, 47] as const;
const BRIDGE = 27;
const CHIN = 8;

/** Where the jaw line of the 68 points stands on a round head, seen from its axis: just before the ears. */
export const JAW_ANGLE = (82 * Math.PI) / 180;
const MAX_YAW = (65 * Math.PI) / 180;
/** However far the head is turned, either half keeps this share of the width. */
const LEAST_HALF = 0.015;

/**
 * A face as a mask sees it: its axes, its pose, and curves to hold on to (the key points of Anwar & Raychowdhury,
 * "Masked Face Recognition for Secure Authentication", 2020, are points of these). Pixels of the picture.
 */
export interface FaceFrame {
  /** Unit vector along the eyes, to the right as seen, and its perpendicular, to the chin. */
  readonly across: Point;
  readonly down: Point;
  /** Angle of `across`, radians, clockwise as seen. */
  readonly tilt: number;
  /** Turn of the head, radians; positive: the left half, as seen, is the wider. */
  readonly yaw: number;
  /** Between the jaw's ends, along `across`. */
  readonly width: number;
  /** From the bridge of the nose to the chin, along `down`. */
  readonly height: number;
  /** Point of the jaw line; 0 at the left ear as seen, 8 the chin, 16 the right ear, and between. */
  jaw(at: number): Point;
  /** Point on the nose; 0 the bridge between the eyes, 3 the tip, 4 where it meets the lip. */
  nose(at: number): Point;
  readonly lowerLip: Point;
  readonly upperLip: Point;
  readonly chin: Point;
  readonly leftEye: EyeSpan;
  readonly rightEye: EyeSpan;
}

/** Where an eye is, along the face's axes. */
export interface EyeSpan {
  readonly points: readonly Point[];
  /** Its corners along `across`, and the lowest of its lower lid along `down`. */
  readonly from: number;
  readonly to: number;
  readonly lid: number;
}

/** Measures a face. Throws RangeError unless there are 68 landmarks, finite and not all on one spot. */
export function faceFrame(landmarks: Landmarks): FaceFrame {
  if (landmarks.length !== 68) throw new RangeError(`expected 68 landmarks, got ${landmarks.length}`);
  if (!landmarks.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))) {
    throw new RangeError('landmarks must be finite');
  }
  const at = (index: number): Point => landmarks[index] ?? { x: 0, y: 0 };
  const leftEye = LEFT_EYE.map(at);
  const rightEye = RIGHT_EYE.map(at);
  const eyeLine = minus(mean(rightEye), mean(leftEye));
  const axis = minus(at(CHIN), at(BRIDGE));
  // The eyes tell the tilt of a face seen from the front, the axis that of one seen from the side.
  const sum = plus(unit(eyeLine), unit({ x: axis.y, y: -axis.x }));
  const across = unit(sum);
  const down = { x: -across.y, y: across.x };

  const smoothed = Array.from({ length: JAW_POINTS }, (_, index) => {
    if (index === 0 || index === JAW_POINTS - 1 || index === CHIN) return at(index);
    return plus(scaled(at(index), 0.5), scaled(plus(at(index - 1), at(index + 1)), 0.25));
  });
  const first = smoothed[1] ?? at(1);
  const last = smoothed[JAW_POINTS - 2] ?? at(15);
  const width = dot(minus(last, first), across);
  const height = dot(axis, down);
  if (!(width > 1e-6) || !(height > 1e-6)) throw new RangeError('landmarks are no upright face');

  // On a round head the middle line stands at the sine of the turn between the two outlines.
  const middle = mean([at(BRIDGE), at(BRIDGE + 1)]);
  const left = Math.max(dot(minus(middle, first), across), width * LEAST_HALF);
  const right = Math.max(dot(minus(last, middle), across), width * LEAST_HALF);
  const yaw = Math.max(-MAX_YAW, Math.min(MAX_YAW, Math.asin((0.95 * (left - right)) / (left + right))));

  const nose = [27, 28, 29, 30, 33].map(at);
  return {
    across,
    down,
    tilt: Math.atan2(across.y, across.x),
    yaw,
    width,
    height,
    jaw: (where) => along(smoothed, where),
    nose: (where) => along(nose, where),
    upperLip: at(51),
    lowerLip: at(57),
    chin: at(CHIN),
    leftEye: eyeSpan(leftEye, across, down),
    rightEye: eyeSpan(rightEye, across, down),
  };
}

function eyeSpan(points: readonly Point[], across: Point, down: Point): EyeSpan {
  const xs = points.map((point) => dot(point, across));
  const lid = Math.max(...points.map((point) => dot(point, down)));
  return { points, from: Math.min(...xs), to: Math.max(...xs), lid };
}

/**
 * How far a point of a round head, at `angle` from its middle line, stands from that line, as a share of the way to the
 * jaw's end, when the head is turned by `yaw` towards this side: 1 where the head's outline is reached.
 */
export function reach(angle: number, yaw: number): number {
  const edge = Math.PI / 2;
  const middle = Math.sin(yaw);
  return (Math.sin(Math.min(yaw + angle, edge)) - middle) / (Math.sin(Math.min(yaw + JAW_ANGLE, edge)) - middle);
}

/** Catmull-Rom curve through `points`, of which whole numbers are the points themselves; ends are held. */
export function along(points: readonly Point[], where: number): Point {
  const last = points.length - 1;
  const position = Math.max(0, Math.min(last, where));
  const index = Math.min(Math.floor(position), last - 1);
  const t = position - index;
  const point = (which: number) => points[Math.max(0, Math.min(last, which))] ?? { x: 0, y: 0 };
  const [a, b, c, d] = [point(index - 1), point(index), point(index + 1), point(index + 2)];
  const blend = (p: number, q: number, r: number, s: number) =>
    q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
  return { x: blend(a.x, b.x, c.x, d.x), y: blend(a.y, b.y, c.y, d.y) };
}

export function plus(a: Point, b: Point): Point {
  return { x: a.x + b.x, y: a.y + b.y };
}

export function minus(a: Point, b: Point): Point {
  return { x: a.x - b.x, y: a.y - b.y };
}

export function scaled(a: Point, by: number): Point {
  return { x: a.x * by, y: a.y * by };
}

export function dot(a: Point, b: Point): number {
  return a.x * b.x + a.y * b.y;
}

export function between(a: Point, b: Point, share: number): Point {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

export function unit(a: Point): Point {
  const length = Math.hypot(a.x, a.y);
  if (!(length > 1e-9)) throw new RangeError('landmarks coincide');
  return { x: a.x / length, y: a.y / length };
}

function mean(points: readonly Point[]): Point {
  return scaled(points.reduce(plus, { x: 0, y: 0 }), 1 / points.length);
}
