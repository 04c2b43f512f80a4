import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Person } from '../core/person.ts';
import type { Picture } from '../core/picture.ts';
import { chooseFace, type EnrolmentLimits, type ReadEmbedding, type ReadFace } from './choose-face.ts';
import type { Consent } from './gallery-changes.ts';
import { normaliseName } from './person-name.ts';
import type { PictureFile } from './picture-files.ts';
import { type Refusal, type RefusalCode, refusal } from './refusal.ts';
import { ResemblanceIndex } from './resemblance.ts';
import { type EnrolmentWarning, resemblanceWarnings } from './resemblance-warnings.ts';
import type { FaceCrop, GalleryEncoder, Template, TemplateMatrix } from './template.ts';
import { requireUnit } from './vector.ts';

/** Larger files are no photographs of a face (a video, a disk image) and would fill the memory of a small device. */
const LARGEST_PICTURE_BYTES = 64 * 1024 * 1024;

/** Turns a picture file's bytes into pixels; rejects when they are no picture. */
export type PictureReader = (bytes: Uint8Array, name: string) => Promise<Picture & { release(): void }>;

/** Finds the faces of a picture and embeds them. */
export interface FaceReader {
  read(picture: Picture): Promise<readonly ReadFace[]>;
}

/** Where people are enrolled; `SqliteGalleryStore` fits. */
export interface EnrolmentStore {
  personNamed(name: string): Person | null;
  ensurePerson(name: string): Person;
  addTemplates(personId: string, templates: readonly Template[], kept?: { crop?: FaceCrop | undefined }): number;
  hasPicture(personId: string, pictureSha256: string, encoder: string): boolean;
  loadTemplates(encoder: GalleryEncoder): TemplateMatrix;
  /** Of the person of exactly that id. */
  setConsentOf(personId: string, kept: Partial<Consent>): void;
  /** Makes what `work` does one change. */
  atOnce<T>(work: () => T): T;
}

export interface EnrolmentOptions {
  readonly pictures: readonly PictureFile[];
  readonly store: EnrolmentStore;
  readonly decode: PictureReader;
  readonly faces: FaceReader;
  /** Those in use, the full-face one first: a picture gives a template by each. */
  readonly encoders: readonly GalleryEncoder[];
  readonly limits: EnrolmentLimits;
  /** Least cosine by the full-face encoder to count as the same person: what the warnings go by. */
  readonly threshold: number | null;
  /** Recorded with the first picture that is enrolled of each person. */
  readonly consent?: Partial<Consent> | null;
  /** Told of each picture as soon as it is done, in order. */
  readonly onProgress?: (outcome: EnrolmentOutcome) => void;
  /** When aborted, no further picture is begun; what was enrolled stays. */
  readonly signal?: AbortSignal;
}

export interface Enrolled {
  readonly file: string;
  readonly person: Person;
  readonly quality: number;
  readonly warnings: readonly EnrolmentWarning[];
}

export type EnrolmentOutcome = { readonly enrolled: Enrolled } | { readonly refused: Refusal };

export interface EnrolmentResult {
  readonly enrolled: readonly Enrolled[];
  readonly refused: readonly Refusal[];
  /** Those of whom a picture was enrolled, in the order of their first one. */
  readonly people: readonly Person[];
}

/**
 * Enrols pictures one by one, in the order given, so that memory does not grow with their number. A picture that cannot
 * serve is refused and the rest goes on; a person is made with the first picture that serves.
 *
 * @throws EyelineError GALLERY_UNREADABLE or what the face reader throws as one: then nothing else would work either.
 */
export async function enrolPictures(options: EnrolmentOptions): Promise<EnrolmentResult> {
  const enrolled: Enrolled[] = [];
  const refused: Refusal[] = [];
  const known = new ResemblanceIndex(options.store.loadTemplates(fullFace(options.encoders)));
  const consented = new Set<string>();
  for (const picture of options.pictures) {
    if (options.signal?.aborted) break;
    const outcome = await enrolPicture(picture, { known, consented }, options);
    if ('enrolled' in outcome) enrolled.push(outcome.enrolled);
    else refused.push(outcome.refused);
    options.onProgress?.(outcome);
  }
  const people = new Map(enrolled.map(({ person }) => [person.id, person]));
  return { enrolled, refused, people: [...people.values()] };
}

async function enrolPicture(
  { file, person: personName }: PictureFile,
  { known, consented }: { readonly known: ResemblanceIndex; readonly consented: Set<string> },
  { store, decode, faces, encoders, limits, threshold, consent = null }: EnrolmentOptions,
): Promise<EnrolmentOutcome> {
  const refuse = (code: RefusalCode, reason: string) => ({ refused: refusal(code, file, personName, reason) });
  const name = normaliseName(personName);
  if (name === null) return refuse('NOT_A_NAME', `"${personName}" cannot be the name of a person`);

  const read = await readBytes(file);
  if ('problem' in read) return refuse('UNREADABLE', read.problem);
  const pictureSha256 = createHash('sha256').update(read.bytes).digest('hex');
  const before = store.personNamed(name);
  if (before && encoders.every(({ fingerprint }) => store.hasPicture(before.id, pictureSha256, fingerprint))) {
    return refuse('ALREADY_ENROLLED', 'the same picture is enrolled already');
  }

  const found = await readFaces(read.bytes, file, decode, faces);
  if ('problem' in found) return refuse('NOT_A_PICTURE', found.problem);
  const choice = chooseFace(found.faces, limits);
  if (!choice.face) return refuse(choice.code, choice.reason);

  const { embeddings, mask, quality, crop } = choice.face;
  for (const { encoder, embedding } of embeddings) {
    const dimension = encoders.find(({ fingerprint }) => fingerprint === encoder)?.dimension;
    if (dimension === undefined) throw new RangeError(`the embedding of ${file} is of an encoder not in use`);
    requireUnit(embedding, dimension, `the embedding of ${file}`);
  }
  const isMasked = mask !== null && mask.state !== 'none';
  const used = withoutMask(embeddings, isMasked);
  const full = used.find(({ encoder }) => encoder === fullFace(encoders).fingerprint)?.embedding;
  // A picture that was enrolled before there was an upper-part encoder would be compared with itself.
  const isNew = !before || !store.hasPicture(before.id, pictureSha256, fullFace(encoders).fingerprint);
  const warnings =
    full && isNew && threshold !== null ? resemblanceWarnings(known, before, name, [full], threshold) : [];
  if (isMasked) warnings.push({ code: 'MASK_WORN', message: 'shows a mask: enrol a picture without one too' });
  const templates = used.map((it) => ({
    ...it,
    quality: quality.score,
    mask: mask?.state ?? null,
    sourceFile: basename(file),
    pictureSha256,
  }));
  // With the picture, so that an interruption leaves nobody without the last day they are kept.
  const { person, added } = store.atOnce(() => {
    const person = store.ensurePerson(name);
    const added = store.addTemplates(person.id, templates, { crop });
    if (added > 0 && consent && !(before && consented.has(person.id))) store.setConsentOf(person.id, consent);
    return { person, added };
  });
  if (added > 0) consented.add(person.id);
  if (added === 0) return refuse('ALREADY_ENROLLED', 'the same picture is enrolled already');
  if (full && isNew) known.add(person, full);
  return { enrolled: { file, person, quality: quality.score, warnings } };
}

/** Of a face with a mask the lower half says nothing of the person: every other mask of that kind is like it. */
function withoutMask(embeddings: readonly ReadEmbedding[], isMasked: boolean): readonly ReadEmbedding[] {
  const upper = embeddings.filter(({ part }) => part === 'upper');
  return isMasked && upper.length > 0 ? upper : embeddings;
}

/** The full-face encoder of those in use. */
export function fullFace([encoder]: readonly GalleryEncoder[]): GalleryEncoder {
  if (!encoder) throw new RangeError('no encoder to enrol people with');
  return encoder;
}

async function readBytes(file: string): Promise<{ bytes: Uint8Array } | { problem: string }> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_PICTURE_BYTES)
      return { problem: `the file has ${Math.round(size / 2 ** 20)} MB, 64 are the most` };
    return { bytes: await readFile(file) };
  } catch (error) {
    return { problem: `the file cannot be read: ${messageOf(error)}` };
  }
}

async function readFaces(
  bytes: Uint8Array,
  file: string,
  decode: PictureReader,
  reader: FaceReader,
): Promise<{ faces: readonly ReadFace[] } | { problem: string }> {
  let problem = 'the file is not a picture that can be read (JPEG, PNG, WebP)';
  try {
    const picture = await decode(bytes, basename(file));
    problem = 'no faces can be looked for in it';
    try {
      return { faces: await reader.read(picture) };
    } finally {
      picture.release();
    }
  } catch (error) {
    // No decoder or no model is not this picture's fault: no other would fare better.
    if (error instanceof EyelineError && error.code !== 'PICTURE_REFUSED') throw error;
    return { problem: `${problem}: ${messageOf(error)}` };
  }
}
