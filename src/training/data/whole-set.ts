import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { syncPath } from '../../inference/files.ts';
import { type FaceSetRecord, FaceStore, INDEX_FILE } from './face-store.ts';

/** Faces that are looked at before a set is taken for whole, spread over all of it. */
const LOOKED_AT = 200;

/** Puts the files of a prepared set on the disk, all of them, whoever wrote them. Throws what the file system does. */
export async function syncFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await syncPath(join(folder, name));
}

/**
 * What a prepared set lacks; null for one that looks whole. Found is what a power cut leaves of files that were not on the disk: none, short
 * ones, zeros.
 */
export async function damageOf(folder: string, { faces }: FaceSetRecord): Promise<string | null> {
  let store: FaceStore | undefined;
  try {
    store = await FaceStore.open(folder);
    const found = store.faces.length;
    if (found !== faces) return `it has ${found} faces, not ${faces}`;
    const last = new Map(store.faces.map(({ part }, face) => [part, face]));
    const step = Math.max(1, Math.ceil(found / LOOKED_AT));
    const spread = Array.from({ length: Math.ceil(found / step) }, (_, at) => at * step);
    for (const face of new Set([...last.values(), ...spread])) {
      const chip = store.read(face);
      const masks = store.faces[face]?.masks.length ?? 0;
      if (masks > 0) store.withMask(face, chip, masks - 1);
      if (!(chip.box.width > 0)) return `nothing is written of ${store.faces[face]?.file}`;
    }
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? `${INDEX_FILE} is no list of faces` : messageOf(error);
  } finally {
    store?.close();
  }
}
