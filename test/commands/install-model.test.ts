import { expect, it } from 'vitest';
import { stepsAfterInstall } from '../../src/commands/train/install-model.ts';

it('says what an upper-part encoder needs before it is used, the calibration among it', () => {
  const steps = stepsAfterInstall('upper-encoder', 'upper', null);
  expect(steps[0]).toBe('set models.upperEncoder: upper-encoder');
  expect(steps[1]).toMatch(/^run `eyeline calibrate`/);
  expect(steps[2]).toMatch(/^enrol again/);
  expect(stepsAfterInstall('upper-encoder', 'upper', 'upper-encoder')).toEqual(steps.slice(1));
});

it('has nothing to say of models that need none of it', () => {
  expect(stepsAfterInstall('landmarks-68', undefined, null)).toEqual([]);
});
