import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';

/** Names of what is read as a picture, by their ends. */
const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff']);

export interface PictureTree {
  /** Paths below the folder, with `/` between names, sorted by code points: the same on every machine. */
  readonly pictures: readonly string[];
  /** Files whose names are not those of pictures, and what lies beside a `plain` folder that alone counts. */
  readonly leftOut: number;
}

/** A person's folder may keep pictures with and without a mask apart. */
const PLAIN = 'plain';

/**
 * The pictures of a folder and all folders in it, by the ends of their names; hidden ones left out.
 *
 * @param plainOnly where a folder holds one that is called `plain`, nothing else in it counts
 * Throws EyelineError USAGE when the folder cannot be read or holds no pictures.
 */
export async function findPictureTree(folder: string, { plainOnly = false } = {}): Promise<PictureTree> {
  const pictures: string[] = [];
  let leftOut = 0;
  const walk = async (below: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(join(folder, below));
    // A link to a folder it lies in would lead round for ever.
    if (above.includes(real)) return;
    const names = (await readdir(join(folder, below))).filter((name) => !name.startsWith('.')).sort();
    const onlyPlain = plainOnly && names.includes(PLAIN) && (await isFolder(join(folder, below, PLAIN)));
    for (const name of names) {
      const path = posix.join(below, name);
      if (onlyPlain && name !== PLAIN) leftOut++;
      else if (await isFolder(join(folder, path))) await walk(path, [...above, real]);
      else if (PICTURES.has(extname(name).toLowerCase())) pictures.push(path);
      else leftOut++;
    }
  };
  try {
    await walk('', []);
  } catch (error) {
    throw new EyelineError('USAGE', `folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (pictures.length === 0) {
    throw new EyelineError('USAGE', `${folder} holds no pictures (${[...PICTURES].join(', ')})`);
  }
  return { pictures, leftOut };
}

/** `limit` of some values at even distances; all where there are no more. */
export function evenly<T>(values: readonly T[], limit = Number.POSITIVE_INFINITY): T[] {
  const count = Math.min(limit, values.length);
  return Array.from({ length: count }, (_, index) => values[Math.floor((index * values.length) / count)] as T);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (it) => it.isDirectory(),
    () => false,
  );
}
