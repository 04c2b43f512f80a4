import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { unwritable } from '../writable.ts';

/** Name of one of the files of pixels of a prepared set: each worker writes its own. */
export function pixelsFile(part: number): string {
  return `faces-${part}.bin`;
}

/** Where a face's bytes are. */
export interface PixelsPlace {
  /** Number of the file of pixels. */
  readonly part: number;
  /** Of the first byte in it. */
  readonly offset: number;
}

/** Appends to one of the files of pixels of a set, for as long as the process lives. */
export class PixelsFile {
  readonly #folder: string;
  readonly #part: number;
  #file: number | undefined;
  #length = 0;

  constructor(folder: string, part: number) {
    this.#folder = folder;
    this.#part = part;
  }

  /** Gives where the bytes are then. Throws OUTPUT_UNWRITABLE. */
  append(bytes: Uint8Array): PixelsPlace {
    const place = { part: this.#part, offset: this.#length };
    try {
      this.#file ??= openSync(join(this.#folder, pixelsFile(this.#part)), 'w');
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw unwritable(this.#folder, error);
    }
    this.#length += bytes.length;
    return place;
  }
}
