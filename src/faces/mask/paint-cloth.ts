import type { Point } from '../../core/geometry.ts';
import { fabricOf } from './fabric.ts';
import { minus, plus, scaled, unit } from './face-frame.ts';
import type { FaceLight } from './face-light.ts';
import type { Layer } from './layer.ts';
import type { MaskSpec, MaskType } from './mask-spec.ts';
import type { MaskSurface, SurfacePoint } from './mask-surface.ts';
import { emptyMesh, interpolateMesh, MESH_VALUES, type Mesh } from './mesh.ts';
import { windowWithin } from './raster.ts';
import type { ClothRow } from './relief.ts';
import { scratch } from './scratch.ts';

/** How far the mesh reaches beyond the edge, so that pixels which the edge cuts have values too. */
const RIM_PX = 1.5;
/** The brightest light in a room comes from above, and from the side that is lit. */
const LAMP = { across: 0.45, down: -0.5, near: 1 } as const;
/** What rubber mirrors of it, and cloth at a grazing angle: even black cloth is not wholly black. */
const RUBBER_SHINE = 0.16;
const RUBBER_SHARPNESS = 24;
const CLOTH_SHEEN = 0.012;

const pixelsFor = scratch((length) => new Float32Array(length));
const rowsFor = scratch((length) => new Float64Array(length));

/** Paints the mask itself, without what hangs on it. */
export function paintCloth(layer: Layer, spec: MaskSpec, surface: MaskSurface, light: FaceLight): void {
  const window = windowWithin(surface.outline, layer.window, Math.ceil(RIM_PX));
  if (!window) return;
  // Of each pixel its two coordinates on the cloth, its shine, and the light on it: red, green and blue.
  const cloth = pixelsFor(window.width * window.height * MESH_VALUES);
  fillWith(cloth, [0, 0, 0, ...light.strength]);
  interpolateMesh(meshOf(spec.type, surface, light), window, cloth);
  const { aspect, height } = surface;
  const fabric = fabricOf(spec, { aspect, texel: 1 / height, saturation: light.saturation });
  const room = rowsFor(window.width * 3);
  const part = (which: number) => room.subarray(which * window.width, (which + 1) * window.width);
  const row: ClothRow = { count: 0, us: part(0), vs: part(1), relief: part(2) };
  const { us, vs } = row;
  layer.paint(surface.outline, (x, y, count, out) => {
    const first = ((y - window.y) * window.width + x - window.x) * MESH_VALUES;
    for (let at = 0, from = first; at < count; at++, from += MESH_VALUES) {
      us[at] = cloth[from] as number;
      vs[at] = cloth[from + 1] as number;
    }
    row.count = count;
    fabric(row, out);
    for (let at = 0, from = first; at < count * 3; at += 3, from += MESH_VALUES) {
      const sheen = cloth[from + 2] as number;
      out[at] = (out[at] as number) * (cloth[from + 3] as number) + sheen;
      out[at + 1] = (out[at + 1] as number) * (cloth[from + 4] as number) + sheen;
      out[at + 2] = (out[at + 2] as number) * (cloth[from + 5] as number) + sheen;
    }
  });
}

/** Fills a whole array with the same few values over and over. */
function fillWith(target: Float32Array, values: readonly number[]): void {
  target.set(values);
  for (let filled = values.length; filled < target.length; filled *= 2) target.copyWithin(filled, 0, filled);
}

function gloss(type: MaskType, { normal }: SurfacePoint, light: FaceLight): number {
  return ((type === 'gas' ? mirrored(normal, light) : 0) + CLOTH_SHEEN * (1 - normal[2])) * light.strength[1];
}

function mirrored([across, down, near]: SurfacePoint['normal'], light: FaceLight): number {
  const side = LAMP.across * (light.across < 0 ? -1 : 1);
  const halfway = across * side + down * LAMP.down + near * (LAMP.near + 1);
  const facing = Math.max(0, halfway / Math.hypot(side, LAMP.down, LAMP.near + 1));
  return RUBBER_SHINE * facing ** RUBBER_SHARPNESS;
}

/**
 * The mesh with what is interpolated over it, and with a row and a column more on each side, just outside of it, of the
 * same values as its edge.
 */
function meshOf(type: MaskType, { points, columns, rows }: MaskSurface, light: FaceLight): Mesh {
  const mesh = emptyMesh(columns + 2, rows + 2);
  const { xs, ys, values } = mesh;
  const [strongR, strongG, strongB] = light.strength;
  for (let row = -1, corner = 0; row <= rows + 1; row++) {
    const inRow = held(row, 0, rows);
    for (let column = -1; column <= columns + 1; column++, corner++) {
      const inColumn = held(column, 0, columns);
      const point = points[inRow * (columns + 1) + inColumn] as SurfacePoint;
      const outside = inRow !== row || inColumn !== column;
      const next = held(row, 1, rows - 1) * (columns + 1) + held(column, 1, columns - 1);
      const { x, y } = outside ? beyond(points[next] as SurfacePoint, point) : point;
      xs[corner] = x;
      ys[corner] = y;
      const shade = light.shade(point.normal);
      const at = corner * MESH_VALUES;
      values[at] = point.u;
      values[at + 1] = point.v;
      values[at + 2] = gloss(type, point, light);
      values[at + 3] = shade[0] * strongR;
      values[at + 4] = shade[1] * strongG;
      values[at + 5] = shade[2] * strongB;
    }
  }
  return mesh;
}

function beyond(inside: Point, edge: Point): Point {
  const step = minus(edge, inside);
  return Math.hypot(step.x, step.y) > 1e-6 ? plus(edge, scaled(unit(step), RIM_PX)) : { x: edge.x, y: edge.y };
}

function held(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
