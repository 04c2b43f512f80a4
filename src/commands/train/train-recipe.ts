import { availableParallelism } from 'node:os';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import type { LoadedRecipe, TrainingRecipe } from '../../config/training-recipe.ts';
import type { Clock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { createModelStore, type ModelStore } from '../../inference/store.ts';
import { packageRevision, packageVersion } from '../../platform/version.ts';
import type { TrainedPeople } from '../../training/data/trained-people.ts';
import { MASK_STATE_FITS } from '../../training/recipes/mask-state-lesson.ts';
import type { RunFolder } from '../../training/run/run-folder.ts';
import { endedBefore, type RunEnd, type RunOutcome } from '../../training/run/train-run.ts';
import type { CommandContext } from '../command.ts';
import { type Progress, startProgress } from '../progress.ts';
import { type InstalledModels, installedBefore, installIfBetter } from './gate-model.ts';
import { comparedWith } from './open-lesson.ts';
import { isInstalled, peopleOfModel } from './people-of-model.ts';
import { type PreparedData, prepareData } from './prepare-data.ts';
import { runRecipe, runsFolder } from './run-recipe.ts';
import { modelsOfRun, requireSameModels, requireSamePreparation, requireSameSettings } from './same-run.ts';
import { showTraining } from './show-training.ts';
import { requireFold } from './split-faces.ts';
import type { TrainOptions } from './train-options.ts';
import { REPORT } from './training-report.ts';

export interface RecipeToTrain extends LoadedRecipe {
  readonly folder: RunFolder;
  /** There is a run in the folder to go on with. */
  readonly resume: boolean;
  readonly options: TrainOptions;
  /** What was typed, for the run's record. */
  readonly command: string;
  /** Models that recipes of the same command installed: they take the place of those the configuration names. */
  readonly installed?: InstalledModels;
}

export interface RecipeEnd {
  readonly end: RunEnd;
  /** What it installed, now or before. */
  readonly installed: InstalledModels;
}

/**
 * Trains one recipe, prints how it ended and, where that is asked for, installs the model. A run that has ended before is left
 * as it is. Throws as `runRecipe` does, and TRAINING_NOT_BETTER.
 */
export async function trainRecipe(run: RecipeToTrain, context: CommandContext, clock: Clock): Promise<RecipeEnd> {
  const { name, folder, options } = run;
  const loaded = await loadConfig({ env: context.env, ...(options.config ? { file: options.config } : {}) });
  const config: Config = { ...loaded.config, models: { ...loaded.config.models, ...run.installed } };
  const store = await createModelStore({
    dir: config.models.dir,
    extraManifest: config.models.manifest,
    logger: silentLogger,
    env: context.env,
  });
  const { fold } = options;
  const recipe = fold === undefined ? run.recipe : { ...run.recipe, validation: { ...run.recipe.validation, fold } };
  if (run.resume) await requireSameSettings(folder, recipe);
  const before = run.resume ? await endedWhole(folder, recipe, options) : null;
  if (before) {
    tell(run, before, context, { before: true });
    const { kind } = recipe;
    if (!options.install || kind === 'classifier') return { end: before.end, installed: {} };
    const installed = await installedBefore({ name, kind, folder, config });
    if (installed) return { end: before.end, installed };
  }
  const people = await peopleOfInstalled(run, recipe, { config, store }, context);
  const models = await modelsOfRun(recipe, { config, store, landmarks: options.landmarks });
  if (run.resume) {
    await requireSameModels(folder, models);
    await requireSamePreparation(folder);
  }
  const prepared = await prepare(recipe, options, { config, store }, context, clock);
  context.warn(`${name}: training in ${folder.path}`);
  const cores = coresOf(options);
  const outcome = await runRecipe({
    name,
    recipe,
    config,
    store,
    prepared,
    before: people,
    folder,
    record: {
      folders: [...options.data, ...(options.worn ?? [])],
      version: packageVersion(),
      revision: await packageRevision(),
      command: run.command,
      startedAt: new Date().toISOString(),
      cores,
    },
    models,
    resume: run.resume,
    compare: options.install ?? false,
    trained: new Map(options.landmarks ? [[config.models.landmarks, options.landmarks]] : []),
    cores,
    maxMs: maxMsOf(options),
    signal: context.signal,
    say: context.warn,
    onProgress: showTraining(context, () => clock.monotonic()),
  }).catch(async (error: unknown) => {
    for (const line of await whatIsKept(folder, error)) context.warn(line);
    throw error;
  });
  if (!before) tell(run, outcome, context, outcome);
  const { kind } = recipe;
  const { end, inUse } = outcome;
  if (!inUse || kind === 'classifier') return { end, installed: {} };
  const { warn, print } = context;
  // As JSON nothing else is printed.
  const told = { warn, print: options.json ? warn : print };
  return { end, installed: await installIfBetter({ name, kind, folder, outcome, inUse, config, store }, told) };
}

/** Whom the model in use was trained on; null for one that was not trained here. Throws USAGE for a fold a new run cannot hold out. */
async function peopleOfInstalled(
  { resume, options }: RecipeToTrain,
  recipe: TrainingRecipe,
  { config, store }: { readonly config: Config; readonly store: ModelStore },
  { warn }: CommandContext,
): Promise<TrainedPeople | null> {
  if (recipe.kind === 'classifier') {
    if (!resume) requireFold(recipe, options.fold, null);
    return null;
  }
  const entry = store.entry(comparedWith(recipe.kind, config));
  const people = await peopleOfModel(config.models.dir, entry);
  if (people === null && isInstalled(config.models.dir, entry)) {
    warn(`  nobody wrote down whom ${entry.id} was trained on: people held out now may be among them`);
  }
  if (!resume) requireFold(recipe, options.fold, { id: entry.id, before: people });
  return people;
}

/** How a run with its page has ended; null when there is something left to do. */
async function endedWhole(
  folder: RunFolder,
  { steps, validation }: TrainingRecipe,
  options: TrainOptions,
): Promise<RunOutcome | null> {
  const settings = { steps, patience: validation.patience, maxMs: maxMsOf(options) };
  return (await folder.readFile(REPORT)) !== null ? endedBefore(folder, settings) : null;
}

function tell(
  { name, folder, options }: RecipeToTrain,
  { end, state }: RunOutcome,
  { print }: CommandContext,
  { before = false, report = null }: { readonly before?: boolean; readonly report?: string | null },
): void {
  if (options.json) {
    print(JSON.stringify({ recipe: name, run: folder.path, end, ...(before && { before }), ...state }));
    return;
  }
  const time = `${end} after ${state.step} steps, ${Math.round(state.elapsedMs / 1000)} s`;
  print(`${name}: ${before ? `trained before: ${time}` : time}`);
  print(`  best at step ${state.best?.step}: ${folder.modelFile}`);
  if (report) print(`  curves and examples: ${report}`);
}

async function prepare(
  recipe: TrainingRecipe,
  options: TrainOptions,
  { config, store }: { readonly config: Config; readonly store: ModelStore },
  context: CommandContext,
  clock: Clock,
): Promise<PreparedData> {
  let preparing: { readonly bar: Progress; readonly total: number; readonly sinceMs: number } | undefined;
  const prepared = await prepareData({
    folders: options.data,
    wornFolders: options.worn ?? [],
    realMasks: recipe.kind === 'mask-state',
    cache: runsFolder('cache'),
    masks: recipe.masks,
    ...(recipe.kind === 'mask-state' && { fits: MASK_STATE_FITS }),
    seed: recipe.seed,
    cores: coresOf(options),
    config,
    store,
    env: context.env,
    signal: context.signal,
    warn: context.warn,
    onPictures: (total) => {
      context.warn('preparing pictures');
      const bar = startProgress(context, clock, total, 'pictures');
      preparing = { bar, total, sinceMs: clock.monotonic() };
    },
    onDone: (done) => preparing?.bar.update(done),
  }).finally(() => preparing?.bar.stop());
  if (preparing) context.warn(toldSpeed(preparing.total, clock.monotonic() - preparing.sinceMs));
  return prepared;
}

/** How long it took to prepare pictures, the start of the workers and their models included. */
function toldSpeed(pictures: number, ms: number): string {
  const seconds = Math.max(ms, 1) / 1000;
  return `prepared ${pictures} pictures in ${seconds.toFixed(1)} s, ${(pictures / seconds).toFixed(1)} a second`;
}

const coresOf = ({ cores }: TrainOptions) => cores ?? availableParallelism();
const maxMsOf = ({ maxMinutes }: TrainOptions) => (maxMinutes === undefined ? null : maxMinutes * 60_000);

/** What of a run that failed is there, and how to go on. */
async function whatIsKept(folder: RunFolder, error: unknown): Promise<string[]> {
  // It would come to the same step again, and go on with no other settings.
  const diverged = error instanceof EyelineError && error.code === 'TRAINING_DIVERGED';
  const state = await folder.lastState();
  const best = await folder.bestValidation();
  return [
    ...(best ? [`  kept: ${folder.modelFile}, the best so far, of step ${best.step}`] : []),
    ...(state === null
      ? []
      : [`  kept: the checkpoint of step ${state.step}${diverged ? '' : '; --resume goes on from there'}`]),
    ...(diverged ? ['  begin a new run with a lower optimiser.peak and another --out'] : []),
  ];
}
