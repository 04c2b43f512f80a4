import type { Point } from '../../../src/core/geometry.ts';

/** Crossing number test (Shimrat 1962). */
export function contains(polygon: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  for (let index = 0, before = polygon.length - 1; index < polygon.length; before = index++) {
    const a = polygon[index] as Point;
    const b = polygon[before] as Point;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/** 0 inside, else the distance to the edge. */
export function distanceTo(polygon: readonly Point[], point: Point): number {
  if (contains(polygon, point)) return 0;
  return Math.min(
    ...polygon.map((a, index) => {
      const b = polygon[(index + 1) % polygon.length] as Point;
      const length = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
      const share = length > 0 ? ((point.x - a.x) * (b.x - a.x) + (point.y - a.y) * (b.y - a.y)) / length : 0;
      const t = Math.max(0, Math.min(1, share));
      return Math.hypot(point.x - a.x - t * (b.x - a.x), point.y - a.y - t * (b.y - a.y));
    }),
  );
}

/** Shoelace formula. */
export function area(polygon: readonly Point[]): number {
  return Math.abs(
    polygon.reduce((sum, a, index) => {
      const b = polygon[(index + 1) % polygon.length] as Point;
      return sum + (a.x * b.y - b.x * a.y) / 2;
    }, 0),
  );
}
