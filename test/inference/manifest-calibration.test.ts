import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readCalibrations, writeCalibrations } from '../../src/inference/manifest-calibration.ts';
import { syncedPaths } from '../rig/synced-paths.ts';

it('has a calibration on the disk before it has its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-calibration-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'calibration.json');
  const points = [
    { score: 0.1, far: 0.5, llr: -1 },
    { score: 0.4, far: 0.01, llr: 3 },
  ];
  const curves = { none: { impostors: 100, genuine: 10, correlation: 0.9, points } };
  const measured = new Map([['fingerprint', { id: 'encoder', curves }]]);
  const synced = await syncedPaths(folder);
  await writeCalibrations(file, measured);
  expect(synced[0]).toMatch(/^\.calibration\.json\./);
  expect(synced.at(-1)).toBe('');
  expect(await readCalibrations(file)).toEqual(measured);
});
