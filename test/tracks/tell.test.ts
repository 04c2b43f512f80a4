import { describe, expect, it } from 'vitest';
import { FaceTracker } from '../../src/tracks/tracker.ts';
import { TRACKING } from './follow.ts';

/** Looks at somebody, by the angle to Ann's: 60 degrees are a cosine of 0.5, and leave it open who it is. */
const look = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const ANN = 0;
const BOB = 90;
const EVE = 180;

interface Staged {
  readonly x: number;
  readonly y?: number;
  readonly score?: number;
  /** Angle of a look that is taken at the face; none if left out. By which encoder. */
  readonly as?: number;
  readonly encoder?: string;
}

/** Plays frames 100 ms apart; gives the numbers of each, after renaming, and what was renamed. */
function play(tracker: FaceTracker, frames: readonly (readonly Staged[])[], fromMs = 0) {
  return frames.map((faces, index) => {
    const nowMs = fromMs + index * 100;
    const { seen } = tracker.update(
      faces.map((staged) => ({
        ...staged,
        score: staged.score ?? 0.9,
        box: { x: staged.x, y: staged.y ?? 200, width: 75, height: 100 },
      })),
      nowMs,
    );
    const renamings = tracker.tell(
      seen.flatMap(({ track, detection: { as, encoder = 'plain' } }) =>
        as === undefined ? [] : [{ track, embedding: look(as), encoder }],
      ),
      nowMs,
    );
    const numbers = new Map(renamings.map(({ from, to }) => [from, to]));
    return {
      tracks: seen.map(({ track }) => numbers.get(track) ?? track),
      doubtful: seen.map((one) => one.doubtful),
      renamings,
    };
  });
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const build = () => new FaceTracker(TRACKING);

describe('somebody who was out of sight', () => {
  const gone = [...times(3, [{ x: 100, as: ANN }]), ...times(20, [])];

  it.each<[string, Staged[], number]>([
    ['goes on with the old number when the first look says so', [{ x: 600, as: ANN + 20 }], 1],
    ['is somebody else when it does not', [{ x: 600, as: BOB }], 2],
    ['is somebody else when it leaves it open', [{ x: 600, as: 60 }], 2],
    ['cannot have come so far in the time', [{ x: 3000, as: ANN }], 2],
    ['nor from so far away', [{ x: 600, y: -900, as: ANN }], 1],
  ])('%s', (_, back, number) => {
    const last = play(build(), [...gone, back]).at(-1);
    expect(last?.tracks).toEqual([number]);
    expect(last?.renamings).toEqual(number === 1 ? [{ from: 2, to: 1, merged: true }] : []);
  });

  it('is recognised by a later look too, but not once it has been there for long', () => {
    for (const [unsureFrames, number] of [
      [10, 1],
      [25, 2],
    ] as const) {
      const frames = [...gone, [{ x: 600, as: 60 }], ...times(unsureFrames, [{ x: 600 }]), [{ x: 600, as: ANN }]];
      expect(play(build(), frames).at(-1)?.tracks).toEqual([number]);
    }
  });

  it('is not recognised after its track has ended', () => {
    expect(play(build(), [...gone, ...times(40, []), [{ x: 600, as: ANN }]]).at(-1)?.tracks).toEqual([2]);
  });

  it('is one at most, the most alike', () => {
    const both = [
      { x: 600, as: ANN + 30 },
      { x: 800, as: ANN + 10 },
    ];
    expect(play(build(), [...gone, both]).at(-1)?.tracks).toEqual([2, 1]);
  });

  it('is nobody who was seen at the same time', () => {
    const frames = [...times(3, [{ x: 100, as: ANN }, { x: 600 }]), ...times(3, [{ x: 600 }]), [{ x: 600, as: ANN }]];
    expect(play(build(), frames).at(-1)?.tracks).toEqual([2]);
  });
});

describe('faces that came close', () => {
  /** Ann from the left and Bob from the right, seen until they are side by side. */
  const meet = Array.from({ length: 10 }, (_, step) => [
    { x: 100 + 20 * step, ...(step < 3 ? { as: ANN } : {}) },
    { x: 480 - 20 * step, ...(step < 3 ? { as: BOB } : {}) },
  ]);
  /** They turn back: place and motion take each for the other, who would have passed by. */
  const turnBack = (ann?: number, bob?: number) => [
    { x: 265, ...(ann === undefined ? {} : { as: ann }) },
    { x: 315, ...(bob === undefined ? {} : { as: bob }) },
  ];

  it('are in doubt until a look agrees', () => {
    const tracker = build();
    expect(play(tracker, meet).at(-1)?.doubtful).toEqual([true, true]);
    const apart = Array.from({ length: 6 }, (_, step) => [
      { x: 300 + 30 * step, ...(step === 5 ? { as: ANN } : {}) },
      { x: 280 - 30 * step, ...(step === 5 ? { as: BOB } : {}) },
    ]);
    const frames = play(tracker, [...apart, [{ x: 480 }, { x: 100 }]], 1000);
    expect(frames.map(({ doubtful }) => doubtful)).toEqual([...times(6, [true, true]), [false, false]]);
    expect(frames.flatMap(({ renamings }) => renamings)).toEqual([]);
  });

  it('change numbers when looks at both say so', () => {
    expect(play(build(), [...meet, turnBack()]).at(-1)?.tracks).toEqual([2, 1]);
    const tracker = build();
    const righted = play(tracker, [...meet, turnBack(ANN, BOB)]).at(-1);
    expect(righted?.tracks).toEqual([1, 2]);
    expect(righted?.renamings).toHaveLength(2);
    expect(righted?.renamings).toContainEqual({ from: 2, to: 1, merged: false });
    expect(righted?.renamings).toContainEqual({ from: 1, to: 2, merged: false });
    expect(play(tracker, [[{ x: 260 }, { x: 320 }]], 1100).at(-1)?.tracks).toEqual([1, 2]);
  });

  it('do so when the looks are open about who they were, but not about who they are', () => {
    // 60 degrees from Ann is open; it is 30 from Bob.
    expect(play(build(), [...meet, turnBack(30, 60)]).at(-1)?.tracks).toEqual([1, 2]);
    expect(play(build(), [...meet, turnBack(-60, 150)]).at(-1)?.renamings).toEqual([]);
  });

  it('keep their numbers when one is looked at only, and both want to be', () => {
    const tracker = build();
    const half = play(tracker, [...meet, turnBack(ANN)]).at(-1);
    expect(half?.tracks).toEqual([2, 1]);
    expect(play(tracker, [[{ x: 260 }, { x: 320 }]], 1100).at(-1)?.doubtful).toEqual([true, true]);
  });

  it('one of which hid the other: the one that is left is told by a look, the other keeps its number for later', () => {
    const tracker = build();
    play(tracker, meet);
    // The face that place takes for Ann's is Bob's; hers is hidden.
    const hidden = play(tracker, [[{ x: 290 }], [{ x: 290, as: BOB }]], 1000).at(-1);
    expect(hidden?.tracks).toEqual([2]);
    const back = play(tracker, [[{ x: 290 }, { x: 600, as: ANN }]], 1600).at(-1);
    expect(back?.tracks).toEqual([2, 1]);
  });
});

describe('somebody new in a known place', () => {
  /** Ann is followed, lost from sight for a moment, and somebody stands there. */
  const taken = (...looks: (number | undefined)[]) => [
    ...times(4, [{ x: 300, as: ANN }]),
    ...times(3, []),
    ...looks.map((as) => [{ x: 310, ...(as === undefined ? {} : { as }) }]),
  ];

  it.each<[string, (number | undefined)[], number]>([
    ['takes two looks in a row', [EVE, EVE + 10], 2],
    ['is not there after one', [EVE, undefined], 1],
    ['is not there when both looks differ', [EVE, BOB + 5], 1],
    ['is not there when a look between agrees', [EVE, ANN, EVE], 1],
    ['nor when one leaves it open', [EVE, 70, EVE], 1],
  ])('%s', (_, looks, number) => {
    expect(play(build(), taken(...looks)).at(-1)?.tracks).toEqual([number]);
  });

  it('leaves the number to Ann, who has it back when she comes', () => {
    const tracker = build();
    play(tracker, taken(EVE, EVE));
    expect(play(tracker, [[{ x: 310 }, { x: 600, as: ANN }]], 1500).at(-1)?.tracks).toEqual([2, 1]);
  });

  it('is never believed of a face that was followed all the time: people turn aside and put masks on', () => {
    expect(play(build(), [...times(4, [{ x: 300, as: ANN }]), ...times(20, [{ x: 300, as: EVE }])]).at(-1)).toEqual({
      tracks: [1],
      doubtful: [false],
      renamings: [],
    });
  });

  it('is asked for a few times only, when looks leave it open', () => {
    const frames = play(build(), [...taken(), ...times(8, [{ x: 310, as: 70 }])]);
    expect(frames.slice(-8).map(({ doubtful }) => doubtful[0])).toEqual([true, true, true, true, ...times(4, false)]);
  });
});

it('compares looks of one encoder only', () => {
  const masked = { x: 310, as: EVE, encoder: 'masked' };
  const ann = times(4, [{ x: 300, as: ANN }]);
  // After a moment out of sight, looks by another encoder say nothing, also if they came in between.
  expect(play(build(), [...ann, ...times(3, []), ...times(3, [masked])]).at(-1)?.tracks).toEqual([1]);
  expect(play(build(), [...ann, ...times(20, []), [{ ...masked, as: ANN }]]).at(-1)?.tracks).toEqual([2]);
  const both = [...ann, [masked], ...times(20, [])];
  expect(play(build(), [...both, [{ x: 310, as: ANN }]]).at(-1)?.tracks).toEqual([1]);
  expect(play(build(), [...both, [masked]]).at(-1)?.tracks).toEqual([1]);
});

it('takes looks that come late, after the next frame', () => {
  const tracker = build();
  play(tracker, [...times(3, [{ x: 100, as: ANN }]), ...times(10, []), [{ x: 400 }]]);
  const late = { track: 2, embedding: look(ANN), encoder: 'plain' };
  expect(tracker.update([{ box: { x: 405, y: 200, width: 75, height: 100 }, score: 0.9 }], 1400).seen).toMatchObject([
    { track: 2 },
  ]);
  expect(tracker.tell([late], 1300)).toEqual([{ from: 2, to: 1, merged: true }]);
  expect(tracker.update([{ box: { x: 410, y: 200, width: 75, height: 100 }, score: 0.9 }], 1500).seen).toMatchObject([
    { track: 1 },
  ]);
  expect(tracker.tell([late], 1300)).toEqual([]);
});
