import { execFile } from 'node:child_process';
import { availableParallelism, setPriority } from 'node:os';
import { promisify } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { ALL_RECIPES, type LoadedRecipe, loadRecipe, type TrainingRecipe } from '../config/training-recipe.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { createModelStore, type ModelStore } from '../inference/store.ts';
import { packageVersion } from '../platform/version.ts';
import { MASK_STATE_FITS } from '../training/recipes/mask-state-lesson.ts';
import { reasonsAgainst } from '../training/run/gate.ts';
import { type Judgement, RunFolder } from '../training/run/run-folder.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { whole } from './dataset/mask-options.ts';
import { type Progress, startProgress } from './progress.ts';
import { installModel, stepsAfterInstall } from './train/install-model.ts';
import { modelOf } from './train/open-lesson.ts';
import { prepareData } from './train/prepare-data.ts';
import { type RecipeOutcome, runRecipe, runsFolder } from './train/run-recipe.ts';
import { showTraining } from './train/show-training.ts';

interface TrainOptions {
  readonly data: string[];
  readonly worn?: string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly cores?: number;
  readonly nice?: number;
  readonly install?: boolean;
  readonly maxMinutes?: number;
  readonly fold?: number;
  readonly landmarks?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Ended by Ctrl-C: 128 and the number of SIGINT. */
const EXIT_INTERRUPTED = 130;
/** Id of an upper-part encoder where none is configured. */
const UPPER_ENCODER = 'upper-encoder';

/** `eyeline train`. */
export const registerTrain: RegisterCommand = (program, context) => {
  program
    .command('train <recipe>')
    .description(
      'Trains a model on folders of people: the recipes of config/training, or a .yaml file; `all` runs three.',
    )
    .requiredOption('-d, --data <dirs...>', 'folders that hold a folder a person, with plain pictures')
    .option('--worn <dirs...>', 'folders whose pictures all show real masks: for mask-state')
    .option('-o, --out <dir>', 'folder of the run (default runs/<recipe>)')
    .option('--resume', 'go on with the run in the folder')
    .option('--install', 'use the model from now on if it is better than the one in use, else end with status 13')
    .option('--cores <n>', 'cores it may use (default all)', whole(1, 1024))
    .option('--nice <n>', 'priority, 19 is the lowest: a running daemon keeps its cameras (default 10)', whole(0, 19))
    .option('--max-minutes <n>', 'end after this time and keep the best model until then', minutes)
    .option('--fold <n>', 'hold other people out: for a cross-validation', whole(0, 100))
    .option('--landmarks <file>', 'landmarks of a run, instead of those in use: what an encoder is aligned by')
    .option('-c, --config <file>', 'configuration for models, inference and detection')
    .option('--json', 'print the result as JSON')
    .action((recipe: string, options: TrainOptions) => train(recipe, options, context, systemClock));
};

async function train(name: string, options: TrainOptions, context: CommandContext, clock: Clock): Promise<void> {
  const recipes: LoadedRecipe[] = [];
  for (const each of name === 'all' ? ALL_RECIPES : [name]) recipes.push(await loadRecipe(each));
  if (options.worn && !recipes.some(({ recipe }) => recipe.kind === 'mask-state')) {
    throw new EyelineError('USAGE', `--worn is for recipes of kind mask-state; ${name} trains on plain pictures alone`);
  }
  if (recipes.some(({ recipe }) => recipe.kind === 'classifier')) {
    if (options.install) {
      throw new EyelineError(
        'USAGE',
        `--install is not for ${name}: eval identify --classifier takes the folder of the run`,
      );
    }
    if (options.data.length > 1)
      throw new EyelineError('USAGE', `${name} learns the people of one folder: give one --data`);
  }
  setPriority(options.nice ?? 10);
  let { landmarks } = options;
  for (const recipe of recipes) {
    if (context.signal.aborted) break;
    const folder = options.out && recipes.length > 1 ? `${options.out}/${recipe.name}` : options.out;
    const modelFile = await trainOne(
      recipe,
      { ...options, ...(folder && { out: folder }), ...(landmarks && { landmarks }) },
      context,
      clock,
    );
    // What comes after is aligned by the landmarks that were just trained.
    if (recipe.recipe.kind === 'landmarks') landmarks ??= modelFile;
  }
}

/** Gives the file of the best model. */
async function trainOne(
  { name, recipe: loaded }: LoadedRecipe,
  options: TrainOptions,
  context: CommandContext,
  clock: Clock,
): Promise<string> {
  const { config } = await loadConfig({ env: context.env, ...(options.config ? { file: options.config } : {}) });
  const store = await createModelStore({
    dir: config.models.dir,
    extraManifest: config.models.manifest,
    logger: silentLogger,
    env: context.env,
  });
  const recipe =
    options.fold === undefined ? loaded : { ...loaded, validation: { ...loaded.validation, fold: options.fold } };
  const folder = new RunFolder(options.out ?? runsFolder(name));
  const worn = options.worn ? ` --worn ${options.worn.join(' ')}` : '';
  const command = `eyeline train ${name} --data ${options.data.join(' ')}${worn}`;
  const cores = options.cores ?? availableParallelism();
  if (options.resume && (await folder.readRecord()) === null) {
    throw new EyelineError('USAGE', `${folder.path} holds no run to go on with`);
  }
  let preparing: { readonly bar: Progress; readonly total: number; readonly sinceMs: number } | undefined;
  const faces = await prepareData({
    folders: options.data,
    wornFolders: options.worn ?? [],
    realMasks: recipe.kind === 'mask-state',
    cache: runsFolder('cache'),
    masks: recipe.masks,
    ...(recipe.kind === 'mask-state' && { fits: MASK_STATE_FITS }),
    seed: recipe.seed,
    cores,
    config,
    store,
    env: context.env,
    signal: context.signal,
    onPictures: (total) => {
      context.warn('preparing pictures');
      const bar = startProgress(context, clock, total, 'pictures');
      preparing = { bar, total, sinceMs: clock.monotonic() };
    },
    onDone: (done) => preparing?.bar.update(done),
  }).finally(() => preparing?.bar.stop());
  if (preparing) context.warn(prepared(preparing.total, clock.monotonic() - preparing.sinceMs));
  context.warn(`${name}: training in ${folder.path}`);
  const outcome = await runRecipe({
    name,
    recipe,
    config,
    store,
    prepared: faces,
    folder,
    record: {
      folders: [...options.data, ...(options.worn ?? [])],
      version: packageVersion(),
      revision: await gitRevision(),
      command,
      startedAt: new Date().toISOString(),
      cores,
    },
    resume: options.resume ?? false,
    compare: options.install ?? false,
    trained: new Map(options.landmarks ? [[config.models.landmarks, options.landmarks]] : []),
    cores,
    maxMs: options.maxMinutes === undefined ? null : options.maxMinutes * 60_000,
    signal: context.signal,
    say: context.warn,
    onProgress: showTraining(context, () => clock.monotonic()),
  }).catch(async (error: unknown) => {
    for (const line of await whatIsKept(folder)) context.warn(line);
    throw error;
  });
  const { end, state } = outcome;
  if (options.json) context.print(JSON.stringify({ recipe: name, run: folder.path, end, ...state }));
  else {
    context.print(`${name}: ${end} after ${state.step} steps, ${Math.round(state.elapsedMs / 1000)} s`);
    context.print(`  best at step ${state.best?.step}: ${folder.modelFile}`);
    if (outcome.report) context.print(`  curves and examples: ${outcome.report}`);
  }
  if (end === 'interrupted') {
    context.warn(`  go on with: ${command} --out ${folder.path} --resume`);
    context.exitWith(EXIT_INTERRUPTED);
  } else if (options.install && outcome.inUse && recipe.kind !== 'classifier') {
    await installIfBetter({ name, recipe, folder, outcome, inUse: outcome.inUse, config, store }, context);
  }
  return folder.modelFile;
}

/** How long it took to prepare pictures, the start of the workers and their models included. */
function prepared(pictures: number, ms: number): string {
  const seconds = Math.max(ms, 1) / 1000;
  return `prepared ${pictures} pictures in ${seconds.toFixed(1)} s, ${(pictures / seconds).toFixed(1)} a second`;
}

/** What of a run that failed is there to go on with. */
async function whatIsKept(folder: RunFolder): Promise<string[]> {
  const step = await folder.lastCheckpoint();
  const best = await folder.bestValidation();
  return [
    ...(best ? [`  kept: ${folder.modelFile}, the best so far, of step ${best.step}`] : []),
    ...(step === null ? [] : [`  kept: the checkpoint of step ${step}; --resume goes on from there`]),
  ];
}

interface Candidate {
  readonly name: string;
  readonly recipe: Exclude<TrainingRecipe, { kind: 'classifier' }>;
  readonly folder: RunFolder;
  readonly outcome: RecipeOutcome;
  readonly inUse: Judgement;
  readonly config: Config;
  readonly store: ModelStore;
}

/** Throws TRAINING_NOT_BETTER, which says in what, and leaves the model in use. */
async function installIfBetter(candidate: Candidate, context: CommandContext): Promise<void> {
  const { name, recipe, folder, outcome, inUse, config, store } = candidate;
  for (const [figure, before] of Object.entries(inUse.figures)) {
    const after = outcome.best.figures[figure];
    if (after !== undefined) context.warn(`  ${figure}: ${before.toFixed(4)} in use, ${after.toFixed(4)} trained`);
  }
  const against = reasonsAgainst(recipe.kind, inUse, outcome.best);
  if (against.length > 0) throw new EyelineError('TRAINING_NOT_BETTER', `${name}: ${against.join('; ')}`);
  const base = modelOf(recipe.kind, config);
  const upper = recipe.kind === 'encoder' || recipe.kind === 'siamese';
  const id = upper ? (config.models.upperEncoder ?? UPPER_ENCODER) : base;
  const part = upper ? 'upper' : undefined;
  const path = await installModel(config.models.dir, {
    id,
    file: folder.modelFile,
    from: store.entry(base),
    contract: outcome.contract,
    part,
    recipe: name,
  });
  context.print(`  installed as ${id}: ${path}; the daemon uses it when it is started again`);
  for (const step of stepsAfterInstall(id, part, config.models.upperEncoder)) context.print(`  ${step}`);
}

/** The revision the program was built from; null outside of a repository. */
async function gitRevision(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short=12', 'HEAD']);
    return stdout.trim();
  } catch {
    return null;
  }
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number of minutes above 0.');
  return value;
}
