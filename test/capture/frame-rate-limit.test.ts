import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameRateLimit } from '../../src/capture/frame-rate-limit.ts';

/** Times of the frames that pass, of a stream whose frames come at these times. */
function passed(fps: number, times: readonly number[]): number[] {
  const limit = new FrameRateLimit(fps);
  return times.filter((time) => limit.admits(time));
}

describe('FrameRateLimit', () => {
  it('passes every third frame of a stream three times as fast', () => {
    const times = Array.from({ length: 90 }, (_, index) => (index * 1000) / 30);
    expect(passed(10, times)).toHaveLength(30);
  });

  it('passes every frame of a stream at just that rate, though they come up to 20 ms early or late', () => {
    const times = Array.from({ length: 100 }, (_, index) => index * 100 + ((index * 7919) % 41) - 20);
    expect(passed(10, times)).toHaveLength(100);
  });

  it('passes every frame of a slower stream', () => {
    expect(passed(10, [0, 400, 800, 1200])).toHaveLength(4);
  });

  it('does not make up for a gap by a burst', () => {
    const burst = Array.from({ length: 20 }, (_, index) => 5000 + index);
    expect(passed(10, [0, 100, ...burst])).toEqual([0, 100, 5000]);
  });

  it('never passes more than the rate allows, whatever the stream does', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 30 }), (steps, fps) => {
        let now = 0;
        const times = passed(
          fps,
          steps.map((step) => {
            now += step;
            return now;
          }),
        );
        const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
        // A frame may come a quarter of an interval early, once.
        expect(times.length - 1).toBeLessThanOrEqual((spanMs * fps) / 1000 + 0.25 + 1e-9);
      }),
    );
  });
});
