import { resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart, Person } from '../core/person.ts';
import { applyBatch } from './apply-batch.ts';
import { type AuditAction, type AuditEntry, type AuditQuery, readAudit, record } from './audit-trail.ts';
import {
  nextVersion,
  readChanges,
  readTombstones,
  removeTombstone,
  removeWithTombstone,
  versionOf,
} from './change-log.ts';
import type {
  AppliedBatch,
  Consent,
  GalleryBatch,
  GalleryChanges,
  PersonState,
  TombstoneRecord,
} from './gallery-changes.ts';
import { type FileIdentity, isSameFile, unreadable } from './gallery-file.ts';
import { defaultKeyFile, keyOfFile } from './gallery-key.ts';
import {
  freeId,
  onlyPerson,
  personNamed,
  personOf,
  personStateOf,
  personUnknown,
  selectPeople,
} from './people-rows.ts';
import { normaliseName } from './person-name.ts';
import { prepareGallery } from './prepare-gallery.ts';
import { openConnection, type SqliteStoreConnection } from './sqlite-store-connection.ts';
import type { EnrolledPicture, FaceCrop, GalleryEncoder, PersonRecord, Template, TemplateMatrix } from './template.ts';
import { TemplateTable } from './template-table.ts';
import { TemplateVault } from './template-vault.ts';

export interface GalleryStoreOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Whether a missing file and its folders are made; true unless told. */
  readonly create?: boolean;
  /** What templates are encrypted with, 32 bytes; left out, a key file beside the gallery that Eyeline makes itself. */
  readonly key?: Uint8Array | undefined;
  /** Who makes the changes, for the audit trail: program and user. */
  readonly actor?: string;
}

/**
 * Opens the gallery database, creating an empty one (mode 0600) where there is none.
 *
 * @throws EyelineError GALLERY_UNREADABLE naming the file: no permission, empty, damaged, another program's, a newer schema;
 *   GALLERY_KEY_INVALID when the key is missing or another one.
 */
export function openGalleryStore(file: string, options: GalleryStoreOptions): SqliteGalleryStore {
  const path = resolve(file);
  const { identity, openToOthers } = prepareGallery(path, options.create ?? true);
  const warn = (message: string) => options.logger.warn({ file: path }, message);
  if (openToOthers) warn(`gallery ${path} can be read by other users: chmod 600 it`);
  const connection = openConnection(path);
  try {
    const isNew = connection.get('SELECT 1 FROM data_keys') === undefined;
    const key = options.key ?? keyOfFile(defaultKeyFile(path), isNew, warn);
    const vault = new TemplateVault(connection, path, key);
    vault.open(options.clock.now());
    return new SqliteGalleryStore(path, identity, connection, vault, options);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * The people and their templates in one SQLite file. Every change counts the gallery's version up in its own
 * transaction and is on the disk when the call returns. All methods throw GALLERY_UNREADABLE when the file fails.
 */
export class SqliteGalleryStore {
  readonly file: string;
  readonly #identity: FileIdentity;
  readonly #connection: SqliteStoreConnection;
  readonly #vault: TemplateVault;
  readonly #templates: TemplateTable;
  readonly #clock: Clock;
  readonly #actor: string;

  constructor(
    file: string,
    identity: FileIdentity,
    connection: SqliteStoreConnection,
    vault: TemplateVault,
    { clock, actor = 'unnamed' }: Pick<GalleryStoreOptions, 'clock' | 'actor'>,
  ) {
    this.file = file;
    this.#identity = identity;
    this.#connection = connection;
    this.#vault = vault;
    this.#templates = new TemplateTable(file, connection, vault);
    this.#clock = clock;
    this.#actor = actor;
  }

  /** Counts the changes ever made, from 0. */
  version(): number {
    return versionOf(this.#connection);
  }

  /** Whether the gallery has changed since `version`: cheap enough to ask many times a second. */
  changed(version: number): boolean {
    if (!isSameFile(this.file, this.#identity)) throw unreadable(this.file, 'was removed or replaced');
    return this.version() !== version;
  }

  /**
   * The person of that name, made when there is none. The id is a slug of the name; `-2`, `-3` when it is taken, random
   * when the name cannot be written in ASCII.
   *
   * @throws RangeError when the name is empty, longer than 200 characters or holds control characters.
   */
  ensurePerson(name: string): Person {
    const known = normaliseName(name);
    if (known === null) throw new RangeError('a name has 1 to 200 characters and no control characters');
    return this.#connection.write(() => {
      const person = personNamed(this.#connection, known);
      if (person) return person;
      const id = freeId(this.#connection, known);
      const version = this.#countUp();
      const values = [id, known, this.#clock.now(), version];
      this.#connection.run('INSERT INTO people (id, name, created_at, version) VALUES (?, ?, ?, ?)', values);
      removeTombstone(this.#connection, id);
      this.#record('create', id, version, {});
      return { id, name: known };
    });
  }

  /**
   * Adds templates to a person, leaving out those of a picture the person has already; gives the number added. A crop given is
   * kept with them, encrypted: all templates are of its picture then.
   *
   * @throws EyelineError PERSON_UNKNOWN; RangeError when an embedding has no unit norm.
   */
  addTemplates(
    personId: string,
    templates: readonly Template[],
    { crop, action = 'enrol' }: { crop?: FaceCrop | undefined; action?: 'enrol' | 'reembed' } = {},
  ): number {
    return this.#connection.write(() => {
      if (!this.#connection.get('SELECT 1 FROM people WHERE id = ?', [personId])) throw personUnknown(personId);
      let added = 0;
      for (const template of templates) added += this.#templates.insert(personId, template, this.#clock.now());
      if (added > 0) {
        if (crop) this.#templates.insertCrop(personId, templates, crop);
        const version = this.#countUp(personId);
        const pictures = new Set(templates.map(({ pictureSha256 }) => pictureSha256)).size;
        this.#record(action, personId, version, { templates: added, pictures });
      }
      return added;
    });
  }

  /** Makes what `work` adds and sets through this store one change: all of it or, when it throws, nothing. */
  atOnce<T>(work: () => T): T {
    return this.#connection.write(work);
  }

  /**
   * Removes a person, given by id or name, with all templates, and overwrites what was stored.
   *
   * @throws EyelineError PERSON_UNKNOWN; USAGE when it is the id of one person and the name of another.
   */
  removePerson(idOrName: string): PersonRecord {
    const removed = this.#connection.write(() => {
      const person = onlyPerson(this.#connection, idOrName);
      const version = this.#countUp();
      const tombstone = { id: person.id, deletedAtMs: this.#clock.now(), reason: 'removed', version } as const;
      removeWithTombstone(this.#connection, tombstone);
      this.#record('remove', person.id, version, { templates: person.templates });
      return person;
    });
    this.#connection.checkpoint();
    return removed;
  }

  /**
   * Sets what is given of consent and retention of a person, by id or name; null takes it away.
   *
   * @throws EyelineError as {@link removePerson}
   */
  setConsent(idOrName: string, kept: Partial<Consent>): PersonRecord {
    return this.#connection.write(() => this.setConsentOf(onlyPerson(this.#connection, idOrName).id, kept));
  }

  /** The same of the person of exactly that id. Throws PERSON_UNKNOWN. */
  setConsentOf(personId: string, kept: Partial<Consent>): PersonRecord {
    return this.#connection.write(() => {
      const { id, consentAtMs, consentNote, retainUntilMs } = personOf(this.#connection, personId);
      const now = { consentAtMs, consentNote, retainUntilMs, ...kept };
      this.#connection.run('UPDATE people SET consent_at = ?, consent_note = ?, retain_until = ? WHERE id = ?', [
        now.consentAtMs,
        now.consentNote,
        now.retainUntilMs,
        id,
      ]);
      this.#record('consent', id, this.#countUp(id), {
        consentAtMs: now.consentAtMs,
        retainUntilMs: now.retainUntilMs,
      });
      return personOf(this.#connection, id);
    });
  }

  /** Removes, as {@link removePerson} does, whoever may not be kept any longer; gives their ids. */
  removeExpired(): string[] {
    const nowMs = this.#clock.now();
    const due = 'SELECT id FROM people WHERE retain_until <= ? ORDER BY id';
    if (!this.#connection.get(due, [nowMs])) return [];
    const ids = this.#connection.write(() => {
      const expired = Array.from(this.#connection.rows(due, [nowMs]), (row) => String(row.id));
      if (expired.length === 0) return expired;
      const version = this.#countUp();
      for (const id of expired) {
        removeWithTombstone(this.#connection, { id, deletedAtMs: nowMs, reason: 'expired', version });
        this.#record('expire', id, version, {});
      }
      return expired;
    });
    this.#connection.checkpoint();
    return ids;
  }

  /** What changed after version `since`, all of one moment, whatever others write meanwhile; 0 gives everything. */
  changesSince(since: number): GalleryChanges {
    return this.#connection.read(() => readChanges(this.#connection, this.#templates, since));
  }

  /**
   * Applies a batch as one change: all of it, counted as one version, or nothing. What was deleted is overwritten.
   *
   * @throws RangeError when an embedding has no unit norm; whatever iterating over the people throws.
   */
  applyBatch(batch: GalleryBatch): AppliedBatch {
    const applied = this.#connection.write(() => {
      const version = this.#countUp();
      const target = { connection: this.#connection, templates: this.#templates };
      const result = applyBatch(target, batch, version, this.#clock.now());
      for (const id of result.deleted) this.#record('remove', id, version, { by: batch.origin });
      this.#record(batch.origin === 'fleet' ? 'sync' : 'import', null, version, {
        people: result.people,
        deleted: result.deleted.length,
        ...batch.detail,
      });
      return result;
    });
    this.#connection.checkpoint();
    return applied;
  }

  /** A fact kept with the gallery, set by a batch; null when there is none. */
  state(key: string): string | null {
    const row = this.#connection.get('SELECT value FROM state WHERE key = ?', [key]);
    return row ? String(row.value) : null;
  }

  /** Sets a fact when it is still `before`; false when it is not. The gallery's version stays. */
  swapState(key: string, before: string | null, after: string): boolean {
    return this.#connection.write(() => {
      if (this.state(key) !== before) return false;
      this.#connection.run('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)', [key, after]);
      return true;
    });
  }

  /** Those deleted after version `since` and not added again; all of them when left out. */
  tombstones(since = 0): readonly TombstoneRecord[] {
    return readTombstones(this.#connection, since);
  }

  /** A person with all templates; null when there is none of that id. */
  personState(id: string): PersonState | null {
    const row = this.#connection.get('SELECT * FROM people WHERE id = ?', [id]);
    return row ? personStateOf(row, this.#templates.ofPerson(id)) : null;
  }

  /** Records in the audit trail that so many people left the gallery as a file. */
  noteExport(people: number, detail: Readonly<Record<string, unknown>>): void {
    this.#connection.write(() => this.#record('export', null, this.version(), { people, ...detail }));
  }

  /** What happened to the gallery, oldest first. */
  audit(query: AuditQuery = {}): AuditEntry[] {
    return readAudit(this.#connection, query);
  }

  /**
   * The person of that id or name.
   *
   * @throws EyelineError as {@link removePerson}
   */
  person(idOrName: string): PersonRecord {
    return onlyPerson(this.#connection, idOrName);
  }

  /** The person of exactly that name. */
  personNamed(name: string): Person | null {
    return personNamed(this.#connection, name);
  }

  /** Everybody, by id. */
  listPeople(): PersonRecord[] {
    return selectPeople(this.#connection);
  }

  /** Whether the person has a template of this picture and encoder. */
  hasPicture(personId: string, pictureSha256: string, encoder: string): boolean {
    return this.#templates.has(personId, pictureSha256, encoder);
  }

  /** All pictures that templates were made of, by person and picture. */
  pictures(): EnrolledPicture[] {
    return this.#templates.pictures();
  }

  /** The crop kept of a picture; null when none is. */
  crop(personId: string, pictureSha256: string): FaceCrop | null {
    return this.#templates.crop(personId, pictureSha256);
  }

  /** How many people have templates of other encoders only, and how many templates these are. */
  countForeign(encoder: string): { people: number; templates: number } {
    return this.#templates.countForeign(encoder);
  }

  /** All templates of one encoder and part, with the version they belong to; rows by person, then age. */
  loadTemplates(encoder: GalleryEncoder, part: FacePart = 'full'): TemplateMatrix {
    return this.#connection.read(() => ({ version: this.version(), ...this.#templates.load(encoder, part) }));
  }

  /**
   * Encrypts all templates anew under a new data key, and that with `key` when the gallery's key is to change. Gives the
   * number of templates.
   */
  rotateKey(key?: Uint8Array): number {
    const record = (templates: number) => this.#record('rotate-key', null, this.version(), { templates });
    return this.#vault.rotate(this.#clock.now(), record, key);
  }

  /** Closes the file. The store must not be used after. Never throws. */
  close(): void {
    try {
      this.#connection.checkpoint();
    } catch {
      // The journal stays beside the file and is read at the next opening: nothing is lost.
    }
    this.#connection.close();
  }

  /** Gives the new version, which is the person's from now on. */
  #countUp(changed?: string): number {
    const version = nextVersion(this.#connection);
    if (changed !== undefined) {
      this.#connection.run('UPDATE people SET version = ? WHERE id = ?', [version, changed]);
    }
    return version;
  }

  #record(action: AuditAction, person: string | null, version: number, detail: Record<string, unknown>): void {
    record(this.#connection, { atMs: this.#clock.now(), actor: this.#actor, action, person, version, detail });
  }
}
