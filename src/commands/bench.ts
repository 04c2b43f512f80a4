import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { WORTH_AN_INDEX } from '../gallery/template-block.ts';
import { evenly, findPictureTree } from '../pictures/picture-tree.ts';
import { createLogger } from '../platform/logger.ts';
import { packageVersion } from '../platform/version.ts';
import { benchEvents } from './bench/events.ts';
import { benchGallery, embedPictures } from './bench/gallery.ts';
import { benchGalleryChanges } from './bench/gallery-changes.ts';
import { benchPictures } from './bench/pictures.ts';
import { benchPipeline, type PipelinePart } from './bench/pipeline.ts';
import { benchStages } from './bench/stages.ts';
import {
  printEvents,
  printGallery,
  printGalleryChanges,
  printPictures,
  printPipeline,
  printStages,
} from './bench/tables.ts';
import type { CommandContext, RegisterCommand } from './command.ts';

interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface PipelineOptions extends CommonOptions {
  readonly clip: readonly string[];
  readonly cameras: readonly number[];
  readonly seconds: number;
  readonly only?: PipelinePart;
  readonly reconnectEvery?: number;
}

interface GalleryOptions extends CommonOptions {
  readonly changes?: number;
  readonly size: number;
  readonly dir?: string;
  readonly limit?: number;
}

interface EventsOptions extends CommonOptions {
  readonly broker?: string;
  readonly rate: number;
  readonly seconds: number;
}

interface PicturesOptions extends CommonOptions {
  readonly dir: string;
  readonly limit?: number;
  readonly workers?: number;
}

const COUNTS = [1, 2, 4, 8];

/** `eyeline bench`: what this machine can do, in figures that a command repeats. */
export const registerBench: RegisterCommand = (program, context) => {
  const bench = program
    .command('bench')
    .description('measure this machine: models, pipeline, stored pictures, gallery');

  common(bench.command('stages'))
    .description('time of each model alone, by batch size, and of the work around it')
    .action((options: CommonOptions) =>
      measured(options, context, async ({ config, logger }) => {
        const result = await benchStages(config, logger);
        if (!options.json) printStages(result, context.print);
        return { stages: result };
      }),
    );

  common(bench.command('pipeline'))
    .description('the pipeline at full speed on decoded frames, then the daemon on real RTSP cameras, busy and idle')
    .option('--cameras <list>', 'numbers of cameras, separated by commas', counts, COUNTS)
    .option('--seconds <n>', 'how long each is measured', positive, 20)
    .option('--clip <file...>', 'clips the cameras show, in turn; the photos of the demo without', [])
    .option('--only <part>', 'full-speed, busy or idle alone', part)
    .option('--reconnect-every <seconds>', 'cut all streams for a moment this often', positive)
    .action((options: PipelineOptions) =>
      measured(options, context, async ({ config, logger, folder }) => {
        const missing = options.clip.find((clip) => !existsSync(clip));
        if (missing !== undefined) throw new EyelineError('USAGE', `--clip ${missing}: there is no such file`);
        const result = await benchPipeline({
          config,
          logger,
          folder,
          clips: options.clip,
          cameras: options.cameras,
          seconds: options.seconds,
          only: options.only ?? null,
          reconnectEveryS: options.reconnectEvery ?? null,
          say: options.json ? context.warn : context.print,
          env: context.env,
          signal: context.signal,
        });
        if (!options.json) printPipeline(result, { soak: options.reconnectEvery !== undefined }, context.print);
        return { ...result };
      }),
    );

  common(bench.command('events'))
    .description(
      'events through the spool and a real broker to a subscriber: how many a second, and whether any is lost',
    )
    .option('--broker <url>', 'a broker that runs already; a mosquitto is started without')
    .option('--rate <n>', 'events a second', positive, 1000)
    .option('--seconds <n>', 'for how long', positive, 10)
    .action((options: EventsOptions) =>
      measured(options, context, async ({ folder, logger }) => {
        const { broker = null, rate, seconds } = options;
        const result = await benchEvents({ broker, rate, seconds, folder, logger, signal: context.signal });
        if (!options.json) printEvents(result, context.print);
        return { events: result };
      }),
    );

  common(bench.command('pictures'))
    .description('how many stored pictures a second go through the chain, up to each of its steps')
    .requiredOption('--dir <dir>', 'folder with pictures, at any depth')
    .option('--limit <n>', 'only so many pictures, evenly taken', positive)
    .option('--workers <n>', 'processes that work on pictures; one a core when left out', positive)
    .action((options: PicturesOptions) =>
      measured(options, context, async ({ config }) => {
        const files = await picturesIn(options.dir, options.limit);
        const workers = options.workers ?? availableParallelism();
        const result = await benchPictures(config, files, workers, context);
        if (!options.json) printPictures(result, context.print);
        return { ...result };
      }),
    );

  common(bench.command('gallery'))
    .description('searching a gallery of many templates: all of them, and by an approximate index')
    .option('--size <n>', 'templates', templates, 10_000)
    .option('--dir <dir>', 'folder with pictures of faces, at any depth, to make templates of; random numbers without')
    .option('--limit <n>', 'only so many pictures, evenly taken', positive)
    .option('--changes <people>', 'instead: starting with so many people, deleting some, and applying deltas', positive)
    .action((options: GalleryOptions) =>
      measured(options, context, async ({ config, folder, logger }) => {
        if (options.changes !== undefined) {
          const changes = await benchGalleryChanges(options.changes, folder, logger);
          if (!options.json) printGalleryChanges(changes, context.print);
          return { ...changes };
        }
        const files = options.dir === undefined ? [] : await picturesIn(options.dir, options.limit);
        const real = await embedPictures(config, files, context);
        const result = benchGallery({ size: options.size, real, seed: 1 });
        if (!options.json) printGallery(result, context.print);
        return { ...result };
      }),
    );
};

async function picturesIn(dir: string, limit: number | undefined): Promise<string[]> {
  const { pictures } = await findPictureTree(dir);
  return evenly(pictures, limit).map((picture) => join(dir, picture));
}

function common(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration for models, inference and the like')
    .option('--json', 'print one JSON object')
    .option('--verbose', 'print what the parts log to standard error');
}

interface Bench {
  readonly config: Config;
  readonly logger: Logger;
  /** For what is made on the way; gone afterwards. */
  readonly folder: string;
}

async function measured(
  options: CommonOptions,
  context: CommandContext,
  work: (bench: Bench) => Promise<object>,
): Promise<void> {
  const { config } = await loadConfig({ ...(options.config ? { file: options.config } : {}), env: context.env });
  const logger = createLogger({
    level: options.verbose ? 'info' : 'warn',
    destination: { write: (line) => context.warn(line.trimEnd()) },
  });
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-bench-'));
  try {
    const result = await work({ config, logger, folder });
    if (options.json) context.print(JSON.stringify({ machine: machine(), ...result }, null, 2));
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function machine(): object {
  return {
    eyeline: packageVersion(),
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
}

function counts(text: string): number[] {
  const list = text.split(',').map(Number);
  if (list.some((count) => !Number.isInteger(count) || count < 1 || count > 64)) {
    throw new InvalidArgumentError('must be whole numbers of 1 to 64, separated by commas');
  }
  return list;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 86_400) throw new InvalidArgumentError('must be 1 to 86400');
  return value;
}

function templates(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < WORTH_AN_INDEX || value > 4_000_000)
    throw new InvalidArgumentError(`must be ${WORTH_AN_INDEX} to 4000000: fewer are searched without an index`);
  return value;
}

function part(text: string): PipelinePart {
  if (text === 'full-speed' || text === 'busy' || text === 'idle') return text;
  throw new InvalidArgumentError('must be full-speed, busy or idle');
}
