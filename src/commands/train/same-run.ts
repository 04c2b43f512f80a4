import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import { parseRecipe, type RecipeOf, type TrainingRecipe } from '../../config/training-recipe.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../inference/files.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { ModelStore } from '../../inference/store.ts';
import { PREPARATION } from '../../training/data/prepare-set.ts';
import { sideOf, type TrainedPeople } from '../../training/data/trained-people.ts';
import type { RunFolder } from '../../training/run/run-folder.ts';
import { modelBehind } from '../eval/evaluation-models.ts';
import { modelOf } from './open-lesson.ts';
import { shippedEntry } from './shipped-encoder.ts';

/** A run goes on with what it began with, or not at all: half of its steps would be those of another run. */

/** Models a run is built on, by their part in it: what it begins with, aligns faces by, takes features from. */
export type ModelsOfRun = Readonly<
  Partial<Record<'model' | 'student' | 'landmarks' | 'encoder' | 'network', UsedModel>>
>;
interface UsedModel {
  readonly id: string;
  readonly sha256: string;
}

/** Kinds of recipes that align faces: by landmarks that can be given. */
export const ALIGNING_KINDS: readonly TrainingRecipe['kind'][] = ['encoder', 'siamese', 'classifier'];

/**
 * What a recipe would be built on now. Throws MODEL_UNKNOWN, and MODEL_MISSING for a file that cannot be read.
 *
 * @param landmarks file of the landmarks that take the place of those in use
 */
export async function modelsOfRun(
  recipe: TrainingRecipe,
  { config, store, landmarks }: { config: Config; store: ModelStore; landmarks: string | undefined },
): Promise<ModelsOfRun> {
  const models = await ownModelsOf(recipe, config, store);
  if (!ALIGNING_KINDS.includes(recipe.kind)) return models;
  return {
    ...models,
    landmarks: landmarks === undefined ? inUse(store, config.models.landmarks) : await fileOf(landmarks),
  };
}

/** The same without the landmarks. */
async function ownModelsOf(recipe: TrainingRecipe, config: Config, store: ModelStore): Promise<ModelsOfRun> {
  switch (recipe.kind) {
    case 'detector':
    case 'landmarks':
      return { model: inUse(store, modelOf(recipe.kind, config)) };
    case 'encoder':
      return {
        model: inUse(store, modelOf(recipe.kind, config)),
        ...(await studentOf(recipe, store.entry(config.models.encoder))),
      };
    case 'siamese':
      return recipe.model === null ? {} : { network: await fileOf(recipe.model) };
    case 'classifier':
      return { encoder: inUse(store, modelBehind(recipe.encoder, config.models.encoder)) };
    case 'mask-state':
      return {};
  }
}

async function studentOf(recipe: RecipeOf<'encoder'>, teacher: ModelEntry): Promise<Pick<ModelsOfRun, 'student'>> {
  const entry = await shippedEntry(recipe, teacher);
  return entry ? { student: { id: entry.id, sha256: entry.sha256 } } : {};
}

function inUse(store: ModelStore, id: string): UsedModel {
  return { id, sha256: store.entry(id).sha256 };
}

async function fileOf(file: string): Promise<UsedModel> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new EyelineError('MODEL_MISSING', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  return { id: file, sha256: sha256(new Uint8Array(bytes)) };
}

/** Throws USAGE, with what differs, when a run was begun with other settings: its rates follow from its steps, for instance. */
export async function requireSameSettings(folder: RunFolder, recipe: TrainingRecipe): Promise<void> {
  const { settings } = (await folder.readRecord()) as { settings?: object };
  const begun = leaves(parseRecipe(JSON.stringify(settings ?? {}), `${folder.path}/run.json`));
  const now = leaves(recipe);
  const keys = [...new Set([...begun.keys(), ...now.keys()])].filter((key) => begun.get(key) !== now.get(key));
  // Of another kind, all is different.
  const [first, ...others] = keys.includes('kind') ? ['kind'] : keys.filter((key) => key !== 'description');
  if (first === undefined) return;
  const said = [first, ...others].map(
    (key) => `${key} was ${begun.get(key) ?? 'not there'}, is ${now.get(key) ?? 'not there'}`,
  );
  throw otherRun(folder, `other settings: ${said.join('; ')}`, 'put them back');
}

/** Throws USAGE when a run was begun with another model. */
export async function requireSameModels(folder: RunFolder, now: ModelsOfRun): Promise<void> {
  const begun = (await folder.readRecord()) as ModelsOfRun;
  for (const part of ['model', 'student', 'landmarks', 'encoder', 'network'] as const) {
    const [was, is] = [begun[part], now[part]];
    if (!was || !is || was.sha256 === is.sha256) continue;
    const what = `another ${part}: ${was.id} (SHA-256 ${was.sha256.slice(0, 12)}…), not ${is.id} (${is.sha256.slice(0, 12)}…)`;
    throw otherRun(folder, what, part === 'landmarks' ? 'put it back, or name it with --landmarks' : 'put it back');
  }
}

/** Throws USAGE when a run was begun with other pictures: people who were held out would be trained on. */
export async function requireSameData(folder: RunFolder, fingerprint: string | undefined): Promise<void> {
  const begun = (await folder.readRecord()) as { data?: { fingerprint?: string } } | null;
  if (begun?.data?.fingerprint === fingerprint) return;
  throw otherRun(
    folder,
    'other pictures, or faces found in them by other models or with other settings of `detection`',
    'give the same --data and configuration',
  );
}

/** Throws USAGE when a run was begun by a build that prepared pictures in another way: it cannot be told whether faces are the same. */
export async function requireSamePreparation(folder: RunFolder): Promise<void> {
  const begun = (await folder.readRecord()) as { data?: { preparation?: number } } | null;
  if (begun?.data?.preparation === PREPARATION) return;
  throw otherRun(folder, 'faces that another version of eyeline prepared in another way', 'go on with that version');
}

/**
 * Throws USAGE when the model in use was trained on people whom a run holds out: it was installed after the run was begun.
 *
 * @param heldOut folders of people
 */
export function requireUnseen(folder: RunFolder, heldOut: readonly string[], inUse: TrainedPeople | null): void {
  if (!inUse) return;
  const side = sideOf(inUse);
  const seen = heldOut.filter((person) => side(person) === 'trained on').length;
  if (seen === 0) return;
  throw new EyelineError(
    'USAGE',
    `the model in use was trained on ${seen} of the ${heldOut.length} people whom ${folder.path} holds out, and cannot be compared by them: ` +
      'go on without --install, or begin a new run with another --out',
  );
}

function otherRun({ path }: RunFolder, what: string, remedy: string): EyelineError {
  return new EyelineError('USAGE', `${path} was begun with ${what}: ${remedy}, or begin a new run with another --out`);
}

/** The values of nested settings by their paths, as JSON. */
function leaves(settings: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(settings).flatMap(([key, value]): [string, string][] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? [...leaves(value, `${path}${key}.`)]
        : [[`${path}${key}`, JSON.stringify(value)]],
    ),
  );
}
