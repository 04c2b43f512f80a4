import type { PersonState, Tombstone } from '../gallery-changes.ts';

/**
 * The gallery that a fleet's versions are published from: a gallery file (`sqliteMaster`) or PostgreSQL
 * (`openPostgresMaster`). One contract suite (test/gallery/master-contract.ts) holds for both.
 */
export interface MasterGallery {
  /** Everybody with all templates, by id, as of one moment. */
  everybody(): AsyncIterable<PersonState>;
  /** Those deleted and not added again. */
  tombstones(): Promise<readonly Tombstone[]>;
  /** Adds or replaces people (with all their templates) and deletes others, all or nothing. */
  put(people: readonly PersonState[], tombstones: readonly Tombstone[]): Promise<void>;
  /** A fact kept with the gallery; null when there is none. */
  fact(key: string): Promise<string | null>;
  /** Sets a fact when it is still `before`; false when somebody else was first. */
  swapFact(key: string, before: string | null, after: string): Promise<boolean>;
  close(): Promise<void>;
}
