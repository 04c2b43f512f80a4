import type { Point } from '../core/geometry.ts';

/** A part of the picture; points in shares of its width and height. */
export interface Zone {
  readonly id: string;
  /** Corners in order; the last is joined to the first. */
  readonly polygon: readonly Point[];
}

/** A line across the picture that people cross; points in shares of its width and height. */
export interface CrossingLine {
  readonly id: string;
  readonly from: Point;
  readonly to: Point;
}

/** `in`: from the left of the line to its right, for somebody who looks along it. */
export type Direction = 'in' | 'out';

/** Whether a point is in a polygon: a ray to the right meets its edges an odd number of times (even-odd rule). */
export function contains(polygon: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  polygon.forEach((a, index) => {
    const b = polygon.at(index - 1) ?? a;
    if (a.y > y !== b.y > y && x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) inside = !inside;
  });
  return inside;
}

/**
 * On which side of the line through `from` and `to` a point is: above 0 on the right of somebody who looks along it in the
 * picture (y grows downwards), below 0 on the left, 0 on the line.
 */
export function sideOf({ from, to }: Pick<CrossingLine, 'from' | 'to'>, { x, y }: Point): number {
  return (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x);
}

/** How a step from `before` to `now` crosses the line between its ends; null when it does not, or ends on the line. */
export function crossingOf(line: CrossingLine, before: Point, now: Point): Direction | null {
  const [was, is] = [sideOf(line, before), sideOf(line, now)];
  if (was === 0 || is === 0 || was > 0 === is > 0) return null;
  // The line's ends must be on different sides of the step, or on it.
  const step = { from: before, to: now };
  const [first, second] = [sideOf(step, line.from), sideOf(step, line.to)];
  if (first > 0 && second > 0) return null;
  if (first < 0 && second < 0) return null;
  return is > 0 ? 'in' : 'out';
}
