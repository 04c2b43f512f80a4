import { expect, it } from 'vitest';
import { OverlapTracker } from '../../src/tracks/tracker.ts';

const face = (x: number, y = 0) => ({ box: { x, y, width: 100, height: 100 } });
const numbers = (update: { seen: readonly { track: number }[] }) => update.seen.map(({ track }) => track);

it('keeps each face on its own track while they move, whatever order they come in', () => {
  const tracker = new OverlapTracker({ minIou: 0.3, lostAfterMs: 1000 });
  expect(numbers(tracker.update([face(0), face(300)], 0))).toEqual([1, 2]);
  expect(numbers(tracker.update([face(270), face(30)], 100))).toEqual([2, 1]);
  expect(numbers(tracker.update([face(60), face(240), face(500)], 200))).toEqual([1, 2, 3]);
});

it('gives a contested face to the track it overlaps most', () => {
  const tracker = new OverlapTracker({ minIou: 0.1, lostAfterMs: 1000 });
  tracker.update([face(0), face(80)], 0);
  expect(numbers(tracker.update([face(60)], 100))).toEqual([2]);
});

it('picks a track up again after a gap, and ends it when the gap is too long', () => {
  const tracker = new OverlapTracker({ minIou: 0.3, lostAfterMs: 1000 });
  tracker.update([face(0)], 0);
  expect(tracker.update([], 900)).toEqual({ seen: [], ended: [] });
  expect(numbers(tracker.update([face(10)], 1000))).toEqual([1]);
  const late = tracker.update([face(10)], 2001);
  expect(late.ended).toEqual([1]);
  expect(numbers(late)).toEqual([2]);
});
