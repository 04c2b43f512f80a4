import { type Box, iou } from '../core/geometry.ts';

export interface TrackerOptions {
  /** Least overlap (intersection over union) of a face with where its track was last seen. */
  readonly minIou: number;
  /** A track that has not been seen for this long has ended. */
  readonly lostAfterMs: number;
}

export interface TrackUpdate<D> {
  /** Each detection with the number of its track, in the order the detections came. */
  readonly seen: readonly { readonly track: number; readonly detection: D }[];
  /** Numbers of the tracks that ended. */
  readonly ended: readonly number[];
}

interface Track {
  readonly number: number;
  box: Box;
  lastSeenMs: number;
}

/**
 * Follows faces from frame to frame by overlap: pairs of track and detection are taken greedily, best overlap first
 * (Bochinski et al., "High-speed tracking-by-detection without using image information", AVSS 2017).
 */
export class OverlapTracker {
  readonly #options: TrackerOptions;
  #tracks: Track[] = [];
  #next = 1;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** Takes in the detections of one frame seen at `nowMs` (monotonic). */
  update<D extends { readonly box: Box }>(detections: readonly D[], nowMs: number): TrackUpdate<D> {
    const lost = (track: Track) => nowMs - track.lastSeenMs > this.#options.lostAfterMs;
    const ended = this.#tracks.filter(lost).map(({ number }) => number);
    this.#tracks = this.#tracks.filter((track) => !lost(track));

    const pairs = this.#tracks
      .flatMap((track) =>
        detections.map((detection, index) => ({ track, index, overlap: iou(track.box, detection.box) })),
      )
      .filter(({ overlap }) => overlap >= this.#options.minIou)
      .sort((a, b) => b.overlap - a.overlap);
    const owner = new Map<number, Track>();
    const taken = new Set<Track>();
    for (const { track, index } of pairs) {
      if (taken.has(track) || owner.has(index)) continue;
      owner.set(index, track);
      taken.add(track);
    }

    const seen = detections.map((detection, index) => {
      const track = owner.get(index) ?? this.#begin(detection.box);
      track.box = detection.box;
      track.lastSeenMs = nowMs;
      return { track: track.number, detection };
    });
    return { seen, ended };
  }

  /** Ends all tracks: what comes next has nothing to do with what was. Numbers go on. */
  clear(): void {
    this.#tracks = [];
  }

  #begin(box: Box): Track {
    const track = { number: this.#next++, box, lastSeenMs: 0 };
    this.#tracks.push(track);
    return track;
  }
}
