import type { DeletionReason, GalleryChanges, TombstoneRecord } from './gallery-changes.ts';
import { personStateOf } from './people-rows.ts';
import type { SqliteStoreConnection } from './sqlite-store-connection.ts';
import type { TemplateTable } from './template-table.ts';

/** Counts the gallery's version up and gives it. Within the transaction of the change. */
export function nextVersion(connection: SqliteStoreConnection): number {
  connection.run('UPDATE meta SET version = version + 1');
  return versionOf(connection);
}

/** Counts the changes ever made, from 0. */
export function versionOf(connection: SqliteStoreConnection): number {
  return Number(connection.get('SELECT version FROM meta')?.version ?? 0);
}

/** Who was added or changed after version `since`, by id, and who was deleted. Within a transaction, for one moment's. */
export function readChanges(
  connection: SqliteStoreConnection,
  templates: TemplateTable,
  since: number,
): GalleryChanges {
  const templatesOf = templates.ofChanged(since);
  const rows = connection.rows('SELECT * FROM people WHERE version > ? ORDER BY id', [since]);
  const people = Array.from(rows, (row) => personStateOf(row, templatesOf.get(String(row.id)) ?? []));
  return { from: since, to: versionOf(connection), people, tombstones: readTombstones(connection, since) };
}

/** Those deleted after version `since` and not added again. */
export function readTombstones(connection: SqliteStoreConnection, since: number): TombstoneRecord[] {
  const rows = connection.rows('SELECT * FROM tombstones WHERE version > ? ORDER BY version, person', [since]);
  return Array.from(rows, (row) => ({
    id: String(row.person),
    deletedAtMs: Number(row.deleted_at),
    version: Number(row.version),
    reason: String(row.reason) as DeletionReason,
  }));
}

/** Deletes the person, if there is one, and leaves a tombstone; whether there was one. */
export function removeWithTombstone(
  connection: SqliteStoreConnection,
  { id, deletedAtMs, reason, version }: TombstoneRecord,
): boolean {
  const removed = connection.run('DELETE FROM people WHERE id = ?', [id]) > 0;
  connection.run('INSERT OR REPLACE INTO tombstones (person, deleted_at, version, reason) VALUES (?, ?, ?, ?)', [
    id,
    deletedAtMs,
    version,
    reason,
  ]);
  return removed;
}

/** Whoever is added again is deleted no more. */
export function removeTombstone(connection: SqliteStoreConnection, id: string): void {
  connection.run('DELETE FROM tombstones WHERE person = ?', [id]);
}
