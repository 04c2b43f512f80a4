import type { Box } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import type { RunTrace } from '../../inference/vision-model.ts';
import type { Detection, DetectionOptions, FaceDetector } from '../detect.ts';
import { selectDetections } from './select-detections.ts';

/** Looks at parts of a picture: the face that is just there, for each box in order; null where none is seen. */
export type LookCloser = (
  picture: Picture,
  boxes: readonly Box[],
  trace?: RunTrace,
) => Promise<readonly (Detection | null)[]>;

/** Which finds of a detector it looks at closer. */
export interface CloserLook {
  /** Least score of what is worth it. */
  readonly fromScore: number;
  /** What has this score is a face without it. */
  readonly sureFrom: number;
  /** Most of one picture, the best first; 0 for none. */
  readonly most: number;
}

/** A score of nothing at all, and of the surest, so that its odds are a number. */
const LEAST = 1e-4;

/**
 * A detector that looks again, from close by, at what it is not sure of. Both looks count the same: the score is the mean of their
 * log odds (a logarithmic opinion pool: Genest and Zidek 1986). A small face shows more of itself; the back of a head that looked
 * like one from afar does not. The box is that of the closer look.
 *
 * @param first   gives what it finds from `fromScore` on
 * @param options what of it counts in the end
 */
export function closerLookDetector(
  first: FaceDetector,
  look: LookCloser,
  { fromScore, sureFrom, most }: CloserLook,
  options: DetectionOptions,
): FaceDetector {
  const isUnsure = ({ score }: Detection) => score >= fromScore && score < sureFrom;
  return {
    input: first.input,
    async detect(picture, trace) {
      const found = await first.detect(picture, trace);
      const unsure = found.filter(isUnsure).slice(0, most);
      const seen =
        unsure.length === 0
          ? []
          : await look(
              picture,
              unsure.map(({ box }) => box),
              trace,
            );
      const closer = new Map(unsure.map((face, at) => [face, seen[at] ?? null]));
      const both = found.map((face) => {
        const again = closer.get(face);
        if (again === undefined) return face;
        return { box: again?.box ?? face.box, score: bothLooks(face.score, again?.score ?? 0) };
      });
      // Two finds may have been of one face, as the closer look has it.
      return selectDetections(both, picture, options);
    },
  };
}

/** The score whose log odds are the mean of both. */
function bothLooks(first: number, closer: number): number {
  return 1 / (1 + Math.exp(-(logOdds(first) + logOdds(closer)) / 2));
}

function logOdds(score: number): number {
  const inside = Math.min(Math.max(score, LEAST), 1 - LEAST);
  return Math.log(inside / (1 - inside));
}
