import { endianness } from 'node:os';
import type { FacePart, MaskState, Person } from '../core/person.ts';
import { cropBytes, cropOf } from './crop-bytes.ts';
import { fromBytes, toBytes } from './embedding-bytes.ts';
import { unreadable } from './gallery-file.ts';
import type { SqliteStoreConnection, SqlRow } from './sqlite-store-connection.ts';
import type { EnrolledPicture, FaceCrop, GalleryEncoder, Template, TemplateMatrix } from './template.ts';
import { cropPlaceOf, placeOf, type Sealed, sealedCropOf, type TemplateVault } from './template-vault.ts';
import { requireUnit } from './vector.ts';

/** The templates of a gallery's people and the crops they were made of, sealed. What writes runs within the caller's transaction. */
export class TemplateTable {
  readonly #file: string;
  readonly #connection: SqliteStoreConnection;
  readonly #vault: TemplateVault;

  /** @param file of the gallery, for messages */
  constructor(file: string, connection: SqliteStoreConnection, vault: TemplateVault) {
    this.#file = file;
    this.#connection = connection;
    this.#vault = vault;
  }

  /**
   * Adds a template unless the person has one of that picture, encoder and part; gives the number added.
   *
   * @throws RangeError when the embedding has no unit norm
   */
  insert(person: string, template: Template, nowMs: number): number {
    const { encoder, part, embedding, quality, mask, sourceFile, pictureSha256 } = template;
    requireUnit(embedding, embedding.length, 'embedding');
    const { dataKey, bytes } = this.#vault.seal(toBytes(embedding), { person, encoder, part, pictureSha256 });
    return this.#connection.run(
      `INSERT INTO templates (person, encoder, part, dimension, data_key, embedding, quality, mask, source_file, picture_sha256, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, picture_sha256, encoder, part) DO NOTHING`,
      [person, encoder, part, embedding.length, dataKey, bytes, quality, mask, sourceFile, pictureSha256, nowMs],
    );
  }

  /** Keeps the crop all these templates were made of. Throws RangeError when they are of several pictures. */
  insertCrop(person: string, templates: readonly Template[], crop: FaceCrop): void {
    const [pictureSha256, ...others] = new Set(templates.map((it) => it.pictureSha256));
    if (pictureSha256 === undefined || others.length > 0) throw new RangeError('a crop is of one picture');
    const { dataKey, bytes } = this.#vault.sealCrop(cropBytes(crop), { person, pictureSha256, side: crop.side });
    this.#connection.run(
      `INSERT INTO crops (person, picture_sha256, side, data_key, pixels) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (person, picture_sha256) DO NOTHING`,
      [person, pictureSha256, crop.side, dataKey, bytes],
    );
  }

  /** Whether the person has a template of this picture and encoder. */
  has(person: string, pictureSha256: string, encoder: string): boolean {
    const sql = 'SELECT 1 FROM templates WHERE person = ? AND picture_sha256 = ? AND encoder = ?';
    return this.#connection.get(sql, [person, pictureSha256, encoder]) !== undefined;
  }

  /** Of one person, oldest first. */
  ofPerson(id: string): Template[] {
    const rows = this.#connection.rows('SELECT * FROM templates WHERE person = ? ORDER BY id', [id]);
    return Array.from(rows, (row) => this.#templateOf(row));
  }

  /** Of those who changed after version `since`, by their ids, oldest first. */
  ofChanged(since: number): Map<string, Template[]> {
    const byPerson = new Map<string, Template[]>();
    for (const row of this.#connection.rows(
      'SELECT t.* FROM templates t JOIN people p ON p.id = t.person WHERE p.version > ? ORDER BY t.id',
      [since],
    )) {
      const own = byPerson.get(String(row.person)) ?? [];
      byPerson.set(String(row.person), own);
      own.push(this.#templateOf(row));
    }
    return byPerson;
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
  crop(person: string, pictureSha256: string): FaceCrop | null {
    const row = this.#connection.get('SELECT * FROM crops WHERE person = ? AND picture_sha256 = ?', [
      person,
      pictureSha256,
    ]);
    if (!row) return null;
    const place = cropPlaceOf(row);
    return cropOf(this.#vault.unsealCrop(sealedCropOf(row), place), place.side);
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

  /** All templates of one encoder and part; rows by person, then age. Within a transaction, for one moment's. */
  load({ fingerprint, dimension }: GalleryEncoder, part: FacePart): Omit<TemplateMatrix, 'version'> {
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
      const embedding = this.#vault.unseal(sealedOf(it), placeOf(it));
      if (embedding.length !== dimension * 4) {
        throw unreadable(this.#file, `holds a template of ${id} that is not ${dimension} numbers long`);
      }
      bytes.set(embedding, row * dimension * 4);
      owners[row++] = people.length - 1;
    }
    if (endianness() === 'BE') Buffer.from(vectors.buffer).swap32();
    return { encoder: fingerprint, dimension, people, owners, vectors };
  }

  #templateOf(row: SqlRow): Template {
    return {
      encoder: String(row.encoder),
      part: String(row.part) as FacePart,
      embedding: fromBytes(this.#vault.unseal(sealedOf(row), placeOf(row))),
      quality: Number(row.quality),
      mask: row.mask === null ? null : (String(row.mask) as MaskState),
      sourceFile: String(row.source_file),
      pictureSha256: String(row.picture_sha256),
    };
  }
}

function sealedOf(row: SqlRow): Sealed {
  return { dataKey: Number(row.data_key), bytes: new Uint8Array(row.embedding as ArrayBuffer) };
}
