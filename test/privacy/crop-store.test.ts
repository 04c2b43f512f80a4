import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { CropStore } from '../../src/privacy/crop-store.ts';
import { openCrop, sealCrop } from '../../src/privacy/sealed-crop.ts';
import { KeepingLogger } from '../events/publisher-fixture.ts';
import { StagedFrame } from '../fakes/fake-face-analyser.ts';

const KEY = Buffer.alloc(32, 7);
const BOX = { x: 100, y: 100, width: 80, height: 100 };
const NOON = Date.UTC(2026, 2, 10, 12);
let folder: string;
let logger: KeepingLogger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-crops-'));
  logger = new KeepingLogger();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function build(nowMs = NOON, into = folder): CropStore {
  let hour = 0;
  const clock = { ...systemClock, now: () => nowMs, monotonic: () => 3_600_000 * hour++ };
  return new CropStore({ folder: into, key: KEY, days: 7, encode: async (rgb) => rgb, clock, logger });
}

it('keeps a face so that only the key opens it, and only under its name', async () => {
  await build().keep(new StagedFrame(1, NOON, []), BOX, 'door-3');
  const name = '2026-03-10/12-00-00-000Z-door-3.crop';
  const bytes = await readFile(join(folder, name));
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect(openCrop(bytes, name, KEY)?.length).toBe(224 * 224 * 3);
  expect(openCrop(bytes, '2026-03-10/other.crop', KEY)).toBeNull();
  expect(openCrop(bytes, name, Buffer.alloc(32, 8))).toBeNull();
  for (const at of [0, 6, 20, 40, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(openCrop(changed, name, KEY)).toBeNull();
  }
  expect(openCrop(bytes.subarray(0, 20), name, KEY)).toBeNull();
});

it('seals the same picture differently each time', () => {
  expect(sealCrop(KEY, 'a', KEY).equals(sealCrop(KEY, 'a', KEY))).toBe(false);
});

it('deletes what is too old, and nothing that is not its own', async () => {
  for (const name of ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-10', 'notes']) await mkdir(join(folder, name));
  await build().purge();
  // Noon of the 10th less seven days is noon of the 3rd: that day is not over then.
  expect((await readdir(folder)).sort()).toEqual(['2026-03-03', '2026-03-10', 'notes']);
  await build(NOON, join(folder, 'missing')).purge();
  expect(logger.problems).toEqual([]);
});

it('says once that the disk fails, and stops nobody', async () => {
  await writeFile(join(folder, 'file'), 'in the way');
  const store = build(NOON, join(folder, 'file', 'crops'));
  await store.keep(new StagedFrame(1, NOON, []), BOX, 'door-3');
  await store.keep(new StagedFrame(1, NOON, []), BOX, 'door-4');
  expect(logger.problems).toHaveLength(1);
});
