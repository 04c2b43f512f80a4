import { createHash } from 'node:crypto';
import type { Person } from '../core/person.ts';
import type { ReadFace } from './choose-face.ts';
import { toBytes } from './embedding-bytes.ts';
import { type EnrolmentStore, fullFace } from './enrol.ts';
import { ResemblanceIndex } from './resemblance.ts';
import { type EnrolmentWarning, resemblanceWarnings } from './resemblance-warnings.ts';
import type { GalleryEncoder } from './template.ts';

export interface EnrolShotsOptions {
  readonly name: string;
  /** Of one person, without a mask; kept beside the templates where they have crops. */
  readonly shots: readonly ReadFace[];
  /** Where they come from, as the gallery tells it. */
  readonly source: string;
  readonly store: EnrolmentStore;
  /** Those in use, the full-face one first. */
  readonly encoders: readonly GalleryEncoder[];
  /** Least cosine by the full-face encoder to count as the same person. */
  readonly threshold: number;
}

export interface EnrolledShots {
  readonly person: Person;
  /** Those that were not there yet. */
  readonly templates: number;
  readonly warnings: readonly EnrolmentWarning[];
}

/**
 * Enrols what a camera saw of a person: each shot gives a template by every encoder in use, as a picture does. There is no
 * picture: the full-face embedding stands for it.
 *
 * @throws EyelineError GALLERY_UNREADABLE
 */
export function enrolShots(options: EnrolShotsOptions): EnrolledShots {
  const { name, shots, source, store, encoders, threshold } = options;
  const full = shots.map(({ embeddings }) => {
    const own = embeddings.find(({ encoder }) => encoder === fullFace(encoders).fingerprint);
    if (!own) throw new RangeError('a shot has no embedding by the full-face encoder');
    return own.embedding;
  });
  const known = new ResemblanceIndex(store.loadTemplates(fullFace(encoders)));
  const warnings = resemblanceWarnings(known, store.personNamed(name), name, full, threshold);
  const person = store.ensurePerson(name);
  let templates = 0;
  for (const [index, { embeddings, quality, mask, crop }] of shots.entries()) {
    const picture = {
      quality: quality.score,
      mask: mask?.state ?? null,
      sourceFile: source,
      pictureSha256: createHash('sha256')
        .update(toBytes(full[index] ?? new Float32Array()))
        .digest('hex'),
    };
    templates += store.addTemplates(
      person.id,
      embeddings.map((it) => ({ ...it, ...picture })),
      { crop },
    );
  }
  return { person, templates, warnings };
}
