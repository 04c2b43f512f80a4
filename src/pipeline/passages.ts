import type { Box } from '../core/geometry.ts';
import type { Face } from '../faces/face-analyser.ts';
import type { Renaming } from '../tracks/tracker.ts';

/** How one face went through the picture. */
export interface Passage {
  /** When the first and the last frame that shows it were captured, wall clock. */
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** Where it was last, pixels of the frame. */
  readonly box: Box;
  /** The face as it was looked at last; null when it was not, or was none. */
  readonly face: Face | null;
}

/** Where and when the faces of one camera's tracks were seen, for the events that tell of them. */
export class Passages {
  readonly #passages = new Map<number, Passage>();

  /** The track's face is at `box` in a frame captured at `atMs` (wall clock). */
  see(track: number, box: Box, atMs: number): void {
    const { face = null, firstSeenAtMs = atMs } = this.#passages.get(track) ?? {};
    this.#passages.set(track, { firstSeenAtMs, lastSeenAtMs: atMs, box, face });
  }

  /** The track's face was looked at and is one. */
  look(track: number, face: Face): void {
    const passage = this.#passages.get(track);
    if (passage) this.#passages.set(track, { ...passage, face });
  }

  /** Whether a face is being followed that was looked at and is one. */
  get present(): boolean {
    for (const { face } of this.#passages.values()) if (face) return true;
    return false;
  }

  get(track: number): Passage | undefined {
    return this.#passages.get(track);
  }

  /** Looks have shown that two tracks are one: it was seen since the older of them was. */
  rename(renamings: readonly Renaming[]): void {
    for (const { from, merged } of renamings) if (merged) this.#passages.delete(from);
  }

  /** The track has ended: what there was of it, undefined when it was never seen. */
  take(track: number): Passage | undefined {
    const passage = this.#passages.get(track);
    this.#passages.delete(track);
    return passage;
  }

  clear(): void {
    this.#passages.clear();
  }
}
