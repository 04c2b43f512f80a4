import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPeopleFolder } from '../../src/evaluation/people-folder.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'eyeline-people-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function files(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), 'x');
  }
}

describe('readPeopleFolder', () => {
  it('reads a folder a person', async () => {
    files('Ben/2.jpg', 'Ben/1.jpg', 'Anna Berg/a.png', 'Anna Berg/.hidden', '.git/config', 'notes.txt');
    expect(await readPeopleFolder(dir)).toEqual({
      people: [
        { person: 'Anna Berg', plain: [join(dir, 'Anna Berg/a.png')], masked: [] },
        { person: 'Ben', plain: [join(dir, 'Ben/1.jpg'), join(dir, 'Ben/2.jpg')], masked: [] },
      ],
      realMasks: false,
      ignored: [join(dir, 'notes.txt')],
    });
  });

  it('reads plain/ and masked/, and follows links', async () => {
    files('7/plain/1.jpg', '7/masked/1.jpg', '7/masked/deep/2.jpg', '7/other/1.jpg', '8/plain/1.jpg');
    symlinkSync(join(dir, '8'), join(dir, '9'));
    const { people, realMasks, ignored } = await readPeopleFolder(dir);
    expect(realMasks).toBe(true);
    expect(people).toEqual([
      { person: '7', plain: [join(dir, '7/plain/1.jpg')], masked: [join(dir, '7/masked/1.jpg')] },
      { person: '8', plain: [join(dir, '8/plain/1.jpg')], masked: [] },
      { person: '9', plain: [join(dir, '9/plain/1.jpg')], masked: [] },
    ]);
    expect(ignored).toEqual([join(dir, '7/masked/deep'), join(dir, '7/other')]);
  });

  it('refuses a folder without pictures of people', async () => {
    files('notes.txt');
    mkdirSync(join(dir, 'Anna'));
    await expect(readPeopleFolder(dir)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`${dir} holds no pictures of people: make a folder in it for each person`),
    });
    await expect(readPeopleFolder(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'USAGE' });
  });
});
