import { access, constants, mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';

/**
 * Neither folder may hold the other: masked pictures would be masked again, or the originals be written over. Throws
 * EyelineError USAGE.
 */
export async function checkApart(from: string, to: string): Promise<void> {
  const [source, target] = [await realpath(from), await existingPath(to)];
  const within = (inner: string, outer: string) => {
    const path = relative(outer, inner);
    return path === '' || (path !== '..' && !path.startsWith(`..${sep}`));
  };
  if (within(source, target))
    throw new EyelineError('USAGE', `${from} is in ${to}: choose an output folder apart from it`);
  if (within(target, source))
    throw new EyelineError('USAGE', `${to} is in ${from}: choose an output folder apart from it`);
}

/** The path without links, also of what is not there yet. */
async function existingPath(path: string): Promise<string> {
  const absolute = resolve(path);
  return realpath(absolute).catch(async () =>
    dirname(absolute) === absolute ? absolute : join(await existingPath(dirname(absolute)), basename(absolute)),
  );
}

/** Makes the folder. Throws EyelineError USAGE when there is something in it, OUTPUT_UNWRITABLE when it cannot be made. */
export async function checkEmpty(to: string, force: boolean): Promise<void> {
  try {
    await mkdir(to, { recursive: true });
    if (force || (await readdir(to)).length === 0) return;
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${to} cannot be written: ${messageOf(error)}`, { cause: error });
  }
  throw new EyelineError('USAGE', `${to} is not empty: choose another folder, or --force to write into it`);
}

/** That a file can be written, told before the work and not after it. Throws EyelineError OUTPUT_UNWRITABLE. */
export async function checkWritable(file: string): Promise<void> {
  try {
    await access(`${dirname(resolve(file))}${sep}`, constants.W_OK);
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Writes a file. Throws EyelineError OUTPUT_UNWRITABLE. */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
