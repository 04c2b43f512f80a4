import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EyelineError, isDiskFull, messageOf } from '../core/errors.ts';

/** Writes to a folder; what goes wrong with it is OUTPUT_UNWRITABLE with the folder's name. Errors with a code stay as they are. */
export async function writable<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof EyelineError ? error : unwritable(folder, error);
  }
}

/**
 * Throws OUTPUT_UNWRITABLE where a folder, which need not be there yet, could not be written to: said before what is to be written takes hours
 * to make. Writes nothing.
 */
export async function requireWritable(folder: string): Promise<void> {
  let there = resolve(folder);
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  await writable(folder, async () => {
    if (!(await stat(there)).isDirectory()) throw new Error(`${there} is no folder`);
    await access(there, constants.W_OK | constants.X_OK);
  });
}

/** What went wrong with writing to a folder, as OUTPUT_UNWRITABLE. */
export function unwritable(folder: string, error: unknown): EyelineError {
  const what = isDiskFull(error) ? 'the disk is full' : messageOf(error);
  return new EyelineError('OUTPUT_UNWRITABLE', `${folder} cannot be written: ${what}`, { cause: error });
}
