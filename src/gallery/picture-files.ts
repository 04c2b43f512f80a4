import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';
import { normaliseName } from './person-name.ts';
import { type Refusal, refusal } from './refusal.ts';

/** A file that should be a picture of a person. */
export interface PictureFile {
  readonly file: string;
  /** Name of the person. */
  readonly person: string;
}

export interface FoundPictures {
  readonly pictures: readonly PictureFile[];
  /** What lies where no picture is looked for. */
  readonly refused: readonly Refusal[];
}

/**
 * The pictures of a folder that holds a folder a person, named as the person: one level, hidden files left out. The
 * order is by code points, the same on every machine.
 *
 * @throws EyelineError USAGE when the folder cannot be read or there is nothing in it.
 */
export async function findPictures(folder: string): Promise<FoundPictures> {
  const pictures: PictureFile[] = [];
  const refused: Refusal[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (!entry.isFolder) {
      const hint = `put it into a folder named as the person, or use --name NAME ${path}`;
      refused.push(refusal('NOT_IN_PERSON_FOLDER', path, null, `is in no person's folder: ${hint}`));
      continue;
    }
    const person = normaliseName(entry.name);
    if (person === null) {
      refused.push(refusal('NOT_A_NAME', path, null, 'the name of the folder cannot be the name of a person'));
      continue;
    }
    for (const inner of await entriesOf(path)) {
      const file = join(path, inner.name);
      if (!inner.isFolder) pictures.push({ file, person });
      else
        refused.push(
          refusal('NESTED_FOLDER', file, person, `is a folder inside a person's: put pictures into ${path}`),
        );
    }
  }
  if (pictures.length + refused.length === 0) {
    throw new EyelineError('USAGE', `${folder} holds no pictures: make a folder in it for each person, with pictures`);
  }
  return { pictures, refused };
}

async function entriesOf(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
    // stat and not the entry's own type: links count as what they lead to. A broken one is told of when it is read.
    return await Promise.all(
      names.map(async (name) => ({
        name,
        isFolder: await stat(join(folder, name)).then(
          (it) => it.isDirectory(),
          () => false,
        ),
      })),
    );
  } catch (error) {
    throw new EyelineError('USAGE', `folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
