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
  const { starts, xs, windings } = crossingsOf(polygon, window);
  for (let line = 0; line < window.height * SUB_ROWS; line++) {
    const [from, to] = [starts[line] as number, starts[line + 1] as number];
    if (from === to) continue;
    sortCrossings(xs, windings, from, to);
    const row = Math.floor(line / SUB_ROWS) * window.width;
    let winding = 0;
    let left = 0;
    for (let at = from; at < to; at++) {
      const before = winding;
      winding += windings[at] as number;
      if (before === 0) left = xs[at] as number;
      else if (winding === 0) addSpan(coverage, row, window.width, left + 0.5, (xs[at] as number) + 0.5);
    }
  }
  return coverage;
}

/** Where the edges of a polygon cross the sub-rows of a window; those of sub-row i stand from `starts[i]` on. */
interface Crossings {
  readonly starts: Int32Array;
  /** Pixels from the window's left edge. */
  readonly xs: Float64Array;
  /** 1 for an edge that goes down, -1 for one that goes up. */
  readonly windings: Int8Array;
}

function crossingsOf(polygon: readonly Point[], window: Window): Crossings {
  const lines = window.height * SUB_ROWS;
  // Sub-row `line` lies at y = window.y - 0.5 + (line + 0.5) / SUB_ROWS.
  const firstLine = (y: number) => Math.ceil((y - window.y + 0.5) * SUB_ROWS - 0.5);
  const ends = new Int32Array(lines + 1);
  const edges = polygon.map((from, index) => {
    const to = polygon[(index + 1) % polygon.length] ?? from;
    const [upper, lower] = from.y < to.y ? [from, to] : [to, from];
    const [first, last] = [Math.max(0, firstLine(upper.y)), Math.min(lines, firstLine(lower.y))];
    for (let line = first; line < last; line++) ends[line + 1] = (ends[line + 1] as number) + 1;
    return { upper, first, last, slope: (lower.x - upper.x) / (lower.y - upper.y), winding: from.y < to.y ? 1 : -1 };
  });
  for (let line = 0; line < lines; line++) ends[line + 1] = (ends[line + 1] as number) + (ends[line] as number);
  const next = ends.slice();
  const xs = new Float64Array(ends[lines] as number);
  const windings = new Int8Array(xs.length);
  for (const { upper, first, last, slope, winding } of edges) {
    for (let line = first; line < last; line++) {
      const at = next[line] as number;
      next[line] = at + 1;
      xs[at] = upper.x + (window.y - 0.5 + (line + 0.5) / SUB_ROWS - upper.y) * slope - window.x;
      windings[at] = winding;
    }
  }
  return { starts: ends, xs, windings };
}

/** Sorts a few crossings by their place, each put where it belongs among those before it. */
function sortCrossings(xs: Float64Array, windings: Int8Array, from: number, to: number): void {
  for (let at = from + 1; at < to; at++) {
    const [x, winding] = [xs[at] as number, windings[at] as number];
    let place = at;
    for (; place > from && (xs[place - 1] as number) > x; place--) {
      xs[place] = xs[place - 1] as number;
      windings[place] = windings[place - 1] as number;
    }
    xs[place] = x;
    windings[place] = winding;
  }
}

/** Adds a sub-row's span from `from` to `to`, where pixel i covers i to i + 1. */
function addSpan(coverage: Float32Array, row: number, width: number, from: number, to: number): void {
  const start = Math.max(0, from);
  const end = Math.min(width, to);
  if (!(end > start)) return;
  const first = row + Math.floor(start);
  const last = row + Math.min(width - 1, Math.floor(end));
  const full = 1 / SUB_ROWS;
  if (first === last) {
    coverage[first] = (coverage[first] as number) + (end - start) * full;
    return;
  }
  coverage[first] = (coverage[first] as number) + (first - row + 1 - start) * full;
  for (let pixel = first + 1; pixel < last; pixel++) coverage[pixel] = (coverage[pixel] as number) + full;
  coverage[last] = (coverage[last] as number) + (end - (last - row)) * full;
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
  const [abX, abY, acX, acY] = [b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y];
  const area = abX * acY - abY * acX;
  if (!(Math.abs(area) > 1e-9)) return;
  // Weights of b and c, and how they change a pixel to the right; that of a is what is left of 1.
  const [stepB, stepC] = [acY / area, -abY / area];
  const top = Math.max(0, Math.ceil(Math.min(a.y, b.y, c.y) - window.y - TOLERANCE));
  const bottom = Math.min(window.height - 1, Math.floor(Math.max(a.y, b.y, c.y) - window.y + TOLERANCE));
  const left = Math.max(0, Math.ceil(Math.min(a.x, b.x, c.x) - window.x - TOLERANCE));
  const right = Math.min(window.width - 1, Math.floor(Math.max(a.x, b.x, c.x) - window.x + TOLERANCE));
  for (let y = top; y <= bottom; y++) {
    const [dx, dy] = [left + window.x - a.x, y + window.y - a.y];
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
    const first = y * window.width + left;
    for (let plane = 0; plane < planes.length; plane++) {
      const values = planes[plane] as Float32Array;
      const base = a.values[plane] as number;
      const [alongB, alongC] = [(b.values[plane] as number) - base, (c.values[plane] as number) - base];
      const value = base + weightB * alongB + weightC * alongC;
      const step = stepB * alongB + stepC * alongC;
      for (let x = from; x <= to; x++) values[first + x] = value + x * step;
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
    weighted(line, radius * channels, channels, pixels, y * row, row, kernel);
  }
  // Columns a row at a time: the values of a row and of its neighbours lie together in memory.
  const before = new Float32Array((height + 2 * radius) * row);
  before.set(pixels, radius * row);
  for (let y = 0; y < height; y++) weighted(before, (y + radius) * row, row, pixels, y * row, row, kernel);
}

/** Half a kernel, from its middle outwards. A slight blur takes three pixels, weighted for the same variance. */
function gaussian(sigma: number): Float64Array {
  if (sigma < 0.7) return Float64Array.of(1 - sigma * sigma, (sigma * sigma) / 2);
  const radius = Math.ceil(sigma * 2);
  const kernel = Float64Array.from({ length: radius + 1 }, (_, at) => Math.exp(-(at * at) / (2 * sigma * sigma)));
  const sum = kernel.reduce((total, weight, at) => total + (at === 0 ? weight : 2 * weight), 0);
  return kernel.map((weight) => weight / sum);
}

/** `target[to + i]` from the values around `source[from + i]`, `step` apart, by the weights of half a kernel. */
function weighted(
  source: Float32Array,
  from: number,
  step: number,
  target: Float32Array,
  to: number,
  count: number,
  kernel: Float64Array,
): void {
  const radius = kernel.length - 1;
  const [w0, w1, w2, w3] = [kernel[0] ?? 0, kernel[1] ?? 0, kernel[2] ?? 0, kernel[3] ?? 0];
  const at = (index: number) => source[index] as number;
  // The usual kernels without a loop inside: this is where drawing a mask takes most of its time.
  if (radius === 1) {
    for (let i = 0, s = from; i < count; i++, s++) target[to + i] = w0 * at(s) + w1 * (at(s - step) + at(s + step));
  } else if (radius === 2) {
    for (let i = 0, s = from; i < count; i++, s++) {
      target[to + i] = w0 * at(s) + w1 * (at(s - step) + at(s + step)) + w2 * (at(s - 2 * step) + at(s + 2 * step));
    }
  } else if (radius === 3) {
    for (let i = 0, s = from; i < count; i++, s++) {
      target[to + i] =
        w0 * at(s) +
        w1 * (at(s - step) + at(s + step)) +
        w2 * (at(s - 2 * step) + at(s + 2 * step)) +
        w3 * (at(s - 3 * step) + at(s + 3 * step));
    }
  } else {
    for (let i = 0, s = from; i < count; i++, s++) {
      let value = w0 * at(s);
      for (let by = 1; by <= radius; by++) value += (kernel[by] as number) * (at(s - by * step) + at(s + by * step));
      target[to + i] = value;
    }
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
  for (let at = 0; at < count; at++) line[at] = plane[start + at * step] as number;
  const share = 1 / (2 * radius + 1);
  let sum = 0;
  for (let at = 0; at < Math.min(radius, count); at++) sum += line[at] as number;
  for (let at = 0; at < count; at++) {
    if (at + radius < count) sum += line[at + radius] as number;
    if (at - radius > 0) sum -= line[at - radius - 1] as number;
    plane[start + at * step] = sum * share;
  }
}
