import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FetchProgress } from '../inference/fetch.ts';
import { createModelStore, type ModelStore, type PullProgress } from '../inference/store.ts';
import type { CommandContext, RegisterCommand } from './command.ts';

interface Options {
  readonly config?: string;
  readonly modelsDir?: string;
  readonly manifest?: string;
  readonly json?: boolean;
}

/** `eyeline models pull|verify|list`. */
export const registerModels: RegisterCommand = (program, context) => {
  const models = program.command('models').description('Fetches, checks and lists the models of the manifest.');
  withOptions(models.command('pull [ids...]'))
    .description('Fetches, checks and prepares models: all, or those named; pictures when named.')
    .action((ids: string[], options: Options) => pull(ids, options, context));
  withOptions(models.command('verify [ids...]'))
    .description('Checks files against their hashes: of all models, or of the models and pictures named.')
    .action((ids: string[], options: Options) => verify(ids, options, context));
  withOptions(models.command('list'))
    .description('Lists models and pictures, and whether they are there.')
    .action((options: Options) => list(options, context));
};

function withOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file')
    .option('--models-dir <dir>', 'folder of the models, instead of models.dir')
    .option('--manifest <file>', 'manifest of your own models, instead of models.manifest')
    .option('--json', 'print JSON');
}

async function pull(ids: string[], options: Options, context: CommandContext): Promise<void> {
  const store = await openStore(options, context);
  const wanted = ids.length > 0 ? ids : store.modelIds;
  const show = options.json ? () => {} : progressPrinter(context);
  await store.pull(wanted, { signal: context.signal, onProgress: show });
  if (options.json) context.print(JSON.stringify({ dir: store.dir, ready: [...new Set(wanted)] }, null, 2));
  else context.print(`${wanted.length} ready in ${store.dir}`);
}

async function verify(ids: string[], options: Options, context: CommandContext): Promise<void> {
  const store = await openStore(options, context);
  const results: { id: string; ok: boolean; code: string | null; problem: string | null }[] = [];
  let failure: EyelineError | null = null;
  for (const id of ids.length > 0 ? ids : store.modelIds) {
    try {
      await store.verify([id]);
      results.push({ id, ok: true, code: null, problem: null });
    } catch (error) {
      if (!(error instanceof EyelineError) || error.code === 'MODEL_UNKNOWN') throw error;
      failure ??= error;
      results.push({ id, ok: false, code: error.code, problem: messageOf(error) });
    }
  }
  if (failure) context.exitWith(failure.exitCode);
  if (options.json) {
    context.print(JSON.stringify({ dir: store.dir, results }, null, 2));
    return;
  }
  for (const { id, ok, code, problem } of results) context.print(ok ? `${id}: ok` : `${id}: ${code}: ${problem}`);
  if (failure) context.warn(failure.help);
}

async function list(options: Options, context: CommandContext): Promise<void> {
  const store = await openStore(options, context);
  const items = await store.list();
  if (options.json) {
    context.print(JSON.stringify({ dir: store.dir, items }, null, 2));
    return;
  }
  const rows = [
    ['ID', 'KIND', 'STATE', 'LICENCE', 'SOURCE'],
    ...items.map(({ id, kind, state, licence, source }) => [id, kind, state, licence, source]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    context.print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

async function openStore(options: Options, context: CommandContext): Promise<ModelStore> {
  const { env } = context;
  const { config } = await loadConfig({ env, ...(options.config !== undefined && { file: options.config }) });
  const say = (_fields: object, message: string) => context.warn(message);
  const logger: Logger = { debug() {}, info() {}, warn: say, error: say };
  return createModelStore({
    dir: options.modelsDir ?? config.models.dir,
    extraManifest: options.manifest ?? config.models.manifest,
    logger,
    env,
  });
}

/** A terminal sees the megabytes counted in place; elsewhere there is one line a step. */
function progressPrinter({ print, interactive }: CommandContext): (progress: PullProgress) => void {
  let current = '';
  return (progress) => {
    const what = progress.ids.join(', ');
    if (progress.phase === 'ready') return;
    if (progress.phase !== 'download') {
      current = '';
      print(`preparing ${what}`);
      return;
    }
    const started = current === what;
    if (started && !interactive) return;
    current = what;
    const text = `fetching ${what}${interactive ? ` ${megabytes(progress)}` : ''}`;
    print(started ? `${LINE_UP}${text}` : text);
  };
}

/** Moves to the line before and clears it. */
const LINE_UP = '\u001b[1A\u001b[2K';

function megabytes({ receivedBytes, totalBytes }: FetchProgress): string {
  const text = (bytes: number) => (bytes / 1e6).toFixed(1);
  return totalBytes === null ? `${text(receivedBytes)} MB` : `${text(receivedBytes)} of ${text(totalBytes)} MB`;
}
