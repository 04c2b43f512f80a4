import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, unlinkSync } from 'node:fs';
import { EyelineError, messageOf } from '../core/errors.ts';
import { FILE_MODE, makeFolderOf, type PreparedFile, prepareFile, syncFolderOf, unreadable } from './gallery-file.ts';
import { writeNewDatabase } from './sqlite-store-connection.ts';

/**
 * Makes sure the gallery's file can be opened, creating one with nobody in it when `create`. A new one has its name only when it is
 * whole: a file without a byte is what a power cut or an interrupted copy left of a gallery, and not a first start.
 *
 * @throws EyelineError GALLERY_UNREADABLE naming the file.
 */
export function prepareGallery(file: string, create: boolean): PreparedFile {
  const isNew = create && !existsSync(file);
  // A journal that was left alone belongs to no new file: SQLite itself does away with it where it makes the file.
  if (isNew && !existsSync(`${file}-wal`)) makeGallery(file);
  const prepared = prepareFile(file, create);
  // Not even opened: SQLite would delete the journal beside it, which may have everybody in it.
  if (prepared.isEmpty && !isNew) {
    throw unreadable(
      file,
      'is empty (0 bytes), which no gallery is: put a backup in its place, or delete it to begin anew',
    );
  }
  return prepared;
}

/** Under another name, and linked to its own: of several processes that do so at once, one is first. */
function makeGallery(file: string): void {
  const unfinished = `${file}.${randomUUID()}`;
  try {
    makeFolderOf(file);
    const handle = openSync(unfinished, 'wx', FILE_MODE);
    try {
      writeNewDatabase(unfinished, file);
      fsyncSync(handle);
      link(unfinished, file);
    } finally {
      closeSync(handle);
      unlinkSync(unfinished);
    }
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    throw unreadable(file, `cannot be opened: ${messageOf(error)}`, error);
  }
}

/** Where there are no links, or the name is one that leads nowhere yet, the file is made in its place. */
function link(unfinished: string, file: string): void {
  try {
    linkSync(unfinished, file);
  } catch {
    return;
  }
  syncFolderOf(file);
}
