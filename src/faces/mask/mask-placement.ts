import type { Point } from '../../core/geometry.ts';
import { along, between, dot, type FaceFrame, minus, plus, reach, scaled } from './face-frame.ts';
import { FIT_CHANGES, MASK_SHAPES, type MaskShape } from './mask-shape.ts';
import type { MaskSpec } from './mask-spec.ts';

/** What of a mask decides where it lies. */
export type WornMask = Pick<MaskSpec, 'type' | 'fit' | 'scale' | 'rise' | 'lean' | 'looseSide'>;

/** One half of a mask, from the middle line to its seam. */
export interface Half {
  /** -1 is the left half as seen. */
  readonly sign: -1 | 1;
  /** How far the head is turned towards this side, radians. */
  readonly yaw: number;
  /** Angle from the middle line at which the mask ends, or goes out of sight behind the head. */
  readonly angle: number;
  readonly hidden: boolean;
  /**
   * Where the cloth is seen, by rows (from the upper edge to the hem) and columns (from the middle outwards).
   */
  readonly points: readonly (readonly Point[])[];
}

export interface Placement {
  readonly halves: readonly [left: Half, right: Half];
  /** Angle from the middle to a seam, radians. */
  readonly halfAngle: number;
}

/** Cloth and filter are thick: beyond the outline of a cheek this share of the width is added. */
const STAND_OFF = 0.02;
/** Least distance between the lower lid and a mask, in heights of the face. */
const LID_GAP = 0.035;
/** How steeply that clearance ends beside the eye. */
const LID_SLOPE = 1.2;
/** How far a mask turns that hangs from one ear, radians. */
const LOOSE_TURN = 0.42;
/** Least breadth of the half that is turned away, in widths of the face. */
const LEAST_HALF = 0.03;

/**
 * Lays a mask over the landmarks of a face: the upper edge over nose and cheeks, clear of the eyes; the seams before the
 * ears; the hem along the jaw, below the chin. Both halves are foreshortened as on a round head that is turned.
 *
 * @param columns, rows cells of each half
 */
export function placeMask(face: FaceFrame, mask: WornMask, columns: number, rows: number): Placement {
  const shape = MASK_SHAPES[mask.type];
  const halfAngle = ((shape.halfAngle * Math.PI) / 180) * mask.scale;
  const lines = linesOf(face, shape, mask);
  const lean = rotation(face.nose(3), mask.lean);
  const place = (sign: -1 | 1) => placeHalf(face, shape, lines, sign, halfAngle, columns, rows, lean);
  const halves = [place(-1), place(1)] as const;
  if (mask.fit !== 'loose') return { halves, halfAngle };

  const held = halves[mask.looseSide === 'left' ? 1 : 0];
  const pin = held.points[Math.round(rows * 0.2)]?.[columns] ?? face.chin;
  const out = scaled(face.across, held.sign * face.width * 0.02);
  const hang = rotation(pin, mask.looseSide === 'right' ? LOOSE_TURN : -LOOSE_TURN, out);
  const hung = (half: Half): Half => ({ ...half, points: half.points.map((row) => row.map(hang)) });
  return { halves: [hung(halves[0]), hung(halves[1])], halfAngle };
}

/** What both halves hold on to. */
interface Lines {
  readonly top: Point;
  /** The middle line from the upper edge to the chin. */
  readonly middle: readonly Point[];
  readonly jawTop: number;
  readonly drop: number;
  readonly hemBreadth: number;
  readonly sag: number;
  readonly clearOfLids: boolean;
}

function linesOf(face: FaceFrame, shape: MaskShape, { fit, scale, rise }: WornMask): Lines {
  const change = FIT_CHANGES[fit];
  const low = fit === 'low';
  const top = low
    ? between(face.nose(4), face.upperLip, 0.35)
    : face.nose(Math.max(0.3, shape.nose + change.nose - rise));
  return {
    top,
    middle: low
      ? [top, between(face.upperLip, face.lowerLip, 0.6), face.chin]
      : [top, face.nose(2.9), face.lowerLip, face.chin],
    jawTop: shape.jawTop + change.jaw - (scale - 1) * 3,
    drop: (shape.chinDrop + change.drop + (scale - 1) * 0.5) * face.height,
    hemBreadth: Math.min(shape.hemBreadth, change.hemBreadth),
    sag: (shape.sag + change.sag) * face.height,
    clearOfLids: !low,
  };
}

function placeHalf(
  face: FaceFrame,
  shape: MaskShape,
  lines: Lines,
  sign: -1 | 1,
  halfAngle: number,
  columns: number,
  rows: number,
  lean: (point: Point) => Point,
): Half {
  const yaw = sign * face.yaw;
  const visible = Math.PI / 2 - yaw;
  const hidden = visible < halfAngle;
  const angle = Math.min(halfAngle, visible);
  const jaw = (at: number, middle: Point, outer = 1) =>
    keptApart(face, sign, face.jaw(sign < 0 ? at : 16 - at), middle, outer * LEAST_HALF * face.width);
  const full = reach(angle, yaw);
  const upperReach = hidden ? 1 + STAND_OFF : full;
  const reachAt = (v: number) => upperReach + Math.max(0, shape.lowReach - upperReach) * smooth(v / 0.65);
  const towards = (from: Point, to: Point, by: number) => plus(from, scaled(minus(to, from), by));

  const corner = towards(lines.top, jaw(lines.jawTop, lines.top), reachAt(0));
  const cornerFall = dot(minus(corner, lines.top), face.down);
  const lowCorner = towards(face.chin, jaw(shape.jawLow, face.chin), reachAt(1));
  const across = Array.from({ length: columns + 1 }, (_, column) => {
    const outer = column / columns;
    const weight = reach(outer * angle, yaw) / full;
    // Over the nose the edge is bent, not pointed; from there it falls to the cheeks and runs to the corner.
    const bend = (at: number) => 1 - Math.exp(-((at / (1.7 * shape.noseBreadth)) ** 2));
    const fall = cornerFall * (bend(outer) / bend(1) - weight) + lines.sag * bend(outer) * (1 - outer) ** 0.7;
    const edge = plus(between(lines.top, corner, weight), scaled(face.down, fall));
    const clear = lines.clearOfLids ? lidClearance(face, edge) : 0;
    const hem = plus(
      towards(face.chin, jaw(8 - (8 - shape.jawLow) * outer, face.chin, outer), reachAt(1)),
      plus(
        scaled(face.down, lines.drop * (1 - outer ** lines.hemBreadth)),
        scaled(face.across, sign * shape.hemBulge * face.height * Math.sin(Math.PI * outer) * (hidden ? 0.3 : 1)),
      ),
    );
    return { weight, upper: scaled(face.down, fall + clear), lower: minus(hem, between(face.chin, lowCorner, weight)) };
  });

  const points = Array.from({ length: rows + 1 }, (_, row) => {
    const v = row / rows;
    const middle = along(lines.middle, v * (lines.middle.length - 1));
    const seam = towards(middle, jaw(lines.jawTop + (shape.jawLow - lines.jawTop) * v, middle), reachAt(v));
    const [upperShare, lowerShare] = [(1 - v) ** 2, v ** 3];
    return across.map(({ weight, upper, lower }) =>
      lean(plus(between(middle, seam, weight), plus(scaled(upper, upperShare), scaled(lower, lowerShare)))),
    );
  });
  return { sign, yaw, angle, hidden, points };
}

/** How far an upper edge at `edge` must go down to leave the eye above it free. */
function lidClearance(face: FaceFrame, edge: Point): number {
  const x = dot(edge, face.across);
  const y = dot(edge, face.down);
  let most = 0;
  for (const { from, to, lid } of [face.leftEye, face.rightEye]) {
    const beside = Math.max(0, from - x, x - to);
    most = Math.max(most, lid + LID_GAP * face.height - LID_SLOPE * beside - y);
  }
  return most;
}

/** A jaw point of the far side can be seen on the wrong side of the nose: the half then is a narrow strip. */
function keptApart(face: FaceFrame, sign: number, jaw: Point, middle: Point, least: number): Point {
  const distance = sign * dot(minus(jaw, middle), face.across);
  return distance >= least ? jaw : plus(jaw, scaled(face.across, sign * (least - distance)));
}

/** Turns clockwise as seen by `angle` about `centre`, then shifts. */
function rotation(centre: Point, angle: number, shift: Point = { x: 0, y: 0 }): (point: Point) => Point {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return ({ x, y }) => ({
    x: centre.x + (x - centre.x) * cosine - (y - centre.y) * sine + shift.x,
    y: centre.y + (x - centre.x) * sine + (y - centre.y) * cosine + shift.y,
  });
}

function smooth(t: number): number {
  const held = Math.max(0, Math.min(1, t));
  return held * held * (3 - 2 * held);
}
