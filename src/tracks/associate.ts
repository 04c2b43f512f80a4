import { type Box, iou } from '../core/geometry.ts';
import { boxOf, type Motion, misfit, spreadOf } from './motion.ts';

/** A track and a face that belong together. */
export interface Pair<T, F> {
  readonly track: T;
  readonly face: F;
  /** One of them would have suited another as well, so they may be the wrong way round. */
  readonly contested: boolean;
}

/** Both boxes are widened by so many deviations of where the track is expected, by so many heights of it at most. */
const WIDEN_DEVIATIONS = 2;
const WIDEN_MOST = 1.5;

/**
 * Pairs tracks with faces, none twice. A pair must overlap by `minIou` when both boxes are widened by how unsure the
 * place is (after Yang et al., "Hard to track objects with irregular motions and similar appearances? Make it easier by
 * buffering the matching space", WACV 2023): a face just found, or not seen for a while, may be anywhere near. Of those,
 * pairs are taken as they suit best. Giving up the best pair for a better sum of all (Kuhn and Munkres) made no fewer
 * mistakes.
 */
export function associate<T extends { readonly expected: Motion }, F extends { readonly box: Box }>(
  tracks: readonly T[],
  faces: readonly F[],
  minIou: number,
): Pair<T, F>[] {
  const possible = tracks.flatMap((track) =>
    faces
      .filter(({ box }) => overlapWhenWidened(track.expected, box) >= minIou)
      .map((face) => ({ track, face, misfit: misfit(track.expected, face.box) })),
  );
  const taken = new Set<T | F>();
  return [...possible]
    .sort((a, b) => a.misfit - b.misfit)
    .flatMap(({ track, face }) => {
      if (taken.has(track) || taken.has(face)) return [];
      taken.add(track).add(face);
      const contested = possible.some((other) => (other.track === track) !== (other.face === face));
      return [{ track, face, contested }];
    });
}

function overlapWhenWidened(expected: Motion, box: Box): number {
  const place = boxOf(expected);
  const most = WIDEN_MOST * place.height;
  const spread = spreadOf(expected);
  const by = { x: Math.min(most, WIDEN_DEVIATIONS * spread.x), y: Math.min(most, WIDEN_DEVIATIONS * spread.y) };
  return iou(widen(place, by), widen(box, by));
}

function widen({ x, y, width, height }: Box, by: { readonly x: number; readonly y: number }): Box {
  return { x: x - by.x, y: y - by.y, width: width + 2 * by.x, height: height + 2 * by.y };
}
