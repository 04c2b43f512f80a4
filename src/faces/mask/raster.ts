import type { Point, Size } from '../../core/geometry.ts';

/** The part of a picture that is drawn on: whole pixels, inside the picture. */
export interface Window extends Size {
  readonly x: number;
  readonly y: number;
}

/** The pixels around `points`, `margin` more on each side, that lie in the picture; null when there are none. */
export function windowAround(points: readonly Point[], margin: number, picture: Size): Window | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const x = Math.max(0, Math.floor(left - margin));
  const y = Math.max(0, Math.floor(top - margin));
  const width = Math.min(picture.width - 1, Math.ceil(right + margin)) - x + 1;
  const height = Math.min(picture.height - 1, Math.ceil(bottom + margin)) - y + 1;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** The part of `outer` in which a polygon lies; null when none of it does. */
export function windowWithin(points: readonly Point[], outer: Window): Window | null {
  const within = windowAround(
    points.map(({ x, y }) => ({ x: x - outer.x, y: y - outer.y })),
    1,
    outer,
  );
  return within && { ...within, x: within.x + outer.x, y: within.y + outer.y };
}

/** Rows a pixel is cut into; along the row coverage is exact. */
const SUB_ROWS = 4;

/**
 * Share of each pixel of `window` that lies inside the polygon (non-zero winding), 0..1, row by row. Pixel centres have
 * whole coordinates.
 */
export function polygonCoverage(polygon: readonly Point[], window: Window): Float32Array {
  const coverage = new Float32Array(window.width * window.height);
  const lines = window.height * SUB_ROWS;
  const crossings: { x: number; winding: number }[][] = [];
  for (let index = 0; index < polygon.length; index++) {
    const from = polygon[index] ?? { x: 0, y: 0 };
    const to = polygon[(index + 1) % polygon.length] ?? from;
    const [upper, lower] = from.y < to.y ? [from, to] : [to, from];
    // Sub-row `line` lies at y = window.y - 0.5 + (line + 0.5) / SUB_ROWS.
    const first = Math.max(0, Math.ceil((upper.y - window.y + 0.5) * SUB_ROWS - 0.5));
    const last = Math.min(lines - 1, Math.ceil((lower.y - window.y + 0.5) * SUB_ROWS - 0.5) - 1);
    const slope = (lower.x - upper.x) / (lower.y - upper.y);
    for (let line = first; line <= last; line++) {
      const y = window.y - 0.5 + (line + 0.5) / SUB_ROWS;
      const crossing = { x: upper.x + (y - upper.y) * slope - window.x, winding: from.y < to.y ? 1 : -1 };
      const there = crossings[line];
      if (there) there.push(crossing);
      else crossings[line] = [crossing];
    }
  }
  for (let line = 0; line < lines; line++) {
    const there = crossings[line];
    if (!there) continue;
    there.sort((a, b) => a.x - b.x);
    const row = Math.floor(line / SUB_ROWS) * window.width;
    let winding = 0;
    let from = 0;
    for (const crossing of there) {
      const before = winding;
      winding += crossing.winding;
      if (before === 0) from = crossing.x;
      else if (winding === 0) addSpan(coverage, row, window.width, from + 0.5, crossing.x + 0.5);
    }
  }
  return coverage;
}

/** Adds a sub-row's span from `from` to `to`, where pixel i covers i to i + 1. */
function addSpan(coverage: Float32Array, row: number, width: number, from: number, to: number): void {
  const start = Math.max(0, from);
  const end = Math.min(width, to);
  if (!(end > start)) return;
  const first = Math.floor(start);
  const last = Math.min(width - 1, Math.floor(end));
  const full = 1 / SUB_ROWS;
  const add = (pixel: number, share: number) => {
    coverage[row + pixel] = (coverage[row + pixel] ?? 0) + share * full;
  };
  if (first === last) {
    add(first, end - start);
    return;
  }
  add(first, first + 1 - start);
  for (let pixel = first + 1; pixel < last; pixel++) add(pixel, 1);
  add(last, end - last);
}

/** A corner of a triangle and what is interpolated over it. */
export interface Corner extends Point {
  readonly values: readonly number[];
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
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * (columns + 1) + column;
      const a = corners[at];
      const b = corners[at + 1];
      const c = corners[at + columns + 1];
      const d = corners[at + columns + 2];
      if (!a || !b || !c || !d) continue;
      fillTriangle(a, b, d, window, planes);
      fillTriangle(a, d, c, window, planes);
    }
  }
}

/** Pixels this near outside a triangle belong to it as well, so that no gap shows between two. */
const TOLERANCE = 1e-4;

function fillTriangle(a: Corner, b: Corner, c: Corner, window: Window, planes: readonly Float32Array[]): void {
  const area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
  if (!(Math.abs(area) > 1e-9)) return;
  const left = Math.max(0, Math.ceil(Math.min(a.x, b.x, c.x) - window.x - TOLERANCE));
  const right = Math.min(window.width - 1, Math.floor(Math.max(a.x, b.x, c.x) - window.x + TOLERANCE));
  const top = Math.max(0, Math.ceil(Math.min(a.y, b.y, c.y) - window.y - TOLERANCE));
  const bottom = Math.min(window.height - 1, Math.floor(Math.max(a.y, b.y, c.y) - window.y + TOLERANCE));
  for (let y = top; y <= bottom; y++) {
    const py = y + window.y;
    for (let x = left; x <= right; x++) {
      const px = x + window.x;
      const wb = ((px - a.x) * (c.y - a.y) - (c.x - a.x) * (py - a.y)) / area;
      const wc = ((b.x - a.x) * (py - a.y) - (px - a.x) * (b.y - a.y)) / area;
      const wa = 1 - wb - wc;
      if (wa < -TOLERANCE || wb < -TOLERANCE || wc < -TOLERANCE) continue;
      const pixel = y * window.width + x;
      for (let plane = 0; plane < planes.length; plane++) {
        const values = planes[plane];
        if (!values) continue;
        values[pixel] = wa * (a.values[plane] ?? 0) + wb * (b.values[plane] ?? 0) + wc * (c.values[plane] ?? 0);
      }
    }
  }
}

/** Gaussian blur in place of `channels` interleaved values a pixel; what lies outside counts as zero. */
export function blur(pixels: Float32Array, { width, height }: Size, channels: number, sigma: number): void {
  if (!(sigma > 0.05)) return;
  const kernel = gaussian(sigma);
  const radius = kernel.length - 1;
  const row = width * channels;
  const line = new Float32Array(row + 2 * radius * channels);
  for (let y = 0; y < height; y++) {
    line.set(pixels.subarray(y * row, (y + 1) * row), radius * channels);
    blurLine(line, pixels, y * row, row, channels, kernel);
  }
  // Columns a row at a time: the values of a row and of its neighbours lie together in memory.
  const before = pixels.slice();
  for (let y = 0; y < height; y++) blurAcross(before, pixels, y, height, row, kernel);
}

/** Half a kernel, from its middle outwards. A slight blur takes three pixels, weighted for the same variance. */
function gaussian(sigma: number): Float64Array {
  if (sigma < 0.7) return Float64Array.of(1 - sigma * sigma, (sigma * sigma) / 2);
  const radius = Math.ceil(sigma * 2);
  const kernel = Float64Array.from({ length: radius + 1 }, (_, at) => Math.exp(-(at * at) / (2 * sigma * sigma)));
  const sum = kernel.reduce((total, weight, at) => total + (at === 0 ? weight : 2 * weight), 0);
  return kernel.map((weight) => weight / sum);
}

/** `target[start + i]` from a line that has room for the kernel at both ends. */
function blurLine(
  line: Float32Array,
  target: Float32Array,
  start: number,
  count: number,
  step: number,
  kernel: Float64Array,
): void {
  const radius = kernel.length - 1;
  const middle = radius * step;
  for (let at = 0; at < count; at++) {
    let value = (kernel[0] ?? 0) * (line[middle + at] ?? 0);
    for (let by = 1; by <= radius; by++) {
      value += (kernel[by] ?? 0) * ((line[middle + at - by * step] ?? 0) + (line[middle + at + by * step] ?? 0));
    }
    target[start + at] = value;
  }
}

function blurAcross(
  source: Float32Array,
  target: Float32Array,
  y: number,
  height: number,
  row: number,
  kernel: Float64Array,
): void {
  const radius = kernel.length - 1;
  const weight = kernel[0] ?? 0;
  const start = y * row;
  for (let at = 0; at < row; at++) target[start + at] = weight * (source[start + at] ?? 0);
  for (let by = -radius; by <= radius; by++) {
    if (by === 0 || y + by < 0 || y + by >= height) continue;
    const share = kernel[by < 0 ? -by : by] ?? 0;
    const from = (y + by) * row;
    for (let at = 0; at < row; at++) target[start + at] = (target[start + at] ?? 0) + share * (source[from + at] ?? 0);
  }
}

/** Two running means in place, near enough to a Gaussian of deviation `sigma`; what lies outside counts as zero. */
export function smear(plane: Float32Array, { width, height }: Size, sigma: number): void {
  // The variance of a mean over 2r + 1 values is r (r + 1) / 3.
  const radius = Math.max(1, Math.round(Math.sqrt(0.25 + 1.5 * sigma * sigma) - 0.5));
  const line = new Float32Array(Math.max(width, height));
  for (let pass = 0; pass < 2; pass++) {
    for (let y = 0; y < height; y++) runningMean(plane, y * width, 1, width, radius, line);
    for (let x = 0; x < width; x++) runningMean(plane, x, width, height, radius, line);
  }
}

function runningMean(
  plane: Float32Array,
  start: number,
  step: number,
  count: number,
  radius: number,
  line: Float32Array,
): void {
  for (let at = 0; at < count; at++) line[at] = plane[start + at * step] ?? 0;
  let sum = 0;
  for (let at = 0; at < Math.min(radius, count); at++) sum += line[at] ?? 0;
  for (let at = 0; at < count; at++) {
    if (at + radius < count) sum += line[at + radius] ?? 0;
    if (at - radius > 0) sum -= line[at - radius - 1] ?? 0;
    plane[start + at * step] = sum / (2 * radius + 1);
  }
}
