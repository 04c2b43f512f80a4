import { randomBytes } from 'node:crypto';
import { endianness } from 'node:os';
import { resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart, MaskState, Person } from '../core/person.ts';
import { applyBatch } from './apply-batch.ts';
import { type AuditAction, type AuditEntry, type AuditQuery, readAudit, record } from './audit-trail.ts';
import { fromBytes, toBytes } from './embedding-bytes.ts';
import type {
  AppliedBatch,
  Consent,
  DeletionReason,
  GalleryBatch,
  GalleryChanges,
  Origin,
  PersonState,
  TombstoneRecord,
} from './gallery-changes.ts';
import { type FileIdentity, isSameFile, prepareFile, unreadable } from './gallery-file.ts';
import { defaultKeyFile, keyOfFile } from './gallery-key.ts';
import { normaliseName, slugOf } from './person-name.ts';
import { openConnection, type SqliteStoreConnection, type SqlRow } from './sqlite-store-connection.ts';
import type { EnrolledPicture, FaceCrop, GalleryEncoder, PersonRecord, Template, TemplateMatrix } from './template.ts';
import { cropPlaceOf, placeOf, sealedCropOf, TemplateVault } from './template-vault.ts';
import { requireUnit } from './vector.ts';

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
 * @throws EyelineError GALLERY_UNREADABLE naming the file: no permission, damaged, another program's, a newer schema;
 *   GALLERY_KEY_INVALID when the key is missing or another one.
 */
export function openGalleryStore(file: string, options: GalleryStoreOptions): SqliteGalleryStore {
  const path = resolve(file);
  const { identity, openToOthers } = prepareFile(path, options.create ?? true);
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
    this.#clock = clock;
    this.#actor = actor;
  }

  /** Counts the changes ever made, from 0. */
  version(): number {
    return Number(this.#connection.get('SELECT version FROM meta')?.version ?? 0);
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
  ensurePerson(
    name: string,
    kept: { consentAtMs?: number; consentNote?: string; retainUntilMs?: number } = {},
  ): Person {
    const known = normaliseName(name);
    if (known === null) throw new RangeError('a name has 1 to 200 characters and no control characters');
    return this.#connection.write(() => {
      const person = this.personNamed(known);
      if (person) return person;
      const id = this.#freeId(known);
      const { consentAtMs = null, consentNote = null, retainUntilMs = null } = kept;
      const version = this.#countUp();
      this.#connection.run(
        `INSERT INTO people (id, name, consent_at, consent_note, retain_until, created_at, version)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [id, known, consentAtMs, consentNote, retainUntilMs, this.#clock.now(), version],
      );
      this.#connection.run('DELETE FROM tombstones WHERE person = ?', [id]);
      this.#record('create', id, version, { consentAtMs, retainUntilMs });
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
    for (const { embedding } of templates) requireUnit(embedding, embedding.length, 'embedding');
    return this.#connection.write(() => {
      if (!this.#connection.get('SELECT 1 FROM people WHERE id = ?', [personId])) throw personUnknown(personId);
      let added = 0;
      for (const template of templates) added += this.#insert(personId, template);
      if (added > 0) {
        if (crop) this.#insertCrop(personId, templates, crop);
        const version = this.#countUp(personId);
        const pictures = new Set(templates.map(({ pictureSha256 }) => pictureSha256)).size;
        this.#record(action, personId, version, { templates: added, pictures });
      }
      return added;
    });
  }

  /**
   * Removes a person, given by id or name, with all templates, and overwrites what was stored.
   *
   * @throws EyelineError PERSON_UNKNOWN; USAGE when it is the id of one person and the name of another.
   */
  removePerson(idOrName: string): PersonRecord {
    const removed = this.#connection.write(() => {
      const person = this.#onlyPerson(idOrName);
      const version = this.#countUp();
      this.#remove(person.id, this.#clock.now(), 'removed', version);
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
    return this.#connection.write(() => {
      const { id, consentAtMs, consentNote, retainUntilMs } = this.#onlyPerson(idOrName);
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
      return this.#select('WHERE p.id = ?', [id])[0] ?? this.#onlyPerson(id);
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
        this.#remove(id, nowMs, 'expired', version);
        this.#record('expire', id, version, {});
      }
      return expired;
    });
    this.#connection.checkpoint();
    return ids;
  }

  /**
   * What changed after version `since`; 0 gives everything. `visit` is given each person who was added or changed, by id, with
   * all templates: it must not use the gallery. Everything is of one moment, whatever others write meanwhile.
   */
  readChanges(since: number, visit: (person: PersonState) => void): GalleryChanges {
    return this.#connection.read(() => {
      const people = Array.from(
        this.#connection.rows('SELECT * FROM people WHERE version > ? ORDER BY id', [since]),
        (row) => ({
          ...consentOf(row),
          id: String(row.id),
          name: String(row.name),
          createdAtMs: Number(row.created_at),
        }),
      );
      let next = 0;
      let templates: Template[] = [];
      const finish = () => {
        const person = people[next++];
        if (person) visit({ ...person, templates });
        templates = [];
      };
      for (const row of this.#connection.rows(
        `SELECT t.* FROM templates t JOIN people p ON p.id = t.person WHERE p.version > ? ORDER BY t.person, t.id`,
        [since],
      )) {
        while (people[next]?.id !== row.person) finish();
        templates.push(this.#templateOf(row));
      }
      while (next < people.length) finish();
      return { from: since, to: this.version(), tombstones: this.#tombstonesSince(since) };
    });
  }

  /** As {@link readChanges}, the people in memory. */
  changesSince(since: number): GalleryChanges & { readonly people: readonly PersonState[] } {
    const people: PersonState[] = [];
    return { ...this.readChanges(since, (person) => people.push(person)), people };
  }

  /**
   * Applies a batch as one change: all of it, counted as one version, or nothing. What was deleted is overwritten.
   *
   * @throws RangeError when an embedding has no unit norm; whatever iterating over the people throws.
   */
  applyBatch(batch: GalleryBatch): AppliedBatch {
    const applied = this.#connection.write(() => {
      const version = this.#countUp();
      const target = {
        connection: this.#connection,
        insert: (person: string, template: Template) => this.#insert(person, template),
        remove: (person: string, atMs: number, reason: DeletionReason) => this.#remove(person, atMs, reason, version),
      };
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

  /** Those deleted and not added again. */
  tombstones(): readonly TombstoneRecord[] {
    return this.#tombstonesSince(0);
  }

  /** A person with all templates; null when there is none of that id. */
  personState(id: string): PersonState | null {
    const row = this.#connection.get('SELECT * FROM people WHERE id = ?', [id]);
    if (!row) return null;
    const rows = this.#connection.rows('SELECT * FROM templates WHERE person = ? ORDER BY id', [id]);
    const templates = Array.from(rows, (it) => this.#templateOf(it));
    return { ...consentOf(row), id, name: String(row.name), createdAtMs: Number(row.created_at), templates };
  }

  /** Records in the audit trail that so many people left the gallery as a file. */
  noteExport(people: number, detail: Readonly<Record<string, unknown>>): void {
    this.#connection.write(() => this.#record('export', null, this.version(), { people, ...detail }));
  }

  /** What happened to the gallery, oldest first. */
  audit(query: AuditQuery = {}): AuditEntry[] {
    return readAudit(this.#connection, query);
  }

  /** The person of exactly that name. */
  personNamed(name: string): Person | null {
    const known = normaliseName(name) ?? name;
    const row = this.#connection.get('SELECT id FROM people WHERE name = ?', [known]);
    return row ? { id: String(row.id), name: known } : null;
  }

  /** Everybody, by id. */
  listPeople(): PersonRecord[] {
    return this.#select('', []);
  }

  /** Whether the person has a template of this picture and encoder. */
  hasPicture(personId: string, pictureSha256: string, encoder: string): boolean {
    const sql = 'SELECT 1 FROM templates WHERE person = ? AND picture_sha256 = ? AND encoder = ?';
    return this.#connection.get(sql, [personId, pictureSha256, encoder]) !== undefined;
  }

  /** All pictures that templates were made of, by person and picture. */
  pictures(): EnrolledPicture[] {
    const rows = this.#connection.rows(
      `SELECT p.id, p.name, t.picture_sha256, min(t.source_file) AS source_file, max(t.quality) AS quality,
         max(t.mask) AS mask, json_group_array(DISTINCT t.encoder) AS encoders, max(c.side) AS side
       FROM templates t JOIN people p ON p.id = t.person
         LEFT JOIN crops c ON c.person = t.person AND c.picture_sha256 = t.picture_sha256
       GROUP BY t.person, t.picture_sha256 ORDER BY t.person, t.picture_sha256`,
    );
    return Array.from(rows, (row) => ({
      person: { id: String(row.id), name: String(row.name) },
      pictureSha256: String(row.picture_sha256),
      sourceFile: String(row.source_file),
      quality: Number(row.quality),
      mask: row.mask === null ? null : (String(row.mask) as MaskState),
      encoders: (JSON.parse(String(row.encoders)) as string[]).sort(),
      hasCrop: row.side !== null,
    }));
  }

  /** The crop kept of a picture; null when none is. */
  crop(personId: string, pictureSha256: string): FaceCrop | null {
    const row = this.#connection.get('SELECT * FROM crops WHERE person = ? AND picture_sha256 = ?', [
      personId,
      pictureSha256,
    ]);
    if (!row) return null;
    const place = cropPlaceOf(row);
    return { side: place.side, rgb: this.#vault.unsealCrop(sealedCropOf(row), place) };
  }

  /** How many people have templates of other encoders only, and how many templates these are. */
  countForeign(encoder: string): { people: number; templates: number } {
    const row = this.#connection.get(
      `SELECT count(DISTINCT person) AS people, count(*) AS templates FROM templates
       WHERE person NOT IN (SELECT person FROM templates WHERE encoder = ?)`,
      [encoder],
    );
    return { people: Number(row?.people ?? 0), templates: Number(row?.templates ?? 0) };
  }

  /** All templates of one encoder and part, with the version they belong to; rows by person, then age. */
  loadTemplates(encoder: GalleryEncoder, part: FacePart = 'full'): TemplateMatrix {
    const { fingerprint, dimension } = encoder;
    return this.#connection.read(() => {
      const which = [fingerprint, part];
      const counted = this.#connection.get('SELECT count(*) AS n FROM templates WHERE encoder = ? AND part = ?', which);
      const owners = new Uint32Array(Number(counted?.n ?? 0));
      const vectors = new Float32Array(owners.length * dimension);
      const bytes = new Uint8Array(vectors.buffer);
      const people: Person[] = [];
      let row = 0;
      for (const it of this.#connection.rows(
        `SELECT p.id, p.name, t.person, t.encoder, t.part, t.picture_sha256, t.data_key, t.embedding
         FROM templates t JOIN people p ON p.id = t.person
         WHERE t.encoder = ? AND t.part = ? ORDER BY p.id, t.id`,
        which,
      )) {
        const id = String(it.id);
        if (people.at(-1)?.id !== id) people.push({ id, name: String(it.name) });
        const sealed = { dataKey: Number(it.data_key), bytes: new Uint8Array(it.embedding as ArrayBuffer) };
        const embedding = this.#vault.unseal(sealed, placeOf(it));
        if (embedding.length !== dimension * 4) {
          throw unreadable(this.file, `holds a template of ${id} that is not ${dimension} numbers long`);
        }
        bytes.set(embedding, row * dimension * 4);
        owners[row++] = people.length - 1;
      }
      if (endianness() === 'BE') Buffer.from(vectors.buffer).swap32();
      return { version: this.version(), encoder: fingerprint, dimension, people, owners, vectors };
    });
  }

  /**
   * Encrypts all templates anew under a new data key, and that with `key` when the gallery's key is to change. Gives the
   * number of templates.
   */
  rotateKey(key?: Uint8Array): number {
    const count = this.#vault.rotate(this.#clock.now(), key);
    this.#connection.write(() => this.#record('rotate-key', null, this.version(), { templates: count }));
    return count;
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

  #onlyPerson(idOrName: string): PersonRecord {
    const [person, other] = this.#select('WHERE p.id = ? OR p.name = ?', [
      idOrName,
      normaliseName(idOrName) ?? idOrName,
    ]);
    if (!person) throw personUnknown(idOrName);
    if (!other) return person;
    const both = [person, other].map(({ id, name }) => `${id} (${name})`).join(' and ');
    throw new EyelineError('USAGE', `"${idOrName}" can mean ${both}: give the id or the name that only one has`);
  }

  #select(where: string, values: readonly string[]): PersonRecord[] {
    const rows = this.#connection.rows(
      `SELECT p.*, count(t.id) AS templates,
         json_group_array(DISTINCT t.encoder) FILTER (WHERE t.encoder IS NOT NULL) AS encoders
       FROM people p LEFT JOIN templates t ON t.person = p.id ${where} GROUP BY p.id ORDER BY p.id`,
      values,
    );
    return Array.from(rows, (row) => ({
      id: String(row.id),
      name: String(row.name),
      createdAtMs: Number(row.created_at),
      ...consentOf(row),
      origin: String(row.origin) as Origin,
      version: Number(row.version),
      templates: Number(row.templates),
      encoders: (JSON.parse(String(row.encoders)) as string[]).sort(),
    }));
  }

  #freeId(name: string): string {
    const isFree = (id: string) => !this.#connection.get('SELECT 1 FROM people WHERE id = ?', [id]);
    const slug = slugOf(name);
    if (slug !== null && isFree(slug)) return slug;
    for (let number = 2; ; number++) {
      const id = slug === null ? `p-${randomBytes(4).toString('hex')}` : `${slug}-${number}`;
      if (isFree(id)) return id;
    }
  }

  /** Gives the new version, which is the person's from now on. */
  #countUp(changed?: string): number {
    this.#connection.run('UPDATE meta SET version = version + 1');
    const version = this.version();
    if (changed !== undefined) {
      this.#connection.run('UPDATE people SET version = ? WHERE id = ?', [version, changed]);
    }
    return version;
  }

  #insert(person: string, it: Template): number {
    requireUnit(it.embedding, it.embedding.length, 'embedding');
    const place = { person, encoder: it.encoder, part: it.part, pictureSha256: it.pictureSha256 };
    const { dataKey, bytes } = this.#vault.seal(toBytes(it.embedding), place);
    const { encoder, part, embedding, quality, mask, sourceFile, pictureSha256 } = it;
    return this.#connection.run(
      `INSERT INTO templates (person, encoder, part, dimension, data_key, embedding, quality, mask, source_file, picture_sha256, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, picture_sha256, encoder, part) DO NOTHING`,
      [
        person,
        encoder,
        part,
        embedding.length,
        dataKey,
        bytes,
        quality,
        mask,
        sourceFile,
        pictureSha256,
        this.#clock.now(),
      ],
    );
  }

  #insertCrop(person: string, templates: readonly Template[], { side, rgb }: FaceCrop): void {
    const [pictureSha256, ...others] = new Set(templates.map((it) => it.pictureSha256));
    if (pictureSha256 === undefined || others.length > 0) throw new RangeError('a crop is of one picture');
    const { dataKey, bytes } = this.#vault.sealCrop(rgb, { person, pictureSha256, side });
    this.#connection.run(
      `INSERT INTO crops (person, picture_sha256, side, data_key, pixels) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (person, picture_sha256) DO NOTHING`,
      [person, pictureSha256, side, dataKey, bytes],
    );
  }

  /** Deletes the person, if there is one, and leaves a tombstone; whether there was one. */
  #remove(id: string, deletedAtMs: number, reason: DeletionReason, version: number): boolean {
    const removed = this.#connection.run('DELETE FROM people WHERE id = ?', [id]) > 0;
    this.#connection.run(
      'INSERT OR REPLACE INTO tombstones (person, deleted_at, version, reason) VALUES (?, ?, ?, ?)',
      [id, deletedAtMs, version, reason],
    );
    return removed;
  }

  #templateOf(row: SqlRow): Template {
    const sealed = { dataKey: Number(row.data_key), bytes: new Uint8Array(row.embedding as ArrayBuffer) };
    return {
      encoder: String(row.encoder),
      part: String(row.part) as FacePart,
      embedding: fromBytes(this.#vault.unseal(sealed, placeOf(row))),
      quality: Number(row.quality),
      mask: row.mask === null ? null : (String(row.mask) as MaskState),
      sourceFile: String(row.source_file),
      pictureSha256: String(row.picture_sha256),
    };
  }

  #tombstonesSince(version: number): TombstoneRecord[] {
    const rows = this.#connection.rows('SELECT * FROM tombstones WHERE version > ? ORDER BY version, person', [
      version,
    ]);
    return Array.from(rows, (row) => ({
      id: String(row.person),
      deletedAtMs: Number(row.deleted_at),
      version: Number(row.version),
      reason: String(row.reason) as DeletionReason,
    }));
  }

  #record(action: AuditAction, person: string | null, version: number, detail: Record<string, unknown>): void {
    record(this.#connection, { atMs: this.#clock.now(), actor: this.#actor, action, person, version, detail });
  }
}

function consentOf(row: SqlRow): Consent {
  return {
    consentAtMs: row.consent_at === null ? null : Number(row.consent_at),
    consentNote: row.consent_note === null ? null : String(row.consent_note),
    retainUntilMs: row.retain_until === null ? null : Number(row.retain_until),
  };
}

function personUnknown(idOrName: string): EyelineError {
  return new EyelineError('PERSON_UNKNOWN', `no person has the id or name "${idOrName}"`);
}
