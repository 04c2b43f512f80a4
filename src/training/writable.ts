import { EyelineError, isDiskFull, messageOf } from '../core/errors.ts';

/** Writes to a folder; what goes wrong with it is OUTPUT_UNWRITABLE with the folder's name. Errors with a code stay as they are. */
export async function writable<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof EyelineError ? error : unwritable(folder, error);
  }
}

/** What went wrong with writing to a folder, as OUTPUT_UNWRITABLE. */
export function unwritable(folder: string, error: unknown): EyelineError {
  const what = isDiskFull(error) ? 'the disk is full' : messageOf(error);
  return new EyelineError('OUTPUT_UNWRITABLE', `${folder} cannot be written: ${what}`, { cause: error });
}
