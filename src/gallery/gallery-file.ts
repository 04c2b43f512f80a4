import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EyelineError, messageOf, systemCodeOf } from '../core/errors.ts';

/** Owner only: what is in there identifies people. SQLite gives its side files the mode of the database. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/** Tells a file apart from another one that took its name. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/** The error for a gallery that cannot be used: `reason` completes "gallery FILE ...". */
export function unreadable(file: string, reason: string, cause?: unknown): EyelineError {
  return new EyelineError('GALLERY_UNREADABLE', `gallery ${file} ${reason}`, { cause });
}

/**
 * Makes sure the file can be opened, creating it (and missing folders) readable by the owner alone when `create`.
 *
 * @throws EyelineError GALLERY_UNREADABLE naming the file.
 */
export function prepareFile(file: string, create: boolean): { identity: FileIdentity; openToOthers: boolean } {
  try {
    if (create) mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
    closeSync(openSync(file, create ? 'a+' : 'r+', FILE_MODE));
    const { dev, ino, mode } = statSync(file);
    return { identity: { device: dev, inode: ino }, openToOthers: (mode & OTHERS) !== 0 };
  } catch (error) {
    if (!create && systemCodeOf(error) === 'ENOENT') {
      throw unreadable(file, 'does not exist', error);
    }
    throw unreadable(file, `cannot be opened: ${messageOf(error)}`, error);
  }
}

/** True while the file of that name is still the one that was opened. */
export function isSameFile(file: string, identity: FileIdentity): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.dev === identity.device && found.ino === identity.inode;
}
