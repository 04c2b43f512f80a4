import { basename } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';

/** Whom a model and those it took the place of, one after the other, were trained on. People are full paths of their folders. */
export interface TrainedPeople {
  /** The fold that was held out first; people who came later belong to none. */
  readonly fold: number;
  readonly trainedOn: readonly string[];
  /** Judged by, and never trained on. */
  readonly heldOut: readonly string[];
}

/** What is known of a model and what a training that came after it adds. Who was trained on once is not held out any more. */
export function joinPeople(before: TrainedPeople | null, now: TrainedPeople): TrainedPeople {
  const trainedOn = new Set([...(before?.trainedOn ?? []), ...now.trainedOn]);
  const heldOut = new Set([...(before?.heldOut ?? []), ...now.heldOut]);
  return {
    fold: before?.fold ?? now.fold,
    trainedOn: [...trainedOn].sort(),
    heldOut: [...heldOut].filter((person) => !trainedOn.has(person)).sort(),
  };
}

/**
 * Tells whether somebody was trained on or held out; null for somebody new. Where the folder is another, the name decides: folders
 * are moved. Of several people of the name one who was trained on counts, so that nobody is judged by whom a model has seen.
 */
export function sideOf({ trainedOn, heldOut }: TrainedPeople): (person: string) => 'trained on' | 'held out' | null {
  const exact = [new Set(trainedOn), new Set(heldOut)] as const;
  const byName = [new Set(trainedOn.map((it) => basename(it))), new Set(heldOut.map((it) => basename(it)))] as const;
  return (person) => {
    if (exact[0].has(person)) return 'trained on';
    if (exact[1].has(person)) return 'held out';
    const name = basename(person);
    return byName[0].has(name) ? 'trained on' : byName[1].has(name) ? 'held out' : null;
  };
}

/**
 * Who is held out beside those before: who was trained on or held out stays so, and of those who are new `share` are held out, each by
 * seed and name, whoever else is there.
 *
 * @param people  numbers of people that have a face
 * @param needed  those of whom two are needed on either side; null where nobody is
 * @param folders of people, by their number
 * Throws TRAINING_DATA_UNUSABLE when there are fewer.
 */
export function heldOutAsBefore(
  people: readonly number[],
  {
    needed,
    folders,
    before,
    share,
    seed,
  }: {
    readonly needed: readonly number[] | null;
    readonly folders: readonly string[];
    readonly before: TrainedPeople;
    readonly share: number;
    readonly seed: number;
  },
): ReadonlySet<number> {
  const side = sideOf(before);
  const isHeld = (person: number) => {
    const folder = folders[person] ?? '';
    const known = side(folder);
    return known === null ? seededRandom(seedOf(seed, basename(folder)))() < share : known === 'held out';
  };
  const heldOut = new Set(people.filter(isHeld));
  const judged = (needed ?? []).filter((person) => heldOut.has(person)).length;
  const trained = (needed ?? []).length - judged;
  if (needed && Math.min(judged, trained) < 2) {
    throw new EyelineError(
      'TRAINING_DATA_UNUSABLE',
      `${trained} people to train on and ${judged} to judge by, two of each are needed: whom the model in use was trained on stays in ` +
        `training, whom it was judged by stays held out, and of people who are new a share of ${share} is held out: add people, or give the folders of those held out before as well`,
    );
  }
  return heldOut;
}
