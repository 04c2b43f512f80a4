import Database from 'libsql';
import { EyelineError, isDiskFull, messageOf, systemCodeOf } from '../core/errors.ts';
import { unreadable } from './gallery-file.ts';
import { GALLERY_SCHEMA } from './gallery-schema.ts';

/** How long a write waits for another process that writes. Readers wait for nobody: the journal is a WAL. */
const BUSY_TIMEOUT_MS = 5000;

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, unknown>>;

/** What is in a database file, and how it came to be so. */
export interface StoreSchema {
  /** PRAGMA application_id: a file of another program is left alone. */
  readonly applicationId: number;
  /** Step `i` takes PRAGMA user_version from `i` to `i + 1`; a step that was released never changes again. */
  readonly migrations: readonly string[];
}

/**
 * One connection to a database of today's schema. What SQLite complains about comes out as GALLERY_UNREADABLE,
 * naming the file and what is wrong with it.
 */
export class SqliteStoreConnection {
  readonly #file: string;
  readonly #database: Database.Database;

  constructor(file: string, database: Database.Database) {
    this.#file = file;
    this.#database = database;
  }

  /** First row of a query, undefined when there is none. */
  get(sql: string, values: readonly SqlValue[] = []): SqlRow | undefined {
    // The values as one array: libsql takes a lone Buffer for named values, and aborts the process.
    return this.#guard(() => this.#database.prepare(sql).get([...values]) as SqlRow | undefined);
  }

  /** Rows of a query one by one. Has to be read to its end: the database is in use until then. */
  *rows(sql: string, values: readonly SqlValue[] = []): Generator<SqlRow> {
    const rows = this.#guard(() => this.#database.prepare(sql).iterate([...values]));
    for (;;) {
      const next = this.#guard(() => rows.next());
      if (next.done) return;
      yield next.value as SqlRow;
    }
  }

  /** Runs a statement; gives the number of rows it changed. */
  run(sql: string, values: readonly SqlValue[] = []): number {
    return this.#guard(() => this.#database.prepare(sql).run([...values]).changes);
  }

  /** `work` sees one state of the database, whatever others write meanwhile. */
  read<T>(work: () => T): T {
    return this.#transaction('DEFERRED', work);
  }

  /** All of what `work` changes or, when it throws, nothing; on the disk when this returns. */
  write<T>(work: () => T): T {
    return this.#transaction('IMMEDIATE', work);
  }

  /** Another number whenever another connection has changed the file; what this one changes does not count. */
  dataVersion(): number {
    return Number(this.get('PRAGMA data_version')?.data_version ?? 0);
  }

  /** Moves the journal into the database file, as far as readers and a full disk let it: what is committed is safe in either. */
  checkpoint(): void {
    try {
      this.#guard(() => this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get([]));
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #transaction<T>(kind: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
    // Part of a larger change: that takes effect as a whole.
    if (this.#database.inTransaction) return work();
    return this.#guard(() => {
      this.#database.exec(`BEGIN ${kind}`);
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk has ended the transaction already.
        if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explained(this.#file, error);
    }
  }
}

/**
 * Opens a database file that exists (it may be empty) and brings it to today's schema.
 *
 * @throws EyelineError GALLERY_UNREADABLE when it is damaged, of another kind or of a newer schema.
 */
export function openConnection(file: string, schema: StoreSchema = GALLERY_SCHEMA): SqliteStoreConnection {
  let database: Database.Database | null = null;
  try {
    database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    // Before anything is written: WAL mode alone would change a file that belongs to another program.
    requireOurs(file, database, schema);
    // secure_delete overwrites what is deleted: a removed person's templates must not stay in free pages.
    for (const setting of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'secure_delete = ON']) {
      database.pragma(setting);
    }
    migrate(file, database, schema);
    const verdict = readPragma(database, 'quick_check(1)', 'quick_check');
    if (verdict !== 'ok') throw unreadable(file, `is damaged: ${verdict}`);
    return new SqliteStoreConnection(file, database);
  } catch (error) {
    database?.close();
    throw explained(file, error);
  }
}

/**
 * Writes a database of today's schema with nothing in it into an empty file. No connection is made to that, for one may outlast its
 * `close` until its statements are collected, and hold on to the name the file had then.
 *
 * @param named how errors name the file
 * @throws EyelineError GALLERY_UNREADABLE
 */
export function writeNewDatabase(file: string, named: string, schema: StoreSchema = GALLERY_SCHEMA): void {
  const database = new Database(':memory:');
  try {
    migrate(named, database, schema);
    database.prepare('VACUUM INTO ?').run([file]);
  } catch (error) {
    throw explained(named, error);
  } finally {
    database.close();
  }
}

function migrate(file: string, database: Database.Database, schema: StoreSchema): void {
  if (readPragma(database, 'user_version') === schema.migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Looked up again: another process may have been first.
    const version = requireOurs(file, database, schema);
    for (const step of schema.migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${schema.applicationId}`);
    database.exec(`PRAGMA user_version = ${schema.migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Schema version of the file (0 when it is empty); throws when it is of another kind, or of a newer program. */
function requireOurs(file: string, database: Database.Database, schema: StoreSchema): number {
  const objects = database.prepare('SELECT count(*) AS n FROM sqlite_master').get([]) as { n: number };
  if (objects.n === 0) return 0;
  if (readPragma(database, 'application_id') !== schema.applicationId) {
    throw unreadable(file, 'is a database of another program');
  }
  const version = Number(readPragma(database, 'user_version'));
  const known = schema.migrations.length;
  if (version <= known) return version;
  throw unreadable(file, `was written by a newer Eyeline (schema ${version}, this one knows up to ${known})`);
}

function readPragma(database: Database.Database, pragma: string, column = pragma): unknown {
  return (database.prepare(`PRAGMA ${pragma}`).get([]) as SqlRow | undefined)?.[column];
}

const MEANINGS: Readonly<Record<string, string>> = {
  SQLITE_NOTADB: 'is not a database',
  SQLITE_CORRUPT: 'is damaged',
  SQLITE_BUSY: 'is kept locked by another process',
  SQLITE_FULL: 'cannot be written: the disk is full',
  SQLITE_READONLY: 'cannot be written',
  SQLITE_CANTOPEN: 'cannot be opened',
};

/** Errors of ours stay as they are, so do programming errors; the rest is SQLite's and means the file. */
function explained(file: string, error: unknown): unknown {
  if (error instanceof EyelineError || error instanceof RangeError || error instanceof TypeError) return error;
  const code = systemCodeOf(error);
  // Extended codes begin with the primary one: SQLITE_IOERR_WRITE.
  const meaning = Object.keys(MEANINGS).find((it) => code.startsWith(it));
  return unreadable(file, `${meaning ? MEANINGS[meaning] : 'cannot be used'}: ${messageOf(error)}`, error);
}
