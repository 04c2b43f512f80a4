import type { Person } from '../core/person.ts';
import type { Denials } from '../gallery/denial.ts';
import type { Enrolled } from '../tracks/sequential-test.ts';

/** What the pipeline needs of the gallery: whoever is enrolled right now. */
export interface GalleryView {
  readonly version: number;
  has(personId: string): boolean;
  /** Best people for a unit-length probe, best first, one entry a person: compared with templates of its encoder only. */
  search(
    probe: Float32Array,
    encoder: string,
    count: number,
  ): readonly { readonly person: Person; readonly score: number }[];
  /** How many have templates of the encoder, and how many these are. */
  enrolled(encoder: string): Enrolled;
  /** Whom tracks are not, as somebody said. */
  denials?(): Denials;
}
