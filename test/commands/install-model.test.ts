import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { idToInstall, installModel, stepsAfterInstall } from '../../src/commands/train/install-model.ts';
import { loadManifest } from '../../src/inference/manifest.ts';
import { syncedPaths } from '../rig/synced-paths.ts';

it.skipIf(process.platform !== 'linux')(
  'has the model on the disk before the manifest names it (needs Linux: asks /proc)',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'eyeline-install-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, 'model.onnx');
    await writeFile(file, 'a model');
    const from = (await loadManifest(null)).models.get('landmarks-68');
    if (!from) throw new Error('no landmarks');
    const synced = await syncedPaths(dir);
    const { id, input, outputs } = from;
    const installed = await installModel(dir, {
      id,
      file,
      from,
      contract: { input, outputs },
      recipe: 'own',
      people: { fold: 0, trainedOn: [], heldOut: [] },
    });
    expect(await readFile(installed, 'utf8')).toBe('a model');
    expect(basename(installed)).toMatch(/^landmarks-68\.[0-9a-f]{12}\.onnx$/);
    // The copy under another name, its folder once it has its own, and only then the manifest.
    expect(synced[0]).toMatch(/^trained\/\.landmarks-68\./);
    expect(synced.findIndex((path) => path.startsWith('.trained.json.'))).toBe(synced.lastIndexOf('trained') + 1);
  },
);

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
