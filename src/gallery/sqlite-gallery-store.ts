import { randomBytes } from 'node:crypto';
import { endianness } from 'node:os';
import { resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart, Person } from '../core/person.ts';
import { type FileIdentity, isSameFile, prepareFile, unreadable } from './gallery-file.ts';
import { defaultKeyFile, keyOfFile } from './gallery-key.ts';
import { normaliseName, slugOf } from './person-name.ts';
import { openConnection, type SqliteStoreConnection } from './sqlite-store-connection.ts';
import type { GalleryEncoder, PersonRecord, Template, TemplateMatrix } from './template.ts';
import { placeOf, TemplateVault } from './template-vault.ts';
import { requireUnit } from './vector.ts';

export interface GalleryStoreOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Whether a missing file and its folders are made; true unless told. */
  readonly create?: boolean;
  /** What templates are encrypted with, 32 bytes; left out, a key file beside the gallery that Eyeline makes itself. */
  readonly key?: Uint8Array | undefined;
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
    return new SqliteGalleryStore(path, identity, connection, vault, options.clock);
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

  constructor(
    file: string,
    identity: FileIdentity,
    connection: SqliteStoreConnection,
    vault: TemplateVault,
    clock: Clock,
  ) {
    this.file = file;
    this.#identity = identity;
    this.#connection = connection;
    this.#vault = vault;
    this.#clock = clock;
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
  ensurePerson(name: string, kept: { consentAtMs?: number; retainUntilMs?: number } = {}): Person {
    const known = normaliseName(name);
    if (known === null) throw new RangeError('a name has 1 to 200 characters and no control characters');
    return this.#connection.write(() => {
      const person = this.personNamed(known);
      if (person) return person;
      const id = this.#freeId(known);
      this.#connection.run(
        'INSERT INTO people (id, name, consent_at, retain_until, created_at) VALUES (?, ?, ?, ?, ?)',
        [id, known, kept.consentAtMs ?? null, kept.retainUntilMs ?? null, this.#clock.now()],
      );
      this.#countUp();
      return { id, name: known };
    });
  }

  /**
   * Adds templates to a person, leaving out those of a picture the person has already; gives the number added.
   *
   * @throws EyelineError PERSON_UNKNOWN; RangeError when an embedding has no unit norm.
   */
  addTemplates(personId: string, templates: readonly Template[]): number {
    for (const { embedding } of templates) requireUnit(embedding, embedding.length, 'embedding');
    return this.#connection.write(() => {
      if (!this.#connection.get('SELECT 1 FROM people WHERE id = ?', [personId])) throw personUnknown(personId);
      let added = 0;
      for (const it of templates) {
        const place = { person: personId, encoder: it.encoder, part: it.part, pictureSha256: it.pictureSha256 };
        const sealed = this.#vault.seal(toBlob(it.embedding), place);
        added += this.#connection.run(
          `INSERT INTO templates (person, encoder, part, dimension, data_key, embedding, quality, mask, source_file, picture_sha256, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, picture_sha256, encoder, part) DO NOTHING`,
          [
            personId,
            it.encoder,
            it.part,
            it.embedding.length,
            sealed.dataKey,
            sealed.bytes,
            it.quality,
            it.mask,
            it.sourceFile,
            it.pictureSha256,
            this.#clock.now(),
          ],
        );
      }
      if (added > 0) this.#countUp();
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
      const [person, other] = this.#select('WHERE p.id = ? OR p.name = ?', [
        idOrName,
        normaliseName(idOrName) ?? idOrName,
      ]);
      if (!person) throw personUnknown(idOrName);
      if (other) {
        const both = [person, other].map(({ id, name }) => `${id} (${name})`).join(' and ');
        throw new EyelineError('USAGE', `"${idOrName}" can mean ${both}: give the id or the name that only one has`);
      }
      this.#connection.run('DELETE FROM people WHERE id = ?', [person.id]);
      this.#countUp();
      return person;
    });
    this.#connection.checkpoint();
    return removed;
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
    return this.#vault.rotate(this.#clock.now(), key);
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
      consentAtMs: row.consent_at === null ? null : Number(row.consent_at),
      retainUntilMs: row.retain_until === null ? null : Number(row.retain_until),
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

  #countUp(): void {
    this.#connection.run('UPDATE meta SET version = version + 1');
  }
}

function personUnknown(idOrName: string): EyelineError {
  return new EyelineError('PERSON_UNKNOWN', `no person has the id or name "${idOrName}"`);
}

function toBlob(embedding: Float32Array): Uint8Array {
  const blob = Buffer.alloc(embedding.length * 4);
  embedding.forEach((value, index) => {
    blob.writeFloatLE(value, index * 4);
  });
  return blob;
}
