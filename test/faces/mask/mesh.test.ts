import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { interpolateMesh } from '../../../src/faces/mask/mesh.ts';

const WINDOW = { x: 3, y: -2, width: 30, height: 26 };

describe('values over a mesh', () => {
  it('are those of the plane they were taken from', () => {
    const plane = ({ x, y }: Point) => 0.3 * x - 0.7 * y + 2;
    const corners = Array.from({ length: 12 }, (_, index) => {
      const at = { x: 5 + (index % 4) * 6 + (index % 3), y: 1 + Math.floor(index / 4) * 9 - (index % 2) };
      return { ...at, values: [plane(at), 1] };
    });
    const [values, covered] = [new Float32Array(30 * 26), new Float32Array(30 * 26)];
    interpolateMesh(corners, 3, 2, WINDOW, [values, covered]);
    let count = 0;
    covered.forEach((share, pixel) => {
      if (share === 0) return;
      count++;
      const at = { x: WINDOW.x + (pixel % 30), y: WINDOW.y + Math.floor(pixel / 30) };
      expect(values[pixel]).toBeCloseTo(plane(at), 4);
    });
    expect(count).toBeGreaterThan(200);
  });
});
