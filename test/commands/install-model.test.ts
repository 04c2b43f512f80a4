import { describe, expect, it } from 'vitest';
import { idToInstall, stepsAfterInstall } from '../../src/commands/train/install-model.ts';

describe('what is left to do', () => {
  it('says what an upper-part encoder needs before it is used, the calibration among it', () => {
    const steps = stepsAfterInstall('upper-encoder', { key: 'upperEncoder', configured: null });
    expect(steps[0]).toBe('set models.upperEncoder: upper-encoder');
    expect(steps[1]).toMatch(/^run `eyeline calibrate`/);
    expect(steps[2]).toMatch(/^enrol again/);
    expect(stepsAfterInstall('upper-encoder', { key: 'upperEncoder', configured: 'upper-encoder' })).toEqual(
      steps.slice(1),
    );
  });

  it.each([
    ['landmarks-68', { key: 'landmarks', configured: 'landmarks-68' }, []],
    ['mine-trained', { key: 'landmarks', configured: 'mine' }, ['set models.landmarks: mine-trained']],
    ['mask-state', { key: 'maskState', configured: null }, ['set models.maskState: mask-state']],
  ] as const)('names the setting where it has another model: %s', (id, setting, steps) => {
    expect(stepsAfterInstall(id, setting)).toEqual(steps);
  });
});

it.each([
  ['one', [], 'one'],
  ['one', ['two'], 'one'],
  ['one', ['one'], 'one-trained'],
  ['one', ['one', 'one-trained', 'one-trained-2'], 'one-trained-3'],
  ['one-trained', ['one'], 'one-trained'],
  ['one-trained', ['one-trained'], 'one-trained-2'],
  ['one-trained-2', ['one', 'one-trained', 'one-trained-2'], 'one-trained-3'],
])('%s, where the user has %j, is installed as %s', (id, own, installed) => {
  expect(idToInstall(id, new Set(own))).toBe(installed);
});
