import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import { EyelineError } from '../../core/errors.ts';
import { sha256 } from '../../inference/files.ts';
import { ownModelIds } from '../../inference/manifest.ts';
import type { ModelStore } from '../../inference/store.ts';
import { type GatedKind, reasonsAgainst } from '../../training/run/gate.ts';
import type { Judgement, RunFolder } from '../../training/run/run-folder.ts';
import type { CommandContext } from '../command.ts';
import { idToInstall, installModel, type ModelSetting, stepsAfterInstall } from './install-model.ts';
import { modelOf } from './open-lesson.ts';
import type { RecipeOutcome } from './run-recipe.ts';

/** Id of an upper-part encoder where none is configured. */
const UPPER_ENCODER = 'upper-encoder';

/** Where the configuration names what a recipe's result takes the place of. */
const SETTINGS: Readonly<Record<GatedKind, ModelSetting['key']>> = {
  detector: 'detector',
  landmarks: 'landmarks',
  'mask-state': 'maskState',
  encoder: 'upperEncoder',
  siamese: 'upperEncoder',
};

/** File of a run's folder, and what it holds. */
const VERDICT = 'gate.json';
interface Verdict {
  /** SHA-256 of the model it is about. */
  readonly model: string;
  /** Why it was not installed; nothing when it was. */
  readonly against: readonly string[];
}

/** Models that were installed, by the setting that names them. */
export type InstalledModels = Readonly<Partial<Record<ModelSetting['key'], string>>>;

export interface Candidate {
  readonly name: string;
  readonly kind: GatedKind;
  readonly folder: RunFolder;
  readonly outcome: RecipeOutcome;
  readonly inUse: Judgement;
  readonly config: Config;
  readonly store: ModelStore;
}

/**
 * Installs a model that is better than the one in use, and says what is left to do. Gives where the configuration has to name it. Throws
 * TRAINING_NOT_BETTER, which says in what, and leaves the model in use.
 */
export async function installIfBetter(
  candidate: Candidate,
  context: Pick<CommandContext, 'print' | 'warn'>,
): Promise<InstalledModels> {
  const { name, kind, folder, outcome, inUse, config, store } = candidate;
  for (const [figure, before] of Object.entries(inUse.figures)) {
    const after = outcome.best.figures[figure];
    if (after !== undefined) context.warn(`  ${figure}: ${before.toFixed(4)} in use, ${after.toFixed(4)} trained`);
  }
  const against = reasonsAgainst(kind, inUse, outcome.best);
  const verdict: Verdict = { model: await hashOf(folder), against };
  if (against.length > 0) {
    await folder.writeFile(VERDICT, JSON.stringify(verdict));
    throw notBetter(name, against);
  }
  const { key, named, id } = await placeOf(kind, config);
  const path = await installModel(config.models.dir, {
    id,
    file: folder.modelFile,
    from: store.entry(modelOf(kind, config)),
    contract: outcome.contract,
    part: key === 'upperEncoder' ? 'upper' : undefined,
    recipe: name,
    people: outcome.people,
  });
  await folder.writeFile(VERDICT, JSON.stringify(verdict));
  const steps = stepsAfterInstall(id, { key, configured: config.models[key] });
  const used = steps.length === 0 ? 'the daemon uses it when it is started again' : 'before the daemon uses it:';
  const why = id === named ? '' : ` since models.manifest has a ${named} of its own`;
  context.print(`  installed as ${id}${why}: ${path}; ${used}`);
  for (const step of steps) context.print(`  ${step}`);
  return { [key]: id };
}

/** The setting a recipe's result is for, what that names now, and the id the result is installed under. */
async function placeOf(kind: GatedKind, config: Config) {
  const key = SETTINGS[kind];
  const named = key === 'upperEncoder' ? (config.models.upperEncoder ?? UPPER_ENCODER) : modelOf(kind, config);
  return { key, named, id: idToInstall(named, await ownModelIds(config.models.manifest)) };
}

/**
 * What `installIfBetter` gave when the model of a run was installed before; null when nobody asked for it yet. Throws
 * TRAINING_NOT_BETTER when it was refused: the models it was compared and prepared with may be others now.
 */
export async function installedBefore({
  name,
  kind,
  folder,
  config,
}: Pick<Candidate, 'name' | 'kind' | 'folder' | 'config'>): Promise<InstalledModels | null> {
  const verdict = JSON.parse((await folder.readFile(VERDICT)) ?? 'null') as Verdict | null;
  if (verdict?.model !== (await hashOf(folder))) return null;
  if (verdict.against.length > 0) throw notBetter(name, verdict.against);
  const { key, id } = await placeOf(kind, config);
  return { [key]: id };
}

function notBetter(name: string, against: readonly string[]): EyelineError {
  return new EyelineError('TRAINING_NOT_BETTER', `${name}: ${against.join('; ')}`);
}

async function hashOf({ modelFile }: RunFolder): Promise<string> {
  return sha256(new Uint8Array(await readFile(modelFile)));
}
