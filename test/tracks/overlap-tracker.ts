import { type Box, iou } from '../../src/core/geometry.ts';

const MIN_IOU = 0.3;
const LOST_AFTER_MS = 1500;

/**
 * What a tracker must be better than: faces of consecutive frames that overlap are one track, best overlap first, without
 * motion or looks (Bochinski et al., "High-speed tracking-by-detection without using image information", AVSS 2017).
 */
export class OverlapTracker {
  #tracks: { readonly number: number; box: Box; seenMs: number }[] = [];
  #next = 1;

  /** The number of each box's track, in order. */
  update(boxes: readonly Box[], nowMs: number): number[] {
    this.#tracks = this.#tracks.filter(({ seenMs }) => nowMs - seenMs <= LOST_AFTER_MS);
    const pairs = this.#tracks
      .flatMap((track) => boxes.map((box, index) => ({ track, index, overlap: iou(track.box, box) })))
      .filter(({ overlap }) => overlap >= MIN_IOU)
      .sort((a, b) => b.overlap - a.overlap);
    const owners = new Map<number, (typeof pairs)[number]['track']>();
    const taken = new Set<(typeof pairs)[number]['track']>();
    for (const { track, index } of pairs) {
      if (taken.has(track) || owners.has(index)) continue;
      owners.set(index, track);
      taken.add(track);
    }
    return boxes.map((box, index) => {
      let track = owners.get(index);
      if (!track) {
        track = { number: this.#next++, box, seenMs: nowMs };
        this.#tracks.push(track);
      }
      track.box = box;
      track.seenMs = nowMs;
      return track.number;
    });
  }
}
