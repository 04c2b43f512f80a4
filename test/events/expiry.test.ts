import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lifetimeOf, messageExpiryS, remainingMs } from '../../src/events/expiry.ts';

describe('remainingMs', () => {
  // Captured at wall 1000, taken over 200 ms later at monotonic 50, worth something for 5 s.
  const lifetime = lifetimeOf(1000, 5000, { wallMs: 1200, monotonicMs: 50 });

  it.each([
    ['at once', 1200, 50, 4800],
    ['a second later', 2200, 1050, 3800],
    ['at the end', 6000, 4850, 0],
    ['after the end', 7000, 5850, -1000],
    ['with the wall clock set forward an hour', 3_602_200, 1050, -3_596_200],
    ['with the wall clock set back an hour', -3_597_800, 1050, 3800],
  ])('%s', (_when, wallMs, monotonicMs, expected) => {
    expect(remainingMs(lifetime, { wallMs, monotonicMs })).toBe(expected);
  });

  it('does not grow when the wall clock was set back between capture and decision', () => {
    const early = lifetimeOf(1_000_000, 5000, { wallMs: 0, monotonicMs: 50 });
    expect(remainingMs(early, { wallMs: 0, monotonicMs: 50 })).toBe(5000);
    expect(remainingMs(early, { wallMs: 6000, monotonicMs: 6050 })).toBe(-1000);
  });

  it('never exceeds what it may be, and never grows, whatever the wall clock does', () => {
    const time = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(time, time, time, time, time, time, fc.integer({ min: 1, max: 100_000 }), (...drawn) => {
        const [capturedAtMs, wall0, wall1, mono0, age1, age2, expireAfterMs] = drawn;
        const life = lifetimeOf(capturedAtMs, expireAfterMs, { wallMs: wall0, monotonicMs: mono0 });
        const first = remainingMs(life, { wallMs: wall1, monotonicMs: mono0 + age1 });
        expect(first).toBeLessThanOrEqual(expireAfterMs - age1);
        expect(first).toBeLessThanOrEqual(capturedAtMs + expireAfterMs - wall1);
        const second = remainingMs(life, { wallMs: wall1 + age2, monotonicMs: mono0 + age1 + age2 });
        expect(second).toBe(first - age2);
      }),
    );
  });
});

describe('messageExpiryS', () => {
  it.each([
    [-5000, 1],
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [9950.5, 10],
  ])('of %d ms is %d s', (leftMs, seconds) => {
    expect(messageExpiryS(leftMs)).toBe(seconds);
  });
});
