import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { BundleShelf } from './bundle-shelf.ts';

/** A folder, made where there is none. Files appear under their name when they are whole and on the disk. */
export function folderShelf(root: string): BundleShelf {
  const store = async (path: string, write: (unfinished: string) => Promise<void>) => {
    const target = join(root, path);
    const unfinished = join(dirname(target), `.${randomUUID()}`);
    try {
      await mkdir(dirname(target), { recursive: true });
      await write(unfinished);
      const handle = await open(unfinished, 'r+');
      await handle.sync().finally(() => handle.close());
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw new EyelineError('PUBLISH_FAILED', `${target} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    put: (path, file) => store(path, (to) => copyFile(file, to)),
    putText: (path, text) => store(path, (to) => writeFile(to, text)),
    has: async (path) =>
      stat(join(root, path)).then(
        () => true,
        () => false,
      ),
    remove: (path) => rm(join(root, path), { force: true }),
    close: () => {},
  };
}
