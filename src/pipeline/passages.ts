import type { Box } from '../core/geometry.ts';
import type { Frame } from '../core/picture.ts';
import type { Face } from '../faces/face-analyser.ts';
import type { Renaming } from '../tracks/tracker.ts';
import { type Whereabouts, ZoneWatch } from '../zones/zone-watch.ts';

/** How one face went through the picture. */
export interface Passage {
  /** When the first and the last frame that shows it were captured, wall clock. */
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** Where it was last, pixels of the frame. */
  readonly box: Box;
  /** The face as it was looked at last; null when it was not, or was none. */
  readonly face: Face | null;
  /** Frames that the decision announced last rests on; 0 before. */
  readonly frames: number;
}

/** Where and when the faces of one camera's tracks were seen, for the events that tell of them. */
export class Passages {
  readonly #passages = new Map<number, Passage>();
  readonly #zones: ZoneWatch;

  constructor(zones = new ZoneWatch([], [])) {
    this.#zones = zones;
  }

  /** The track's face is at `box` (pixels) in this frame. */
  see(
    track: number,
    box: Box,
    { capturedAtMs, height, width }: Pick<Frame, 'capturedAtMs' | 'height' | 'width'>,
  ): void {
    const { face = null, firstSeenAtMs = capturedAtMs, frames = 0 } = this.#passages.get(track) ?? {};
    this.#passages.set(track, { firstSeenAtMs, lastSeenAtMs: capturedAtMs, box, face, frames });
    this.#zones.move(track, { x: (box.x + box.width / 2) / width, y: (box.y + box.height / 2) / height });
  }

  /** The track's face was looked at and is one. */
  look(track: number, face: Face): void {
    const passage = this.#passages.get(track);
    if (passage) this.#passages.set(track, { ...passage, face });
  }

  /** An event tells of the track, with a decision that rests on so many frames. */
  tell(track: number, frames: number): void {
    const passage = this.#passages.get(track);
    if (passage) this.#passages.set(track, { ...passage, frames });
    this.#zones.tell(track);
  }

  /** In which zones the track's face is, and over which line it came. */
  whereabouts(track: number): Whereabouts {
    return this.#zones.at(track);
  }

  /** Whether it is in a zone or came over a line that no event told of. */
  isElsewhere(track: number): boolean {
    return this.#zones.hasNews(track);
  }

  /** Whether a face is being followed that was looked at and is one. */
  get present(): boolean {
    for (const { face } of this.#passages.values()) if (face) return true;
    return false;
  }

  get(track: number): Passage | undefined {
    return this.#passages.get(track);
  }

  /**
   * Looks have shown that faces are of other tracks, all at once: each track is where the face is that is its. Whoever was mixed up with
   * another and is out of sight was last where they were last looked at.
   */
  rename(renamings: readonly Renaming[]): void {
    this.#zones.rename(renamings);
    const followed = new Map(renamings.map(({ from }) => [from, this.#passages.get(from)]));
    for (const { from, merged } of renamings) {
      const passage = followed.get(from);
      if (merged) this.#passages.delete(from);
      else if (passage?.face) this.#passages.set(from, { ...passage, box: passage.face.box });
    }
    for (const { from, to } of renamings) {
      const passage = followed.get(from);
      if (!passage) continue;
      const { box, lastSeenAtMs } = passage;
      const { face = null, firstSeenAtMs = lastSeenAtMs, frames = 0 } = this.#passages.get(to) ?? {};
      this.#passages.set(to, { firstSeenAtMs, lastSeenAtMs, box, face, frames });
    }
  }

  /** The track has ended: what there was of it, undefined when it was never seen. */
  take(track: number): Passage | undefined {
    const passage = this.#passages.get(track);
    this.#passages.delete(track);
    this.#zones.forget(track);
    return passage;
  }

  clear(): void {
    this.#zones.clear();
    this.#passages.clear();
  }
}
