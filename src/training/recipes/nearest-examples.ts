import { cosine } from '../../faces/embedding.ts';
import type { RgbImage } from '../data/warp.ts';
import type { Example } from './lesson.ts';

/** Unit embeddings of the same faces: plain, and each with a mask on. */
export interface EmbeddedFaces {
  readonly gallery: readonly Float32Array[];
  readonly probes: readonly Float32Array[];
}

export interface JudgedPictures {
  /** Whose each face is. */
  readonly people: readonly number[];
  /** A face as it is shown in a report. */
  readonly crop: (at: number, wears: boolean) => RgbImage;
}

/** Faces in a run's report. */
const SHOWN = 12;

/** Masked faces, taken evenly from all, with the plain one of another picture that is most like them, before and after training. */
export function nearestExamples(
  { people, crop }: JudgedPictures,
  { before, after }: { readonly before: EmbeddedFaces; readonly after: EmbeddedFaces },
): Example[] {
  const shown = Math.min(SHOWN, people.length);
  return Array.from({ length: shown }, (_, index) => {
    const at = Math.floor((index * people.length) / shown);
    const found = (when: string, embedded: EmbeddedFaces) => {
      const { other, score } = mostAlike(embedded, at);
      const whose = people[other] === people[at] ? 'right' : 'somebody else';
      return { caption: `${when}: ${whose}, ${score.toFixed(2)}`, image: crop(other, false) };
    };
    return {
      title: 'whom a masked face is most like',
      pictures: [{ caption: 'masked', image: crop(at, true) }, found('before', before), found('after', after)],
    };
  });
}

/** The plain face, of another picture, that is most like a masked one. */
export function mostAlike({ gallery, probes }: EmbeddedFaces, at: number): { other: number; score: number } {
  const probe = probes[at] ?? new Float32Array();
  return gallery.reduce(
    (best, face, other) => {
      const score = other === at ? Number.NEGATIVE_INFINITY : cosine(probe, face);
      return score > best.score ? { other, score } : best;
    },
    { other: at, score: Number.NEGATIVE_INFINITY },
  );
}
