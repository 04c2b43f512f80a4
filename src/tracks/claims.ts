import type { Box } from '../core/geometry.ts';
import { type Identity, type Limit, type Look, likenessOf, limitFor, type Place, type Verdict } from './identity.ts';

/** What can be told of a track by looks alone. */
export interface Tracked {
  readonly identity: Identity;
  readonly last: Place;
}

/** A track with a look at its face, and what the look says of who it was taken for. */
export interface Told<T> {
  readonly track: T;
  readonly look: Look;
  readonly verdict: Verdict;
}

/** A track may turn out to continue another one within this time of its beginning. */
const YOUNG_MS = 2000;
/** How far somebody may get out of sight, in heights of the face and heights a second; how much nearer, as a factor. */
const REACH = { heights: 1.5, heightsPerSecond: 7, nearer: 1.5, nearerPerSecond: 1 };

/**
 * Which tracks are somebody else than they were taken for, as the looks of one frame say: each with the track whose
 * identity it takes, the most alike first. A track that just began may continue one that was last seen before, where that
 * person could have come from. A track in doubt whose look does not agree with it may be somebody out of sight, or change
 * with another such track. So no two that were seen in one frame become one.
 *
 * @param nowMs    of the latest frame the tracker was given
 * @param atMs     of the frame looked at
 * @param sameFace least cosine similarity
 */
export function claimIdentities<T extends Tracked>(
  told: readonly Told<T>[],
  tracks: readonly T[],
  { nowMs, atMs, sameFace }: { readonly nowMs: number; readonly atMs: number; readonly sameFace: Limit },
): Map<T, T> {
  const disputed = new Set(told.filter(({ verdict }) => verdict !== 'agrees').map(({ track }) => track));
  const possible = told.flatMap(({ track, look }) => {
    const here = disputed.has(track) ? { ms: atMs, box: track.last.box } : track.identity.born;
    if (atMs - here.ms > YOUNG_MS) return [];
    return tracks.flatMap((other) => {
      const score = other === track ? null : likenessOf(other.identity, look);
      if (score === null || score < limitFor(sameFace, look.encoder)) return [];
      const swapped = disputed.has(track) && disputed.has(other);
      const gone = other.last.ms < Math.min(here.ms, nowMs) && withinReach(other.last, here);
      return swapped || gone ? [{ track, other, score }] : [];
    });
  });
  const claims = new Map<T, T>();
  const taken = new Set<T>();
  for (const { track, other } of possible.sort((a, b) => b.score - a.score)) {
    if (claims.has(track) || taken.has(other)) continue;
    claims.set(track, other);
    taken.add(other);
  }
  return claims;
}

/** Whether somebody could get from the first place to the second in the time between: people walk, across the picture too. */
function withinReach({ ms, box: from }: Place, { ms: laterMs, box: to }: Place): boolean {
  const seconds = (laterMs - ms) / 1000;
  const height = Math.max(from.height, to.height);
  const [start, end] = [centreOf(from), centreOf(to)];
  const heights = Math.hypot(end.x - start.x, end.y - start.y) / height;
  const nearer = height / Math.min(from.height, to.height);
  return (
    heights <= REACH.heights + REACH.heightsPerSecond * seconds &&
    nearer <= REACH.nearer + REACH.nearerPerSecond * seconds
  );
}

function centreOf({ x, y, width, height }: Box): { x: number; y: number } {
  return { x: x + width / 2, y: y + height / 2 };
}
