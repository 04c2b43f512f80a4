import type { Person } from '../core/person.ts';
import type { GallerySnapshot, Match } from './snapshot.ts';
import { mergedById } from './template-layers.ts';

/** The gallery at one version: a snapshot an encoder in use. Never changes: a new version is a new one. */
export interface EncoderSnapshots {
  readonly version: number;
  /** Those with at least one template of an encoder in use, by id. */
  readonly people: readonly Person[];
  /** Of all encoders in use. */
  readonly templateCount: number;
  /** The full-face encoder's first. */
  readonly snapshots: readonly GallerySnapshot[];
  /** Whether the person has a template of any encoder in use. */
  has(personId: string): boolean;
  /** How many have templates of this encoder, and how many these are; nobody for an encoder that is not in use. */
  enrolled(encoder: string): { readonly people: number; readonly templates: number };
  /**
   * The `k` people whose templates of this encoder match best, as {@link GallerySnapshot.search} gives them: templates of
   * another encoder are never compared.
   *
   * @throws RangeError also when the encoder is none of those in use.
   */
  search(probe: Float32Array, encoder: string, k: number): Match[];
}

/** @param snapshots of the same gallery, the full-face encoder's first */
export function combineSnapshots(snapshots: readonly GallerySnapshot[]): EncoderSnapshots {
  const byEncoder = new Map(snapshots.map((snapshot) => [snapshot.encoder, snapshot]));
  const people = snapshots.reduce<readonly Person[]>((all, snapshot) => mergedById(all, snapshot.people), []);
  return Object.freeze({
    // Read one after the other, the later ones may be newer: told as the oldest, the gallery is read again soon.
    version: Math.min(...snapshots.map(({ version }) => version)),
    people: Object.freeze(people),
    templateCount: snapshots.reduce((sum, snapshot) => sum + snapshot.templateCount, 0),
    snapshots,
    has: (personId: string) => snapshots.some((snapshot) => snapshot.has(personId)),
    enrolled: (encoder: string) => {
      const snapshot = byEncoder.get(encoder);
      return { people: snapshot?.people.length ?? 0, templates: snapshot?.templateCount ?? 0 };
    },
    search: (probe: Float32Array, encoder: string, k: number) => {
      const snapshot = byEncoder.get(encoder);
      if (!snapshot) throw new RangeError(`no templates of encoder ${encoder} are loaded`);
      return snapshot.search(probe, k);
    },
  });
}

/** Those who cannot be recognised with a mask on: with templates of the first encoder, but none of another. */
export function withoutOtherTemplates({ snapshots: [full, ...others] }: EncoderSnapshots): Person[] {
  return (full?.people ?? []).filter(({ id }) => others.some((snapshot) => !snapshot.has(id)));
}
