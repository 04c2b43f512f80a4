import { expect, it } from 'vitest';
import { decodeLandmarks, fivePoints } from '../../src/faces/landmarks.ts';

it('puts landmarks of the second face of a batch into its box', () => {
  const data = new Float32Array(2 * 136);
  data[136] = 0.25;
  data[137] = 0.5;
  data[136 + 134] = 1;
  data[136 + 135] = 0.75;
  const points = decodeLandmarks({ data, shape: [2, 136] }, 1, { x: 100, y: 40, width: 80, height: 120 });
  expect(points).toHaveLength(68);
  expect(points[0]).toEqual({ x: 120, y: 100 });
  expect(points[67]).toEqual({ x: 180, y: 130 });
});

it('takes eye centres, nose tip and mouth corners of the iBUG mark-up', () => {
  const points = Array.from({ length: 68 }, (_, index) => ({ x: index, y: index * index }));
  // Squares of 36..41 average 1485.1667, of 42..47 1983.1667.
  expect(fivePoints(points)).toEqual([
    { x: expect.closeTo(38.5, 9), y: expect.closeTo(1485.16666667, 6) },
    { x: expect.closeTo(44.5, 9), y: expect.closeTo(1983.16666667, 6) },
    { x: 30, y: 900 },
    { x: 48, y: 2304 },
    { x: 54, y: 2916 },
  ]);
  expect(() => fivePoints(points.slice(1))).toThrow(RangeError);
});
