import { EyelineError } from '../core/errors.ts';
import { falseAcceptRate, type OperatingPoint, scoreOfSameRate } from '../faces/calibration.ts';

/** What counts as a match by an encoder. */
export interface MatchLimit {
  /** Least cosine similarity. */
  readonly threshold: number;
  /** The false accept rate it was measured to have; null: not measured. */
  readonly far: number | null;
}

export interface CalibratedEncoder {
  readonly id: string;
  readonly fingerprint: string;
  readonly calibration: readonly OperatingPoint[];
}

/**
 * What counts as a match by each encoder: `threshold` by the first, the full-face one, and the score that strangers reach
 * as often by the others. Where the first was not calibrated, the strictest point measured of the others counts.
 *
 * Throws MODEL_UNSUPPORTED when another encoder than the first has no calibration: no score of it could be trusted.
 */
export function matchLimits(
  [full, ...others]: readonly CalibratedEncoder[],
  threshold: number,
): ReadonlyMap<string, MatchLimit> {
  const limits = new Map<string, MatchLimit>();
  if (!full) return limits;
  const limitOf = ({ calibration }: CalibratedEncoder, score: number): MatchLimit => ({
    threshold: score,
    far: falseAcceptRate(calibration, score),
  });
  limits.set(full.fingerprint, limitOf(full, threshold));
  for (const encoder of others) {
    if (encoder.calibration.length < 2) {
      throw new EyelineError(
        'MODEL_UNSUPPORTED',
        `model ${encoder.id} has no calibration of two points in its manifest: nobody knows which of its scores is a match`,
      );
    }
    const strictest = Math.max(...encoder.calibration.map((point) => point.threshold));
    const calibrated = full.calibration.length >= 2;
    const score = calibrated ? scoreOfSameRate(full.calibration, threshold, encoder.calibration) : strictest;
    limits.set(encoder.fingerprint, limitOf(encoder, score));
  }
  return limits;
}

/** The limit of an encoder. Throws RangeError for one that has none. */
export function limitOf(limits: ReadonlyMap<string, MatchLimit>, encoder: string): MatchLimit {
  const limit = limits.get(encoder);
  if (!limit) throw new RangeError(`encoder ${encoder} has no limit of a match`);
  return limit;
}
