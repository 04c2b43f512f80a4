import type { ScoreMeanings } from '../../src/pipeline/likeness.ts';
import { FaceTracker } from '../../src/tracks/tracker.ts';
import { FULL_ENCODER, UPPER_ENCODER } from '../fakes/fake-face-analyser.ts';
import { TENTHS } from '../tracks/score-curve.ts';

/** What a door goes by in tests: ten frames a second, scores in tenths. */

export const POLICY = {
  falseAcceptRate: 1e-4,
  falseRejectRate: 0.05,
  lookalikeMargin: 20,
  minFrames: 3,
  unknownFrames: 6,
  liveness: 'off',
  minLiveness: 0.5,
} as const;

export const SCORES: ScoreMeanings = {
  calibrations: new Map([
    [FULL_ENCODER, { none: TENTHS }],
    [UPPER_ENCODER, { worn: TENTHS }],
  ]),
  allowances: new Map(),
};

export function trackerOfDoor(): FaceTracker {
  return new FaceTracker({
    minScore: 0.7,
    minIou: 0.2,
    lostAfterMs: 500,
    endAfterMs: 1500,
    sameFace: 0.6,
    differentFace: 0.2,
  });
}
