import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import type { FacePart } from '../core/person.ts';
import { embedPictures } from '../evaluation/cached-encoder.ts';
import type { FaceEncoder } from '../evaluation/face-encoder.ts';
import { cropsTaken } from '../evaluation/face-source.ts';
import { type FittedCurve, fitScoreCurve, type LabelledEmbedding } from '../evaluation/fit-score-curve.ts';
import { readPeopleFolder } from '../evaluation/people-folder.ts';
import { type ScoreCalibration, scoreAtRate } from '../faces/score-calibration.ts';
import { openGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import type { GalleryEncoder } from '../gallery/template.ts';
import { readCalibrations, writeCalibrations, writtenCurves } from '../inference/manifest-calibration.ts';
import { findPictureTree } from '../pictures/picture-tree.ts';
import { readGalleryKey } from '../platform/credentials.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { type OpenEvaluation, openEvaluation } from './eval/open-evaluation.ts';

interface CalibrateOptions {
  readonly config?: string;
  readonly modelsDir?: string;
  readonly manifest?: string;
  readonly workers?: number;
  readonly most: number;
  readonly maskSeed: number;
  readonly withGallery?: boolean;
  readonly strangers?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Rates at which the scores are shown. */
const SHOWN_RATES = [1e-2, 1e-3, 1e-4, 1e-5];

/** `eyeline calibrate DIR`. */
export const registerCalibrate: RegisterCommand = (program: Command, context) => {
  program
    .command('calibrate')
    .summary('measure what the scores of the encoders mean')
    .description(
      'Measures how often pictures of different people, and of one person, reach a score: decisions rest on that. DIR holds a ' +
        'folder a person; some hundred people at least, a thousand are better, and none of those who will come. Masks are ' +
        'drawn for the encoder that sees masked faces. The daemon uses the result from its next start.',
    )
    .argument('<dir>', 'folder of people')
    .option('--most <n>', 'pictures read of a person', wholeNumber, 4)
    .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
    .option('--with-gallery', 'compare with the people enrolled, too')
    .option(
      '--strangers <dir>',
      'pictures of masked strangers of one population, as they come to one door, a face each: masked faces are judged as strictly ' +
        'as these ask for',
    )
    .option('--out <file>', 'file to write, instead of models.calibration')
    .option('--json', 'print the curves as JSON, as `curves` of a manifest, and write nothing unless --out is given')
    .option('-c, --config <file>', 'configuration file')
    .option('--models-dir <dir>', 'folder of the models, instead of models.dir')
    .option('--manifest <file>', 'manifest of your own models, instead of models.manifest')
    .option('--workers <n>', 'processes that read pictures', wholeNumber)
    .action(async (dir: string, options: CalibrateOptions) => {
      await calibrate(dir, options, context);
    });
};

async function calibrate(dir: string, options: CalibrateOptions, context: CommandContext): Promise<void> {
  const { config } = await loadConfig({ env: context.env, ...(options.config ? { file: options.config } : {}) });
  const { people } = await readPeopleFolder(dir);
  const pictures = people.flatMap(({ person, plain }) =>
    plain.slice(0, options.most).map((file) => ({ person: `${dir}/${person}`, file })),
  );
  const strangers = options.strangers === undefined ? [] : await strangersIn(options.strangers);
  const evaluation = await openEvaluation(options, context);
  try {
    const { encoder, upperEncoder } = config.models;
    const file = options.out ?? config.models.calibration;
    const calibrations = new Map(await readCalibrations(file));
    const printed: Record<string, object> = {};
    const jobs = [
      { id: encoder, part: 'full', masks: upperEncoder === null ? ['none', 'worn'] : ['none'] },
      ...(upperEncoder === null ? [] : [{ id: upperEncoder, part: 'upper', masks: ['worn'] } as const]),
    ] as const;
    for (const { id, part, masks } of jobs) {
      const { fingerprint } = await evaluation.models.open(id);
      const model = await evaluation.models.encoder(id);
      const plain = await embed(pictures, model, null, evaluation, { as: 'enrolled' });
      const dimension = plain[0]?.embedding.length ?? 0;
      const enrolled = options.withGallery
        ? await galleryTemplates(config, { fingerprint, dimension }, part, context)
        : [];
      const templates = [...plain, ...enrolled];
      let curves: ScoreCalibration = {};
      for (const mask of masks) {
        const drawn = mask === 'none' ? null : { seed: options.maskSeed };
        const probes = drawn ? await embed(pictures, model, drawn, evaluation) : templates;
        const alike =
          mask === 'worn'
            ? (await embed(strangers, model, null, evaluation, { choose: 'largest' })).map((it) => it.embedding)
            : [];
        const fitted = fitScoreCurve(templates, probes, { signal: context.signal, alike });
        if (!fitted) {
          throw new EyelineError('NOTHING_TO_EVALUATE', `${dir}: two people and two pictures of one are needed`);
        }
        curves = { ...curves, [mask]: fitted.curve };
        for (const line of described(id, mask, fitted)) (options.json ? context.warn : context.print)(line);
      }
      calibrations.set(fingerprint, { id, curves });
      printed[id] = writtenCurves(curves);
    }
    if (options.json) context.print(JSON.stringify(printed));
    if (options.json && options.out === undefined) return;
    await writeCalibrations(file, calibrations);
    if (!options.json) context.print(`written to ${file}; the daemon uses it from its next start`);
  } finally {
    await evaluation.close();
  }
}

/** Pictures of a folder, each of somebody else. */
async function strangersIn(dir: string): Promise<{ person: string; file: string }[]> {
  const { pictures } = await findPictureTree(dir);
  if (pictures.length < 2) throw new EyelineError('USAGE', `${dir} has fewer than two pictures`);
  return pictures.map((name) => ({ person: name, file: join(dir, name) }));
}

async function embed(
  pictures: readonly { readonly person: string; readonly file: string }[],
  encoder: FaceEncoder<Float32Array>,
  mask: { readonly seed: number } | null,
  { shelf, progress }: OpenEvaluation,
  { choose = 'central', as = 'probes' }: { choose?: 'central' | 'largest'; as?: 'probes' | 'enrolled' } = {},
): Promise<LabelledEmbedding[]> {
  const files = pictures.map(({ file }) => file);
  const read = await shelf.read(files, { choose, pad: 0, ...cropsTaken(encoder), mask }, progress.onProgress);
  const embeddings = await embedPictures(read, encoder, as);
  return pictures.flatMap(({ person, file }, index) => {
    const embedding = embeddings[index];
    return embedding ? [{ person, picture: file, embedding }] : [];
  });
}

/** Templates of the people enrolled, each as a picture of its own. */
async function galleryTemplates(
  config: Config,
  { fingerprint, dimension }: GalleryEncoder,
  part: FacePart,
  context: CommandContext,
): Promise<LabelledEmbedding[]> {
  const key = await readGalleryKey(config, context.env, context.warn);
  const store = openGalleryStore(config.gallery.file, { logger: silentLogger, clock: systemClock, create: false, key });
  try {
    const { owners, people, vectors } = store.loadTemplates({ fingerprint, dimension }, part);
    return Array.from(owners, (owner, row) => ({
      person: `gallery/${people[owner]?.id}`,
      picture: `gallery/${row}`,
      embedding: vectors.slice(row * dimension, (row + 1) * dimension),
    }));
  } finally {
    store.close();
  }
}

function described(id: string, mask: string, { curve, suspects, raisedBy }: FittedCurve): string[] {
  const scores = SHOWN_RATES.map((rate) => `${scoreAtRate(curve, rate).toFixed(3)} at ${rate}`);
  const least = curve.points.at(-1)?.far ?? 1;
  const left = suspects.map(({ people: [one, other], score }) => `${one} and ${other} (${score.toFixed(2)})`);
  return [
    `${id}, mask ${mask}: ${curve.impostors} pairs of different people, ${curve.genuine} people with several pictures`,
    `  strangers reach ${scores.join(', ')}; nothing is claimed below ${least.toExponential(1)}`,
    ...(raisedBy > 0 ? [`  raised by ${raisedBy.toFixed(3)}: the strangers given are that much more alike`] : []),
    ...(left.length > 0 ? [`  left out as one person under two names: ${left.join(', ')}`] : []),
  ];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}
