import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { cosine } from '../faces/embedding.ts';
import type { Denials, DeniedTrack } from './denial.ts';
import { prepareFile } from './gallery-file.ts';
import { resealTracks, sealPlain } from './reseal-tracks.ts';
import { SqliteDenials } from './sqlite-denials.ts';
import { openConnection, type SqliteStoreConnection, type SqlRow } from './sqlite-store-connection.ts';
import { TEMPLATE_COLUMNS, templateOfRow, valuesOf } from './track-template-rows.ts';
import type { SameVisitor, TrackSighting, TrackTemplate, Visitor, VisitorLimits } from './visitor.ts';
import { VISITOR_SCHEMA } from './visitor-schema.ts';

/** Templates kept of a visitor by each encoder: enough for glasses, a hat and the light of two seasons. */
const TEMPLATES_A_VISITOR = 8;
/** Sightings kept of a visitor, and of people known: what an owner may still want to look up. */
const SIGHTINGS_A_VISITOR = 100;
const SIGHTINGS_OF_KNOWN = 500;
/** What is too old is looked for so often. */
const PURGE_EVERY_MS = 3_600_000;

export interface VisitorStoreOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly limits: VisitorLimits;
  /** The gallery's key: embeddings are encrypted with it, those that are not yet when the file is opened; with another one they are not read. */
  readonly key?: Uint8Array | undefined;
  /** Whether a missing file and its folders are made; true unless told. */
  readonly create?: boolean;
}

/**
 * Opens the file of visitors, creating an empty one (mode 0600) where there is none.
 *
 * @throws EyelineError GALLERY_UNREADABLE naming the file.
 */
export function openVisitorStore(file: string, options: VisitorStoreOptions): SqliteVisitorStore {
  const path = resolve(file);
  const { openToOthers } = prepareFile(path, options.create ?? true);
  if (openToOthers) {
    options.logger.warn({ file: path }, `visitors ${path} can be read by other users: chmod 600 it`);
  }
  const connection = openConnection(path, VISITOR_SCHEMA);
  try {
    // What was in the clear must not stay in the journal.
    if (options.key && sealPlain(connection, options.key)) connection.checkpoint();
    return new SqliteVisitorStore(path, connection, options);
  } catch (error) {
    connection.close();
    throw error;
  }
}

interface Kept extends TrackTemplate {
  readonly visitor: string;
}

/**
 * Unknown people by what they looked like, in one SQLite file: a new track is of the visitor it is most alike, or of a new
 * one. Bounded: the visitors not seen for longest go first. Several processes may use the file. All methods throw
 * GALLERY_UNREADABLE when the file fails.
 */
export class SqliteVisitorStore {
  readonly file: string;
  readonly #connection: SqliteStoreConnection;
  readonly #clock: Clock;
  readonly #limits: VisitorLimits;
  readonly #key: Uint8Array | null;
  readonly #denials: SqliteDenials;
  /** Templates of unknown visitors, as of `#dataVersion`. */
  #kept: Kept[] | null = null;
  #dataVersion = -1;
  #purgedMs = Number.NEGATIVE_INFINITY;

  constructor(file: string, connection: SqliteStoreConnection, { clock, limits, key }: VisitorStoreOptions) {
    this.file = file;
    this.#connection = connection;
    this.#clock = clock;
    this.#limits = limits;
    this.#key = key ?? null;
    this.#denials = new SqliteDenials(connection, this.#key);
  }

  /** Takes a stranger's track in, and gives the id of the visitor: the one it is most alike, or a new one. */
  admit(sighting: TrackSighting, sameVisitor: SameVisitor): string {
    this.purge();
    return this.#connection.write(() => {
      const known = mostAlike(this.#templates(), sighting.templates, sameVisitor);
      const id = known ?? `v-${randomBytes(4).toString('hex')}`;
      const { seenAtMs } = sighting;
      if (known) {
        this.#connection.run('UPDATE visitors SET last_seen = max(last_seen, ?) WHERE id = ?', [seenAtMs, id]);
      } else {
        this.#connection.run('INSERT INTO visitors (id, person, first_seen, last_seen) VALUES (?, NULL, ?, ?)', [
          id,
          seenAtMs,
          seenAtMs,
        ]);
      }
      this.#add(sighting, { visitor: id, person: null });
      this.#trimVisitor(id);
      this.#trimVisitors();
      this.#kept = null;
      return id;
    });
  }

  /** Remembers what somebody known looked like, so that it can be said later that it was somebody else. */
  remember(sighting: TrackSighting, personId: string): void {
    this.purge();
    this.#connection.write(() => {
      this.#add(sighting, { visitor: null, person: personId });
      this.#connection.run(
        `DELETE FROM sightings WHERE person IS NOT NULL AND id NOT IN
           (SELECT id FROM sightings WHERE person IS NOT NULL ORDER BY seen_at DESC, id DESC LIMIT ?)`,
        [SIGHTINGS_OF_KNOWN],
      );
    });
  }

  /** Everybody unknown, and those who were named with `named`; seen last first. */
  list({ named = false }: { named?: boolean } = {}): Visitor[] {
    const rows = this.#connection.rows(
      `SELECT * FROM visitors ${named ? '' : 'WHERE person IS NULL'} ORDER BY last_seen DESC, id`,
    );
    return [...rows].map((row) => this.#visitorOf(row));
  }

  /** @throws EyelineError VISITOR_UNKNOWN */
  get(id: string): Visitor {
    const row = this.#connection.get('SELECT * FROM visitors WHERE id = ?', [id]);
    if (!row) throw new EyelineError('VISITOR_UNKNOWN', `no visitor has the id "${id}"`);
    return this.#visitorOf(row);
  }

  /** What a visitor looked like, best first. */
  templatesOf(id: string): TrackTemplate[] {
    const rows = this.#connection.rows(
      `SELECT t.* FROM templates t JOIN sightings s ON s.id = t.sighting WHERE s.visitor = ?
       ORDER BY t.quality DESC, t.id`,
      [id],
    );
    return this.#templatesOf(rows);
  }

  /** The newest sighting of a track and what it looked like; null when it is not kept. */
  sighting(
    track: string,
  ): (TrackSighting & { readonly visitor: string | null; readonly person: string | null }) | null {
    const row = this.#connection.get('SELECT * FROM sightings WHERE track = ? ORDER BY seen_at DESC, id DESC', [track]);
    if (!row) return null;
    const templates = this.#connection.rows('SELECT * FROM templates WHERE sighting = ? ORDER BY quality DESC, id', [
      Number(row.id),
    ]);
    return {
      ...sightingOf(row),
      templates: this.#templatesOf(templates),
      visitor: row.visitor === null ? null : String(row.visitor),
      person: row.person === null ? null : String(row.person),
    };
  }

  /** A visitor is somebody known from now on: their sightings stay, what they looked like is erased here. */
  name(id: string, personId: string): void {
    this.get(id);
    this.#connection.write(() => {
      this.#connection.run('UPDATE visitors SET person = ? WHERE id = ?', [personId, id]);
      this.#connection.run('DELETE FROM templates WHERE sighting IN (SELECT id FROM sightings WHERE visitor = ?)', [
        id,
      ]);
    });
    this.#kept = null;
    this.#connection.checkpoint();
  }

  /** Erases a visitor with all sightings and templates. Throws VISITOR_UNKNOWN. */
  forget(id: string): void {
    this.get(id);
    this.#connection.write(() => {
      this.#connection.run('DELETE FROM visitors WHERE id = ?', [id]);
    });
    this.#kept = null;
    this.#connection.checkpoint();
  }

  /** Erases everybody and everything; gives the number of visitors. */
  forgetAll(): number {
    const visitors = this.#connection.write(() => {
      this.#connection.run('DELETE FROM sightings');
      this.#denials.removeAll();
      return this.#connection.run('DELETE FROM visitors');
    });
    this.#kept = null;
    this.#connection.checkpoint();
    return visitors;
  }

  /**
   * Somebody says that a track was not the person it was taken for: what it looked like speaks against that person from now
   * on. Gives the person. What was said stays until it is taken back, or the person is removed; of a person the latest tracks.
   *
   * @throws EyelineError VISITOR_UNKNOWN when the track is not kept; USAGE when it was not taken for anybody, or another.
   */
  deny(track: string, personId?: string): string {
    const sighting = this.sighting(track);
    if (!sighting || sighting.templates.length === 0) {
      throw new EyelineError('VISITOR_UNKNOWN', `what track "${track}" looked like is not kept`);
    }
    const person = personId ?? sighting.person;
    if (person === null) throw new EyelineError('USAGE', `track "${track}" was taken for nobody: say who it is not`);
    this.#connection.write(() => {
      this.#denials.add({ person, track, deniedAtMs: this.#clock.now() }, sighting.templates);
      // Whoever it was, it was not them: the sighting tells of nobody any more.
      this.#connection.run('DELETE FROM sightings WHERE track = ? AND person = ?', [track, person]);
    });
    return person;
  }

  /** Takes back all that was said of a person; gives the number of tracks. */
  allow(personId: string): number {
    const tracks = this.#connection.write(() => this.#denials.remove(personId));
    this.#connection.checkpoint();
    return tracks;
  }

  /** Which tracks are not whom, said last first. */
  listDenials(): DeniedTrack[] {
    return this.#denials.list();
  }

  /** All that was said; read again when this or another process changed the file. */
  denials(): Denials {
    return this.#denials.all();
  }

  /**
   * Erases all that is kept of people who are removed from the gallery: what tracks taken for them looked like, visitors who
   * were named to be them, and what was said that is not them.
   */
  erasePeople(ids: readonly string[]): void {
    this.#connection.write(() => {
      for (const id of ids) {
        this.#denials.remove(id);
        this.#connection.run('DELETE FROM sightings WHERE person = ?', [id]);
        this.#connection.run('DELETE FROM visitors WHERE person = ?', [id]);
      }
    });
    this.#kept = null;
    this.#connection.checkpoint();
  }

  /**
   * Encrypts everything with another key, and runs `meanwhile` as a part of it: when that throws, all stays as it was. The file has to
   * be opened anew, with the new key.
   */
  rekey<T>(key: Uint8Array, meanwhile: () => T): T {
    const result = this.#connection.write(() => {
      resealTracks(this.#connection, this.#key, key);
      return meanwhile();
    });
    this.#connection.checkpoint();
    return result;
  }

  /** Erases what is older than it may become; once an hour at most. */
  purge(): void {
    const now = this.#clock.now();
    if (now - this.#purgedMs < PURGE_EVERY_MS && now >= this.#purgedMs) return;
    this.#purgedMs = now;
    const before = now - this.#limits.keepMs;
    const gone = this.#connection.write(() => {
      const sightings = this.#connection.run('DELETE FROM sightings WHERE seen_at < ?', [before]);
      return sightings + this.#connection.run('DELETE FROM visitors WHERE last_seen < ?', [before]);
    });
    if (gone === 0) return;
    this.#kept = null;
    this.#connection.checkpoint();
  }

  /** Closes the file. The store must not be used after. Never throws. */
  close(): void {
    try {
      this.#connection.checkpoint();
    } catch {
      // The journal stays beside the file and is read at the next opening.
    }
    this.#connection.close();
  }

  #add({ track, camera, seenAtMs, templates }: TrackSighting, of: { visitor: string | null; person: string | null }) {
    this.#connection.run('INSERT INTO sightings (track, camera, seen_at, visitor, person) VALUES (?, ?, ?, ?, ?)', [
      track,
      camera,
      seenAtMs,
      of.visitor,
      of.person,
    ]);
    const row = this.#connection.get('SELECT last_insert_rowid() AS id');
    for (const template of templates) {
      this.#connection.run(`INSERT INTO templates (sighting, ${TEMPLATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`, [
        Number(row?.id),
        ...valuesOf(template, this.#key),
      ]);
    }
  }

  #trimVisitor(id: string): void {
    this.#connection.run(
      `DELETE FROM templates WHERE id IN (
         SELECT id FROM (
           SELECT t.id, row_number() OVER (PARTITION BY t.encoder ORDER BY t.quality DESC, t.id DESC) AS place
           FROM templates t JOIN sightings s ON s.id = t.sighting WHERE s.visitor = ?)
         WHERE place > ?)`,
      [id, TEMPLATES_A_VISITOR],
    );
    // Sightings that hold a template stay: they are what the visitor is known by.
    this.#connection.run(
      `DELETE FROM sightings WHERE visitor = ? AND id NOT IN (SELECT sighting FROM templates) AND id NOT IN
         (SELECT id FROM sightings WHERE visitor = ? ORDER BY seen_at DESC, id DESC LIMIT ?)`,
      [id, id, SIGHTINGS_A_VISITOR],
    );
  }

  #trimVisitors(): void {
    this.#connection.run(
      `DELETE FROM visitors WHERE person IS NULL AND id NOT IN
         (SELECT id FROM visitors WHERE person IS NULL ORDER BY last_seen DESC, id LIMIT ?)`,
      [this.#limits.maxVisitors],
    );
  }

  /** Templates of the unknown; read again when this or another process changed the file. */
  #templates(): readonly Kept[] {
    const version = this.#connection.dataVersion();
    if (this.#kept && version === this.#dataVersion) return this.#kept;
    const rows = this.#connection.rows(
      `SELECT t.*, s.visitor FROM templates t JOIN sightings s ON s.id = t.sighting
       JOIN visitors v ON v.id = s.visitor WHERE v.person IS NULL`,
    );
    this.#kept = [...rows].flatMap((row) => {
      const template = templateOfRow(row, this.#key);
      return template ? [{ ...template, visitor: String(row.visitor) }] : [];
    });
    this.#dataVersion = version;
    return this.#kept;
  }

  #templatesOf(rows: Iterable<SqlRow>): TrackTemplate[] {
    return [...rows].flatMap((row) => templateOfRow(row, this.#key) ?? []);
  }

  #visitorOf(row: SqlRow): Visitor {
    const id = String(row.id);
    const sightings = this.#connection.rows(
      'SELECT * FROM sightings WHERE visitor = ? ORDER BY seen_at DESC, id DESC',
      [id],
    );
    const counted = this.#connection.get(
      'SELECT count(*) AS n FROM templates t JOIN sightings s ON s.id = t.sighting WHERE s.visitor = ?',
      [id],
    );
    return {
      id,
      person: row.person === null ? null : String(row.person),
      firstSeenAtMs: Number(row.first_seen),
      lastSeenAtMs: Number(row.last_seen),
      sightings: [...sightings].map(sightingOf),
      templates: Number(counted?.n ?? 0),
    };
  }
}

/** The visitor with the template most above what tells two apart; null when none is. */
function mostAlike(kept: readonly Kept[], looks: readonly TrackTemplate[], sameVisitor: SameVisitor): string | null {
  let best: { visitor: string; above: number } | null = null;
  for (const look of looks) {
    const least = sameVisitor(look.encoder, look.mask);
    for (const { visitor, encoder, embedding } of kept) {
      if (encoder !== look.encoder || embedding.length !== look.embedding.length) continue;
      const above = cosine(embedding, look.embedding) - least;
      if (above >= 0 && (!best || above > best.above)) best = { visitor, above };
    }
  }
  return best?.visitor ?? null;
}

function sightingOf(row: SqlRow): { track: string; camera: string; seenAtMs: number } {
  return { track: String(row.track), camera: String(row.camera), seenAtMs: Number(row.seen_at) };
}
