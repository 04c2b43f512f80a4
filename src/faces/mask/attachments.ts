import type { Point } from '../../core/geometry.ts';
import { along, between, type FaceFrame, minus, plus, scaled, unit } from './face-frame.ts';
import type { MaskSpec, Rgb } from './mask-spec.ts';
import type { MaskSurface, SurfacePoint } from './mask-surface.ts';

/** A band of elastic, seen as a polygon. */
export interface Strap {
  readonly polygon: readonly Point[];
  readonly colour: Rgb;
  readonly side: -1 | 1;
}

/** A round part that stands on the mask: a valve, a filter. */
export interface Disc {
  readonly centre: Point;
  /** Where it stands out to. */
  readonly top: Point;
  readonly radius: number;
  /** Direction, in the picture, in which it is foreshortened, and by how much (1 is seen from the front). */
  readonly slant: Point;
  readonly shortening: number;
  readonly normal: SurfacePoint['normal'];
  readonly colour: Rgb;
  readonly kind: 'valve' | 'filter';
}

const ELASTIC_WHITE: Rgb = [248, 248, 246];
const ELASTIC_YELLOW: Rgb = [222, 196, 120];
const RUBBER: Rgb = [58, 60, 64];
const FILTERS: readonly Rgb[] = [
  [196, 96, 138],
  [176, 178, 180],
  [70, 72, 76],
  [222, 222, 214],
];

/** Ear loops, or the bands around the head of the heavy ones. What is behind the head is left out. */
export function strapsOf(face: FaceFrame, spec: MaskSpec, surface: MaskSurface): Strap[] {
  const headBands = spec.type === 'n95' || spec.type === 'gas';
  return ([-1, 1] as const).flatMap((side) => {
    const colour = strapColour(spec);
    const left = side < 0;
    if (left ? surface.hidden.left : surface.hidden.right) return [];
    const seam = (share: number) => seamPoint(surface, left, share);
    if (spec.fit === 'loose' && (spec.looseSide === 'left') === left) {
      if (headBands) return [];
      // It hangs down from both ends.
      const out = plus(scaled(face.across, side * 0.16 * face.width), scaled(face.down, 0.22 * face.height));
      const loop = [seam(0.05), plus(seam(0.35), out), plus(seam(0.75), scaled(out, 1.1)), seam(0.95)];
      return [{ polygon: band(loop, 0.019 * face.width), colour, side }];
    }
    const jaw = (at: number) => face.jaw(left ? at : 16 - at);
    const out = (share: number, fall: number) =>
      plus(scaled(face.across, side * share * face.width), scaled(face.down, fall * face.height));
    const lines = headBands
      ? [
          [seam(0.22), plus(jaw(0), out(0.02, -0.06))],
          [seam(0.72), plus(jaw(2.4), out(0.01, -0.01))],
        ]
      : [
          [seam(0.03), plus(jaw(0.8), out(0.015, 0))],
          [seam(0.95), plus(jaw(2.1), out(0.012, -0.01))],
        ];
    const breadth = spec.type === 'gas' ? 0.045 : headBands ? 0.03 : 0.021;
    return lines.flatMap(([from, to], index) => {
      if (!from || !to) return [];
      const length = Math.hypot(to.x - from.x, to.y - from.y);
      if (length < 0.02 * face.width) return [];
      // Pulled tight, but around a cheek: the band bows a little.
      const bow = scaled(face.down, (index === 0 ? -0.05 : 0.06) * length);
      const middle = plus(between(from, to, 0.5), bow);
      return [{ polygon: band([from, middle, to], breadth * face.width), colour, side }];
    });
  });
}

/** Valve or filters of a mask. */
export function discsOf(face: FaceFrame, spec: MaskSpec, surface: MaskSurface): Disc[] {
  if (spec.type === 'gas') {
    const filter = FILTERS[spec.seed % FILTERS.length] ?? RUBBER;
    const sides = [-0.78, 0.78].map((u) => disc(face, surface, u, 0.62, 0.2, 0.13, filter, 'filter'));
    // The far one first: the near one may cover it.
    sides.sort((a, b) => a.normal[2] - b.normal[2]);
    return [...sides, disc(face, surface, 0, 0.66, 0.11, 0.05, RUBBER, 'valve')];
  }
  if (!spec.valve) return [];
  const colour: Rgb = spec.colour.every((value) => value < 90)
    ? [70, 72, 76]
    : spec.seed & 1
      ? [232, 233, 233]
      : [120, 124, 130];
  const u = spec.type === 'kn95' ? (spec.seed & 2 ? 0.42 : -0.42) : 0;
  return [disc(face, surface, u, spec.type === 'kn95' ? 0.5 : 0.6, 0.1, 0.035, colour, 'valve')];
}

/** The edge of a disc, at its foot or (`share` 1) at its top. */
export function discEdge({ centre, top, radius, slant, shortening }: Disc, share: number): Point[] {
  const middle = between(centre, top, share);
  const other = { x: -slant.y, y: slant.x };
  return Array.from({ length: 28 }, (_, step) => {
    const angle = (step / 28) * 2 * Math.PI;
    const [a, b] = [Math.cos(angle) * radius * shortening, Math.sin(angle) * radius];
    return { x: middle.x + a * slant.x + b * other.x, y: middle.y + a * slant.y + b * other.y };
  });
}

function disc(
  face: FaceFrame,
  surface: MaskSurface,
  u: number,
  v: number,
  radius: number,
  height: number,
  colour: Rgb,
  kind: Disc['kind'],
): Disc {
  const foot = pointAt(surface, u, v);
  const [a, d, near] = foot.normal;
  const flat = Math.hypot(a, d);
  const slant = flat > 1e-6 ? plus(scaled(face.across, a / flat), scaled(face.down, d / flat)) : face.across;
  const stand = plus(scaled(face.across, a * height * face.width), scaled(face.down, d * height * face.width));
  return {
    centre: { x: foot.x, y: foot.y },
    top: plus(foot, stand),
    radius: radius * face.width,
    slant,
    shortening: Math.max(near, 0.12),
    normal: foot.normal,
    colour,
    kind,
  };
}

/** The point of the mesh nearest to a place on the cloth. */
function pointAt({ points }: MaskSurface, u: number, v: number): SurfacePoint {
  const distance = (point: SurfacePoint) => Math.abs(point.u - u) + 2 * Math.abs(point.v - v);
  return points.reduce((best, point) => (distance(point) < distance(best) ? point : best));
}

function seamPoint({ points, columns, rows }: MaskSurface, left: boolean, share: number): Point {
  const seam = Array.from(
    { length: rows + 1 },
    (_, row) => points[row * (columns + 1) + (left ? 0 : columns)] as Point,
  );
  const { x, y } = along(seam, share * rows);
  return { x, y };
}

function strapColour(spec: MaskSpec): Rgb {
  if (spec.type === 'gas') return RUBBER;
  if (spec.type === 'n95') return spec.seed & 4 ? ELASTIC_YELLOW : ELASTIC_WHITE;
  const dark = spec.colour.every((value) => value < 110);
  return spec.type === 'cloth' || dark ? spec.colour : ELASTIC_WHITE;
}

/** A band of the given breadth along a curve through `points`. */
function band(points: readonly Point[], breadth: number): Point[] {
  const steps = (points.length - 1) * 6;
  const line = Array.from({ length: steps + 1 }, (_, step) => along(points, (step / steps) * (points.length - 1)));
  const edge = (sign: number) =>
    line.map((point, index) => {
      const ahead = line[Math.min(index + 1, steps)] ?? point;
      const behind = line[Math.max(index - 1, 0)] ?? point;
      const direction = unit(minus(ahead, behind));
      return plus(point, scaled({ x: -direction.y, y: direction.x }, (sign * breadth) / 2));
    });
  return [...edge(1), ...edge(-1).reverse()];
}
