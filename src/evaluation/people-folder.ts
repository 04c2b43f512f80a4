import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';

/** What is known of one person: paths of pictures. */
export interface PersonPictures {
  readonly person: string;
  readonly plain: readonly string[];
  /** With a real mask. */
  readonly masked: readonly string[];
}

export interface PeopleFolder {
  readonly people: readonly PersonPictures[];
  /** Whether people have sub-folders `plain/` and `masked/`; else all pictures are plain. */
  readonly realMasks: boolean;
  /** What lies where no picture is looked for. */
  readonly ignored: readonly string[];
}

/**
 * The pictures of a folder that holds a folder a person, with pictures in it or in sub-folders `plain/` and `masked/`.
 * Hidden files are left out; the order is by code points, the same on every machine.
 *
 * Throws USAGE when the folder cannot be read or holds no picture of anybody.
 */
export async function readPeopleFolder(folder: string): Promise<PeopleFolder> {
  const people: PersonPictures[] = [];
  const ignored: string[] = [];
  let realMasks = false;
  for (const person of await entriesOf(folder)) {
    if (!person.isFolder) {
      ignored.push(person.path);
      continue;
    }
    const plain: string[] = [];
    const masked: string[] = [];
    for (const inner of await entriesOf(person.path)) {
      if (!inner.isFolder) plain.push(inner.path);
      else if (inner.name !== 'plain' && inner.name !== 'masked') ignored.push(inner.path);
      else {
        realMasks = true;
        for (const { path, isFolder } of await entriesOf(inner.path)) {
          (isFolder ? ignored : inner.name === 'plain' ? plain : masked).push(path);
        }
      }
    }
    people.push({ person: person.name, plain, masked });
  }
  const pictures = people.reduce((sum, { plain, masked }) => sum + plain.length + masked.length, 0);
  if (pictures === 0) {
    const hint = 'make a folder in it for each person, with pictures, or with plain/ and masked/';
    throw new EyelineError('USAGE', `${folder} holds no pictures of people: ${hint}`);
  }
  return { people, realMasks, ignored };
}

async function entriesOf(folder: string): Promise<{ name: string; path: string; isFolder: boolean }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
    return await Promise.all(
      names.map(async (name) => {
        const path = join(folder, name);
        // Links count as what they lead to; a broken one is told of when it is read.
        const isFolder = await stat(path).then(
          (it) => it.isDirectory(),
          () => false,
        );
        return { name, path, isFolder };
      }),
    );
  } catch (error) {
    throw new EyelineError('USAGE', `folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
