import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { prepareData } from '../../src/commands/train/prepare-data.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { readRecord } from '../../src/training/data/prepare-set.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';
import { writePortraits } from '../rig/portraits.ts';

let folder = '';
let people = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-prepare-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  people = join(folder, 'people');
  await writePortraits(people, 1);
});

async function prepare(minFacePx: number, { data = [people], worn = [] as string[] } = {}) {
  const config = await testConfig();
  return prepareData({
    folders: data,
    wornFolders: worn,
    realMasks: false,
    cache: join(folder, 'cache'),
    masks: 1,
    seed: 1,
    cores: 1,
    config: { ...config, detection: { ...config.detection, minFacePx } },
    store: await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger }),
    env: process.env,
    signal: new AbortController().signal,
    warn: () => {},
  });
}

it('pictures are prepared anew, and other faces found, with another least size', async () => {
  expect(await readRecord((await prepare(40)).folder)).toMatchObject({ pictures: 3, faces: 3 });
  // The portraits are 200 pixels wide.
  await expect(prepare(190)).rejects.toMatchObject({
    code: 'TRAINING_DATA_UNUSABLE',
    message: expect.stringContaining('none of 3 pictures shows a face'),
  });
});

it('a folder given twice is refused: its people would be trained on and held out at once', async () => {
  const link = join(folder, 'link');
  await symlink(people, link);
  for (const given of [
    { data: [people, link] },
    { data: [join(folder, 'people/'), people] },
    { data: [people], worn: [link] },
  ]) {
    await expect(prepare(40, given)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^\S+ and \S+ are the same folder: give it once, with --data or --worn$/),
    });
  }
});
