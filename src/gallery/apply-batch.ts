import type { Person } from '../core/person.ts';
import { removeTombstone, removeWithTombstone } from './change-log.ts';
import type { AppliedBatch, GalleryBatch, PersonState } from './gallery-changes.ts';
import type { SqliteStoreConnection } from './sqlite-store-connection.ts';
import type { TemplateTable } from './template-table.ts';

/** What a batch is applied to. */
interface BatchTarget {
  readonly connection: SqliteStoreConnection;
  readonly templates: TemplateTable;
}

/** Carries a batch out, as version `version`. Within a transaction that writes. */
export function applyBatch(
  { connection, templates }: BatchTarget,
  batch: GalleryBatch,
  version: number,
  nowMs: number,
): AppliedBatch {
  const encoders = new Set(batch.encoders);
  const reason = batch.origin === 'fleet' ? 'fleet' : 'removed';
  const deleted = batch.tombstones
    .filter(({ id, deletedAtMs }) => removeWithTombstone(connection, { id, deletedAtMs, reason, version }))
    .map(({ id }) => id);
  const named: Person[] = [];
  for (const person of batch.people) {
    upsert(connection, person, batch.origin, version);
    for (const encoder of encoders) {
      connection.run('DELETE FROM templates WHERE person = ? AND encoder = ?', [person.id, encoder]);
    }
    for (const template of person.templates) {
      if (encoders.has(template.encoder)) templates.insert(person.id, template, nowMs);
    }
    named.push({ id: person.id, name: person.name });
  }
  if (batch.complete) {
    const gone = connection.rows('SELECT id FROM people WHERE origin = ? AND version <> ?', [batch.origin, version]);
    for (const id of Array.from(gone, (row) => String(row.id))) {
      if (removeWithTombstone(connection, { id, deletedAtMs: nowMs, reason, version })) deleted.push(id);
    }
  }
  const renamed = named.flatMap((person) => setName(connection, person));
  for (const [key, value] of Object.entries(batch.state ?? {})) {
    if (value === null) connection.run('DELETE FROM state WHERE key = ?', [key]);
    else connection.run('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)', [key, value]);
  }
  return { version, people: named.length, deleted, renamed };
}

/** Everything but the name, which somebody later in the batch may still have: the id stands in, marked, until all are there. */
function upsert(connection: SqliteStoreConnection, person: PersonState, origin: string, version: number): void {
  removeTombstone(connection, person.id);
  connection.run(
    `INSERT INTO people (id, name, consent_at, consent_note, retain_until, created_at, origin, version)
     VALUES (?, char(1) || ?1, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, consent_at = excluded.consent_at,
       consent_note = excluded.consent_note, retain_until = excluded.retain_until, origin = excluded.origin,
       version = excluded.version`,
    [person.id, person.consentAtMs, person.consentNote, person.retainUntilMs, person.createdAtMs, origin, version],
  );
}

/** Gives the person the name, or one with the id added when it is somebody else's here; then says so. */
function setName(connection: SqliteStoreConnection, { id, name }: Person): Person[] {
  const isTaken = connection.get('SELECT 1 FROM people WHERE name = ? AND id <> ?', [name, id]) !== undefined;
  const given = isTaken ? `${name} (${id})` : name;
  connection.run('UPDATE people SET name = ? WHERE id = ?', [given, id]);
  return isTaken ? [{ id, name: given }] : [];
}
