import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { prepareData } from '../../src/commands/train/prepare-data.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { readRecord } from '../../src/training/data/prepare-set.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';
import { writePortraits } from '../rig/portraits.ts';

it('pictures are prepared anew, and other faces found, with another least size', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-prepare-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writePortraits(join(folder, 'people'), 1);
  const config = await testConfig();
  const prepare = async (minFacePx: number) =>
    prepareData({
      folders: [join(folder, 'people')],
      wornFolders: [],
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
  expect(await readRecord((await prepare(40)).folder)).toMatchObject({ pictures: 3, faces: 3 });
  // The portraits are 200 pixels wide.
  await expect(prepare(190)).rejects.toMatchObject({
    code: 'TRAINING_DATA_UNUSABLE',
    message: expect.stringContaining('none of 3 pictures shows a face'),
  });
});
