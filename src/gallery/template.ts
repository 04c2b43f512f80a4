import type { FacePart, MaskState, Person } from '../core/person.ts';
import type { AlignmentMarks } from '../faces/landmarks.ts';
import type { Consent, Origin } from './gallery-changes.ts';

/** Encoder whose templates are meant. */
export interface GalleryEncoder {
  readonly fingerprint: string;
  readonly dimension: number;
}

/** One embedding of one picture of a person, ready to be stored. */
export interface Template {
  /** Fingerprint of the encoder: embeddings of different fingerprints are never compared. */
  readonly encoder: string;
  readonly part: FacePart;
  /** Unit norm. */
  readonly embedding: Float32Array;
  /** 0 (useless) to 1. */
  readonly quality: number;
  /** Null when nobody judged it. */
  readonly mask: MaskState | null;
  /** Base name of the picture; the picture itself is not kept. */
  readonly sourceFile: string;
  /** SHA-256 of the picture's bytes, hex. */
  readonly pictureSha256: string;
}

/** A face cut out and aligned for an encoder: what is needed to embed it again by another one. */
export interface FaceCrop {
  readonly side: number;
  /** `side * side * 3` bytes in rows. */
  readonly rgb: Uint8Array;
  /** Pixels of the crop; null when it was kept without: an encoder that is aligned by other points needs them. */
  readonly marks: AlignmentMarks | null;
}

/** A picture that templates were made of, as far as it is known. */
export interface EnrolledPicture {
  readonly person: Person;
  readonly pictureSha256: string;
  readonly sourceFile: string;
  readonly quality: number;
  readonly mask: MaskState | null;
  /** Fingerprints of the encoders it has templates of. */
  readonly encoders: readonly string[];
  readonly hasCrop: boolean;
}

/** A person with the data kept about them. Times are milliseconds since the epoch. */
export interface PersonRecord extends Person, Consent {
  readonly createdAtMs: number;
  readonly origin: Origin;
  /** The gallery's version when the person or one of their templates changed last. */
  readonly version: number;
  readonly templates: number;
  /** Fingerprints of the encoders this person has templates of, sorted. */
  readonly encoders: readonly string[];
}

/** Templates of one encoder as one block: row `i` of `vectors` belongs to `people[owners[i]]`. */
export interface TemplateMatrix {
  /** Version of the gallery it was read from. */
  readonly version: number;
  readonly encoder: string;
  readonly dimension: number;
  /** Those with at least one row, by id. */
  readonly people: readonly Person[];
  readonly owners: Uint32Array;
  /** `owners.length * dimension` numbers, each row of unit norm. */
  readonly vectors: Float32Array;
}
