import { randomBytes } from 'node:crypto';
import { EyelineError } from '../core/errors.ts';
import { KEY_BYTES, seal, unseal } from '../core/sealed.ts';
import type { SqliteStoreConnection } from './sqlite-store-connection.ts';

/** Where a sealed embedding stands: it opens nowhere else. */
export interface TemplatePlace {
  readonly person: string;
  readonly encoder: string;
  readonly part: string;
  readonly pictureSha256: string;
}

/** Where a sealed crop stands. */
export interface CropPlace {
  readonly person: string;
  readonly pictureSha256: string;
  readonly side: number;
}

export interface Sealed {
  /** Id of the data key. */
  readonly dataKey: number;
  readonly bytes: Uint8Array;
}

/**
 * Seals embeddings for the database, and opens them. What seals is a data key, random and stored in the database, itself
 * sealed with the gallery's key: so the gallery's key can change without a template being touched.
 */
export class TemplateVault {
  readonly #connection: SqliteStoreConnection;
  readonly #file: string;
  #galleryKey: Uint8Array;
  #dataKeys = new Map<number, Uint8Array>();

  /** @param galleryKey 32 bytes */
  constructor(connection: SqliteStoreConnection, file: string, galleryKey: Uint8Array) {
    this.#connection = connection;
    this.#file = file;
    this.#galleryKey = galleryKey;
  }

  /**
   * Reads the data keys, and makes the first one where there is none. Seals what was stored before there were keys. In a
   * transaction of its own.
   *
   * @throws EyelineError GALLERY_KEY_INVALID
   */
  open(nowMs: number): void {
    this.#readKeys();
    if (this.#dataKeys.size > 0 && !this.#connection.get('SELECT 1 FROM templates WHERE data_key IS NULL')) return;
    this.#connection.write(() => {
      this.#readKeys();
      if (this.#dataKeys.size === 0) this.#addKey(nowMs);
      this.#sealAgain('data_key IS NULL');
    });
    // What was stored in the clear must not stay in the journal.
    this.#connection.checkpoint();
  }

  /** Seals an embedding under the newest data key. Within a transaction that writes. */
  seal(embedding: Uint8Array, place: TemplatePlace): Sealed {
    return this.#seal(embedding, placeText(place));
  }

  /** The same of an aligned crop. */
  sealCrop(rgb: Uint8Array, place: CropPlace): Sealed {
    return this.#seal(rgb, cropPlaceText(place));
  }

  /** @throws EyelineError GALLERY_KEY_INVALID, or GALLERY_UNREADABLE when the row was tampered with */
  unseal(sealed: Sealed, place: TemplatePlace): Uint8Array {
    return this.#unseal(sealed, placeText(place), `a template of ${place.person}`);
  }

  /** As {@link unseal}, of a crop. */
  unsealCrop(sealed: Sealed, place: CropPlace): Uint8Array {
    return this.#unseal(sealed, cropPlaceText(place), `a face crop of ${place.person}`);
  }

  /**
   * A new data key, sealed with `galleryKey` when that is to change as well; every template is sealed again and the old keys
   * are gone. All or nothing, with what `record` does, which is given the number of templates sealed again.
   *
   * @returns the same number
   */
  rotate(nowMs: number, record: (count: number) => void, galleryKey: Uint8Array = this.#galleryKey): number {
    const before = this.#galleryKey;
    try {
      const count = this.#connection.write(() => {
        this.#readKeys();
        this.#galleryKey = galleryKey;
        const newest = this.#addKey(nowMs);
        const sealed = this.#sealAgain(`data_key IS NOT ${newest}`);
        this.#sealCropsAgain(newest);
        this.#connection.run('DELETE FROM data_keys WHERE id <> ?', [newest]);
        record(sealed);
        return sealed;
      });
      this.#connection.checkpoint();
      return count;
    } catch (error) {
      this.#galleryKey = before;
      this.#dataKeys.clear();
      throw error;
    }
  }

  #sealAgain(where: string): number {
    const sql = `SELECT id, person, encoder, part, picture_sha256, data_key, embedding FROM templates WHERE ${where}`;
    const rows = [...this.#connection.rows(sql)];
    for (const row of rows) {
      const place = placeOf(row);
      const bytes = new Uint8Array(row.embedding as ArrayBuffer);
      const plain = row.data_key === null ? bytes : this.unseal({ dataKey: Number(row.data_key), bytes }, place);
      const sealed = this.seal(plain, place);
      const values = [sealed.bytes, sealed.dataKey, Number(row.id)];
      this.#connection.run('UPDATE templates SET embedding = ?, data_key = ? WHERE id = ?', values);
    }
    return rows.length;
  }

  #sealCropsAgain(newest: number): void {
    const old = 'SELECT * FROM crops WHERE data_key <> ? LIMIT 1';
    // One at a time: all crops of a large gallery would not fit the memory of a small device.
    for (let row = this.#connection.get(old, [newest]); row; row = this.#connection.get(old, [newest])) {
      const place = cropPlaceOf(row);
      const sealed = this.sealCrop(this.unsealCrop(sealedCropOf(row), place), place);
      this.#connection.run('UPDATE crops SET pixels = ?, data_key = ? WHERE person = ? AND picture_sha256 = ?', [
        sealed.bytes,
        sealed.dataKey,
        place.person,
        place.pictureSha256,
      ]);
    }
  }

  #seal(plain: Uint8Array, place: string): Sealed {
    const dataKey = this.#newestKey();
    return { dataKey, bytes: seal(plain, this.#dataKey(dataKey), place) };
  }

  #unseal({ dataKey, bytes }: Sealed, place: string, what: string): Uint8Array {
    const plain = unseal(bytes, this.#dataKey(dataKey), place);
    if (plain) return plain;
    throw new EyelineError(
      'GALLERY_UNREADABLE',
      `gallery ${this.#file} holds ${what} that was changed or moved: remove the person and enrol again`,
    );
  }

  #newestKey(): number {
    return Number(this.#connection.get('SELECT max(id) AS id FROM data_keys')?.id ?? 0);
  }

  #dataKey(id: number): Uint8Array {
    // Another process may have made new keys since.
    if (!this.#dataKeys.has(id)) this.#readKeys();
    const key = this.#dataKeys.get(id);
    if (key) return key;
    throw new EyelineError('GALLERY_UNREADABLE', `gallery ${this.#file} lacks the data key ${id}`);
  }

  #addKey(nowMs: number): number {
    const key = randomBytes(KEY_BYTES);
    this.#connection.run('INSERT INTO data_keys (wrapped, created_at) VALUES (?, ?)', [new Uint8Array(0), nowMs]);
    const id = this.#newestKey();
    this.#connection.run('UPDATE data_keys SET wrapped = ? WHERE id = ?', [
      seal(key, this.#galleryKey, keyPlace(id)),
      id,
    ]);
    this.#dataKeys.set(id, key);
    return id;
  }

  #readKeys(): void {
    const keys = new Map<number, Uint8Array>();
    for (const { id, wrapped } of this.#connection.rows('SELECT id, wrapped FROM data_keys')) {
      const key = unseal(new Uint8Array(wrapped as ArrayBuffer), this.#galleryKey, keyPlace(Number(id)));
      if (!key) {
        throw new EyelineError('GALLERY_KEY_INVALID', `gallery ${this.#file} was encrypted with another key`);
      }
      keys.set(Number(id), key);
    }
    this.#dataKeys = keys;
  }
}

/** Where a row of the templates stands. */
export function placeOf(row: Readonly<Record<string, unknown>>): TemplatePlace {
  return {
    person: String(row.person),
    encoder: String(row.encoder),
    part: String(row.part),
    pictureSha256: String(row.picture_sha256),
  };
}

function placeText({ person, encoder, part, pictureSha256 }: TemplatePlace): string {
  return JSON.stringify(['template', person, encoder, part, pictureSha256]);
}

/** Where a row of the crops stands. */
export function cropPlaceOf(row: Readonly<Record<string, unknown>>): CropPlace {
  return { person: String(row.person), pictureSha256: String(row.picture_sha256), side: Number(row.side) };
}

/** What a row of the crops holds. */
export function sealedCropOf(row: Readonly<Record<string, unknown>>): Sealed {
  return { dataKey: Number(row.data_key), bytes: new Uint8Array(row.pixels as ArrayBuffer) };
}

function cropPlaceText({ person, pictureSha256, side }: CropPlace): string {
  return JSON.stringify(['crop', person, pictureSha256, side]);
}

function keyPlace(id: number): string {
  return JSON.stringify(['data key', id]);
}
