import type { Point } from '../../core/geometry.ts';
import type { Window } from './raster.ts';

/** A corner of a triangle and what is interpolated over it. */
export interface Corner extends Point {
  readonly values: readonly number[];
}

/** Corners as plain numbers: triangles are small, and reading them would cost more than filling them. */
interface Mesh {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** Those of a corner stand together. */
  readonly values: Float64Array;
}

/** What a value of a triangle is at its first corner, and how it changes by the weights of the other two. */
interface Slopes {
  readonly base: Float64Array;
  readonly alongB: Float64Array;
  readonly alongC: Float64Array;
}

/**
 * Interpolates values over a mesh of quadrilaterals (row by row) at each pixel centre: `planes[k][pixel]` is value k.
 * What no triangle covers keeps what it was. Later triangles win.
 */
export function interpolateMesh(
  corners: readonly Corner[],
  columns: number,
  rows: number,
  window: Window,
  planes: readonly Float32Array[],
): void {
  const count = (columns + 1) * (rows + 1);
  if (corners.length < count) throw new RangeError(`${corners.length} corners are no mesh of ${columns}x${rows}`);
  const mesh = meshOf(corners, planes.length);
  const slopes: Slopes = {
    base: new Float64Array(planes.length),
    alongB: new Float64Array(planes.length),
    alongC: new Float64Array(planes.length),
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const a = row * (columns + 1) + column;
      const d = a + columns + 2;
      fillTriangle(mesh, a, a + 1, d, window, planes, slopes);
      fillTriangle(mesh, a, d, a + columns + 1, window, planes, slopes);
    }
  }
}

function meshOf(corners: readonly Corner[], count: number): Mesh {
  const xs = new Float64Array(corners.length);
  const ys = new Float64Array(corners.length);
  const all = new Float64Array(corners.length * count);
  for (let index = 0; index < corners.length; index++) {
    const { x, y, values } = corners[index] as Corner;
    xs[index] = x;
    ys[index] = y;
    for (let which = 0; which < count; which++) all[index * count + which] = values[which] as number;
  }
  return { xs, ys, values: all };
}

/** Pixels this near outside a triangle belong to it as well, so that no gap shows between two. */
const TOLERANCE = 1e-4;

function fillTriangle(
  { xs, ys, values }: Mesh,
  a: number,
  b: number,
  c: number,
  window: Window,
  planes: readonly Float32Array[],
  { base, alongB, alongC }: Slopes,
): void {
  const ax = xs[a] as number;
  const ay = ys[a] as number;
  const bx = xs[b] as number;
  const by = ys[b] as number;
  const cx = xs[c] as number;
  const cy = ys[c] as number;
  const abX = bx - ax;
  const abY = by - ay;
  const acX = cx - ax;
  const acY = cy - ay;
  const area = abX * acY - abY * acX;
  if (!(Math.abs(area) > 1e-9)) return;
  const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - window.y - TOLERANCE));
  const bottom = Math.min(window.height - 1, Math.floor(Math.max(ay, by, cy) - window.y + TOLERANCE));
  const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - window.x - TOLERANCE));
  const right = Math.min(window.width - 1, Math.floor(Math.max(ax, bx, cx) - window.x + TOLERANCE));
  if (top > bottom || left > right) return;
  // Weights of b and c, and how they change a pixel to the right; that of a is what is left of 1.
  const stepB = acY / area;
  const stepC = -abY / area;
  const count = planes.length;
  for (let plane = 0; plane < count; plane++) {
    const value = values[a * count + plane] as number;
    base[plane] = value;
    alongB[plane] = (values[b * count + plane] as number) - value;
    alongC[plane] = (values[c * count + plane] as number) - value;
  }
  for (let y = top; y <= bottom; y++) {
    const dx = left + window.x - ax;
    const dy = y + window.y - ay;
    const weightB = (dx * acY - acX * dy) / area;
    const weightC = (abX * dy - dx * abY) / area;
    // Where along the row all three weights are at least nothing, in pixels from `left`.
    let from = 0;
    let to = right - left;
    for (let edge = 0; edge < 3; edge++) {
      const at = edge === 0 ? weightB : edge === 1 ? weightC : 1 - weightB - weightC;
      const step = edge === 0 ? stepB : edge === 1 ? stepC : -stepB - stepC;
      if (step > 0) from = Math.max(from, Math.ceil((-TOLERANCE - at) / step));
      else if (step < 0) to = Math.min(to, Math.floor((-TOLERANCE - at) / step));
      else if (at < -TOLERANCE) to = -1;
    }
    if (from > to) continue;
    const first = y * window.width + left;
    for (let plane = 0; plane < count; plane++) {
      const pixels = planes[plane] as Float32Array;
      const value = (base[plane] as number) + weightB * (alongB[plane] as number) + weightC * (alongC[plane] as number);
      const step = stepB * (alongB[plane] as number) + stepC * (alongC[plane] as number);
      for (let x = from; x <= to; x++) pixels[first + x] = value + x * step;
    }
  }
}
