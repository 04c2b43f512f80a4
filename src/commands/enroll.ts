import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { ERRORS, EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import {
  type EnrolmentOutcome,
  type EnrolmentResult,
  enrolPictures,
  type FaceReader,
  type PictureReader,
} from '../gallery/enrol.ts';
import type { Consent } from '../gallery/gallery-changes.ts';
import { normaliseName } from '../gallery/person-name.ts';
import { type FoundPictures, findPictures } from '../gallery/picture-files.ts';
import type { Refusal } from '../gallery/refusal.ts';
import type { SqliteGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import type { GalleryEncoder } from '../gallery/template.ts';
import { type CommandContext, EXIT_INTERRUPTED, type RegisterCommand } from './command.ts';
import { loadConfigured, openGallery } from './configured.ts';
import { parseEnd } from './gallery/day.ts';

const DEFAULT_SECONDS = 60;
const MOST_SECONDS = 3600;

interface EnrollOptions {
  readonly name?: string;
  /** Id or address of the camera to enrol from. */
  readonly camera?: string;
  readonly seconds: number;
  /** What was consented to, and how. */
  readonly consent?: string;
  readonly until?: number;
  readonly config?: string;
  readonly json?: boolean;
}

/** What enrolment needs of the recognition chain: opened only once the arguments are known to be right. */
export interface FaceChain {
  readonly reader: FaceReader;
  /** Those in use, the full-face one first. */
  readonly encoders: readonly GalleryEncoder[];
  /** Score of the first from which two faces are taken for one person; null when it is not calibrated. */
  readonly sameFace: number | null;
  readonly decode: PictureReader;
  close(): Promise<void>;
}

/** `eyeline enroll DIR`, `eyeline enroll --name NAME FILE...` and `eyeline enroll --camera CAMERA --name NAME`. */
export const registerEnroll: RegisterCommand = (program, context) => {
  addEnroll(program, context, openFaceChain);
};

/** As `registerEnroll`, with another way to the face chain. */
export function addEnroll(
  program: Command,
  context: CommandContext,
  openChain: (config: Config, logger: Logger) => Promise<FaceChain>,
): void {
  program
    .command('enroll')
    .summary('enrol people from pictures, or before a camera')
    .description(
      'Enrols people from pictures: a folder that holds a folder a person, named as the person, or files with --name. ' +
        'Pictures that cannot serve are refused, each with the reason; the rest is enrolled. With --camera it enrols who ' +
        'stands before a camera, and says what they should do. A running daemon takes new people up by itself.',
    )
    .argument('[path...]', 'the folder, or with --name the picture files')
    .option('-n, --name <name>', 'name of the person all files are of, or who stands before the camera', parseName)
    .option('--camera <camera>', 'id of a configured camera, or a URL, to enrol the person of --name from')
    .option('--seconds <n>', 'with --camera: how long it may take', parseSeconds, DEFAULT_SECONDS)
    .option('--consent <note>', 'what the people consented to, and how; recorded as given now')
    .option('--until <date>', 'last day they are kept', parseEnd)
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nEnds with 0 when all pictures are enrolled, 7 when some were refused or a camera saw too little.',
    )
    .action(async (paths: string[], options: EnrollOptions) => {
      if (options.camera !== undefined) await enrollBefore(options.camera, paths, options, context);
      else await enroll(paths, options, context, openChain);
    });
}

async function enroll(
  paths: readonly string[],
  options: EnrollOptions,
  context: CommandContext,
  openChain: (config: Config, logger: Logger) => Promise<FaceChain>,
): Promise<void> {
  const configured = await loadConfigured(options, context);
  const { config, logger } = configured;
  const found = await picturesOf(paths, options.name);
  const store = openGallery(configured, true);
  try {
    const chain = await openChain(config, logger);
    try {
      const tell = options.json ? () => {} : (outcome: EnrolmentOutcome) => report(outcome, context);
      for (const refused of found.refused) tell({ refused });
      const consent = consentOf(options);
      const result = await enrolPictures({
        pictures: found.pictures,
        store,
        decode: chain.decode,
        faces: chain.reader,
        encoders: chain.encoders,
        limits: config.enrolment,
        threshold: chain.sameFace,
        consent,
        onProgress: tell,
        signal: context.signal,
      });
      if (consent) warnOfOthers(found, result, store, context);
      const all = { ...result, refused: [...found.refused, ...result.refused] };
      context.print(options.json ? JSON.stringify(all, null, 2) : summary(all, config.gallery.file));
      context.exitWith(context.signal.aborted ? EXIT_INTERRUPTED : statusOf(all.refused));
    } finally {
      await chain.close();
    }
  } finally {
    store.close();
  }
}

/** From a camera: loaded with the models and OpenCV only when it is asked for. */
async function enrollBefore(
  camera: string,
  paths: readonly string[],
  options: EnrollOptions,
  context: CommandContext,
): Promise<void> {
  const { name } = options;
  if (name === undefined || paths.length > 0) {
    throw new EyelineError('USAGE', 'enroll --camera takes --name NAME, and no files');
  }
  const { enrollFromCamera } = await import('./enroll/from-camera.ts');
  await enrollFromCamera({ ...options, camera, name, consent: consentOf(options) }, context);
}

/** What the options say of consent and retention; null when they say nothing. */
function consentOf({ consent, until }: EnrollOptions): Partial<Consent> | null {
  if (consent === undefined && until === undefined) return null;
  return {
    ...(consent !== undefined && { consentAtMs: systemClock.now(), consentNote: consent }),
    ...(until !== undefined && { retainUntilMs: until }),
  };
}

/** The name of a person, from an argument. Throws InvalidArgumentError when it cannot be one. */
export function parseName(text: string): string {
  const name = normaliseName(text);
  if (name === null) throw new InvalidArgumentError('A name has 1 to 200 characters.');
  return name;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= MOST_SECONDS)) {
    throw new InvalidArgumentError(`must be 1 to ${MOST_SECONDS}`);
  }
  return seconds;
}

async function picturesOf(paths: readonly string[], name: string | undefined): Promise<FoundPictures> {
  if (name !== undefined && paths.length > 0)
    return { pictures: paths.map((file) => ({ file, person: name })), refused: [] };
  const [folder, ...others] = paths;
  if (folder === undefined || others.length > 0) {
    throw new EyelineError('USAGE', 'enroll takes one folder, --name NAME and picture files, or --camera and --name');
  }
  return findPictures(folder);
}

/** Says of whom nothing was recorded: a consent that was given once is not replaced because nothing new was enrolled. */
function warnOfOthers(
  { pictures }: FoundPictures,
  { people, refused }: EnrolmentResult,
  store: Pick<SqliteGalleryStore, 'personNamed'>,
  { warn }: CommandContext,
): void {
  const recorded = new Set(people.map(({ id }) => id));
  const known = new Set(refused.filter(({ code }) => code === 'ALREADY_ENROLLED').map(({ file }) => file));
  const names = new Set(pictures.filter(({ file }) => known.has(file)).map(({ person }) => person));
  const others = [...names].flatMap((name) => store.personNamed(name)?.id ?? []).filter((id) => !recorded.has(id));
  if (others.length === 0) return;
  warn(
    `warning   nothing new was enrolled of ${others.join(', ')}: what is recorded of their consent stays; eyeline gallery consent changes it`,
  );
}

/** A picture that is enrolled already is what was asked for: enrolling a folder again is no failure. */
function statusOf(refused: readonly Refusal[]): number {
  return refused.every(({ code }) => code === 'ALREADY_ENROLLED') ? 0 : ERRORS.PICTURE_REFUSED.exit;
}

function report(outcome: EnrolmentOutcome, context: CommandContext): void {
  if ('refused' in outcome) {
    const { code, file, reason } = outcome.refused;
    context.print(`${code === 'ALREADY_ENROLLED' ? 'known   ' : 'refused '}  ${file}: ${reason}`);
    return;
  }
  const { file, person, quality, warnings } = outcome.enrolled;
  context.print(`enrolled  ${file}: ${person.name} (${person.id}), quality ${quality.toFixed(2)}`);
  for (const { message } of warnings) context.warn(`warning   ${file}: ${message}`);
}

function summary({ enrolled, refused, people }: EnrolmentResult, file: string): string {
  const known = refused.filter(({ code }) => code === 'ALREADY_ENROLLED').length;
  const parts = [
    `${enrolled.length} ${enrolled.length === 1 ? 'picture' : 'pictures'} of ${people.length} ${people.length === 1 ? 'person' : 'people'} enrolled in ${file}`,
    ...(known > 0 ? [`${known} enrolled before`] : []),
    ...(refused.length > known ? [`${refused.length - known} refused`] : []),
  ];
  return `${parts.join(', ')}.`;
}

/** OpenCV and the models are loaded here and not with the program: `--help` and other commands work without them. */
async function openFaceChain(config: Config, logger: Logger): Promise<FaceChain> {
  const { openFaceReader } = await import('../wiring/open-faces.ts');
  const { decodePicture } = await import('../capture/opencv-picture.ts');
  const chain = await openFaceReader(config, logger);
  return { ...chain, decode: decodePicture };
}
