import { expect, it } from 'vitest';
import { headTurn } from '../../src/faces/head-turn.ts';
import type { FivePoints } from '../../src/faces/landmarks.ts';

/** A face with eyes 40 apart and the nose `aside` pixels from its middle, all turned by `degrees` in the picture. */
function points(aside: number, degrees = 0): FivePoints {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const at = (x: number, y: number) => ({ x: 100 + x * cos - y * sin, y: 100 + x * sin + y * cos });
  return [at(-20, -20), at(20, -20), at(aside, 0), at(-15, 20), at(15, 20)];
}

it.each([
  [0, 0, 0],
  [8, 0, 0.2],
  [-8, 0, -0.2],
  // A head held aslant is not turned.
  [0, 30, 0],
  [8, 30, 0.2],
  [-20, -45, -0.5],
])('a nose %d pixels aside, aslant by %d degrees, is a turn of %d', (aside, degrees, turn) => {
  expect(headTurn(points(aside, degrees))).toBeCloseTo(turn, 6);
});
