import { join, relative, resolve } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import type { PersonPictures } from '../../evaluation/people-folder.ts';
import type { FacesToPrepare, TrainingPicture } from './prepare-set.ts';

/** A folder of people, as it was read. */
export interface PeopleSource {
  readonly folder: string;
  readonly people: readonly PersonPictures[];
  /** Which pictures are taken, plain ones unless told; `all-worn`: of a folder whose pictures all show real masks. */
  readonly take?: 'plain' | 'plain-and-masked' | 'all-worn';
}

/** Pictures of several folders of people, and the full paths of the people's own. The same name in two folders is two people. */
export function trainingPictures(
  sources: readonly PeopleSource[],
): FacesToPrepare & { readonly folders: readonly string[] } {
  const people: string[] = [];
  const folders: string[] = [];
  const pictures: TrainingPicture[] = [];
  for (const { folder, people: found, take = 'plain' } of sources) {
    for (const { person, plain, masked } of found) {
      const bare = take === 'all-worn' ? [] : plain;
      const worn = take === 'all-worn' ? [...plain, ...masked] : take === 'plain' ? [] : masked;
      if (bare.length + worn.length === 0) continue;
      const number = people.push(sources.length > 1 ? `${folder}: ${person}` : person) - 1;
      folders.push(join(resolve(folder), person));
      const nameOf = (file: string) => ({ file, name: relative(folder, file), person: number });
      pictures.push(...bare.map(nameOf), ...worn.map((file) => ({ ...nameOf(file), worn: true as const })));
    }
  }
  return { people, folders, pictures };
}

/** Faces to train on and faces to judge by, of the same people. */
export interface PictureSplit {
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Parts each person's pictures by chance: `share` of them, at least one, is held out of whoever has two.
 *
 * @param people number of the person of each face
 * @param fold   another fold holds out other pictures
 * Throws TRAINING_DATA_UNUSABLE when there is one person alone, or nobody has two pictures.
 */
export function splitPictures(people: readonly number[], share: number, seed: number, fold = 0): PictureSplit {
  const facesOf = new Map<number, number[]>();
  people.forEach((person, face) => {
    facesOf.set(person, [...(facesOf.get(person) ?? []), face]);
  });
  if (facesOf.size < 2) {
    throw new EyelineError(
      'TRAINING_DATA_UNUSABLE',
      'one person with a face in the pictures: a classifier tells at least two apart',
    );
  }
  const random = seededRandom(seed);
  const held = [...facesOf.values()].flatMap((faces) => {
    const order = shuffled(faces, random);
    if (faces.length < 2) return [];
    const count = Math.min(faces.length - 1, Math.max(1, Math.round(faces.length * share)));
    const from = (fold * count) % (faces.length - count + 1);
    return order.slice(from, from + count);
  });
  if (held.length === 0) {
    throw new EyelineError(
      'TRAINING_DATA_UNUSABLE',
      'nobody has two pictures with a face: a classifier is judged by pictures it was not trained on',
    );
  }
  const validation = new Set(held);
  return {
    train: people.flatMap((_, face) => (validation.has(face) ? [] : [face])),
    validation: shuffled(held, random),
  };
}

/** People to train on and people to judge by; nobody is among both. */
export interface PeopleSplit {
  readonly train: ReadonlySet<number>;
  readonly validation: ReadonlySet<number>;
}

/** The last fold there is: from the next one on, all people would have been held out. */
export function lastFold(share: number): number {
  return Math.ceil(1 / share) - 1;
}

/**
 * Parts people by chance: `share` of them, at least two, are held out.
 *
 * @param people numbers of people that have a face
 * @param of     how many there are with those of whom no face was found: numbers are below it, and the chance does not depend on who was found
 * @param fold   another fold holds out other people, for a cross-validation: 0 to `lastFold`. The last may hold out fewer
 * Throws TRAINING_DATA_UNUSABLE when fewer than two people would be left on either side, USAGE when fewer are left for the fold.
 */
export function splitPeople(
  people: readonly number[],
  { share, seed, fold = 0, of }: { share: number; seed: number; fold?: number; of?: number | undefined },
): PeopleSplit {
  const there = new Set(people);
  const all = of === undefined ? [...there].sort((a, b) => a - b) : Array.from({ length: of }, (_, person) => person);
  const order = shuffled(all, seededRandom(seed)).filter((person) => there.has(person));
  const count = Math.max(2, Math.round(order.length * share));
  if (order.length - count < 2) {
    const found = ['nobody', 'one person'][order.length] ?? `${order.length} people`;
    throw new EyelineError(
      'TRAINING_DATA_UNUSABLE',
      `${found} with a face in the pictures: at least four are needed, two to train on and two to judge by`,
    );
  }
  const validation = new Set(order.slice(fold * count, (fold + 1) * count));
  if (validation.size < 2) {
    const last = Math.min(lastFold(share), Math.floor((order.length - 2) / count));
    throw new EyelineError(
      'USAGE',
      `there are not two people left for fold ${fold}: ${order.length} people, ${count} of them held out at a time, make folds 0 to ${last}`,
    );
  }
  return { train: new Set(order.filter((person) => !validation.has(person))), validation };
}
