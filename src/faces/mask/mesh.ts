import type { Window } from './raster.ts';

/** Values a corner has, and each pixel of what is filled: as many as cloth takes. */
export const MESH_VALUES = 6;

/**
 * Corners of quadrilaterals, row by row. Plain numbers: triangles are small, and reading objects would cost more than
 * filling them.
 */
export interface Mesh {
  /** Quadrilaterals; there is one corner more each way. */
  readonly columns: number;
  readonly rows: number;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** `MESH_VALUES` a corner. */
  readonly values: Float64Array;
}

/** A mesh without places and values yet. */
export function emptyMesh(columns: number, rows: number): Mesh {
  const count = (columns + 1) * (rows + 1);
  const values = new Float64Array(count * MESH_VALUES);
  return { columns, rows, xs: new Float64Array(count), ys: new Float64Array(count), values };
}

/**
 * Interpolates values over a mesh at each pixel centre: `pixels` has `MESH_VALUES` numbers a pixel of the window. What no
 * triangle covers keeps what it was. Later triangles win.
 */
export function interpolateMesh(mesh: Mesh, window: Window, pixels: Float32Array): void {
  const { columns, rows } = mesh;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const a = row * (columns + 1) + column;
      const d = a + columns + 2;
      fillTriangle(mesh, a, a + 1, d, window, pixels);
      fillTriangle(mesh, a, d, a + columns + 1, window, pixels);
    }
  }
}

/** Pixels this near outside a triangle belong to it as well, so that no gap shows between two. */
const TOLERANCE = 1e-4;

function fillTriangle(
  { xs, ys, values }: Mesh,
  a: number,
  b: number,
  c: number,
  window: Window,
  pixels: Float32Array,
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
  const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - window.y - TOLERANCE)) | 0;
  const bottom = Math.min(window.height - 1, Math.floor(Math.max(ay, by, cy) - window.y + TOLERANCE));
  const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - window.x - TOLERANCE)) | 0;
  const right = Math.min(window.width - 1, Math.floor(Math.max(ax, bx, cx) - window.x + TOLERANCE));
  if (top > bottom || left > right) return;
  // Weights of b and c, and how they change a pixel to the right; that of a is what is left of 1.
  const share = 1 / area;
  const stepB = acY * share;
  const stepC = -abY * share;
  const stepA = -stepB - stepC;
  const [pixelsA, pixelsB, pixelsC] = [1 / stepA, 1 / stepB, 1 / stepC];
  // Each value at the first corner, and how it changes by the weights of the other two; without loops, which would take longer.
  const base0 = values[a * MESH_VALUES + 0] as number;
  const b0 = (values[b * MESH_VALUES + 0] as number) - base0;
  const c0 = (values[c * MESH_VALUES + 0] as number) - base0;
  const step0 = stepB * b0 + stepC * c0;
  const base1 = values[a * MESH_VALUES + 1] as number;
  const b1 = (values[b * MESH_VALUES + 1] as number) - base1;
  const c1 = (values[c * MESH_VALUES + 1] as number) - base1;
  const step1 = stepB * b1 + stepC * c1;
  const base2 = values[a * MESH_VALUES + 2] as number;
  const b2 = (values[b * MESH_VALUES + 2] as number) - base2;
  const c2 = (values[c * MESH_VALUES + 2] as number) - base2;
  const step2 = stepB * b2 + stepC * c2;
  const base3 = values[a * MESH_VALUES + 3] as number;
  const b3 = (values[b * MESH_VALUES + 3] as number) - base3;
  const c3 = (values[c * MESH_VALUES + 3] as number) - base3;
  const step3 = stepB * b3 + stepC * c3;
  const base4 = values[a * MESH_VALUES + 4] as number;
  const b4 = (values[b * MESH_VALUES + 4] as number) - base4;
  const c4 = (values[c * MESH_VALUES + 4] as number) - base4;
  const step4 = stepB * b4 + stepC * c4;
  const base5 = values[a * MESH_VALUES + 5] as number;
  const b5 = (values[b * MESH_VALUES + 5] as number) - base5;
  const c5 = (values[c * MESH_VALUES + 5] as number) - base5;
  const step5 = stepB * b5 + stepC * c5;
  for (let y = top; y <= bottom; y++) {
    const dx = left + window.x - ax;
    const dy = y + window.y - ay;
    const weightB = (dx * acY - acX * dy) * share;
    const weightC = (abX * dy - dx * abY) * share;
    // Where along the row all three weights are at least nothing, in pixels from `left`.
    const fromA = (weightB + weightC - 1 - TOLERANCE) * pixelsA;
    const fromB = (-TOLERANCE - weightB) * pixelsB;
    const fromC = (-TOLERANCE - weightC) * pixelsC;
    let from = 0;
    let to = right - left;
    if (stepA > 0) from = Math.max(from, fromA);
    else if (stepA < 0) to = Math.min(to, fromA);
    else if (1 - weightB - weightC < -TOLERANCE) continue;
    if (stepB > 0) from = Math.max(from, fromB);
    else if (stepB < 0) to = Math.min(to, fromB);
    else if (weightB < -TOLERANCE) continue;
    if (stepC > 0) from = Math.max(from, fromC);
    else if (stepC < 0) to = Math.min(to, fromC);
    else if (weightC < -TOLERANCE) continue;
    if (from > to) continue;
    const first = Math.ceil(from) | 0;
    const last = Math.floor(to) | 0;
    const start0 = base0 + weightB * b0 + weightC * c0;
    const start1 = base1 + weightB * b1 + weightC * c1;
    const start2 = base2 + weightB * b2 + weightC * c2;
    const start3 = base3 + weightB * b3 + weightC * c3;
    const start4 = base4 + weightB * b4 + weightC * c4;
    const start5 = base5 + weightB * b5 + weightC * c5;
    for (let x = first, at = (y * window.width + left + first) * MESH_VALUES; x <= last; x++, at += MESH_VALUES) {
      pixels[at] = start0 + x * step0;
      pixels[at + 1] = start1 + x * step1;
      pixels[at + 2] = start2 + x * step2;
      pixels[at + 3] = start3 + x * step3;
      pixels[at + 4] = start4 + x * step4;
      pixels[at + 5] = start5 + x * step5;
    }
  }
}
