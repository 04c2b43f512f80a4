import { expect, it } from 'vitest';
import { matchLimits } from '../../src/pipeline/match-limits.ts';

const FULL = {
  id: 'full',
  fingerprint: 'f',
  calibration: [
    { threshold: 0.2, far: 1e-2 },
    { threshold: 0.4, far: 1e-4 },
  ],
};
const UPPER = {
  id: 'upper',
  fingerprint: 'u',
  calibration: [
    { threshold: 0.3, far: 1e-2 },
    { threshold: 0.5, far: 1e-3 },
    { threshold: 0.6, far: 1e-4 },
  ],
};

it.each([
  ['at a measured point', 0.4, 0.6, 1e-4],
  ['between points', 0.3, 0.5, 1e-3],
  // A tenth further a tenth of the strangers is left, by either encoder's last line.
  ['beyond them, where the rate stays that of the last', 0.5, 0.7, 1e-4],
])('gives another encoder the score that strangers reach as often: %s', (_, threshold, expected, far) => {
  const limits = matchLimits([FULL, UPPER], threshold);
  expect(limits.get('f')?.threshold).toBe(threshold);
  expect(limits.get('u')?.threshold).toBeCloseTo(expected, 9);
  expect(limits.get('u')?.far).toBeCloseTo(far, 9);
});

it('is strict where the full-face encoder was not calibrated, and refuses another one that was not', () => {
  expect(matchLimits([{ ...FULL, calibration: [] }, UPPER], 0.3).get('u')).toEqual({ threshold: 0.6, far: 1e-4 });
  expect(() => matchLimits([FULL, { ...UPPER, calibration: [] }], 0.3)).toThrow('model upper has no calibration');
});
