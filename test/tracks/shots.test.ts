import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Interest,
  judgeLook,
  NO_LOOKS,
  promiseOf,
  type Shot,
  type ShotHistory,
  takeLook,
  worthLook,
} from '../../src/tracks/shots.ts';

const PICTURE = { width: 1280, height: 720 };
const POLICY = { firstLooks: 6, recheckMs: 1000 };

const shot = (changes: Partial<Shot> & { readonly width?: number; readonly x?: number } = {}): Shot => {
  const { width = 60, x = 300, ...rest } = changes;
  return { box: { x, y: 200, width, height: width / 0.75 }, picture: PICTURE, score: 0.95, speed: 0.2, ...rest };
};

describe('promiseOf', () => {
  it.each<[string, Shot, Shot]>([
    ['a larger face', shot({ width: 70 }), shot({ width: 50 })],
    ['a surer one', shot({ score: 0.85 }), shot({ score: 0.7 })],
    ['one that stands', shot({ speed: 0 }), shot({ speed: 4 })],
    ['one that is whole', shot({ x: 2 }), shot({ x: 0 })],
    ['one that is whole at the right', shot({ x: 1200 }), shot({ x: 1220 })],
  ])('%s promises more', (_, better, worse) => {
    expect(promiseOf(better)).toBeGreaterThan(promiseOf(worse));
  });

  it('is in 0..1, and more pixels than the encoder can use promise no more', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.integer({ min: 1, max: 700 }),
        (score, speed, width) => {
          const promise = promiseOf(shot({ score, speed, width }));
          expect(promise).toBeGreaterThanOrEqual(0);
          expect(promise).toBeLessThanOrEqual(1);
        },
      ),
    );
    expect(promiseOf(shot({ width: 300 }))).toBe(promiseOf(shot({ width: 90 })));
  });
});

/** One step of a face's story: what a shot promises, and the quality a look would find; null: too poor to match. */
type Step = readonly [promise: number, quality: number, good?: boolean];

/** At which times a look is taken. */
function looksAt(steps: readonly Step[], everyMs: number, interest: (history: ShotHistory) => Interest): number[] {
  let history = NO_LOOKS;
  return steps.flatMap(([promise, quality, good = true], index) => {
    const nowMs = index * everyMs;
    if (!worthLook(history, promise, interest(history), nowMs, POLICY)) return [];
    history = judgeLook(takeLook(history, promise, nowMs), quality, good);
    return [nowMs];
  });
}

const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step);
const undecided = () => 'undecided' as const;

describe('worthLook', () => {
  it('takes the first looks as they come, then one now and then', () => {
    expect(looksAt(times(16, [0.5, 0.6]), 100, undecided)).toEqual([0, 100, 200, 300, 400, 500, 800, 1100, 1400]);
    expect(looksAt(times(10, [0.5, 0.6]), 200, undecided)).toEqual([0, 200, 400, 600, 800, 1000, 1400, 1800]);
  });

  it('takes a shot that promises clearly better at once, also of a stranger, not one that is a little better', () => {
    const approach = (...promises: number[]) => [
      ...times(6, [0.4, 0.5]),
      ...promises.map((promise): Step => [promise, promise + 0.1]),
    ];
    expect(looksAt(approach(0.42, 0.44, 0.5), 50, undecided)).toEqual([0, 50, 100, 150, 200, 250, 400]);
    const stranger = ({ looks }: ShotHistory) => (looks < 6 ? 'undecided' : 'stranger');
    expect(looksAt(approach(0.42, 0.44, 0.5), 50, stranger)).toEqual([0, 50, 100, 150, 200, 250, 400]);
    const known = ({ looks }: ShotHistory) => (looks < 6 ? 'undecided' : 'known');
    expect(looksAt(approach(0.42, 0.44, 0.9), 50, known)).toEqual([0, 50, 100, 150, 200, 250]);
  });

  it('is not led on by a promise that was not kept', () => {
    const frames = looksAt([...times(6, [0.4, 0.5]), ...times(20, [0.8, 0.5])], 50, undecided);
    // Once for the promise, then every 300 ms.
    expect(frames).toEqual([0, 50, 100, 150, 200, 250, 300, 600, 900, 1200]);
  });

  it('waits a little for a better shot where one is much worse than those before', () => {
    expect(looksAt([[0.8, 0.7], ...times(8, [0.3, 0.4])], 100, undecided)).toEqual([0, 200, 400, 600, 800]);
    expect(
      looksAt(
        [
          [0.8, 0.7],
          [0.3, 0.4],
          [0.8, 0.7],
          [0.8, 0.7],
        ],
        100,
        undecided,
      ),
    ).toEqual([0, 200, 300]);
  });

  it('looks seldom at a face too poor to match, and soon when it turns to the camera or comes nearer', () => {
    const poor = times(40, [0.5, 0.1, false]);
    expect(looksAt(poor, 100, undecided).slice(0, 6)).toEqual([0, 100, 300, 700, 1100, 1500]);
    const turned = looksAt([...poor, ...times(10, [0.5, 0.7])], 100, undecided).filter((ms) => ms >= 4000);
    expect(turned[0]).toBeLessThanOrEqual(4300);
    // Three looks name somebody: within a second.
    expect(turned[2]).toBeLessThanOrEqual(5000);
    const nearer = looksAt([...poor, ...times(3, [1, 0.7])], 100, undecided).filter((ms) => ms >= 4000);
    expect(nearer[0]).toBeLessThanOrEqual(4300);
  });

  it('looks at a decided face once in a while, and soon when it is in doubt', () => {
    expect(looksAt(times(25, [0.5, 0.6]), 100, () => 'known')).toEqual([0, 1000, 2000]);
    expect(looksAt(times(25, [0.5, 0.6]), 100, () => 'stranger')).toEqual([0, 1000, 2000]);
    expect(looksAt(times(7, [0.5, 0.6]), 100, () => 'doubtful')).toEqual([0, 200, 400, 600]);
  });

  it('never looks at a face at every frame for ever', () => {
    const step = fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 200, maxLength: 200 }),
        fc.constantFrom<Interest>('undecided', 'known', 'stranger', 'doubtful'),
        (steps, interest) => {
          // 30 frames a second for 6.7 s: the first looks, ten better ones at most, and one in 100 ms.
          expect(looksAt(steps, 33, () => interest).length).toBeLessThan(6 + 10 + 67);
        },
      ),
    );
  });
});
