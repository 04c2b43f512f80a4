import type { Classify } from '../training/classifiers/train-dense.ts';
import { type CropsTaken, cropsTaken, type ReadPicture } from './face-source.ts';
import type { IdentificationMethod } from './identification-method.ts';
import { ComparisonTable, NOT_COMPARED } from './metrics/comparisons.ts';
import { spreadOver } from './trained-method.ts';

/** A classifier that was trained before, on pictures of its own. */
export interface LearnedClassifier extends CropsTaken {
  readonly id: string;
  /** Names, in the order of the classes. */
  readonly people: readonly string[];
  /** Whether it was trained on a picture: then it is not asked about it. */
  readonly learned: { readonly pictures: number; has(file: string): boolean };
  /** Features of what was read, in order; null where there is no face. */
  features(pictures: readonly ReadPicture[]): Promise<(Float32Array | null)[]>;
  readonly classify: Classify;
}

/**
 * Asks a classifier that was trained before. It learns nothing of the gallery; whom it does not know it cannot name.
 *
 * @param names of the people of the folder, in their order
 */
export function learnedMethod(classifier: LearnedClassifier, names: readonly string[]): IdentificationMethod {
  const { id, people: known, learned, features, classify } = classifier;
  const personOf = known.map((name) => names.indexOf(name));
  return {
    id,
    ...cropsTaken(classifier),
    canLeaveOneOut: false,
    learned,
    async search(_gallery, probes, people) {
      const sought = await features(probes.pictures);
      const shares = await classify(sought.filter((it) => it !== null));
      const comparisons = new ComparisonTable(probes.pictures.length * known.length);
      let next = 0;
      const searches = sought.map((it, probe) => {
        const truth = probes.people[probe] ?? -1;
        const given = it === null ? null : (shares[next++] ?? null);
        // Who is not in the folder may be named as well; that is wrong, and nobody of the folder.
        const scores = given && spreadOver(given, personOf, people);
        const strangers = given?.filter((_, label) => personOf[label] === -1) ?? [];
        const most = strangers.length > 0 ? Math.max(...strangers) : Number.NEGATIVE_INFINITY;
        const missed = scores !== null && most > (scores[truth] ?? Number.NEGATIVE_INFINITY);
        for (const person of personOf) {
          if (person !== -1) comparisons.add(person === truth, scores?.[person] ?? NOT_COMPARED, person, truth);
        }
        return { truth, scores: missed ? new Float64Array(people).fill(Number.NEGATIVE_INFINITY) : scores };
      });
      return { searches, comparisons, notEnrolled: 0, nearest: () => null };
    },
  };
}
