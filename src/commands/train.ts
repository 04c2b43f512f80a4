import { InvalidArgumentError } from 'commander';
import { ALL_RECIPES, type LoadedRecipe, loadRecipe } from '../config/training-recipe.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import { RunFolder } from '../training/run/run-folder.ts';
import { requireWritable } from '../training/writable.ts';
import { type CommandContext, EXIT_INTERRUPTED, type RegisterCommand } from './command.ts';
import { whole } from './dataset/mask-options.ts';
import type { InstalledModels } from './train/gate-model.ts';
import { lowerPriority } from './train/lower-priority.ts';
import { runsFolder } from './train/run-recipe.ts';
import { ALIGNING_KINDS } from './train/same-run.ts';
import { commandOf, type TrainOptions } from './train/train-options.ts';
import { type RecipeToTrain, trainRecipe } from './train/train-recipe.ts';

/** `eyeline train`. */
export const registerTrain: RegisterCommand = (program, context) => {
  program
    .command('train <recipe>')
    .description(
      'Trains a model on folders of people: the recipes of config/training, or a .yaml file; `all` runs three.',
    )
    .requiredOption('-d, --data <dirs...>', 'folders that hold a folder a person, with plain pictures')
    .option('--worn <dirs...>', 'folders whose pictures all show real masks: for mask-state')
    .option('-o, --out <dir>', 'folder of the run (default runs/<recipe>); of `all`: the one its three are in')
    .option('--resume', 'go on with the run in the folder; what has ended is left as it is')
    .option('--install', 'use the model from now on if it is better than the one in use, else end with status 13')
    .option('--cores <n>', 'cores it may use (default all)', whole(1, 1024))
    .option(
      '--nice <n>',
      'priority, 19 is the lowest: a running daemon keeps its cameras (default 10, or that of the shell where it is lower)',
      whole(0, 19),
    )
    .option(
      '--max-minutes <n>',
      'end after this time, each recipe of `all`, and keep the best model until then',
      minutes,
    )
    .option('--fold <n>', 'hold other people out: for a cross-validation', whole(0, 100))
    .option(
      '--landmarks <file>',
      'landmarks of a run, instead of those in use: what faces of encoders and classifiers are aligned by',
    )
    .option('-c, --config <file>', 'configuration for models, inference and detection')
    .option('--json', 'print the result as JSON')
    .action((recipe: string, options: TrainOptions) => train(recipe, options, context, systemClock));
};

/**
 * Runs one recipe, or all of them. One that is not better does not keep the others from running: TRAINING_NOT_BETTER is thrown
 * at the end.
 */
async function train(name: string, options: TrainOptions, context: CommandContext, clock: Clock): Promise<void> {
  const recipes = await Promise.all((name === 'all' ? ALL_RECIPES : [name]).map(loadRecipe));
  requireFit(name, recipes, options);
  const several = recipes.length > 1;
  const runs: RecipeToTrain[] = [];
  for (const recipe of recipes) {
    const folder = new RunFolder(
      options.out === undefined ? runsFolder(recipe.name) : several ? `${options.out}/${recipe.name}` : options.out,
    );
    // One that ended before its first step is begun anew: what kept it may be corrected by now.
    const resume = options.resume === true && (await folder.readRecord()) !== null && (await folder.holdsWork());
    runs.push({ ...recipe, folder, resume, options, command: commandOf(name, options) });
  }
  const records = () => Promise.all(runs.map(({ folder }) => folder.readRecord()));
  const out = options.out ?? (several ? runsFolder() : (runs[0]?.folder.path ?? ''));
  if (options.resume && (await records()).every((record) => record === null)) {
    throw new EyelineError('USAGE', `${out} holds no run to go on with`);
  }
  // Said before hours of preparing and training.
  for (const { folder, resume } of runs) {
    if (!resume) await folder.requireFree();
    await requireWritable(folder.path);
  }
  lowerPriority(options.nice);
  try {
    await trainOneByOne(runs, context, clock);
  } catch (error) {
    if (!context.signal.aborted || error !== context.signal.reason) throw error;
    if ((await records()).some((record) => record !== null)) {
      context.warn(`  go on with: ${commandOf(name, { ...options, out })} --resume`);
    }
    context.exitWith(EXIT_INTERRUPTED);
  }
}

/** Throws the reason of the signal when it is aborted before all have ended, and TRAINING_NOT_BETTER after the last. */
async function trainOneByOne(runs: readonly RecipeToTrain[], context: CommandContext, clock: Clock): Promise<void> {
  const worse: EyelineError[] = [];
  let trained: string | undefined;
  let installed: InstalledModels = {};
  for (const run of runs) {
    context.signal.throwIfAborted();
    const landmarks = run.options.landmarks ?? trained;
    try {
      const ended = await trainRecipe(
        { ...run, installed, options: { ...run.options, ...(landmarks && { landmarks }) } },
        context,
        clock,
      );
      if (ended.end === 'interrupted') context.signal.throwIfAborted();
      installed = { ...installed, ...ended.installed };
      if (run !== runs.at(-1)) {
        for (const id of Object.values(ended.installed)) context.warn(`  the recipes after it use ${id}`);
      }
    } catch (error) {
      if (!(error instanceof EyelineError) || error.code !== 'TRAINING_NOT_BETTER') throw error;
      worse.push(error);
      if (run !== runs.at(-1)) context.warn(`  not installed: ${error.message}`);
    }
    // Encoders are aligned by the landmarks that were just trained; with --install, by those that are in use now.
    if (run.recipe.kind === 'landmarks' && !run.options.install) trained = run.folder.modelFile;
  }
  if (worse.length > 0) throw new EyelineError('TRAINING_NOT_BETTER', worse.map(({ message }) => message).join('; '));
}

/** Throws USAGE for options a recipe has no use for. */
function requireFit(name: string, recipes: readonly LoadedRecipe[], options: TrainOptions): void {
  if (options.worn && !recipes.some(({ recipe }) => recipe.kind === 'mask-state')) {
    throw new EyelineError('USAGE', `--worn is for recipes of kind mask-state; ${name} trains on plain pictures alone`);
  }
  if (options.landmarks !== undefined && !recipes.some(({ recipe }) => ALIGNING_KINDS.includes(recipe.kind))) {
    throw new EyelineError(
      'USAGE',
      `--landmarks is what faces are aligned by, for recipes of kind ${ALIGNING_KINDS.join(', ')}; ${name} aligns none: leave it out`,
    );
  }
  if (!recipes.some(({ recipe }) => recipe.kind === 'classifier')) return;
  if (options.install) {
    throw new EyelineError(
      'USAGE',
      `--install is not for ${name}: eval identify --classifier takes the folder of the run`,
    );
  }
  if (options.data.length > 1) {
    throw new EyelineError('USAGE', `${name} learns the people of one folder: give one --data`);
  }
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number of minutes above 0.');
  return value;
}
