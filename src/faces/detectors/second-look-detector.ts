import { iou } from '../../core/geometry.ts';
import type { Detection, FaceDetector } from '../detect.ts';

export interface SecondLook {
  /** Finds faces, and what it is unsure of: from `fromScore` and `lowScore` on. */
  readonly first: FaceDetector;
  /** Asked only for pictures in which the first is unsure. */
  readonly second: FaceDetector;
  /** What the first gives at least this score is a face without a second look. */
  readonly minScore: number;
  /** From this score of the first on it is worth a second look. */
  readonly fromScore: number;
  /** What neither is sure of is still given from this score of the first on. */
  readonly lowScore: number;
}

/** Boxes that overlap more than this are of the same face: the two models draw theirs differently. */
const SAME_FACE_IOU = 0.3;

/**
 * Two detectors, of which the second looks only where the first is unsure: a face both see counts, though the first alone
 * would not have been sure enough. It keeps the box of the first, for which landmark models are made.
 */
export function secondLookDetector({ first, second, minScore, fromScore, lowScore }: SecondLook): FaceDetector {
  return {
    input: first.input,
    async detect(picture, trace) {
      const found = await first.detect(picture, trace);
      const unsure = ({ score }: Detection) => score < minScore && score >= fromScore;
      if (!found.some(unsure)) return found.filter(({ score }) => score >= lowScore);
      const seen = await second.detect(picture, trace);
      const confirmed = found.map((face): Detection => {
        if (!unsure(face)) return face;
        const same = seen.filter(({ box }) => iou(box, face.box) > SAME_FACE_IOU);
        if (same.length === 0) return face;
        return { box: face.box, score: Math.max(minScore, ...same.map(({ score }) => score)) };
      });
      return confirmed.filter(({ score }) => score >= lowScore).sort((a, b) => b.score - a.score);
    },
  };
}
