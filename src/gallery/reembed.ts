import { EyelineError } from '../core/errors.ts';
import type { FacePart, MaskState, Person } from '../core/person.ts';
import type { ReadEmbedding } from './choose-face.ts';
import type { EnrolledPicture, FaceCrop, GalleryEncoder, Template } from './template.ts';

/** An encoder in use. */
export type EncoderForPart = GalleryEncoder & { readonly part: FacePart };

/** Where templates are added; `SqliteGalleryStore` fits. */
export interface ReembedStore {
  pictures(): readonly EnrolledPicture[];
  crop(personId: string, pictureSha256: string): FaceCrop | null;
  addTemplates(personId: string, templates: readonly Template[], how: { action: 'reembed' }): number;
}

export interface ReembedOptions {
  readonly store: ReembedStore;
  /** Those in use, the full-face one first. */
  readonly encoders: readonly EncoderForPart[];
  /** Templates of an aligned crop by all of them; what is no face to an encoder is left out. */
  readonly embed: (crop: FaceCrop, mask: MaskState | null) => Promise<readonly ReadEmbedding[]>;
  /** When aborted, no further picture is begun; what was added stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Somebody whom an encoder in use has no template of, and no crop to make one from. */
export interface EnrolAgain {
  readonly person: Person;
  /** Parts of the face that lack. */
  readonly parts: readonly FacePart[];
  /** The files they were enrolled from. */
  readonly files: readonly string[];
}

export interface ReembedResult {
  readonly templates: number;
  readonly pictures: number;
  readonly people: number;
  readonly enrolAgain: readonly EnrolAgain[];
}

/**
 * Makes the templates that encoders in use lack, of the crops that are kept. Templates of other encoders stay as they are, and
 * are compared with nothing. Each picture is a change of its own: what was done before an interruption stays, and another run goes on.
 */
export async function reembed({ store, encoders, embed, signal, onProgress }: ReembedOptions): Promise<ReembedResult> {
  const due = store.pictures().filter((picture) => picture.hasCrop && lacking(picture, encoders).length > 0);
  const people = new Set<string>();
  let [templates, pictures] = [0, 0];
  for (const [index, picture] of due.entries()) {
    if (signal?.aborted) break;
    const added = await embedAgain(picture, { store, encoders, embed });
    if (added > 0) {
      templates += added;
      pictures++;
      people.add(picture.person.id);
    }
    onProgress?.(index + 1, due.length);
  }
  return { templates, pictures, people: people.size, enrolAgain: listEnrolAgain(store.pictures(), encoders) };
}

/** Who has no template of an encoder in use. Of somebody enrolled with a mask alone no full face is asked for. */
export function listEnrolAgain(
  pictures: readonly EnrolledPicture[],
  encoders: readonly EncoderForPart[],
): EnrolAgain[] {
  const byPerson = new Map<string, EnrolledPicture[]>();
  for (const picture of pictures) {
    const own = byPerson.get(picture.person.id) ?? [];
    byPerson.set(picture.person.id, [...own, picture]);
  }
  return [...byPerson.values()].flatMap((own) => {
    const parts = encoders
      .filter((encoder) => !own.some((picture) => picture.encoders.includes(encoder.fingerprint)))
      .filter((encoder) => own.some((picture) => isWanted(picture, encoder, encoders)))
      .map(({ part }) => part);
    const [first] = own;
    if (parts.length === 0 || !first) return [];
    return [{ person: first.person, parts, files: [...new Set(own.map(({ sourceFile }) => sourceFile))] }];
  });
}

async function embedAgain(
  picture: EnrolledPicture,
  { store, encoders, embed }: Pick<ReembedOptions, 'store' | 'encoders' | 'embed'>,
): Promise<number> {
  const { person, pictureSha256, quality, mask, sourceFile } = picture;
  const crop = store.crop(person.id, pictureSha256);
  // Removed meanwhile.
  if (!crop) return 0;
  const wanted = new Set(lacking(picture, encoders).map(({ fingerprint }) => fingerprint));
  const made = (await embed(crop, mask)).filter(({ encoder }) => wanted.has(encoder));
  try {
    return store.addTemplates(
      person.id,
      made.map((it) => ({ ...it, quality, mask, sourceFile, pictureSha256 })),
      { action: 'reembed' },
    );
  } catch (error) {
    if (error instanceof EyelineError && error.code === 'PERSON_UNKNOWN') return 0;
    throw error;
  }
}

function lacking(picture: EnrolledPicture, encoders: readonly EncoderForPart[]): EncoderForPart[] {
  return encoders.filter((it) => !picture.encoders.includes(it.fingerprint) && isWanted(picture, it, encoders));
}

/** Of a face with a mask only the upper part says who it is, where there is an encoder for that. */
function isWanted({ mask }: EnrolledPicture, { part }: EncoderForPart, encoders: readonly EncoderForPart[]): boolean {
  const isMasked = mask !== null && mask !== 'none';
  return !isMasked || part === 'upper' || !encoders.some((it) => it.part === 'upper');
}
