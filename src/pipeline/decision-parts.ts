import type { Config } from '../config/schema.ts';
import { EyelineError } from '../core/errors.ts';
import type { Person } from '../core/person.ts';
import type { Cohort } from '../faces/cohort.ts';
import type { OwnedTemplates } from '../faces/cross-person-scores.ts';
import { cosine } from '../faces/embedding.ts';
import { ALIKE_RATE, curveFor, type ScoreCalibration, sameFaceScore, scoreAtRate } from '../faces/score-calibration.ts';
import type { SameVisitor } from '../gallery/visitor.ts';
import { Cooldown } from '../tracks/cooldown.ts';
import { FaceTracker } from '../tracks/tracker.ts';
import { type AdaptedCalibration, adaptToGallery } from './adapt-to-gallery.ts';
import type { Allowance, ScoreMeanings } from './likeness.ts';
import { Visits } from './visits.ts';

/** A decided track is looked at again so often: soon enough to notice that somebody else took its place. */
const RECHECK_MS = 1000;
/** More alike than any two faces: of an encoder of which nothing is known. */
const NEVER = 1.01;

export interface CalibratedEncoder {
  readonly id: string;
  readonly fingerprint: string;
  readonly calibration: ScoreCalibration;
}

/** The templates of a gallery, by encoder; people by the numbers their templates have. */
export interface AdaptableGallery {
  readonly snapshots: readonly {
    readonly encoder: string;
    readonly people: readonly Person[];
    readonly templates: OwnedTemplates;
  }[];
}

export interface AdaptedEncoder extends AdaptedCalibration {
  readonly id: string;
}

/** What decides on the tracks of a camera: one of each a camera, but for what is the same everywhere. */
export interface DecisionParts {
  /** What scores mean now: by the models, and among the people of the gallery {@link adapt} was given last. */
  readonly scores: ScoreMeanings;
  readonly falseAcceptRate: number;
  /**
   * Most templates of a gallery for which one look can reach `falseAcceptRate`: the rate is shared among them, and scores count
   * for no more than their calibration has seen. With more, only several looks together can name anybody.
   */
  readonly templatesMeasured: number;
  readonly sameVisitor: SameVisitor;
  /**
   * Scores mean what they do among the people of this gallery from now on, for all parts; with `recognition.adaptToGallery` off, what
   * the models say. Gives what became of each encoder.
   */
  adapt(gallery: AdaptableGallery): readonly AdaptedEncoder[];
  tracker(): FaceTracker;
  /** @param settings that may change while the daemon runs */
  visits(settings?: { readonly cooldownMs: number }): Visits;
}

/** Throws MODEL_UNCALIBRATED when nobody knows what the scores of an encoder mean. */
export function decisionParts(
  { recognition, tracks }: Pick<Config, 'recognition' | 'tracks'>,
  { encoders, leastScore }: { readonly encoders: readonly CalibratedEncoder[]; readonly leastScore: number },
): DecisionParts {
  for (const { id, calibration } of encoders) {
    if (curveFor(calibration, null)) continue;
    throw new EyelineError('MODEL_UNCALIBRATED', `model ${id} has no calibration: nobody knows which score is a match`);
  }
  const calibrations = new Map(encoders.map(({ fingerprint, calibration }) => [fingerprint, calibration]));
  const allowances = new Map<string, Allowance>();
  const sameVisitor: SameVisitor = (encoder, mask) => sameFaceScore(calibrations.get(encoder) ?? {}, mask) ?? NEVER;
  const atRate = (encoder: string, rate: number) => {
    const curve = curveFor(calibrations.get(encoder) ?? {}, null);
    return curve ? scoreAtRate(curve, rate) : NEVER;
  };
  const adapt = ({ snapshots }: AdaptableGallery): AdaptedEncoder[] =>
    encoders.map(({ id, fingerprint, calibration }) => {
      const own = snapshots.find(({ encoder }) => encoder === fingerprint);
      const adapted = adaptToGallery(calibration, recognition.adaptToGallery ? (own?.templates ?? null) : null);
      calibrations.set(fingerprint, adapted.calibration);
      if (own && adapted.cohort) allowances.set(fingerprint, allowanceOf(adapted.cohort, own.people));
      else allowances.delete(fingerprint);
      return { id, ...adapted };
    });
  return {
    scores: { calibrations, allowances },
    adapt,
    falseAcceptRate: recognition.falseAcceptRate,
    templatesMeasured: Math.min(
      ...encoders.map(({ calibration }) => Math.floor(recognition.falseAcceptRate / lowestRate(calibration))),
    ),
    sameVisitor,
    tracker: () =>
      new FaceTracker({
        ...tracks,
        minScore: leastScore,
        sameFace: (encoder) => atRate(encoder, tracks.sameFaceRate),
        differentFace: (encoder) => atRate(encoder, Math.max(ALIKE_RATE, tracks.sameFaceRate)),
      }),
    visits: (settings = recognition) => {
      const sameStranger = (encoder: string) => sameVisitor(encoder, null);
      const cooldown = {
        get cooldownMs() {
          return settings.cooldownMs;
        },
        sameStranger,
      };
      return new Visits(recognition, new Cooldown(cooldown, cosine), RECHECK_MS);
    },
  };
}

function allowanceOf(cohort: Cohort, people: readonly Person[]): Allowance {
  const owners = new Map(cohort.members.map((owner) => [people[owner]?.id ?? '', owner]));
  return (probe) => {
    const ofOwner = cohort.allowance(probe);
    return (personId) => ofOwner(owners.get(personId) ?? -1);
  };
}

/** The lowest false accept rate that was measured of an encoder, of the kind of face for which it is higher. */
function lowestRate({ none, worn }: ScoreCalibration): number {
  return Math.max(...[none, worn].map((curve) => curve?.points.at(-1)?.far ?? 0));
}
