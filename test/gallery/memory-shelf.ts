import { readFile } from 'node:fs/promises';
import type { BundleShelf } from '../../src/gallery/master/bundle-shelf.ts';

/** A shelf that keeps everything in memory; `files` is what lies on it. */
export function memoryShelf(): BundleShelf & { files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>();
  return {
    files,
    put: async (path, file) => {
      files.set(path, await readFile(file));
    },
    putText: async (path, text) => {
      files.set(path, Buffer.from(text));
    },
    has: async (path) => files.has(path),
    remove: async (path) => {
      files.delete(path);
    },
    close: () => {},
  };
}
