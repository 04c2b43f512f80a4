import { accessSync, closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EyelineError, messageOf, systemCodeOf } from '../core/errors.ts';

/** Owner only: what is in there identifies people. SQLite gives its side files the mode of the database. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/** Tells a file apart from another one that took its name. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/** A file that can be opened. */
export interface PreparedFile {
  readonly identity: FileIdentity;
  readonly openToOthers: boolean;
  /** Whether it has no bytes at all. */
  readonly isEmpty: boolean;
}

/** The error for a gallery that cannot be used: `reason` completes "gallery FILE ...". */
export function unreadable(file: string, reason: string, cause?: unknown): EyelineError {
  return new EyelineError('GALLERY_UNREADABLE', `gallery ${file} ${reason}`, { cause });
}

/**
 * Makes sure the file can be opened, creating it (and missing folders) readable by the owner alone when `create`.
 *
 * A file that is there is not opened for that: closing it would take the locks away that connections of this process hold on it
 * (POSIX), and then another process does away with the journal they work with (https://www.sqlite.org/howtocorrupt.html, 2.2).
 *
 * @throws EyelineError GALLERY_UNREADABLE naming the file.
 */
export function prepareFile(file: string, create: boolean): PreparedFile {
  try {
    if (create && !existsSync(file)) {
      makeFolderOf(file);
      closeSync(openSync(file, 'a+', FILE_MODE));
    }
    const found = statSync(file);
    const { dev, ino, mode, size } = found;
    if (found.isFile()) accessSync(file, constants.R_OK | constants.W_OK);
    else closeSync(openSync(file, 'r+'));
    return { identity: { device: dev, inode: ino }, openToOthers: (mode & OTHERS) !== 0, isEmpty: size === 0 };
  } catch (error) {
    if (!create && systemCodeOf(error) === 'ENOENT') {
      throw unreadable(file, 'does not exist', error);
    }
    throw unreadable(file, `cannot be opened: ${messageOf(error)}`, error);
  }
}

/** Makes the folder of a file where it is missing. Throws what that throws. */
export function makeFolderOf(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
}

/** Has the name of a new file on the disk, not only the file: a power cut must not leave one without the other. */
export function syncFolderOf(file: string): void {
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } catch (error) {
    // Some file systems know no such thing.
    if (systemCodeOf(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(folder);
  }
}

/** True while the file of that name is still the one that was opened. */
export function isSameFile(file: string, identity: FileIdentity): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.dev === identity.device && found.ino === identity.inode;
}
