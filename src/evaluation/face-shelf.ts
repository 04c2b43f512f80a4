import type { AlignmentPoints } from '../faces/align.ts';
import type { FaceSource, ReadOptions, ReadPicture } from './face-source.ts';

/**
 * Reads each picture once and keeps its aligned crops (38 kB each at 112 pixels), so that several encoders and methods share one
 * pass over the pixels.
 */
export class FaceShelf {
  readonly #source: FaceSource;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #always: readonly AlignmentPoints[];
  readonly #kept = new Map<string, ReadPicture>();
  #spentMs = 0;
  #read = 0;

  /**
   * @param now monotonic milliseconds
   * @param signal ends reading
   * @param always what faces are aligned by besides what is asked for: encoders to come share what was read for the first
   */
  constructor(source: FaceSource, now: () => number, signal?: AbortSignal, always: readonly AlignmentPoints[] = []) {
    this.#always = always;
    this.#source = source;
    this.#now = now;
    this.#signal = signal;
  }

  /**
   * Milliseconds a picture, by the clock, that reading took: decode, detect, landmarks, align; null before the first. Of
   * a source that reads several at once, less than one alone takes.
   */
  get msPerPicture(): number | null {
    return this.#read > 0 ? this.#spentMs / this.#read : null;
  }

  /** The pictures in order; those that are not kept yet are read. Throws what the source throws. */
  async read(
    files: readonly string[],
    options: ReadOptions,
    onProgress?: (done: number, of: number) => void,
  ): Promise<ReadPicture[]> {
    const alignedBy = [...new Set([...this.#always, ...options.alignedBy])].sort();
    const { choose, pad, cropPx, mask } = options;
    const shelf = JSON.stringify([choose, pad, cropPx, alignedBy, mask?.seed ?? null, mask?.state ?? null]);
    const keyOf = (file: string) => `${shelf} ${file}`;
    const missing = [...new Set(files)].filter((file) => !this.#kept.has(keyOf(file)));
    const startMs = this.#now();
    let done = 0;
    if (missing.length > 0) onProgress?.(0, missing.length);
    for await (const picture of this.#source.read(missing, { ...options, alignedBy }, this.#signal)) {
      this.#kept.set(keyOf(picture.file), picture);
      onProgress?.(++done, missing.length);
    }
    this.#spentMs += this.#now() - startMs;
    this.#read += missing.length;
    return files.map((file) => {
      const picture = this.#kept.get(keyOf(file));
      if (!picture) throw new Error(`${file} was not read`);
      return picture;
    });
  }
}
