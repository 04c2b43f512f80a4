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
  // Made integers: loops over what were floating-point numbers all along would take longer.
  const x = Math.min(Math.max(0, Math.floor(left - margin)), picture.width) | 0;
  const y = Math.min(Math.max(0, Math.floor(top - margin)), picture.height) | 0;
  const width = (Math.max(-1, Math.min(picture.width - 1, Math.ceil(right + margin))) - x + 1) | 0;
  const height = (Math.max(-1, Math.min(picture.height - 1, Math.ceil(bottom + margin))) - y + 1) | 0;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** The part of `outer` in which a polygon lies, `margin` pixels more on each side; null when none of it does. */
export function windowWithin(points: readonly Point[], outer: Window, margin = 1): Window | null {
  const within = windowAround(
    points.map(({ x, y }) => ({ x: x - outer.x, y: y - outer.y })),
    margin,
    outer,
  );
  return within && { ...within, x: within.x + outer.x, y: within.y + outer.y };
}

/** The least window that holds both. */
export function windowOfBoth(a: Window, b: Window): Window {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  const width = Math.max(a.x + a.width, b.x + b.width) - x;
  const height = Math.max(a.y + a.height, b.y + b.height) - y;
  return { x, y, width, height };
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
    const row = ((line / SUB_ROWS) | 0) * window.width;
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
  const first = row + (start | 0);
  const last = row + Math.min(width - 1, end | 0);
  const full = 1 / SUB_ROWS;
  if (first === last) {
    coverage[first] = (coverage[first] as number) + (end - start) * full;
    return;
  }
  coverage[first] = (coverage[first] as number) + (first - row + 1 - start) * full;
  for (let pixel = first + 1; pixel < last; pixel++) coverage[pixel] = (coverage[pixel] as number) + full;
  coverage[last] = (coverage[last] as number) + (end - (last - row)) * full;
}
