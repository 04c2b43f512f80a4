import type { Box } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import type { RunTrace } from '../../inference/vision-model.ts';
import type { Detection, FaceDetector } from '../detect.ts';

/** Looks at parts of a picture: how surely there is a face just there, 0..1, for each box in order. */
export type LookCloser = (picture: Picture, boxes: readonly Box[], trace?: RunTrace) => Promise<number[]>;

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
 * like one from afar does not.
 *
 * @param first    gives what it finds from `fromScore` on, and from `lowScore` on
 * @param lowScore what has less in the end is not given
 */
export function closerLookDetector(
  first: FaceDetector,
  look: LookCloser,
  { fromScore, sureFrom, most, lowScore }: CloserLook & { readonly lowScore: number },
): FaceDetector {
  const isUnsure = ({ score }: Detection) => score >= fromScore && score < sureFrom;
  return {
    input: first.input,
    async detect(picture, trace) {
      const found = await first.detect(picture, trace);
      const unsure = found.filter(isUnsure).slice(0, most);
      const sureness = unsure.length === 0 ? [] : await look(picture, boxesOf(unsure), trace);
      const seen = new Map(unsure.map((face, at) => [face, bothLooks(face.score, sureness[at] ?? 0)]));
      return found
        .map((face): Detection => ({ box: face.box, score: seen.get(face) ?? face.score }))
        .filter(({ score }) => score >= lowScore)
        .sort((a, b) => b.score - a.score);
    },
  };
}

function boxesOf(faces: readonly Detection[]): Box[] {
  return faces.map(({ box }) => box);
}

/** The score whose log odds are the mean of both. */
function bothLooks(first: number, closer: number): number {
  return 1 / (1 + Math.exp(-(logOdds(first) + logOdds(closer)) / 2));
}

function logOdds(score: number): number {
  const inside = Math.min(Math.max(score, LEAST), 1 - LEAST);
  return Math.log(inside / (1 - inside));
}
