import type { TrainingRecipe } from '../../config/training-recipe.ts';
import { EyelineError } from '../../core/errors.ts';
import type { FaceStore } from '../../training/data/face-store.ts';
import { heldOutAsBefore, type TrainedPeople } from '../../training/data/trained-people.ts';
import { lastFold, type PictureSplit, splitPeople, splitPictures } from '../../training/data/training-pictures.ts';
import type { RunFolder } from '../../training/run/run-folder.ts';

/** Groups fewer than these cannot be parted. */
const LEAST_TO_PART = 4;

type Faces = Pick<FaceStore, 'faces'>;
type Recipe = Pick<TrainingRecipe, 'kind' | 'validation' | 'seed'>;

export interface SplitOptions {
  /** People in the folders, with a face or without: who is held out does not depend on who is found in which pictures. */
  readonly of?: number | undefined;
  /** Folders of the people, by their number. */
  readonly folders?: readonly string[];
  /** Whom the model in use was trained on: they are parted as they were. */
  readonly before?: TrainedPeople | null;
}

/**
 * People with a face, parted; those who are seen with a real mask alone are parted for themselves, since there are few as a rule.
 * A classifier is judged by other pictures of the people it learns. Throws TRAINING_DATA_UNUSABLE, and USAGE for a fold there is not.
 */
export function splitOf(
  { faces }: Faces,
  { kind, validation, seed }: Recipe,
  { of, folders = [], before = null }: SplitOptions = {},
): PictureSplit {
  if (kind === 'classifier') {
    const people = faces.map(({ person }) => person);
    return splitPictures(people, validation.share, seed, validation.fold);
  }
  const { share, fold } = validation;
  const bare = new Set(faces.flatMap(({ person, worn }) => (worn ? [] : [person])));
  const masked = [...new Set(faces.flatMap(({ person }) => (bare.has(person) ? [] : [person])))];
  // Where nobody is bare, nobody is asked for here: the lesson says what it needs.
  const nobodyBare = bare.size === 0 && masked.length > 0;
  if (before) {
    const people = [...bare, ...masked];
    const needed = nobodyBare ? null : [...bare];
    return parted(faces, heldOutAsBefore(people, { needed, folders, before, share, seed }));
  }
  const part = (people: readonly number[]) => splitPeople(people, { share, seed, fold, of });
  const ofBare = nobodyBare ? [] : [part([...bare])];
  const parts = [...ofBare, ...(masked.length < LEAST_TO_PART ? [] : [part(masked)])];
  return parted(faces, new Set(parts.flatMap((it) => [...it.validation])));
}

/** The split that a run was begun with. A classifier's follows from its settings. */
export async function begunSplit(
  store: Faces,
  recipe: Recipe,
  { folder, of }: { readonly folder: RunFolder; readonly of: number | undefined },
): Promise<PictureSplit> {
  const begun = (await folder.readRecord()) as { data?: { heldOut?: readonly number[] } } | null;
  const heldOut = begun?.data?.heldOut;
  return heldOut ? parted(store.faces, new Set(heldOut)) : splitOf(store, recipe, { of });
}

/**
 * Throws USAGE for a fold there is not, and for one that would hold out people whom the model in use was trained on.
 *
 * @param asked the fold that was asked for beside the recipe
 * @param inUse people of the model in use, and its id; null where none is compared with
 */
export function requireFold(
  { validation: { share, fold } }: Pick<TrainingRecipe, 'validation'>,
  asked: number | undefined,
  inUse: { readonly id: string; readonly before: TrainedPeople | null } | null,
): void {
  const wanted = asked ?? fold;
  if (wanted > lastFold(share)) {
    throw new EyelineError(
      'USAGE',
      `there is no fold ${wanted}: a share of ${share} held out makes folds 0 to ${lastFold(share)}`,
    );
  }
  if (!inUse) return;
  const { id, before } = inUse;
  // What a recipe does not say is fold 0.
  if (!before || wanted === before.fold || (asked === undefined && fold === 0)) return;
  throw new EyelineError(
    'USAGE',
    `fold ${wanted} would hold out people whom ${id} was trained on: it was installed with fold ${before.fold} held out, and those people ` +
      'stay so; leave the fold out, or name a models.dir it is not installed in',
  );
}

function parted(faces: FaceStore['faces'], heldOut: ReadonlySet<number>): PictureSplit {
  const numbers = faces.map((_, face) => face);
  const isHeld = (face: number) => heldOut.has(faces[face]?.person ?? -1);
  return { train: numbers.filter((face) => !isHeld(face)), validation: numbers.filter(isHeld) };
}
