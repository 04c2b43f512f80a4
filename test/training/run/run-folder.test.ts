import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RunFolder } from '../../../src/training/run/run-folder.ts';

it('keeps two checkpoints, and none that a stop left half written', async () => {
  const path = await mkdtemp(join(tmpdir(), 'eyeline-folder-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const folder = new RunFolder(path);
  await folder.begin({});
  await mkdir(join(path, 'checkpoints/00000002.part'));
  for (const step of [1, 3, 5]) {
    const state = { step, best: null, withoutGain: 0, elapsedMs: 0 };
    await folder.saveCheckpoint({ state, trainer: [], average: new Float32Array(1) });
  }
  expect((await readdir(join(path, 'checkpoints'))).sort()).toEqual(['00000003', '00000005']);
});

describe('a run begins', () => {
  let folder: RunFolder;
  beforeEach(async () => {
    const path = await mkdtemp(join(tmpdir(), 'eyeline-folder-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    folder = new RunFolder(path);
    await folder.begin({ recipe: 'first' });
  });

  const refused = (message: string) => ({
    code: 'USAGE',
    message: expect.stringContaining(`${folder.path} ${message}`),
  });

  it('in place of one that reached nothing', async () => {
    await folder.writeFile('failed.txt', '');
    await folder.begin({ recipe: 'second' });
    expect(await folder.readRecord()).toEqual({ recipe: 'second' });
  });

  it.each([
    ['a model', () => folder.writeModel(new Uint8Array(4))],
    [
      'a checkpoint',
      () =>
        folder.saveCheckpoint({
          state: { step: 1, best: null, withoutGain: 0, elapsedMs: 0 },
          trainer: [],
          average: new Float32Array(1),
        }),
    ],
  ])('not in place of %s', async (_, reach) => {
    await reach();
    await expect(folder.begin({ recipe: 'second' })).rejects.toMatchObject(refused('holds a run already'));
    expect(await folder.readRecord()).toEqual({ recipe: 'first' });
    await writeFile(join(folder.path, 'run.json'), '');
    await expect(folder.begin({ recipe: 'second' })).rejects.toMatchObject(refused('holds a model or checkpoints'));
  });
});
