import { embedPictures, scoresAmong } from './cached-encoder.ts';
import type { FaceEncoder } from './face-encoder.ts';
import { type CropsTaken, cropsTaken, type ReadPicture } from './face-source.ts';
import { type Comparisons, ComparisonTable, NOT_COMPARED } from './metrics/comparisons.ts';
import type { Search } from './metrics/identification.ts';

/** Pictures that were read, with the number of the person each is of, in order. */
export interface LabelledPictures {
  readonly pictures: readonly ReadPicture[];
  readonly people: readonly number[];
}

/** Every probe against everybody in the gallery. */
export interface SearchedProbes {
  /** One a probe, in order. */
  readonly searches: readonly Search[];
  /** All comparisons that were made, and those that would have been with a face not found. */
  readonly comparisons: Comparisons;
  /** Index in the gallery of the picture of `person` that is most like a probe, for a report; null without any. */
  nearest(probe: number, person: number): number | null;
  /** Pictures of the gallery that have no face and are not enrolled. */
  readonly notEnrolled: number;
}

/** A way to say whom a face is of: it may learn from the gallery, never from the probes. */
export interface IdentificationMethod extends CropsTaken {
  readonly id: string;
  /** False for a method that is trained on the gallery: it cannot leave single pictures out. */
  readonly canLeaveOneOut: boolean;
  /** Of a method that was trained before: it enrols nobody, and is not asked about pictures it was trained on. */
  readonly learned?: { readonly pictures: number; has(file: string): boolean };
  /**
   * @param people how many there are; those without a face in the gallery score -Infinity
   */
  search(gallery: LabelledPictures, probes: LabelledPictures, people: number): Promise<SearchedProbes>;
}

/**
 * Compares with every enrolled face; the best of a person counts, as in the daemon. A picture is not compared with itself.
 */
export function nearestFace<Code extends object>(encoder: FaceEncoder<Code>): IdentificationMethod {
  return {
    id: encoder.id,
    ...cropsTaken(encoder),
    canLeaveOneOut: true,
    async search(gallery, probes, people) {
      const enrolled = await embedPictures(gallery.pictures, encoder, 'enrolled');
      const sought = await embedPictures(probes.pictures, encoder);
      const among = scoresAmong(encoder, enrolled, gallery.people);
      const comparisons = new ComparisonTable(probes.pictures.length * gallery.pictures.length);
      const scoreOf = (probe: number, other: number): number | null => {
        const [a, b] = [sought[probe], enrolled[other]];
        if (!b || gallery.pictures[other]?.file === probes.pictures[probe]?.file) return null;
        return a ? among.of(other, a) : NOT_COMPARED;
      };
      // Where both sides hold the same pictures, each two are compared once.
      const isEnrolled = new Set(gallery.pictures);
      const probeOf = new Map(probes.pictures.map((picture, index) => [picture, index]));
      const searches = probes.pictures.map((picture, probe): Search => {
        const truth = probes.people[probe] ?? -1;
        const scores = new Float64Array(people).fill(Number.NEGATIVE_INFINITY);
        for (const [other, enrolledPicture] of gallery.pictures.entries()) {
          const score = scoreOf(probe, other);
          if (score === null) continue;
          const person = gallery.people[other] ?? -1;
          scores[person] = Math.max(scores[person] ?? score, score);
          const comesLater = isEnrolled.has(picture) && (probeOf.get(enrolledPicture) ?? -1) > probe;
          if (!comesLater) comparisons.add(person === truth, score, person, truth);
        }
        return { truth, scores: sought[probe] ? scores : null };
      });
      return {
        searches,
        comparisons,
        notEnrolled: enrolled.filter((embedding) => embedding === null).length,
        nearest(probe, person) {
          let best: { other: number; score: number } | null = null;
          for (const [other, owner] of gallery.people.entries()) {
            const score = owner === person ? scoreOf(probe, other) : null;
            if (score !== null && (best === null || score > best.score)) best = { other, score };
          }
          return best?.other ?? null;
        },
      };
    },
  };
}
