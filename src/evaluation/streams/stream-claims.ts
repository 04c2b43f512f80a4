import { seededRandom } from '../../core/seeded-random.ts';
import type { StreamLook } from '../../pictures/picture-protocol.ts';
import type { GalleryView } from '../../pipeline/gallery-view.ts';
import { likenessOf, type ScoreMeanings } from '../../pipeline/likeness.ts';
import { claimedRate, ENOUGH_LOOKS, type Evidence, weigh } from '../../tracks/sequential-test.ts';

/** What a track claims at its strongest: how seldom a stranger would look so like somebody. */
export interface Claim {
  /** 0..1 a track; 1 without anybody. */
  readonly rate: number;
  readonly personId: string | null;
}

export interface ClaimOptions {
  readonly scores: ScoreMeanings;
  readonly gallery: GalleryView;
  readonly minQuality: number;
  readonly minFrames: number;
  readonly fps: number;
}

const NOTHING: Claim = { rate: 1, personId: null };

/** What each usable look says of a gallery. */
export function evidenceOf(
  track: readonly (StreamLook | null)[],
  { scores, gallery, minQuality, fps }: ClaimOptions,
): Evidence[] {
  return track.flatMap((look, index): Evidence[] => {
    if (!look?.embedding || look.face.quality.score < minQuality) return [];
    const { encoder } = look.embedding;
    const likeness = likenessOf(look.embedding, look.encodedAs?.state ?? null, gallery, scores);
    const atMs = (index * 1000) / fps;
    return [{ ...likeness, atMs, quality: look.face.quality.score, excluded: new Set(), encoder }];
  });
}

/** The strongest claim of a track while its looks come in: a test that is made after each look errs by the strongest. */
export function trackClaim(looks: readonly Evidence[], { gallery, minFrames }: ClaimOptions): Claim {
  let best = NOTHING;
  for (let end = Math.max(1, minFrames); end <= looks.length; end++) {
    const claim = claimOf(looks.slice(Math.max(0, end - ENOUGH_LOOKS), end), gallery);
    if (claim.rate < best.rate) best = claim;
  }
  return best;
}

/** The claim of one look, any of the track. */
export function singleClaim(looks: readonly Evidence[], seed: number, { gallery }: ClaimOptions): Claim {
  const look = looks[Math.floor(seededRandom(seed)() * looks.length)];
  return look ? claimOf([look], gallery) : NOTHING;
}

function claimOf(looks: readonly Evidence[], gallery: GalleryView): Claim {
  const { weighed, latest } = weigh(looks);
  const [best] = weighed;
  if (!best || !latest) return NOTHING;
  return { rate: claimedRate(gallery.enrolled(latest.encoder), best.normal), personId: best.person.id };
}
