import type { Point } from '../../core/geometry.ts';
import { dot, type FaceFrame, JAW_ANGLE } from './face-frame.ts';
import { placeMask, type WornMask } from './mask-placement.ts';
import { MASK_SHAPES, type MaskShape } from './mask-shape.ts';

/** Cells of the mesh from the middle line to a seam, and from nose to chin. */
const HALF_COLUMNS = 10;
const ROWS = 12;
/** Height of a mask in heights of the face. */
const MASK_HEIGHT = 0.95;

/** One point of the mask: place in the picture, place on the cloth, and the way it faces. */
export interface SurfacePoint extends Point {
  /** -1 at the left seam as seen, 0 in the middle, 1 at the right seam. */
  readonly u: number;
  /** 0 at the upper edge, 1 at the hem. */
  readonly v: number;
  /** Unit normal: along the eyes, to the chin, to the camera. */
  readonly normal: Vector;
}

type Vector = readonly [across: number, down: number, near: number];

export interface MaskSurface {
  /** Cells; there is one point more each way. */
  readonly columns: number;
  readonly rows: number;
  /** Row by row, from the left upper corner. */
  readonly points: readonly SurfacePoint[];
  /** The visible edge, clockwise from the left upper corner. */
  readonly outline: readonly Point[];
  /** True where the mask goes around the head and its seam cannot be seen. */
  readonly hidden: { readonly left: boolean; readonly right: boolean };
  /** From the upper edge to the hem, pixels, about. */
  readonly height: number;
  /** Half its breadth over its height, both along the cloth. */
  readonly aspect: number;
}

/** The mesh of a mask on a face. */
export function maskSurface(face: FaceFrame, mask: WornMask): MaskSurface {
  const shape = MASK_SHAPES[mask.type];
  const { halves, halfAngle } = placeMask(face, mask, HALF_COLUMNS, ROWS);
  const [left, right] = halves;
  const height = MASK_HEIGHT * face.height;
  const radius = face.width / 2 / Math.sin(JAW_ANGLE);
  const count = 2 * HALF_COLUMNS + 1;
  const cells: Cell[] = [];
  for (let row = 0; row <= ROWS; row++) {
    const v = row / ROWS;
    const bulge = bulgeAt(shape, v);
    for (let column = 0; column < count; column++) {
      const half = column < HALF_COLUMNS ? left : right;
      const step = Math.abs(column - HALF_COLUMNS);
      const at = half.points[row]?.[step] ?? face.chin;
      const angle = (step / HALF_COLUMNS) * half.angle;
      const outer = angle / halfAngle;
      cells.push({
        at,
        u: half.sign * outer,
        v,
        across: dot(at, face.across),
        down: dot(at, face.down),
        depth: distanceOf(shape, bulge, angle, outer) * Math.cos(angle + half.yaw) * radius,
      });
    }
  }
  const points = cells.map(({ at, u, v }, index): SurfacePoint => {
    const column = index % count;
    const step = (by: number, ahead: boolean, behind: boolean) =>
      slope(cells[behind ? index - by : index], cells[ahead ? index + by : index]);
    const toRight = step(1, column < count - 1, column > 0);
    const toChin = step(count, index + count < cells.length, index >= count);
    return { x: at.x, y: at.y, u, v, normal: facing(toRight, toChin) };
  });
  return {
    columns: 2 * HALF_COLUMNS,
    rows: ROWS,
    points,
    outline: outlineOf(points),
    hidden: { left: left.hidden, right: right.hidden },
    height,
    aspect: (halfAngle * radius) / height,
  };
}

/** What of a mask's distance from the axis of the head depends on nothing but the height on it. */
interface Bulge {
  /** Height of the ridge over the nose, and what of an angle tells how far from it. */
  readonly ridge: number;
  readonly breadth: number;
  readonly dome: number;
  readonly chin: number;
}

function bulgeAt(shape: MaskShape, v: number): Bulge {
  return {
    ridge: shape.ridge * ridgeHeight(v),
    breadth: shape.ridgeAngle * (1 + 0.8 * v),
    dome: Math.max(0, 1 - (2 * v - 0.95) ** 2),
    chin: 0.9 * Math.max(0, v - 0.7) ** 1.5,
  };
}

/** Distance from the axis of the head in its radii: a round head, the nose under the cloth, a dome, the chin. */
function distanceOf(shape: MaskShape, { ridge, breadth, dome, chin }: Bulge, angle: number, outer: number): number {
  const fromRidge = (angle * 180) / Math.PI / breadth;
  const bent = shape.ridgePower === 1 ? fromRidge : fromRidge ** shape.ridgePower;
  return 1 + ridge * Math.exp(-bent) + shape.dome * Math.max(0, 1 - outer * outer) * dome - chin;
}

/** How far the nose lifts the cloth: most at its tip, a third at the bridge, little at the chin. */
function ridgeHeight(v: number): number {
  const smooth = (t: number) => t * t * (3 - 2 * t);
  return v < 0.35 ? 0.35 + 0.65 * smooth(v / 0.35) : 1 - 0.75 * smooth((v - 0.35) / 0.65);
}

interface Cell {
  readonly at: Point;
  readonly u: number;
  readonly v: number;
  readonly across: number;
  readonly down: number;
  readonly depth: number;
}

function slope(from: Cell | undefined, to: Cell | undefined): Vector {
  if (!from || !to) return [0, 0, 0];
  return [to.across - from.across, to.down - from.down, to.depth - from.depth];
}

/** Normal of a patch from its tangents to the right and down; it looks at the camera. */
function facing([ax, ay, az]: Vector, [bx, by, bz]: Vector): Vector {
  const [x, y, z] = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
  const length = Math.hypot(x, y, z) * (z < 0 ? -1 : 1);
  return Math.abs(length) > 1e-9 ? [x / length, y / length, z / length] : [0, 0, 1];
}

function outlineOf(points: readonly SurfacePoint[]): Point[] {
  const columns = 2 * HALF_COLUMNS;
  const at = (row: number, column: number): Point => {
    const { x, y } = points[row * (columns + 1) + column] ?? { x: 0, y: 0 };
    return { x, y };
  };
  return [
    ...Array.from({ length: columns }, (_, column) => at(0, column)),
    ...Array.from({ length: ROWS }, (_, row) => at(row, columns)),
    ...Array.from({ length: columns }, (_, column) => at(ROWS, columns - column)),
    ...Array.from({ length: ROWS }, (_, row) => at(ROWS - row, 0)),
  ];
}
