import { randomBytes } from 'node:crypto';
import { EyelineError } from '../core/errors.ts';
import type { Person } from '../core/person.ts';
import type { Consent, Origin, PersonState } from './gallery-changes.ts';
import { normaliseName, slugOf } from './person-name.ts';
import type { SqliteStoreConnection, SqlRow } from './sqlite-store-connection.ts';
import type { PersonRecord } from './template.ts';

/** Those a condition on `p` selects, all without one; by id. */
export function selectPeople(
  connection: SqliteStoreConnection,
  where = '',
  values: readonly string[] = [],
): PersonRecord[] {
  const rows = connection.rows(
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

/** The person of exactly that id. Throws PERSON_UNKNOWN. */
export function personOf(connection: SqliteStoreConnection, id: string): PersonRecord {
  const [person] = selectPeople(connection, 'WHERE p.id = ?', [id]);
  if (!person) throw personUnknown(id);
  return person;
}

/** @throws EyelineError PERSON_UNKNOWN; USAGE when it is the id of one person and the name of another */
export function onlyPerson(connection: SqliteStoreConnection, idOrName: string): PersonRecord {
  const [person, other] = selectPeople(connection, 'WHERE p.id = ? OR p.name = ?', [
    idOrName,
    normaliseName(idOrName) ?? idOrName,
  ]);
  if (!person) throw personUnknown(idOrName);
  if (!other) return person;
  const both = [person, other].map(({ id, name }) => `${id} (${name})`).join(' and ');
  throw new EyelineError('USAGE', `"${idOrName}" can mean ${both}: give the id or the name that only one has`);
}

/** A slug of the name; `-2`, `-3` when it is taken, random when the name cannot be written in ASCII. */
export function freeId(connection: SqliteStoreConnection, name: string): string {
  const isFree = (id: string) => !connection.get('SELECT 1 FROM people WHERE id = ?', [id]);
  const slug = slugOf(name);
  if (slug !== null && isFree(slug)) return slug;
  for (let number = 2; ; number++) {
    const id = slug === null ? `p-${randomBytes(4).toString('hex')}` : `${slug}-${number}`;
    if (isFree(id)) return id;
  }
}

/** The person of exactly that name. */
export function personNamed(connection: SqliteStoreConnection, name: string): Person | null {
  const known = normaliseName(name) ?? name;
  const row = connection.get('SELECT id FROM people WHERE name = ?', [known]);
  return row ? { id: String(row.id), name: known } : null;
}

/** What a row of the people holds. */
export function personStateOf(row: SqlRow, templates: PersonState['templates']): PersonState {
  return {
    ...consentOf(row),
    id: String(row.id),
    name: String(row.name),
    createdAtMs: Number(row.created_at),
    templates,
  };
}

function consentOf(row: SqlRow): Consent {
  return {
    consentAtMs: row.consent_at === null ? null : Number(row.consent_at),
    consentNote: row.consent_note === null ? null : String(row.consent_note),
    retainUntilMs: row.retain_until === null ? null : Number(row.retain_until),
  };
}

export function personUnknown(idOrName: string): EyelineError {
  return new EyelineError('PERSON_UNKNOWN', `no person has the id or name "${idOrName}"`);
}
