import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { evenly, findPictureTree } from '../../src/pictures/picture-tree.ts';

function folderOf(...files: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-tree-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

describe('the pictures of a folder', () => {
  it('are found at any depth, in one order; other files and hidden ones are left out', async () => {
    const folder = folderOf(
      'b/2.JPG',
      'b/1.png',
      'a/deep/x.jpg',
      'top.jpg',
      'a/notes.txt',
      '.hidden/y.jpg',
      'b/.z.jpg',
    );
    expect(await findPictureTree(folder, { plainOnly: true })).toEqual({
      pictures: ['a/deep/x.jpg', 'b/1.png', 'b/2.JPG', 'top.jpg'],
      leftOut: 1,
    });
  });

  it('are the plain ones where plain and masked ones are kept apart', async () => {
    const folder = folderOf('anna/plain/1.jpg', 'anna/masked/2.jpg', 'anna/notes.txt', 'ben/3.jpg');
    expect(await findPictureTree(folder, { plainOnly: true })).toEqual({
      pictures: ['anna/plain/1.jpg', 'ben/3.jpg'],
      leftOut: 2,
    });
  });

  it('end, also where a link leads back', async () => {
    const folder = folderOf('a/1.jpg');
    symlinkSync(folder, join(folder, 'a', 'back'));
    expect((await findPictureTree(folder, { plainOnly: true })).pictures).toEqual(['a/1.jpg']);
  });

  it('are refused when there is no folder', async () => {
    await expect(findPictureTree('/nowhere/at/all', { plainOnly: true })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('are all of them, masked ones too, unless told', async () => {
    const folder = folderOf('anna/plain/1.jpg', 'anna/masked/2.jpg', 'ben/3.jpg.part');
    expect(await findPictureTree(folder)).toEqual({ pictures: ['anna/masked/2.jpg', 'anna/plain/1.jpg'], leftOut: 1 });
  });

  it('are missed when there are none', async () => {
    await expect(findPictureTree(folderOf('notes.txt'))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('holds no pictures'),
    });
  });
});

it('some of many are taken at even distances', () => {
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  expect(evenly(numbers, 5)).toEqual([0, 2, 4, 6, 8]);
  expect(evenly(numbers, 99)).toEqual(numbers);
  expect(evenly(numbers)).toEqual(numbers);
});
