import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readFloats, writeFloats } from '../../../src/training/data/face-features.ts';
import { INDEX_FILE, packFace, RECORD_FILE } from '../../../src/training/data/face-store.ts';
import { PixelsFile, pixelsFile } from '../../../src/training/data/pixels-file.ts';
import { type PicturePreparer, prepareFaces, readRecord } from '../../../src/training/data/prepare-set.ts';
import { syncedPaths } from '../../rig/synced-paths.ts';

const SIZE = { width: 2, height: 2 };
const FACES = {
  people: ['anna'],
  pictures: ['anna/1.jpg', 'anna/2.jpg'].map((file) => ({ file, name: file, person: 0 })),
};

describe('prepared faces', () => {
  let cache = '';
  let started = 0;
  let warned: string[] = [];
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eyeline-cache-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    cache = folder;
    started = 0;
    warned = [];
  });

  /** Finds a grey face in each picture. */
  const workers = async (): Promise<PicturePreparer> => {
    started++;
    return {
      async *prepare(pictures, folder) {
        const pixels = new PixelsFile(folder, 0);
        const chip = { rgb: new Uint8Array(12), ...SIZE, box: { x: 0, y: 0, ...SIZE }, score: 1, landmarks: [] };
        for (const _ of pictures) {
          yield { face: { ...SIZE, masks: [], ...pixels.append(packFace(chip, [])) }, reason: null };
        }
      },
      close: async () => {},
    };
  };
  const prepare = (finding: object) =>
    prepareFaces(FACES, {
      cache,
      masks: 1,
      seed: 1,
      finding,
      signal: new AbortController().signal,
      warn: (line) => warned.push(line),
      startWorkers: workers,
    });

  it('are taken from the cache as long as faces are found in the same way', async () => {
    const folder = await prepare({ minFacePx: 40 });
    expect(await prepare({ minFacePx: 40 })).toBe(folder);
    expect(started).toBe(1);
    const other = await prepare({ minFacePx: 20 });
    expect(other).not.toBe(folder);
    expect(started).toBe(2);
    expect((await readRecord(other))?.fingerprint).not.toBe((await readRecord(folder))?.fingerprint);
    expect(warned).toEqual([]);
  });

  const zeroed = async (file: string) => {
    const { size } = await stat(file);
    await truncate(file, 0);
    await truncate(file, size);
  };
  it.each([
    ['a record of zeros', RECORD_FILE, zeroed, `its ${RECORD_FILE} cannot be read`],
    ['an index of zeros', INDEX_FILE, zeroed, `${INDEX_FILE} is no list of faces`],
    ['an index that is cut off', INDEX_FILE, (file: string) => truncate(file, 0), 'it has 0 faces, not 2'],
    ['pixels of zeros', pixelsFile(0), zeroed, 'nothing is written of anna/2.jpg'],
    [
      'pixels that are cut off',
      pixelsFile(0),
      async (file: string) => truncate(file, (await stat(file)).size - 1),
      'prepared faces are cut short',
    ],
    ['no pixels', pixelsFile(0), rm, 'ENOENT'],
  ])('are made anew where a power cut left %s', async (_, file, damage, reason) => {
    const folder = await prepare({});
    await writeFile(join(folder, 'marks-1.f32'), 'of the damaged set');
    await damage(join(folder, file));
    expect(await prepare({})).toBe(folder);
    expect(warned).toEqual([
      expect.stringContaining(`  the prepared set ${folder} is damaged and made anew: ${reason}`),
    ]);
    expect(await prepare({})).toBe(folder);
    expect([started, warned.length]).toEqual([2, 1]);
    expect((await readdir(folder)).sort()).toEqual([pixelsFile(0), INDEX_FILE, RECORD_FILE].sort());
  });

  it('leave no draft of a process that was killed, and the one of another that is at work', async () => {
    const killed = spawnSync(process.execPath, ['--version']).pid;
    const draft = (owner: string) => join(cache, `0123456789abcdef.part-${owner}`);
    const own = `${hostname()}-`;
    const long = new Date(Date.now() - 25 * 3_600_000);
    for (const owner of [`${own}${killed}`, `${own}${process.ppid}`, 'elsewhere-1', 'given-up-1']) {
      await mkdir(draft(owner));
      await writeFile(join(draft(owner), INDEX_FILE), '');
    }
    for (const path of [join(draft('given-up-1'), INDEX_FILE), draft('given-up-1')]) await utimes(path, long, long);
    const folder = await prepare({});
    const left = [basename(folder), basename(draft(`${own}${process.ppid}`)), basename(draft('elsewhere-1'))];
    expect((await readdir(cache)).sort()).toEqual(left.sort());
  });

  it.skipIf(process.platform !== 'linux')('are on the disk before they have their name (needs Linux)', async () => {
    let named: string[] = [];
    const synced = await syncedPaths(cache, async (path) => {
      if (path === '') named = await readdir(cache);
    });
    const folder = basename(await prepare({}));
    const draft = `${folder}.part-${hostname()}-${process.pid}`;
    const files = [pixelsFile(0), INDEX_FILE, RECORD_FILE].map((file) => join(draft, file)).sort();
    expect([...synced.slice(0, -2).sort(), ...synced.slice(-2)]).toEqual([...files, draft, '']);
    expect(named).toEqual([folder]);
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('that cannot take the place of half a set say so (as root: mounts a file system)', async () => {
    const folder = await prepare({});
    await rm(join(folder, RECORD_FILE));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', [folder]));
    await expect(prepare({})).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining(`${folder} cannot be written: EBUSY`),
    });
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('what models say of them is kept', async () => {
    const file = join(cache, 'marks.f32');
    await writeFloats(file, Float32Array.of(1, 2, 3));
    expect(await readFloats(file, 3)).toEqual(Float32Array.of(1, 2, 3));
    expect(await readFloats(file, 4)).toBeNull();
  });

  it.skipIf(!canMount)('leave nothing of that behind on a full disk (as root: mounts a file system)', async () => {
    const small = join(cache, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
    try {
      const file = join(small, 'marks.f32');
      await writeFloats(file, Float32Array.of(1, 2, 3));
      await expect(writeFloats(file, new Float32Array(50_000))).rejects.toMatchObject({
        code: 'OUTPUT_UNWRITABLE',
        message: `${small} cannot be written: the disk is full`,
      });
      expect(await readdir(small)).toEqual(['marks.f32']);
      expect(await readFloats(file, 3)).toEqual(Float32Array.of(1, 2, 3));
    } finally {
      execFileSync('umount', [small]);
    }
  });
});
