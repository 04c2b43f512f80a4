import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Box } from '../../src/core/geometry.ts';
import { boxOf, correct, misfit, predict, speedOf, spreadOf, startMotion } from '../../src/tracks/motion.ts';

const box = (x: number, y: number, height = 100): Box => ({ x, y, width: 0.75 * height, height });
const centre = ({ x, y, width, height }: Box) => ({ x: x + width / 2, y: y + height / 2 });

it('learns a steady motion from measurements at any distance in time', () => {
  // 300 pixels a second to the right, 40 up, growing by 20 a second.
  const at = (ms: number) => box(100 + 0.3 * ms, 500 - 0.04 * ms, 100 + 0.02 * ms);
  let motion = startMotion(at(0));
  let lastMs = 0;
  for (const ms of [70, 200, 260, 660, 700, 830, 1000, 1100, 1200, 1500]) {
    motion = correct(predict(motion, ms - lastMs), at(ms));
    lastMs = ms;
  }
  const expected = boxOf(predict(motion, 400));
  expect(centre(expected).x).toBeCloseTo(centre(at(1900)).x, -1);
  expect(centre(expected).y).toBeCloseTo(centre(at(1900)).y, -1);
  expect(Math.abs(expected.height - at(1900).height)).toBeLessThan(3);
  expect(expected.width / expected.height).toBeCloseTo(0.75, 5);
  // The centre also goes right by half of the growth in width.
  expect(speedOf(motion)).toBeCloseTo(Math.hypot(300 + 7.5, 40 - 10) / at(1500).height, 1);
});

it('smooths what trembles: a face that stands still is expected where it is, and hardly moves', () => {
  let motion = startMotion(box(300, 200));
  for (let step = 1; step <= 30; step++) motion = correct(predict(motion, 100), box(300 + 3 * (-1) ** step, 200));
  const expected = boxOf(predict(motion, 1000));
  expect(Math.abs(expected.x - 300)).toBeLessThan(40);
  expect(speedOf(motion)).toBeLessThan(0.3);
});

it('is the less sure the longer it was not corrected, and never of a face that turned to nothing', () => {
  const gaps = fc.integer({ min: 0, max: 5000 });
  fc.assert(
    fc.property(gaps, gaps, fc.integer({ min: 40, max: 400 }), (first, second, height) => {
      const shrinking = correct(predict(startMotion(box(300, 200, height)), 100), box(300, 200, height * 0.7));
      const [sooner, later] = [Math.min(first, second), Math.max(first, second)].map((ms) => predict(shrinking, ms));
      if (!sooner || !later) throw new Error('nothing predicted');
      expect(spreadOf(later).x).toBeGreaterThanOrEqual(spreadOf(sooner).x);
      expect(spreadOf(later).y).toBeGreaterThanOrEqual(spreadOf(sooner).y);
      expect(boxOf(later).height).toBeGreaterThan(0);
    }),
  );
});

it('takes no step back in time', () => {
  const motion = startMotion(box(300, 200));
  expect(predict(motion, -50)).toEqual(motion);
});

it('suits a face the better the nearer it is, in size too, and at the same distance the surer track', () => {
  let settled = startMotion(box(300, 200));
  for (let step = 0; step < 10; step++) settled = correct(predict(settled, 100), box(300, 200));
  const sure = predict(settled, 100);
  const unsure = predict(settled, 1000);
  expect(misfit(sure, box(300, 200))).toBeLessThan(misfit(sure, box(310, 200)));
  expect(misfit(sure, box(310, 200))).toBeLessThan(misfit(sure, box(340, 200)));
  expect(misfit(sure, box(300, 200, 100))).toBeLessThan(misfit(sure, box(300 + 18.75, 225, 50)));
  expect(misfit(sure, box(305, 200))).toBeLessThan(misfit(unsure, box(305, 200)));
  // Far away, the one that may be anywhere is the better guess.
  expect(misfit(sure, box(500, 200))).toBeGreaterThan(misfit(unsure, box(500, 200)));
});
