import type { MaskState } from '../core/person.ts';
import { curveFor, meaningOf, type ScoreCalibration, type ScoreCurve } from '../faces/score-calibration.ts';
import { type DeniableFace, type Denials, deniedPeople } from '../gallery/denial.ts';
import type { Match } from '../tracks/sequential-test.ts';
import type { GalleryView } from './gallery-view.ts';

/** Whom a face is like. */
export interface Likeness {
  readonly matches: readonly Match[];
  /** Of these, who it is not, as somebody said. */
  readonly denied: ReadonlySet<string>;
  /** What the scores mean. */
  readonly curve: ScoreCurve;
}

/** People a face is compared with closely: the others are less likely than all of these. */
const CLOSEST = 8;

/** Whom a face is most like, and what that means. Throws RangeError when its encoder is not calibrated. */
export function likenessOf(
  face: DeniableFace,
  mask: MaskState | null,
  gallery: Pick<GalleryView, 'search'>,
  denials: Denials,
  calibrations: ReadonlyMap<string, ScoreCalibration>,
): Likeness {
  const curve = curveFor(calibrations.get(face.encoder) ?? {}, mask);
  if (!curve) throw new RangeError(`encoder ${face.encoder} is not calibrated`);
  const closest = gallery.search(face.embedding, face.encoder, CLOSEST);
  return {
    matches: closest.map(({ person, score }) => ({ person, ...meaningOf(curve, score) })),
    denied: deniedPeople(denials, face, closest),
    curve,
  };
}
