import type { Point } from '../../core/geometry.ts';
import { along, between, dot, type FaceFrame, JAW_ANGLE, minus, plus, reach, scaled } from './face-frame.ts';
import { FIT_CHANGES, MASK_SHAPES, type MaskShape } from './mask-shape.ts';
import type { MaskSpec } from './mask-spec.ts';

/** Cells of the mesh from ear to ear (an even number: the middle line is part of it) and from nose to chin. */
const COLUMNS = 24;
const ROWS = 16;
/** Cloth and filter are thick: beyond the outline of a cheek this share of the width is added. */
const STAND_OFF = 0.02;
/** Least distance between the lower lid and a mask, in heights of the face. */
const LID_GAP = 0.035;
/** How far a mask turns that hangs from one ear, radians. */
const LOOSE_TURN = 0.42;

/** One point of the mask: place in the picture, place on the cloth, and the way it faces. */
export interface SurfacePoint extends Point {
  /** -1 at the left seam as seen, 0 in the middle, 1 at the right seam. */
  readonly u: number;
  /** 0 at the upper edge, 1 at the hem. */
  readonly v: number;
  /** Unit normal: along the eyes, to the chin, to the camera. */
  readonly normal: readonly [across: number, down: number, near: number];
}

export interface MaskSurface {
  readonly columns: number;
  readonly rows: number;
  /** (rows + 1) x (columns + 1) points, row by row. */
  readonly points: readonly SurfacePoint[];
  /** The visible edge, clockwise from the left upper corner. */
  readonly outline: readonly Point[];
  /** True where the mask goes around the head and its seam cannot be seen. */
  readonly hidden: { readonly left: boolean; readonly right: boolean };
  /** Half its breadth over its height, both along the cloth. */
  readonly aspect: number;
}

interface Half {
  readonly sign: -1 | 1;
  /** How far the head is turned towards this side. */
  readonly yaw: number;
  /** Greatest angle that is seen. */
  readonly angle: number;
  readonly hidden: boolean;
}

/** Lays a mask on a face. */
export function maskSurface(face: FaceFrame, spec: Pick<MaskSpec, 'type' | 'fit' | 'scale' | 'lean' | 'looseSide'>): MaskSurface {
  const shape = MASK_SHAPES[spec.type];
  const halfAngle = ((shape.halfAngle * Math.PI) / 180) * spec.scale;
  const halves = ([-1, 1] as const).map((sign): Half => {
    const yaw = sign * face.yaw;
    const visible = Math.PI / 2 - yaw;
    return { sign, yaw, angle: Math.min(halfAngle, visible), hidden: visible < halfAngle };
  });
  const place = placement(face, shape, spec);
  const radius = face.width / 2 / Math.sin(JAW_ANGLE);
  const turn = looseTurn(face, place, halves, spec);

  const count = COLUMNS + 1;
  const flat: { at: Point; depth: number; u: number; v: number }[] = [];
  for (let row = 0; row <= ROWS; row++) {
    const v = row / ROWS;
    for (let column = 0; column <= COLUMNS; column++) {
      const side = (column / COLUMNS) * 2 - 1;
      const half = halves[side < 0 ? 0 : 1] as Half;
      const angle = Math.abs(side) * half.angle;
      const at = turn(place(half, angle, v));
      const depth = depthOf(shape, half, angle, v, angle / halfAngle) * radius;
      flat.push({ at, depth, u: (half.sign * angle) / halfAngle, v });
    }
  }
  const points = flat.map(({ at, u, v }, index): SurfacePoint => {
    const column = index % count;
    const here = (step: number, limit: number, position: number, by: number) =>
      flat[index + Math.max(-position, Math.min(limit - position, step)) * by] ?? flat[index];
    const row = Math.floor(index / count);
    const along1 = difference(here(1, COLUMNS, column, 1), here(-1, COLUMNS, column, 1), face);
    const down1 = difference(here(1, ROWS, row, count), here(-1, ROWS, row, count), face);
    return { ...at, u, v, normal: facing(along1, down1) };
  });
  const [left, right] = halves as [Half, Half];
  return {
    columns: COLUMNS,
    rows: ROWS,
    points,
    outline: outlineOf(points),
    hidden: { left: left.hidden, right: right.hidden },
    aspect: (halfAngle * radius) / (face.height * 0.95),
  };
}

type Place = (half: Half, angle: number, v: number) => Point;

/** Where the point of the cloth at `angle` from the middle and `v` of the way down is seen. */
function placement(face: FaceFrame, shape: MaskShape, spec: Pick<MaskSpec, 'fit' | 'scale' | 'lean'>): Place {
  const change = FIT_CHANGES[spec.fit];
  const jawTop = shape.jawTop + change.jaw - (spec.scale - 1) * 3;
  const drop = (shape.chinDrop + change.drop + (spec.scale - 1) * 0.5) * face.height;
  const sag = (shape.sag + change.sag) * face.height;
  const top = spec.fit === 'low' ? between(face.nose(4), face.upperLip, 0.35) : face.nose(Math.max(0.3, shape.nose + change.nose));
  const ridge = spec.fit === 'low' ? [top, between(face.upperLip, face.lowerLip, 0.6), face.chin] : [top, face.nose(2.9), face.lowerLip, face.chin];
  const turn = rotation(face.nose(3), spec.lean);
  const halfAngle = (shape.halfAngle * spec.scale * Math.PI) / 180;

  return (half, angle, v) => {
    const jaw = (at: number) => keptApart(face, half, face.jaw(half.sign < 0 ? at : 16 - at), top);
    const full = reach(half.angle, half.yaw);
    const weight = full > 1e-6 ? reach(angle, half.yaw) / full : angle / half.angle;
    const outer = Math.abs(angle / half.angle);
    const sideReach = (at: number) => {
      const upper = half.hidden ? 1 + STAND_OFF : full;
      return upper + (Math.max(shape.lowReach, upper) - upper) * smooth(at / 0.65);
    };
    const middle = along(ridge, v * (ridge.length - 1));
    const seam = plus(middle, scaled(minus(jaw(jawTop + (shape.jawLow - jawTop) * v), middle), sideReach(v)));
    let point = between(middle, seam, weight);

    // The upper edge falls off the nose to the cheek, and keeps clear of the eye.
    const breadth = (angle / halfAngle) / shape.noseBreadth;
    const fall = sag * (1 - Math.exp(-breadth * breadth)) * (1 - outer) ** 0.7;
    const upper = (1 - v) ** 2;
    point = plus(point, scaled(face.down, fall * upper));
    if (spec.fit !== 'low') {
      const edge = plus(between(top, plus(top, scaled(minus(jaw(jawTop), top), sideReach(0))), weight), scaled(face.down, fall));
      point = plus(point, scaled(face.down, lidClearance(face, edge) * upper));
    }

    // The hem follows the jaw to the chin and hangs below it.
    const hemJaw = jaw(8 - (8 - shape.jawLow) * outer);
    const hem = plus(plus(face.chin, scaled(minus(hemJaw, face.chin), sideReach(1))), scaled(face.down, drop * (1 - outer ** shape.hemBreadth)));
    const straight = between(face.chin, plus(face.chin, scaled(minus(jaw(shape.jawLow), face.chin), sideReach(1))), weight);
    point = plus(point, scaled(minus(hem, straight), v ** 3));
    return turn(point);
  };
}

/** How far an upper edge at `edge` must go down to leave the eye above it free. */
function lidClearance(face: FaceFrame, edge: Point): number {
  let most = 0;
  for (const eye of [face.leftEye, face.rightEye]) {
    const xs = eye.map((point) => dot(point, face.across));
    const lid = Math.max(...eye.map((point) => dot(point, face.down))) + LID_GAP * face.height;
    const x = dot(edge, face.across);
    const outside = Math.max(0, Math.min(...xs) - x, x - Math.max(...xs));
    most = Math.max(most, lid - 1.2 * outside - dot(edge, face.down));
  }
  return most;
}

/** A jaw point of the far side can be seen on the wrong side of the nose: the half then is a narrow strip. */
function keptApart(face: FaceFrame, half: Half, jaw: Point, middle: Point): Point {
  const distance = half.sign * dot(minus(jaw, middle), face.across);
  const least = 0.03 * face.width;
  return distance >= least ? jaw : plus(jaw, scaled(face.across, half.sign * (least - distance)));
}

function looseTurn(face: FaceFrame, place: Place, halves: readonly Half[], spec: Pick<MaskSpec, 'fit' | 'looseSide'>) {
  if (spec.fit !== 'loose') return (point: Point) => point;
  const held = halves[spec.looseSide === 'left' ? 1 : 0] as Half;
  return rotation(place(held, held.angle, 0.2), spec.looseSide === 'right' ? LOOSE_TURN : -LOOSE_TURN, scaled(face.across, held.sign * face.width * 0.02));
}

/** Turns clockwise as seen by `angle` about `centre`, then shifts. */
function rotation(centre: Point, angle: number, shift: Point = { x: 0, y: 0 }) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return ({ x, y }: Point): Point => ({
    x: centre.x + (x - centre.x) * cosine - (y - centre.y) * sine + shift.x,
    y: centre.y + (x - centre.x) * sine + (y - centre.y) * cosine + shift.y,
  });
}

/** Nearness to the camera in radii of the head: a round head, the nose under the cloth, a moulded dome, the chin. */
function depthOf(shape: MaskShape, half: Half, angle: number, v: number, outer: number): number {
  const breadth = (angle * 180) / Math.PI / (shape.ridgeAngle * (1 + 0.8 * v));
  const ridge = shape.ridge * ridgeHeight(v) * Math.exp(-(breadth ** shape.ridgePower));
  const dome = shape.dome * Math.max(0, 1 - outer * outer) * Math.max(0, 1 - (2 * v - 0.95) ** 2);
  const chin = 0.9 * Math.max(0, v - 0.7) ** 1.5;
  const outward = 1 + ridge + dome - chin;
  return outward * Math.cos(angle + half.yaw);
}

/** How far the nose lifts the cloth: most at its tip, a third at the bridge, little at the chin. */
function ridgeHeight(v: number): number {
  return v < 0.35 ? 0.35 + 0.65 * smooth(v / 0.35) : 1 - 0.75 * smooth((v - 0.35) / 0.65);
}

function smooth(t: number): number {
  const held = Math.max(0, Math.min(1, t));
  return held * held * (3 - 2 * held);
}

type Vector = readonly [number, number, number];

function difference(a: { at: Point; depth: number } | undefined, b: { at: Point; depth: number } | undefined, face: FaceFrame): Vector {
  if (!a || !b) return [0, 0, 0];
  const step = minus(a.at, b.at);
  return [dot(step, face.across), dot(step, face.down), a.depth - b.depth];
}

/** Normal of a patch from its tangents to the right and down; it looks at the camera. */
function facing([ax, ay, az]: Vector, [bx, by, bz]: Vector): Vector {
  const [x, y, z] = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
  const length = Math.hypot(x, y, z) * (z < 0 ? -1 : 1);
  return Math.abs(length) > 1e-9 ? [x / length, y / length, z / length] : [0, 0, 1];
}

function outlineOf(points: readonly SurfacePoint[]): Point[] {
  const count = COLUMNS + 1;
  const at = (row: number, column: number): Point => {
    const { x, y } = points[row * count + column] ?? { x: 0, y: 0 };
    return { x, y };
  };
  return [
    ...Array.from({ length: COLUMNS }, (_, column) => at(0, column)),
    ...Array.from({ length: ROWS }, (_, row) => at(row, COLUMNS)),
    ...Array.from({ length: COLUMNS }, (_, column) => at(ROWS, COLUMNS - column)),
    ...Array.from({ length: ROWS }, (_, row) => at(ROWS - row, 0)),
  ];
}
