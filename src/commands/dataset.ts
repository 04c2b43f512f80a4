import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { MASK_COLOURS, MASK_FITS, MASK_TYPES } from '../faces/mask/mask-spec.ts';
import type { WantedMask } from '../faces/mask/random-mask.ts';
import { PicturePool } from '../pictures/picture-pool.ts';
import { findPictureTree } from '../pictures/picture-tree.ts';
import { placingModels } from '../pictures/placing-models.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { type MaskDatasetResult, maskDataset, maskPreview } from './dataset/mask-dataset.ts';
import { colours, listOf, sheetFile, whole } from './dataset/mask-options.ts';
import { checkApart, checkEmpty, checkWritable, writeOutput } from './dataset/output-folder.ts';
import { startProgress } from './progress.ts';

/** What a shell reports for a command ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;
const SHEET_SIDE = 180;
const SHEET_QUALITY = 92;
const NAMED_AT_MOST = 20;

interface MaskOptions {
  readonly type?: WantedMask['types'];
  readonly fit?: WantedMask['fits'];
  readonly colour?: WantedMask['colours'];
  readonly seed: number;
  readonly workers?: number;
  readonly limit?: number;
  readonly preview?: string;
  readonly force?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

/** `eyeline dataset mask IN OUT`. */
export const registerDataset: RegisterCommand = (program, context) => {
  addDataset(program, context, systemClock);
};

/** As `registerDataset`, by another clock. */
export function addDataset(program: Command, context: CommandContext, clock: Clock): void {
  const dataset = program.command('dataset').description('prepare folders of pictures for training and evaluation');
  dataset
    .command('mask')
    .summary('put simulated masks on the faces of a folder')
    .description(
      'Writes the pictures of IN and the folders in it to OUT, under the same names, with a simulated mask on the ' +
        'largest face of each. Pictures without a face, and files that are no pictures, are left out and counted. ' +
        'Where a folder holds one called "plain", only that is taken.',
    )
    .argument('<in>', 'folder of pictures, such as a folder a person')
    .argument('<out>', 'folder to write; made if it is not there')
    .option('--type <types>', `of ${MASK_TYPES.join(', ')}; several with commas`, listOf(MASK_TYPES))
    .option('--fit <fits>', `of ${MASK_FITS.join(', ')}; several with commas`, listOf(MASK_FITS))
    .option(
      '--colour <colours>',
      `of ${Object.keys(MASK_COLOURS).join(', ')}, or #rrggbb; several with commas`,
      colours,
    )
    .option('--seed <n>', 'another seed, other masks; the same seed, the same bytes', whole(0, 2 ** 32 - 1), 1)
    .option('--workers <n>', 'processes that work on pictures (default: one a core)', whole(1, 64))
    .option('--limit <n>', 'at most so many pictures, the first by name', whole(1, 1e9))
    .option(
      '--preview <file>',
      'also write a sheet of plain and masked faces, each type in each fit: .jpg or .png',
      sheetFile,
    )
    .option('--force', 'write into a folder that is not empty')
    .option('-c, --config <file>', 'configuration for models, inference and detection')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nWithout --type, --fit and --colour: what is seen in the street, one in ten worn wrongly.')
    .action(async (from: string, to: string, options: MaskOptions) => {
      try {
        await mask(from, to, options, context, clock);
      } catch (error) {
        // Workers that had not begun yet end with the rest of a terminal's group.
        if (!context.signal.aborted) throw error;
        context.exitWith(EXIT_INTERRUPTED);
      }
    });
}

async function mask(from: string, to: string, options: MaskOptions, context: CommandContext, clock: Clock) {
  // OpenCV is loaded here and not with the program: `--help` and other commands work without it.
  const { encodePicture } = await import('../capture/opencv-picture.ts');
  const { config } = await loadConfig({ ...(options.config ? { file: options.config } : {}), env: context.env });
  const tree = await findPictureTree(from, { plainOnly: true });
  await checkApart(from, to);
  await checkEmpty(to, options.force ?? false);
  if (options.preview) await checkWritable(options.preview);
  const pictures = tree.pictures.slice(0, options.limit);
  const wanted: WantedMask = {
    ...(options.type ? { types: options.type } : {}),
    ...(options.fit ? { fits: options.fit } : {}),
    ...(options.colour ? { colours: options.colour } : {}),
  };

  const count = Math.min(options.workers ?? availableParallelism(), pictures.length);
  const { models, inference, detection } = config;
  const pool = new PicturePool(
    { models: placingModels(models), inference, detection },
    { workers: count, batching: 'repeatable', env: context.env },
  );
  await pool.start();
  const { seed } = options;
  const common = { from, pictures, seed, wanted, pool, signal: context.signal };
  const progress = startProgress(context, clock, pictures.length, 'pictures');
  const startedMs = clock.monotonic();
  try {
    const result = await maskDataset({ ...common, to, onDone: (done) => progress.update(done) });
    const seconds = (clock.monotonic() - startedMs) / 1000;
    progress.stop();
    if (options.preview && !context.signal.aborted) {
      const { rgb, size } = await maskPreview({ ...common, side: SHEET_SIDE });
      const kind = options.preview.toLowerCase().endsWith('.png') ? '.png' : '.jpg';
      await writeOutput(options.preview, await encodePicture(rgb, size, kind, SHEET_QUALITY));
    }
    const looked = result.masked + result.withoutFace + result.unreadable.length;
    const summary = {
      pictures: pictures.length,
      ...result,
      notPictures: tree.leftOut,
      notReached: pictures.length - looked,
      seed,
      workers: count,
      seconds: Math.round(seconds * 100) / 100,
      picturesPerSecond: Math.round((looked / Math.max(seconds, 1e-3)) * 10) / 10,
      out: to,
      preview: options.preview ?? null,
    };
    if (options.json) context.print(JSON.stringify(summary, null, 2));
    else for (const line of described(summary)) context.print(line);
    if (context.signal.aborted) context.exitWith(EXIT_INTERRUPTED);
  } finally {
    progress.stop();
    await pool.close();
  }
}

interface Summary extends MaskDatasetResult {
  readonly pictures: number;
  readonly notPictures: number;
  readonly notReached: number;
  readonly seconds: number;
  readonly picturesPerSecond: number;
  readonly out: string;
  readonly preview: string | null;
}

function described(summary: Summary): string[] {
  const { unreadable } = summary;
  const several = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  return [
    ...unreadable.slice(0, NAMED_AT_MOST).map(({ reason }) => `unreadable  ${reason}`),
    ...(unreadable.length > NAMED_AT_MOST
      ? [`unreadable  and ${unreadable.length - NAMED_AT_MOST} more (--json names all)`]
      : []),
    `${summary.masked} of ${summary.pictures} pictures masked in ${summary.out}: ${several(summary.types) || 'none'} (${several(summary.states) || 'none'})`,
    `  without a face  ${summary.withoutFace}`,
    `  unreadable      ${unreadable.length}`,
    `  no pictures     ${summary.notPictures}`,
    ...(summary.notReached > 0 ? [`  not reached     ${summary.notReached} (interrupted)`] : []),
    `  speed           ${summary.picturesPerSecond} pictures a second, ${summary.seconds} s`,
    ...(summary.preview ? [`  preview         ${summary.preview}`] : []),
  ];
}
