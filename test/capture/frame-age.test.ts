import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameAge } from '../../src/capture/frame-age.ts';

/** Ages of frames given as [presented, arrived]. */
const agesOf = (frames: readonly (readonly [number, number])[]) => {
  const age = new FrameAge();
  return frames.map(([presented, arrived]) => age.of(presented, arrived));
};
const steady = (count: number, from = 0) => Array.from({ length: count }, (_, index) => (from + index) * 100);

it('makes the backlog of a stall as old as it is, and what comes after it new', () => {
  const before = steady(20).map((at) => [at, 5000 + at] as const);
  // Three seconds of nothing, then 30 frames within 150 ms.
  const backlog = steady(30, 20).map((at, index) => [at, 5000 + 4900 + index * 5] as const);
  const after = steady(10, 50).map((at) => [at, 5000 + at + 60] as const);
  const ages = agesOf([...before, ...backlog, ...after]);
  expect(ages.slice(0, 20)).toEqual(Array(20).fill(0));
  expect(ages.slice(20, 50)).toEqual(backlog.map(([presented, arrived]) => arrived - 5000 - presented));
  expect(ages[20]).toBe(2900);
  expect(Math.max(...ages.slice(50))).toBeLessThanOrEqual(145);
});

it('counts a second stall on top of what is left of the first', () => {
  expect(
    agesOf([
      [0, 0],
      [100, 1100],
      [200, 1110],
      [300, 2110],
    ]),
  ).toEqual([0, 1000, 910, 1810]);
});

it.each([
  ['the second is late as well, the rest a burst', [5000, 260, 2, 2, 2], [5000, 5160, 5062, 4964, 4866]],
  ['others follow before the backlog has come', [6000, 2100, 2600, 100, 5], [6000, 8000, 10_500, 10_500, 10_405]],
])('tells the age of a backlog of which %s', (_what, [stallMs = 0, ...gaps], expected) => {
  let arrived = 2000 + stallMs;
  const backlog = [0, ...gaps].map((gap) => {
    arrived += gap;
    return arrived;
  });
  const frames = [...steady(20), ...backlog].map((at, index) => [index * 100, at] as const);
  expect(agesOf(frames).slice(20)).toEqual(expected);
});

it('never tells the backlog of a stall much newer than it is, whatever jitter it comes with', () => {
  const stall = fc.record({
    everyMs: fc.constantFrom(40, 100, 200),
    stallMs: fc.integer({ min: 150, max: 30_000 }),
    burstMs: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 60 }),
    jitterMs: fc.array(fc.tuple(fc.nat({ max: 59 }), fc.integer({ min: 0, max: 800 })), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(stall, ({ everyMs, stallMs, burstMs, jitterMs }) => {
      const gaps = burstMs.map((gap, index) => jitterMs.find(([at]) => at === index)?.[1] ?? gap);
      const age = new FrameAge();
      age.of(0, 0);
      let arrived = everyMs + stallMs;
      expect(age.of(everyMs, arrived)).toBe(stallMs);
      let lateMs = 0;
      for (const [index, gap] of gaps.entries()) {
        const captured = (index + 2) * everyMs;
        const before = arrived;
        arrived = Math.max(captured, arrived + gap);
        lateMs += Math.max(0, arrived - before - everyMs);
        const told = age.of(captured, arrived);
        expect(told).toBeLessThanOrEqual(arrived - captured);
        expect(told).toBeGreaterThanOrEqual(arrived - captured - lateMs);
      }
    }),
  );
});

/** Frames of a camera that counts 25 a second, each so much later after the one before than it says. */
function falseTimes(lates: readonly number[], [presented, arrived]: readonly [number, number] = [0, 0]) {
  let at = arrived;
  return lates.map((lateMs, index) => {
    at += 40 + lateMs;
    return [presented + (index + 1) * 40, at] as [number, number];
  });
}
const repeated = (count: number, ...lates: readonly number[]) =>
  Array.from({ length: count }, (_, index) => lates[index % lates.length] ?? 0);

it('settles when a camera has become slow, after a stall too', () => {
  const frames = steady(20).map((at) => [at, at] as const);
  const slow = steady(100, 20).map((at, index) => [at, 1900 + 5100 + index * 500] as const);
  const ages = agesOf([...frames, ...slow]);
  expect(ages.at(20)).toBe(5000);
  expect(ages.slice(-10)).toEqual(Array(10).fill(0));
});

it.each([
  ['waver around what counts as late', repeated(6000, 140, 165)],
  ['come in pairs', repeated(6000, 360, -38)],
  ['are more or less late', repeated(6000, 60, 200, 30, 170)],
])('does not add up the false times of a slow camera whose frames %s', (_what, lates) => {
  const ages = agesOf(falseTimes(lates));
  expect(Math.max(...ages)).toBeLessThan(5000);
  expect(Math.max(...ages.slice(100))).toBeLessThanOrEqual(200);
});

it('takes the backlog of a stall for as old as it is, however many of it come late one after the other', () => {
  const stall = falseTimes([5000, ...repeated(30, 160), ...repeated(200, -38)]);
  const inTime: [number, number][] = repeated(100, 0).map((_, index) => [index * 40 - 3960, index * 40 - 3960]);
  const ages = agesOf([...inTime, ...stall]).slice(100);
  expect(ages).toEqual(stall.map(([presented, arrived]) => arrived - presented));
});

it('takes the backlog of a slow camera for new again once it has come', () => {
  // A frame takes 200 ms; after 5 s of nothing 25 of them come within 50 ms.
  const ages = agesOf(falseTimes([...repeated(100, 160), 5000, ...repeated(25, -38), ...repeated(100, 160)]));
  expect(ages[99]).toBe(0);
  expect(ages[100]).toBe(4840);
  expect(ages[112]).toBe(4840 - 12 * 198);
  // What is usual has to be seen anew, and is little.
  expect(Math.max(...ages.slice(125))).toBeLessThanOrEqual(160);
  expect(ages.slice(-80)).toEqual(Array(80).fill(0));
});

it('takes no jitter for age', () => {
  const jittery = steady(500).map((at, index) => [at, at + ([0, 90, 40, 120, 10][index % 5] ?? 0)] as const);
  expect(Math.max(...agesOf(jittery))).toBe(0);
});

it.each([
  [
    'stand still',
    [
      [0, 0],
      [0, 100],
      [0, 300],
      [0, 5000],
    ],
  ],
  [
    'are none',
    [
      [Number.NaN, 0],
      [Number.NaN, 5000],
    ],
  ],
  [
    'go back: the camera began anew',
    [
      [90_000, 100],
      [90_100, 200],
      [0, 5300],
      [100, 5400],
    ],
  ],
  [
    'leap ahead',
    [
      [0, 0],
      [100, 100],
      [70_000, 200],
      [70_100, 300],
    ],
  ],
  ['count 25 frames a second where there are ten', steady(300).map((at) => [at * 0.4, at])],
  ['drift', steady(3000).map((at) => [at, at * 1.0005])],
] as [string, [number, number][]][])('says nothing of frames whose times %s', (_what, frames) => {
  expect(agesOf(frames)).toEqual(frames.map(() => 0));
});

it('bounds what the times of a camera say that counts 25 frames a second where there is one', () => {
  const ages = agesOf(steady(200).map((at) => [at * 0.4, at * 10]));
  expect(Math.max(...ages)).toBeLessThanOrEqual(960);
});
