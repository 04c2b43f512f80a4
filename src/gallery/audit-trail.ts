import type { SqliteStoreConnection } from './sqlite-store-connection.ts';

/** What is recorded of a gallery's life. */
export type AuditAction =
  | 'create'
  | 'enrol'
  | 'consent'
  | 'remove'
  | 'expire'
  | 'sync'
  | 'import'
  | 'export'
  | 'reembed'
  | 'rotate-key';

export interface AuditEntry {
  readonly id: number;
  readonly atMs: number;
  /** Program and user who did it, such as `cli:anna` or `daemon:eyeline`. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Id of the person; null for what concerns everybody. */
  readonly person: string | null;
  /** The gallery's version after it. */
  readonly version: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditQuery {
  readonly person?: string | undefined;
  readonly sinceMs?: number | undefined;
  /** The newest so many; all when left out. */
  readonly limit?: number | undefined;
}

/** Adds a line to the audit trail. Within the transaction of what it tells of; the database refuses to change one. */
export function record(connection: SqliteStoreConnection, entry: Omit<AuditEntry, 'id'>): void {
  connection.run('INSERT INTO audit (at, actor, action, person, version, detail) VALUES (?, ?, ?, ?, ?, ?)', [
    entry.atMs,
    entry.actor,
    entry.action,
    entry.person,
    entry.version,
    JSON.stringify(entry.detail),
  ]);
}

/** The lines asked for, oldest first. */
export function readAudit(connection: SqliteStoreConnection, { person, sinceMs, limit }: AuditQuery): AuditEntry[] {
  const rows = connection.rows(
    `SELECT * FROM (SELECT * FROM audit WHERE (?1 IS NULL OR person = ?1) AND at >= ?2 ORDER BY id DESC LIMIT ?3)
     ORDER BY id`,
    [person ?? null, sinceMs ?? 0, limit ?? -1],
  );
  return Array.from(rows, (row) => ({
    id: Number(row.id),
    atMs: Number(row.at),
    actor: String(row.actor),
    action: String(row.action) as AuditAction,
    person: row.person === null ? null : String(row.person),
    version: Number(row.version),
    detail: JSON.parse(String(row.detail)) as Record<string, unknown>,
  }));
}
