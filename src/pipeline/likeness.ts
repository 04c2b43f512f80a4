import type { MaskState } from '../core/person.ts';
import { lessened } from '../faces/cohort.ts';
import type { FaceEmbedding } from '../faces/face-analyser.ts';
import { curveFor, meaningOf, type ScoreCalibration, type ScoreCurve } from '../faces/score-calibration.ts';
import type { Match } from '../tracks/sequential-test.ts';
import type { GalleryView } from './gallery-view.ts';

/** What is taken off the scores of a face, by the person it is compared with: it is like everybody enrolled, or like nobody. */
export type Allowance = (probe: Float32Array) => (personId: string) => number;

/** What scores mean, by fingerprint, for every encoder of the analyser. */
export interface ScoreMeanings {
  readonly calibrations: ReadonlyMap<string, ScoreCalibration>;
  /** Of encoders of whose gallery there are people enough to tell. */
  readonly allowances: ReadonlyMap<string, Allowance>;
}

/** How alike a face and a person are. */
export interface LikeMatch extends Match {
  /** With their best template, nothing taken off. */
  readonly cosine: number;
}

/** Whom a face is like. */
export interface Likeness {
  /** Best first. */
  readonly matches: readonly LikeMatch[];
  /** What the scores mean. */
  readonly curve: ScoreCurve;
}

/** People a face is compared with closely: the others are less likely than all of these. */
const CLOSEST = 8;

/**
 * Whom a face is most like, and what that means: scores are cosines, allowed for how alike the face is to everybody enrolled. Throws
 * RangeError when its encoder is not calibrated.
 */
export function likenessOf(
  { embedding, encoder }: Pick<FaceEmbedding, 'embedding' | 'encoder'>,
  mask: MaskState | null,
  gallery: Pick<GalleryView, 'search'>,
  { calibrations, allowances }: ScoreMeanings,
): Likeness {
  const curve = curveFor(calibrations.get(encoder) ?? {}, mask);
  if (!curve) throw new RangeError(`encoder ${encoder} is not calibrated`);
  const closest = gallery.search(embedding, encoder, CLOSEST);
  const allowance = allowances.get(encoder)?.(embedding) ?? (() => 0);
  const matches = closest.map(({ person, score: cosine }) => ({
    person,
    cosine,
    ...meaningOf(curve, lessened(cosine, allowance(person.id))),
  }));
  return { matches: matches.sort((a, b) => b.score - a.score), curve };
}
