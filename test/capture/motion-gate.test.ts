import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendUntil, type MotionVerdict, NEW_GATE, stepGate } from '../../src/capture/motion-gate.ts';

const POLICY = { holdMs: 300, idleIntervalMs: 1000 };

interface Moment {
  readonly nowMs: number;
  readonly moved: boolean;
  /** Attention asked for just before the frame. */
  readonly attendMs?: number;
}

function play(moments: readonly Moment[], policy = POLICY): MotionVerdict[] {
  let state = NEW_GATE;
  return moments.map(({ nowMs, moved, attendMs }) => {
    if (attendMs !== undefined) state = attendUntil(state, nowMs + attendMs);
    const step = stepGate(state, policy, { nowMs, moved });
    state = step.state;
    return step.verdict;
  });
}

const letters: Record<MotionVerdict, string> = {
  motion: 'M',
  held: 'h',
  attended: 'a',
  heartbeat: 'b',
  idle: '.',
};

describe('the motion gate', () => {
  // One letter a frame, ten frames a second. In: m moves, s is still, 4 is still after attention was asked for 400 ms.
  it.each([
    ['the first frame passes, then one a second', 'sssssssssssssssssssssss', 'b.........b.........b..'],
    ['motion opens at once and holds for 300 ms', 'ssssmsssssssssssssssss', 'b...Mhh.........b.....'],
    ['each motion holds anew', 'mmsmsssss', 'MMhMhh...'],
    ['the heartbeat counts from the last frame that passed', 'sssssmsssssssssssssssss', 'b....Mhh.........b.....'],
    ['attention opens a still scene', 'sss4sssssssss', 'b..aaaa......'],
    ['motion is told before attention', 's4mss', 'baMhh'],
    ['attention outlasts the hold', 'm4ssssssss', 'Mhhaa.....'],
  ])('%s', (_, frames, expected) => {
    const moments = [...frames].map((letter, index) => ({
      nowMs: index * 100,
      moved: letter === 'm',
      ...(letter === '4' ? { attendMs: 400 } : {}),
    }));
    expect(
      play(moments)
        .map((verdict) => letters[verdict])
        .join(''),
    ).toBe(expected);
  });

  it('does not let a short wish for attention undo a longer one', () => {
    const state = attendUntil(attendUntil(NEW_GATE, 1000), 500);
    expect(stepGate(state, POLICY, { nowMs: 999, moved: false }).verdict).toBe('attended');
    expect(stepGate({ ...state, passedMs: 999 }, POLICY, { nowMs: 1000, moved: false }).verdict).toBe('idle');
  });

  const policies = fc.record({
    holdMs: fc.integer({ min: 1, max: 5000 }),
    idleIntervalMs: fc.integer({ min: 1, max: 5000 }),
  });
  const scenes = fc
    .array(
      fc.record({
        gapMs: fc.integer({ min: 1, max: 700 }),
        moved: fc.boolean().chain((rare) => (rare ? fc.boolean() : fc.constant(false))),
        attendMs: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined, freq: 10 }),
      }),
      { minLength: 1, maxLength: 80 },
    )
    .map((frames) => {
      let nowMs = 0;
      return frames.map(({ gapMs, moved, attendMs }) => {
        nowMs += gapMs;
        return { nowMs, moved, ...(attendMs === undefined ? {} : { attendMs }) };
      });
    });

  it('holds nothing back that moves, follows motion, or is attended to; and never keeps silent for long', () => {
    fc.assert(
      fc.property(policies, scenes, (policy, moments) => {
        const verdicts = play(moments, policy);
        let passedMs = Number.NEGATIVE_INFINITY;
        moments.forEach(({ nowMs, moved }, index) => {
          const before = moments.slice(0, index + 1);
          const mustPass =
            moved ||
            before.some((one) => one.moved && nowMs < one.nowMs + policy.holdMs) ||
            before.some((one) => one.attendMs !== undefined && nowMs < one.nowMs + one.attendMs) ||
            nowMs - passedMs >= policy.idleIntervalMs;
          expect(verdicts[index] !== 'idle').toBe(mustPass);
          if (verdicts[index] !== 'idle') passedMs = nowMs;
        });
      }),
    );
  });

  it('lets through no more than one frame an interval of a scene without motion', () => {
    fc.assert(
      fc.property(policies, scenes, (policy, moments) => {
        const still = moments.map(({ nowMs }) => ({ nowMs, moved: false }));
        const passed = play(still, policy).filter((verdict) => verdict !== 'idle').length;
        const lengthMs = (still.at(-1)?.nowMs ?? 0) - (still[0]?.nowMs ?? 0);
        expect(passed).toBeLessThanOrEqual(1 + Math.floor(lengthMs / policy.idleIntervalMs));
      }),
    );
  });
});
