import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaceStore, INDEX_FILE, packFace } from '../../../src/training/data/face-store.ts';
import { PixelsFile, pixelsFile } from '../../../src/training/data/pixels-file.ts';

const SIZE = { width: 4, height: 3 };
const BOX = { x: 0, y: 0, width: 2, height: 2 };
const chip = (value: number) => ({
  rgb: new Uint8Array(36).fill(value),
  ...SIZE,
  box: BOX,
  score: 0.5,
  landmarks: [],
});

describe('files of pixels', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-pixels-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('of several workers hold the faces of one set', async () => {
    const parts = [new PixelsFile(folder, 0), new PixelsFile(folder, 1)];
    const mask = { x: 1, y: 1, width: 2, height: 1, state: 'worn' as const };
    const lines = [1, 0, 0, 1, 1].map((part, face) => {
      const place = parts[part]?.append(packFace(chip(face), [{ rgb: new Uint8Array(6).fill(100 + face) }]));
      return JSON.stringify({ file: `${face}`, person: face, ...SIZE, masks: [mask], ...place });
    });
    await writeFile(join(folder, INDEX_FILE), `${lines.join('\n')}\n`);
    const store = await FaceStore.open(folder);
    try {
      for (let face = 0; face < lines.length; face++) {
        const plain = store.read(face);
        expect(plain).toMatchObject({ rgb: chip(face).rgb, ...SIZE, box: BOX, score: 0.5 });
        const masked = store.withMask(face, plain, 0);
        expect(Array.from(masked.rgb.subarray(15, 24))).toEqual([...Array(6).fill(100 + face), face, face, face]);
      }
    } finally {
      store.close();
    }
  });

  it('say why they cannot be written', async () => {
    await symlink('/dev/full', join(folder, pixelsFile(0)));
    expect(() => new PixelsFile(folder, 0).append(new Uint8Array(9))).toThrow(
      expect.objectContaining({ code: 'OUTPUT_UNWRITABLE', message: `${folder} cannot be written: the disk is full` }),
    );
    expect(() => new PixelsFile(join(folder, 'none'), 0).append(new Uint8Array(9))).toThrow(
      expect.objectContaining({ code: 'OUTPUT_UNWRITABLE', message: expect.stringContaining('ENOENT') }),
    );
  });
});
