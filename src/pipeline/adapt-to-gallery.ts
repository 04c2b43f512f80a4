import { type Alikeness, adaptCurve, alikenessOf, referenceOf, scoreOfDeviation } from '../faces/adapt-curve.ts';
import { type Cohort, cohortOf } from '../faces/cohort.ts';
import {
  type CrossPersonScores,
  crossPersonScores,
  type OwnedTemplates,
  rowsByPerson,
} from '../faces/cross-person-scores.ts';
import type { ScoreCalibration, ScoreCurve } from '../faces/score-calibration.ts';

/** What scores mean among the people of a gallery, and how that was told. */
export interface AdaptedCalibration {
  readonly calibration: ScoreCalibration;
  /** Null where there are too few people to tell: scores mean what they did. */
  readonly among: CrossPersonScores | null;
  /** Of the curve that changed most; null where there are too few people. */
  readonly alikeness: Alikeness | null;
  /** How much higher a score has to be for the rate it stood for, in the middle of strangers' scores, by the curve where that is most. */
  readonly raisedBy: number;
  /** What tells how alike a face is to everybody enrolled; null where there are too few people to tell. */
  readonly cohort: Cohort | null;
}

/**
 * What the scores of an encoder mean among the people enrolled: their templates are compared with each other, and where these
 * people are more alike than those the curves were fitted on, a score means less. It never means more, once it is allowed for how alike the
 * face is to everybody (the cohort's `allowance`), after which scores are spread less.
 */
export function adaptToGallery(calibration: ScoreCalibration, templates: OwnedTemplates | null): AdaptedCalibration {
  const rows = rowsByPerson(templates?.owners ?? []);
  const among = templates && crossPersonScores(templates, rows);
  const cohort = templates && cohortOf(templates, rows);
  if (!among || !cohort) return { calibration, among: null, alikeness: null, raisedBy: 0, cohort: null };
  const deviation = Math.sqrt(Math.max(0, among.deviation ** 2 - cohort.variance));
  let most: Alikeness = { shift: 0, spread: 1 };
  let raisedBy = 0;
  const adapted = (curve: ScoreCurve) => {
    const alikeness = alikenessOf({ ...among, deviation }, referenceOf(curve, calibration));
    if (alikeness.shift > most.shift || alikeness.spread > most.spread) most = alikeness;
    raisedBy = Math.max(raisedBy, alikeness.shift * scoreOfDeviation(curve));
    return adaptCurve(curve, alikeness);
  };
  const { none, worn } = calibration;
  const own = { ...(none && { none: adapted(none) }), ...(worn && { worn: adapted(worn) }) };
  return { calibration: own, among, alikeness: most, raisedBy, cohort };
}
