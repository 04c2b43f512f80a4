import { expect, it } from 'vitest';
import { retryDelayMs } from '../../src/core/retry.ts';

const POLICY = { firstDelayMs: 1000, maxDelayMs: 30_000, factor: 2, jitter: 0.3 };

it.each([
  [0, 0, 1000],
  [1, 0, 2000],
  [4, 0, 16_000],
  [5, 0, 30_000],
  [5000, 0, 30_000],
  [0, 0.5, 850],
  [5, 0.999_999, 21_000],
])('attempt %i, random %f: %i ms', (attempt, random, expected) => {
  expect(retryDelayMs(POLICY, attempt, random)).toBe(expected);
});
