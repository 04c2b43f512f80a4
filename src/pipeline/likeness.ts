import type { MaskState } from '../core/person.ts';
import type { FaceEmbedding } from '../faces/face-analyser.ts';
import { curveFor, meaningOf, type ScoreCalibration, type ScoreCurve } from '../faces/score-calibration.ts';
import type { Match } from '../tracks/sequential-test.ts';
import type { GalleryView } from './gallery-view.ts';

/** Whom a face is like. */
export interface Likeness {
  /** Best first. */
  readonly matches: readonly Match[];
  /** What the scores mean. */
  readonly curve: ScoreCurve;
}

/** People a face is compared with closely: the others are less likely than all of these. */
const CLOSEST = 8;

/** Whom a face is most like, and what that means. Throws RangeError when its encoder is not calibrated. */
export function likenessOf(
  { embedding, encoder }: Pick<FaceEmbedding, 'embedding' | 'encoder'>,
  mask: MaskState | null,
  gallery: Pick<GalleryView, 'search'>,
  calibrations: ReadonlyMap<string, ScoreCalibration>,
): Likeness {
  const curve = curveFor(calibrations.get(encoder) ?? {}, mask);
  if (!curve) throw new RangeError(`encoder ${encoder} is not calibrated`);
  const closest = gallery.search(embedding, encoder, CLOSEST);
  return { matches: closest.map(({ person, score }) => ({ person, ...meaningOf(curve, score) })), curve };
}
