import { seal } from '../core/sealed.ts';
import { toBytes } from './embedding-bytes.ts';
import type { SqliteStoreConnection, SqlRow } from './sqlite-store-connection.ts';
import { placeOf, templateOfRow } from './track-template-rows.ts';

/** The tables of a file of visitors that hold what tracks looked like. */
const TABLES = ['templates', 'denials'] as const;
type Table = (typeof TABLES)[number];

/**
 * Encrypts what is kept in the clear, from when no key was configured: it could not be read with one. Whether there was any.
 * In a transaction of its own.
 */
export function sealPlain(connection: SqliteStoreConnection, key: Uint8Array): boolean {
  // What is encrypted is longer than what is not, so that one row of each length tells of all.
  const isPlain = (table: Table) =>
    [...connection.rows(`SELECT * FROM ${table} GROUP BY encoder, length(embedding)`)].some(
      (row) => templateOfRow(row, null) !== null,
    );
  const plain = TABLES.filter(isPlain);
  if (plain.length === 0) return false;
  connection.write(() => {
    for (const table of plain) sealAgain(connection, table, null, key);
  });
  return true;
}

/**
 * Encrypts what opens with the key `before` (null: what is in the clear) with the key `after`; the rest stays as it is. Within a
 * transaction that writes.
 */
export function resealTracks(connection: SqliteStoreConnection, before: Uint8Array | null, after: Uint8Array): void {
  for (const table of TABLES) sealAgain(connection, table, before, after);
}

function sealAgain(connection: SqliteStoreConnection, table: Table, before: Uint8Array | null, after: Uint8Array) {
  const rows: SqlRow[] = [...connection.rows(`SELECT * FROM ${table}`)];
  for (const row of rows) {
    const template = templateOfRow(row, before);
    if (!template) continue;
    const sealed = seal(toBytes(template.embedding), after, placeOf(template.encoder));
    connection.run(`UPDATE ${table} SET embedding = ? WHERE id = ?`, [sealed, Number(row.id)]);
  }
}
