import { normalTail } from '../../src/core/normal.ts';
import type { ScoreCurve } from '../../src/faces/score-calibration.ts';

/** Scores are a tenth of their normal scores; likelihood ratios as of two normal distributions five deviations apart. */
export const TENTHS: ScoreCurve = {
  impostors: 1e12,
  genuine: 1e3,
  correlation: 0.7,
  points: Array.from({ length: 111 }, (_, index) => {
    const normal = -3 + index / 10;
    return { score: normal / 10, far: normalTail(normal), llr: 5 * (normal - 2.5) };
  }),
};
