import type { Person } from '../core/person.ts';
import type { Template } from './template.ts';

/** Who decides about a person: whoever enrols on this device, or the master gallery of the fleet. */
export type Origin = 'device' | 'fleet';

/** Why a person was deleted: by hand, past the date they may be kept until, or because the fleet's master says so. */
export type DeletionReason = 'removed' | 'expired' | 'fleet';

/** What a person agreed to, and how long they may be kept. Times are milliseconds since the epoch. */
export interface Consent {
  readonly consentAtMs: number | null;
  /** What was consented to, and how. */
  readonly consentNote: string | null;
  /** From then on the person is removed; null keeps them. */
  readonly retainUntilMs: number | null;
}

/** A person with everything that is told of them to another gallery. */
export interface PersonState extends Person, Consent {
  readonly createdAtMs: number;
  /** Of all encoders (reading), or of those the batch names (applying). */
  readonly templates: readonly Template[];
}

/** That a person was deleted, kept so that other galleries delete them too. */
export interface Tombstone {
  readonly id: string;
  readonly deletedAtMs: number;
}

/** A tombstone as the gallery keeps it. */
export interface TombstoneRecord extends Tombstone {
  /** The gallery's version with that deletion. */
  readonly version: number;
  readonly reason: DeletionReason;
}

/** What changed after version `from`, up to and with `to`, as of one moment. `from` 0 is all there is. */
export interface GalleryChanges {
  readonly from: number;
  readonly to: number;
  /** Those added or changed, by id, with all templates. */
  readonly people: readonly PersonState[];
  /** Those deleted and not added again. */
  readonly tombstones: readonly TombstoneRecord[];
}

/** Changes that take effect together or not at all. */
export interface GalleryBatch {
  /** Given to those added or changed. */
  readonly origin: Origin;
  /** Fingerprints the batch speaks about: of these a person has the templates of the batch afterwards and no others; of other encoders it keeps them. */
  readonly encoders: readonly string[];
  /** Added, or put in the place of the person of the same id. */
  readonly people: Iterable<PersonState>;
  /** Ids that are unknown here leave a tombstone all the same. */
  readonly tombstones: readonly Tombstone[];
  /** Whether the batch is everything: whoever has its origin and is not in it is deleted. */
  readonly complete?: boolean;
  /** Facts kept with the gallery that change in the same transaction, such as the version applied; null removes one. */
  readonly state?: Readonly<Record<string, string | null>>;
  /** For the audit trail. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AppliedBatch {
  /** The gallery's version with the batch. */
  readonly version: number;
  /** How many are new or were replaced, and the ids of those who were here and are deleted. */
  readonly people: number;
  readonly deleted: readonly string[];
  /** People whose name somebody else here has, and the name they got. */
  readonly renamed: readonly Person[];
}
