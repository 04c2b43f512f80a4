import { type CropsTaken, cropsTaken, type ReadPicture } from './face-source.ts';
import type { IdentificationMethod, LabelledPictures, SearchedProbes } from './identification-method.ts';
import { ComparisonTable, NOT_COMPARED } from './metrics/comparisons.ts';
import type { Search } from './metrics/identification.ts';

/** Seed of all training: it is the same at every run. */
export const TRAINING_SEED = 1;

/** A training picture that has a face, by its features. */
export interface Example<T> {
  readonly features: T;
  readonly person: number;
}

/** Scores of each person for faces, -1 to 1; those nothing was learnt of score -Infinity. */
export type Score<T> = (faces: readonly T[]) => Promise<readonly ArrayLike<number>[]>;

export interface Trainable<T> extends CropsTaken {
  readonly id: string;
  /** Features of what was read, in order; null where there is no face. */
  features(pictures: readonly ReadPicture[]): Promise<(T | null)[]>;
  train(examples: readonly Example<T>[], people: number): Promise<Score<T>>;
}

/** A method that learns from the faces of the gallery and from nothing else. */
export function trainedMethod<T>({ id, features, train, ...crops }: Trainable<T>): IdentificationMethod {
  return {
    id,
    ...cropsTaken(crops),
    canLeaveOneOut: false,
    async search(gallery, probes, people): Promise<SearchedProbes> {
      const learnt = await features(gallery.pictures);
      const examples = learnt.flatMap((it, at): Example<T>[] =>
        it === null ? [] : [{ features: it, person: gallery.people[at] ?? -1 }],
      );
      const score: Score<T> =
        examples.length > 0 ? await train(examples, people) : async (faces) => faces.map(() => []);
      const sought = await features(probes.pictures);
      const known = new Set(examples.map(({ person }) => person));
      const comparisons = new ComparisonTable(probes.pictures.length * known.size);
      const scored = await score(sought.filter((it) => it !== null));
      let next = 0;
      const searches = sought.map((it, probe): Search => {
        const truth = probes.people[probe] ?? -1;
        const scores = it === null ? null : Float64Array.from(scored[next++] ?? []);
        for (const person of known) comparisons.add(person === truth, scores?.[person] ?? NOT_COMPARED, person, truth);
        return { truth, scores };
      });
      return {
        searches,
        comparisons,
        notEnrolled: learnt.length - examples.length,
        nearest: (_probe, person) => firstOf(gallery, learnt, person),
      };
    },
  };
}

/** A classifier has no nearest face: any that it learnt of a person stands for it. */
function firstOf(gallery: LabelledPictures, learnt: readonly unknown[], person: number): number | null {
  const at = gallery.people.findIndex((owner, index) => owner === person && learnt[index] !== null);
  return at === -1 ? null : at;
}

/** Numbers people without gaps, by first appearance. */
export function classesOf(examples: readonly Example<unknown>[]): { labels: number[]; personOf: number[] } {
  const personOf = [...new Set(examples.map(({ person }) => person))];
  const classOf = new Map(personOf.map((person, label) => [person, label]));
  return { labels: examples.map(({ person }) => classOf.get(person) ?? -1), personOf };
}

/** Scores of classes as those of all people; -Infinity for the others. */
export function spreadOver(scores: ArrayLike<number>, personOf: readonly number[], people: number): Float64Array {
  const all = new Float64Array(people).fill(Number.NEGATIVE_INFINITY);
  for (const [label, person] of personOf.entries()) all[person] = scores[label] ?? Number.NEGATIVE_INFINITY;
  return all;
}
