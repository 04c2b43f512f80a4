import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import { publishFile } from '../../inference/files.ts';
import { writable } from '../writable.ts';
import { type FaceSetRecord, INDEX_FILE, RECORD_FILE, type StoredFace } from './face-store.ts';
import type { MaskFits, WrittenFace } from './prepare-face.ts';
import { beginDraft } from './set-draft.ts';
import { damageOf, syncFiles } from './whole-set.ts';

/** A picture to train on. */
export interface TrainingPicture {
  readonly file: string;
  /** Path below the folder it was found in: what its masks are drawn by, wherever the folder lies. */
  readonly name: string;
  /** Number of the person in `people`. */
  readonly person: number;
  /** The picture shows a real mask: none is drawn on it. */
  readonly worn?: true;
}

export interface FacesToPrepare {
  readonly people: readonly string[];
  readonly pictures: readonly TrainingPicture[];
}

/** Prepares pictures, several at a time, writes the faces to a folder, answers in order: `PicturePool`, or whatever else does. */
export interface PicturePreparer {
  prepare(
    pictures: Iterable<Pick<TrainingPicture, 'file' | 'name' | 'worn'>>,
    folder: string,
    signal: AbortSignal,
  ): AsyncIterable<
    { readonly face: WrittenFace; readonly reason: null } | { readonly face: null; readonly reason: string }
  >;
  close(): Promise<void>;
}

export interface PrepareOptions {
  /** Where prepared sets are kept, each in a folder of its own. */
  readonly cache: string;
  readonly masks: number;
  /** How the masks are worn, in turn; as they come where left out. */
  readonly fits?: MaskFits;
  readonly seed: number;
  /** What decides which faces are found, and where: models by their fingerprints, settings as they take effect. */
  readonly finding: object;
  readonly onDone?: (done: number) => void;
  readonly signal: AbortSignal;
  /** Told of a set that is damaged. */
  readonly warn: (line: string) => void;
  /** Starts what works on pictures; only when there is something to do. */
  readonly startWorkers: () => Promise<PicturePreparer>;
}

/** Raised when the same pictures are prepared in another way. */
export const PREPARATION = 3;

/**
 * The prepared faces of pictures: from the cache where the same pictures were prepared in the same way before, else made
 * now. Gives the folder. The same pictures, masks, seed and way to find faces give the same faces.
 *
 * Throws TRAINING_DATA_UNUSABLE when no picture shows a face, OUTPUT_UNWRITABLE when the disk is full or the folder
 * cannot be written, and the signal's reason when it is aborted; half a set is never taken for a whole one.
 */
export async function prepareFaces(faces: FacesToPrepare, options: PrepareOptions): Promise<string> {
  const fingerprint = await fingerprintOf(faces, options);
  const folder = join(options.cache, fingerprint.slice(0, 16));
  if (await isWhole(folder, options.warn)) return folder;
  const draft = await writable(folder, () => beginDraft(folder));
  try {
    const record = await writeSet(draft, faces, fingerprint, options);
    if (record.faces === 0) {
      const [first] = record.failed;
      throw new EyelineError(
        'TRAINING_DATA_UNUSABLE',
        `none of ${record.pictures} pictures shows a face; ${first?.file}: ${first?.reason}`,
      );
    }
    await writable(folder, async () => {
      await writeFile(join(draft, RECORD_FILE), JSON.stringify(record));
      // Its name stands for a whole set, after a power cut too.
      await syncFiles(draft);
      await rm(folder, { recursive: true, force: true });
      await publishFile(draft, folder);
    });
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether there is a prepared set to be used; says so of one that is damaged. */
async function isWhole(folder: string, warn: (line: string) => void): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const record = await readRecord(folder);
  const damage = record ? await damageOf(folder, record) : `its ${RECORD_FILE} cannot be read`;
  if (damage === null) return true;
  warn(`  the prepared set ${folder} is damaged and made anew: ${damage}`);
  return false;
}

/** What is known of a prepared set; null when there is none, or half a one. */
export async function readRecord(folder: string): Promise<FaceSetRecord | null> {
  try {
    return JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8')) as FaceSetRecord;
  } catch {
    return null;
  }
}

async function writeSet(
  folder: string,
  { people, pictures }: FacesToPrepare,
  fingerprint: string,
  options: PrepareOptions,
): Promise<FaceSetRecord> {
  const { signal } = options;
  const failed: { file: string; reason: string }[] = [];
  let faces = 0;
  const workers = await options.startWorkers();
  const index = await writable(folder, () => open(join(folder, INDEX_FILE), 'w'));
  let done = 0;
  try {
    for await (const { face, reason } of workers.prepare(pictures, folder, signal)) {
      const picture = pictures[done++];
      if (!picture) break;
      const { file, person, worn } = picture;
      if (face) {
        const line: StoredFace = { file, person, ...face, ...(worn && { worn }) };
        await writable(folder, () => index.write(`${JSON.stringify(line)}\n`));
        faces++;
      } else failed.push({ file, reason });
      options.onDone?.(done);
    }
  } finally {
    await Promise.allSettled([index.close(), workers.close()]);
  }
  return { fingerprint, people, pictures: pictures.length, faces, failed };
}

async function fingerprintOf({ pictures }: FacesToPrepare, options: PrepareOptions): Promise<string> {
  const hash = createHash('sha256');
  const { masks, fits, seed, finding } = options;
  hash.update(JSON.stringify({ version: PREPARATION, masks, fits, seed, finding }));
  for (const { name, person, file, worn } of pictures) {
    const size = await stat(file).then(
      (it) => it.size,
      () => -1,
    );
    hash.update(`${name}\n${person}\n${size}\n${worn ? 'worn\n' : ''}`);
  }
  return hash.digest('hex');
}
