import type { Point } from '../../core/geometry.ts';
import { fabricOf } from './fabric.ts';
import { minus, plus, scaled, unit } from './face-frame.ts';
import type { FaceLight } from './face-light.ts';
import type { Layer } from './layer.ts';
import type { MaskSpec, MaskType } from './mask-spec.ts';
import type { MaskSurface, SurfacePoint } from './mask-surface.ts';
import { type Corner, interpolateMesh } from './raster.ts';

/** How far the mesh reaches beyond the edge, so that pixels which the edge cuts have values too. */
const RIM_PX = 1.5;
/** The brightest light in a room comes from above, and from the side that is lit. */
const LAMP = { across: 0.45, down: -0.5, near: 1 } as const;
/** What rubber mirrors of it, and cloth at a grazing angle: even black cloth is not wholly black. */
const RUBBER_SHINE = 0.16;
const RUBBER_SHARPNESS = 24;
const CLOTH_SHEEN = 0.012;

/** Paints the mask itself, without what hangs on it. */
export function paintCloth(layer: Layer, spec: MaskSpec, surface: MaskSurface, light: FaceLight): void {
  const pixels = layer.window.width * layer.window.height;
  const plane = (value: number) => new Float32Array(pixels).fill(value);
  const [us, vs, shine] = [plane(0), plane(0), plane(0)] as const;
  const [red, green, blue] = light.strength.map(plane) as [Float32Array, Float32Array, Float32Array];
  const corners = rimmed(surface, (point) => {
    const [r, g, b] = light.shade(point.normal);
    const [strongR, strongG, strongB] = light.strength;
    return [point.u, point.v, gloss(spec.type, point, light), r * strongR, g * strongG, b * strongB];
  });
  interpolateMesh(corners, surface.columns + 2, surface.rows + 2, layer.window, [us, vs, shine, red, green, blue]);
  const { aspect, height } = surface;
  const fabric = fabricOf(spec, { aspect, texel: 1 / height, saturation: light.saturation });
  layer.paint(surface.outline, (pixel, _x, _y, out) => {
    fabric(us[pixel] as number, vs[pixel] as number, out);
    const sheen = shine[pixel] as number;
    out[0] = (out[0] as number) * (red[pixel] as number) + sheen;
    out[1] = (out[1] as number) * (green[pixel] as number) + sheen;
    out[2] = (out[2] as number) * (blue[pixel] as number) + sheen;
  });
}

function gloss(type: MaskType, { normal: [across, down, near] }: SurfacePoint, light: FaceLight): number {
  const side = LAMP.across * (light.across < 0 ? -1 : 1);
  const halfway = across * side + down * LAMP.down + near * (LAMP.near + 1);
  const facing = Math.max(0, halfway / Math.hypot(side, LAMP.down, LAMP.near + 1));
  const shine = type === 'gas' ? RUBBER_SHINE * facing ** RUBBER_SHARPNESS : 0;
  return (shine + CLOTH_SHEEN * (1 - near)) * light.strength[1];
}

/** The mesh with a row and a column more on each side, just outside of it, of the same values as its edge. */
function rimmed({ points, columns, rows }: MaskSurface, valuesOf: (point: SurfacePoint) => number[]): Corner[] {
  const values = points.map(valuesOf);
  const corners: Corner[] = [];
  for (let row = -1; row <= rows + 1; row++) {
    for (let column = -1; column <= columns + 1; column++) {
      const [inRow, inColumn] = [held(row, 0, rows), held(column, 0, columns)];
      const index = inRow * (columns + 1) + inColumn;
      const next = held(row, 1, rows - 1) * (columns + 1) + held(column, 1, columns - 1);
      const at = points[index] as SurfacePoint;
      const outside = inRow !== row || inColumn !== column;
      corners.push({
        ...(outside ? beyond(points[next] as SurfacePoint, at) : { x: at.x, y: at.y }),
        values: values[index] ?? [],
      });
    }
  }
  return corners;
}

function beyond(inside: Point, edge: Point): Point {
  const step = minus(edge, inside);
  return Math.hypot(step.x, step.y) > 1e-6 ? plus(edge, scaled(unit(step), RIM_PX)) : { x: edge.x, y: edge.y };
}

function held(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
