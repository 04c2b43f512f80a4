import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { findPictures } from '../../src/gallery/picture-files.ts';
import { temporaryFolder } from './gallery-rig.ts';

function folderWith(...files: string[]): string {
  const folder = temporaryFolder();
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

it('takes a folder for a person, in an order that does not depend on the machine', async () => {
  const folder = folderWith('Zoë/1.jpg', 'anna/2.png', 'anna/10.png', 'Ben/b.jpg', 'Ben/B.jpg');
  const { pictures, refused } = await findPictures(folder);
  expect(pictures).toEqual([
    { file: join(folder, 'Ben/B.jpg'), person: 'Ben' },
    { file: join(folder, 'Ben/b.jpg'), person: 'Ben' },
    { file: join(folder, 'Zoë/1.jpg'), person: 'Zoë' },
    { file: join(folder, 'anna/10.png'), person: 'anna' },
    { file: join(folder, 'anna/2.png'), person: 'anna' },
  ]);
  expect(refused).toEqual([]);
});

it('leaves hidden files out and refuses what lies elsewhere, with a hint', async () => {
  const folder = folderWith(
    'loose.jpg',
    '.DS_Store',
    'Anna/.hidden.jpg',
    'Anna/1.jpg',
    'Anna/old/2.jpg',
    '.git/x/y.jpg',
  );
  const { pictures, refused } = await findPictures(folder);
  expect(pictures).toEqual([{ file: join(folder, 'Anna/1.jpg'), person: 'Anna' }]);
  expect(refused).toEqual([
    {
      code: 'NESTED_FOLDER',
      file: join(folder, 'Anna/old'),
      person: 'Anna',
      reason: `is a folder inside a person's: put pictures into ${join(folder, 'Anna')}`,
    },
    {
      code: 'NOT_IN_PERSON_FOLDER',
      file: join(folder, 'loose.jpg'),
      person: null,
      reason: `is in no person's folder: put it into a folder named as the person, or use --name NAME ${join(folder, 'loose.jpg')}`,
    },
  ]);
});

it('follows links to folders and pictures', async () => {
  const folder = folderWith('elsewhere/1.jpg');
  const linked = temporaryFolder();
  symlinkSync(join(folder, 'elsewhere'), join(linked, 'Anna'));
  const { pictures } = await findPictures(linked);
  expect(pictures).toEqual([{ file: join(linked, 'Anna/1.jpg'), person: 'Anna' }]);
});

it('says when there is nothing to find', async () => {
  const empty = temporaryFolder();
  await expect(findPictures(empty)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(empty) });
  const missing = join(empty, 'nothing');
  await expect(findPictures(missing)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`${missing} cannot be read`),
  });
});
