import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';

export interface PictureTree {
  /** Paths below the folder, with `/` between names, sorted by code points: the same on every machine. */
  readonly pictures: readonly string[];
  /** Files whose names are not those of pictures, and folders beside a `plain` one. */
  readonly leftOut: number;
}

/** A person's folder may keep pictures with and without a mask apart; only the latter are taken then. */
const PLAIN = 'plain';

/**
 * The pictures of a folder and all folders in it, by the extensions of their names; hidden ones left out. Where a folder
 * holds one that is called `plain`, nothing else in it counts.
 *
 * Throws EyelineError USAGE when the folder cannot be read.
 */
export async function findPictureTree(folder: string, extensions: readonly string[]): Promise<PictureTree> {
  const pictures: string[] = [];
  let leftOut = 0;
  const walk = async (below: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(join(folder, below));
    // A link to a folder it lies in would lead round for ever.
    if (above.includes(real)) return;
    const names = (await readdir(join(folder, below))).filter((name) => !name.startsWith('.')).sort();
    const plainOnly = names.includes(PLAIN) && (await isFolder(join(folder, below, PLAIN)));
    for (const name of names) {
      const path = posix.join(below, name);
      if (plainOnly && name !== PLAIN) leftOut++;
      else if (await isFolder(join(folder, path))) await walk(path, [...above, real]);
      else if (extensions.includes(extname(name).toLowerCase())) pictures.push(path);
      else leftOut++;
    }
  };
  try {
    await walk('', []);
  } catch (error) {
    throw new EyelineError('USAGE', `folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return { pictures, leftOut };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (it) => it.isDirectory(),
    () => false,
  );
}
