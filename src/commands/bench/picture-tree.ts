import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';

const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff']);

/**
 * The picture files below a folder, in the order of their names; when there are more than `limit`, so many of them at
 * even distances. Throws USAGE when the folder cannot be read or holds none.
 */
export async function findPictureFiles(dir: string, limit = Number.POSITIVE_INFINITY): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir, { recursive: true });
  } catch (error) {
    throw new EyelineError('USAGE', `${dir} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const files = names.filter((name) => PICTURES.has(extname(name).toLowerCase())).sort();
  if (files.length === 0) throw new EyelineError('USAGE', `${dir} holds no pictures (${[...PICTURES].join(', ')})`);
  const count = Math.min(limit, files.length);
  return Array.from({ length: count }, (_, index) =>
    join(dir, files[Math.floor((index * files.length) / count)] ?? ''),
  );
}
