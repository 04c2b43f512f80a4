import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedRate, wilson } from '../../src/evaluation/streams/rate-interval.ts';
import { spoil, walkFrames } from '../../src/evaluation/streams/walk.ts';

const PLAN = { frames: 12, fps: 10, frame: { width: 320, height: 240 } };
const PICTURE = { width: 250, height: 250 };

describe('a walk', () => {
  it('is the same for a seed, and another for another', () => {
    expect(walkFrames(PICTURE, PLAN, 7)).toEqual(walkFrames(PICTURE, PLAN, 7));
    expect(walkFrames(PICTURE, PLAN, 7)).not.toEqual(walkFrames(PICTURE, PLAN, 8));
  });

  it('comes nearer, and keeps the middle of the picture in the frame', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const frames = walkFrames(PICTURE, PLAN, seed);
        // A head turned far aside may look narrower at the end, one that nods lower: hardly ever both.
        const size = ({ matrix: [a, b, , d, e] }: (typeof frames)[number]) =>
          Math.max(Math.hypot(a, d), Math.hypot(b, e));
        const [first, last] = [frames[0], frames.at(-1)];
        if (!first || !last) throw new Error('no frames');
        expect(size(last)).toBeGreaterThan(0.8 * size(first));
        for (const { matrix, smearPx, softness } of frames) {
          const x = matrix[0] * 124.5 + matrix[1] * 124.5 + matrix[2];
          const y = matrix[3] * 124.5 + matrix[4] * 124.5 + matrix[5];
          expect(Math.abs(x - 160)).toBeLessThanOrEqual(35.01);
          expect(Math.abs(y - 120)).toBeLessThanOrEqual(4.01);
          expect(smearPx).toBeGreaterThanOrEqual(1);
          expect(softness).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('leaves the mean of a flat picture by gain and tone alone, and its edges in place', () => {
    const size = { width: 16, height: 8 };
    const flat = new Uint8Array(16 * 8 * 3).fill(100);
    const frame = {
      matrix: [1, 0, 0, 0, 1, 0] as const,
      gain: 1.2,
      gamma: 1,
      smearPx: 4,
      softness: 1,
      noise: 0,
      jpegQuality: 90,
    };
    spoil(flat, size, frame, 1);
    expect(new Set(flat)).toEqual(new Set([120]));
    const edge = new Uint8Array(16 * 8 * 3).map((_, at) => (Math.floor(at / 3) % 16 < 8 ? 0 : 200));
    spoil(edge, size, { ...frame, gain: 1, softness: 0, smearPx: 3 }, 1);
    const row = Array.from({ length: 16 }, (_, x) => edge[(3 * 16 + x) * 3]);
    expect(row).toEqual([0, 0, 0, 0, 0, 0, 0, 66, 133, 200, 200, 200, 200, 200, 200, 200]);
  });
});

describe('countedRate', () => {
  it("has Wilson's interval, which is never empty", () => {
    // Brown, Cai and DasGupta 2001: 0 of 10 reaches to z2 / (n + z2).
    expect(wilson(0, 10).high).toBeCloseTo(0.2775, 3);
    expect(wilson(0.5, 100)).toEqual({ low: expect.closeTo(0.4038, 3), high: expect.closeTo(0.5962, 3) });
  });

  it('widens where events come together', () => {
    const apart = Array.from({ length: 100 }, (_, index) => ({ events: index < 10 ? 1 : 0, trials: 10 }));
    const together = Array.from({ length: 100 }, (_, index) => ({ events: index < 1 ? 10 : 0, trials: 10 }));
    const [one, other] = [countedRate([apart]), countedRate([together])];
    expect([one.events, one.trials, one.rate]).toEqual([10, 1000, 0.01]);
    expect(other.rate).toBe(one.rate);
    expect(one.designEffect).toBeLessThan(1.2);
    expect(other.designEffect).toBeGreaterThan(9);
    expect(other.high).toBeGreaterThan(2 * one.high);
    // The worst way to form clusters counts.
    expect(countedRate([apart, together]).designEffect).toBe(other.designEffect);
  });
});
