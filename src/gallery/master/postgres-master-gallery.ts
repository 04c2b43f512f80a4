import pg from 'pg';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { FacePart } from '../../core/person.ts';
import { seal, unseal } from '../../core/sealed.ts';
import { fromBytes, toBytes } from '../embedding-bytes.ts';
import type { PersonState, Tombstone } from '../gallery-changes.ts';
import type { Template } from '../template.ts';
import type { MasterGallery } from './master-gallery.ts';

const PEOPLE_AT_ONCE = 500;
const CONNECT_TIMEOUT_MS = 10_000;

/** Names are unique in a gallery: one name is one person. Embeddings are sealed with the gallery's key, as on a device. */
const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS eyeline;
  CREATE TABLE IF NOT EXISTS eyeline.people (
    id text COLLATE "C" PRIMARY KEY, name text NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED,
    created_at bigint NOT NULL, consent_at bigint, consent_note text, retain_until bigint
  );
  CREATE TABLE IF NOT EXISTS eyeline.templates (
    person text COLLATE "C" NOT NULL REFERENCES eyeline.people (id) ON DELETE CASCADE,
    encoder text NOT NULL, part text NOT NULL CHECK (part IN ('full', 'upper')), picture_sha256 text NOT NULL,
    embedding bytea NOT NULL, quality double precision NOT NULL, mask text, source_file text NOT NULL,
    PRIMARY KEY (person, encoder, part, picture_sha256)
  );
  CREATE TABLE IF NOT EXISTS eyeline.tombstones (person text COLLATE "C" PRIMARY KEY, deleted_at bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS eyeline.facts (key text PRIMARY KEY, value text NOT NULL);
`;
/** Two programs that make the schema at the same time would collide: "EYLG". */
const SCHEMA_LOCK = 0x45594c47;

/**
 * A master gallery in PostgreSQL 13 or later, in the schema `eyeline`, which is made where there is none.
 *
 * Rejects with GALLERY_UNREADABLE (the message holds neither user nor password) when the server cannot be reached, and
 * GALLERY_KEY_INVALID when what is stored was sealed with another key.
 */
export async function openPostgresMaster(url: string, key: Uint8Array): Promise<MasterGallery> {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
  pool.on('error', () => {});
  const master = new PostgresMasterGallery(pool, url, key);
  try {
    await master.start();
    return master;
  } catch (error) {
    await master.close();
    throw error;
  }
}

class PostgresMasterGallery implements MasterGallery {
  readonly #pool: pg.Pool;
  readonly #where: string;
  readonly #key: Uint8Array;

  constructor(pool: pg.Pool, url: string, key: Uint8Array) {
    this.#pool = pool;
    this.#where = whereOf(url);
    this.#key = key;
  }

  async start(): Promise<void> {
    await this.#transaction(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      await client.query(SCHEMA);
    });
  }

  async *everybody(): AsyncGenerator<PersonState> {
    const client = await this.#guard(() => this.#pool.connect());
    let broken = false;
    try {
      await this.#guard(() => client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'));
      let after = '';
      for (;;) {
        const { rows } = await this.#guard(() =>
          client.query('SELECT * FROM eyeline.people WHERE id > $1 ORDER BY id LIMIT $2', [after, PEOPLE_AT_ONCE]),
        );
        if (rows.length === 0) break;
        const templates = await this.#templatesOf(
          client,
          rows.map(({ id }) => id),
        );
        for (const row of rows) yield { ...personOfRow(row), templates: templates.get(row.id) ?? [] };
        after = rows.at(-1).id;
      }
    } catch (error) {
      broken = true;
      throw error;
    } finally {
      // A connection in doubt, or in the middle of a transaction nobody reads to its end, is not used again.
      if (!broken) await client.query('COMMIT').catch(() => {});
      client.release(broken);
    }
  }

  async tombstones(): Promise<readonly Tombstone[]> {
    const { rows } = await this.#guard(() => this.#pool.query('SELECT * FROM eyeline.tombstones ORDER BY person'));
    return rows.map((row) => ({ id: row.person, deletedAtMs: Number(row.deleted_at) }));
  }

  async put(people: readonly PersonState[], tombstones: readonly Tombstone[]): Promise<void> {
    await this.#transaction(async (client) => {
      for (const { id, deletedAtMs } of tombstones) {
        await client.query('DELETE FROM eyeline.people WHERE id = $1', [id]);
        await client.query(
          `INSERT INTO eyeline.tombstones VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET deleted_at = excluded.deleted_at`,
          [id, deletedAtMs],
        );
      }
      for (const it of people) {
        await client.query('DELETE FROM eyeline.tombstones WHERE person = $1', [it.id]);
        await client.query('DELETE FROM eyeline.people WHERE id = $1', [it.id]);
        await client.query('INSERT INTO eyeline.people VALUES ($1, $2, $3, $4, $5, $6)', [
          it.id,
          it.name,
          it.createdAtMs,
          it.consentAtMs,
          it.consentNote,
          it.retainUntilMs,
        ]);
        for (const template of it.templates) {
          const place = placeText(it.id, template.encoder, template.part, template.pictureSha256);
          await client.query('INSERT INTO eyeline.templates VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
            it.id,
            template.encoder,
            template.part,
            template.pictureSha256,
            Buffer.from(seal(toBytes(template.embedding), this.#key, place)),
            template.quality,
            template.mask,
            template.sourceFile,
          ]);
        }
      }
    });
  }

  async fact(key: string): Promise<string | null> {
    const sql = 'SELECT value FROM eyeline.facts WHERE key = $1';
    const { rows } = await this.#guard(() => this.#pool.query(sql, [key]));
    return rows[0]?.value ?? null;
  }

  async swapFact(key: string, before: string | null, after: string): Promise<boolean> {
    const { rowCount } = await this.#guard(() =>
      before === null
        ? this.#pool.query('INSERT INTO eyeline.facts VALUES ($1, $2) ON CONFLICT DO NOTHING', [key, after])
        : this.#pool.query('UPDATE eyeline.facts SET value = $3 WHERE key = $1 AND value = $2', [key, before, after]),
    );
    return rowCount === 1;
  }

  async close(): Promise<void> {
    await this.#pool.end().catch(() => {});
  }

  async #templatesOf(client: pg.PoolClient, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Template[]>> {
    const { rows } = await this.#guard(() =>
      client.query(
        'SELECT * FROM eyeline.templates WHERE person = ANY($1) ORDER BY person, encoder, part, picture_sha256',
        [ids],
      ),
    );
    const all = new Map<string, Template[]>();
    for (const row of rows) {
      const plain = unseal(row.embedding, this.#key, placeText(row.person, row.encoder, row.part, row.picture_sha256));
      if (!plain) {
        throw new EyelineError(
          'GALLERY_KEY_INVALID',
          `${this.#where} holds a template of ${row.person} that was encrypted with another key, or was changed`,
        );
      }
      const { encoder, quality, mask } = row;
      const part = row.part as FacePart;
      const template = { encoder, part, quality, mask, pictureSha256: row.picture_sha256, sourceFile: row.source_file };
      const known = all.get(row.person) ?? [];
      known.push({ ...template, embedding: fromBytes(plain) });
      all.set(row.person, known);
    }
    return all;
  }

  async #transaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await this.#guard(() => this.#pool.connect());
    let broken = false;
    try {
      await this.#guard(async () => {
        await client.query('BEGIN');
        await work(client);
        await client.query('COMMIT');
      });
    } catch (error) {
      broken = true;
      throw error;
    } finally {
      // Closing the connection rolls back what was not committed.
      client.release(broken);
    }
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof EyelineError) throw error;
      throw new EyelineError('GALLERY_UNREADABLE', `${this.#where}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function personOfRow(row: Record<string, unknown>): Omit<PersonState, 'templates'> {
  const time = (value: unknown) => (value === null ? null : Number(value));
  return {
    id: String(row.id),
    name: String(row.name),
    createdAtMs: Number(row.created_at),
    consentAtMs: time(row.consent_at),
    consentNote: row.consent_note === null ? null : String(row.consent_note),
    retainUntilMs: time(row.retain_until),
  };
}

function placeText(...place: readonly string[]): string {
  return JSON.stringify(['master template', ...place]);
}

/** The server and database alone: what else stands in the URL may be a secret. */
function whereOf(url: string): string {
  if (!URL.canParse(url)) return 'PostgreSQL';
  const { host, pathname } = new URL(url);
  return `PostgreSQL ${host}${pathname}`;
}
