import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { emptyMesh, interpolateMesh, MESH_VALUES } from '../../../src/faces/mask/mesh.ts';

const WINDOW = { x: 3, y: -2, width: 30, height: 26 };

describe('values over a mesh', () => {
  it('are those of the plane they were taken from', () => {
    const plane = ({ x, y }: Point) => 0.3 * x - 0.7 * y + 2;
    const mesh = emptyMesh(3, 2);
    for (let index = 0; index < 12; index++) {
      const at = { x: 5 + (index % 4) * 6 + (index % 3), y: 1 + Math.floor(index / 4) * 9 - (index % 2) };
      mesh.xs[index] = at.x;
      mesh.ys[index] = at.y;
      const values = [1, 0, 1, 2, -3, 0.5].map((by) => by * plane(at) + 1 - by);
      mesh.values.set(values, index * MESH_VALUES);
    }
    const pixels = new Float32Array(30 * 26 * MESH_VALUES);
    interpolateMesh(mesh, WINDOW, pixels);
    let count = 0;
    for (let pixel = 0; pixel < 30 * 26; pixel++) {
      const values = pixels.subarray(pixel * MESH_VALUES, (pixel + 1) * MESH_VALUES);
      // The second value is 1 wherever the mesh is.
      if (values[1] === 0) continue;
      count++;
      const value = plane({ x: WINDOW.x + (pixel % 30), y: WINDOW.y + Math.floor(pixel / 30) });
      for (const [which, by] of [1, 0, 1, 2, -3, 0.5].entries()) {
        expect(values[which]).toBeCloseTo(by * value + 1 - by, 4);
      }
    }
    expect(count).toBeGreaterThan(200);
  });
});
