import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'libsql';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type EventSpool, readSpooled } from './event-spool.ts';
import type { IdentityEvent } from './identity-event.ts';

/** "EyeS" in `PRAGMA application_id`. */
const APPLICATION_ID = 0x45_79_65_53;
/** How long a write waits for another daemon that uses the same file. */
const BUSY_TIMEOUT_MS = 1000;
/** Codes of SQLite for a file that trying again does not repair. */
const DAMAGED = /^SQLITE_(NOTADB|CORRUPT)/;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
`;

/**
 * Opens the spool of a device, creating the file (mode 0600) where there is none; devices that share a file see their own
 * events only. A damaged file is set aside, for a door must not wait for a database.
 *
 * @throws EyelineError SPOOL_UNUSABLE naming the file: no permission, another program's.
 */
export function openEventSpool(file: string, device: string, logger: Logger): SqliteEventSpool {
  const path = resolve(file);
  try {
    return open(path, device);
  } catch (error) {
    if (!DAMAGED.test(codeOf(error))) throw unusable(path, error);
    const aside = `${path}.damaged`;
    logger.error({ file: path }, `event spool ${path} is damaged: kept as ${aside}, its events are not sent`);
    try {
      renameSync(path, aside);
      for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
      return open(path, device);
    } catch (again) {
      throw unusable(path, again);
    }
  }
}

function open(path: string, device: string): SqliteEventSpool {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const { n } = database.prepare('SELECT count(*) AS n FROM sqlite_master').get([]) as { n: number };
    const { application_id: id } = database.prepare('PRAGMA application_id').get([]) as { application_id: number };
    if (n > 0 && id !== APPLICATION_ID) throw new Error('it is a database of another program');
    // Written before it is sent, in microseconds: a killed process loses nothing, a power cut the last moments.
    // secure_delete: names of people must not stay in free pages.
    for (const setting of ['journal_mode = WAL', 'synchronous = NORMAL', 'secure_delete = ON']) {
      database.pragma(setting);
    }
    database.exec(SCHEMA);
    return new SqliteEventSpool(path, device, database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Events in an SQLite file of this daemon's own. */
export class SqliteEventSpool implements EventSpool {
  readonly #file: string;
  readonly #device: string;
  readonly #database: Database.Database;
  readonly #insert: Database.Statement;
  readonly #select: Database.Statement;
  readonly #delete: Database.Statement;

  constructor(file: string, device: string, database: Database.Database) {
    this.#file = file;
    this.#device = device;
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO events (device, payload) VALUES (?, ?)');
    this.#select = database.prepare('SELECT payload FROM events WHERE position = ?');
    this.#delete = database.prepare('DELETE FROM events WHERE position = ?');
  }

  append(event: IdentityEvent): number {
    return this.#guard(() => Number(this.#insert.run([this.#device, JSON.stringify(event)]).lastInsertRowid));
  }

  read(position: number): IdentityEvent | null {
    const row = this.#guard(() => this.#select.get([position]) as { payload: string } | undefined);
    return row ? readSpooled(row.payload) : null;
  }

  remove(positions: readonly number[]): void {
    this.#guard(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        for (const position of positions) this.#delete.run([position]);
        this.#database.exec('COMMIT');
      } catch (error) {
        // A full disk has ended the transaction already.
        if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  positions(): readonly number[] {
    const sql = 'SELECT position FROM events WHERE device = ? ORDER BY position';
    const rows = this.#guard(() => this.#database.prepare(sql).all([this.#device]));
    return (rows as { position: number }[]).map(({ position }) => position);
  }

  close(): void {
    try {
      this.#database.close();
    } catch {
      // What could not be written is still in the journal.
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unusable(this.#file, error);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unusable(file: string, error: unknown): EyelineError {
  if (error instanceof EyelineError) return error;
  return new EyelineError('SPOOL_UNUSABLE', `event spool ${file}: ${messageOf(error)}`, { cause: error });
}
