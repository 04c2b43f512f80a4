import { type Denial, type Denials, type DeniedTrack, NO_DENIALS } from './denial.ts';
import type { SqliteStoreConnection } from './sqlite-store-connection.ts';
import { TEMPLATE_COLUMNS, templateOfRow, valuesOf } from './track-template-rows.ts';
import type { TrackTemplate } from './visitor.ts';

/** Tracks denied of a person that are kept, the latest ones. */
const DENIALS_A_PERSON = 32;

/** What was said that tracks are not, in the file of visitors. What writes runs within a transaction of the caller's. */
export class SqliteDenials {
  readonly #connection: SqliteStoreConnection;
  readonly #key: Uint8Array | null;
  /** Newest denial and how many there are, when they were read. */
  #mark = 'null 0';
  #read = { dataVersion: -1, denials: NO_DENIALS };

  /** @param key what embeddings are encrypted with */
  constructor(connection: SqliteStoreConnection, key: Uint8Array | null) {
    this.#connection = connection;
    this.#key = key;
  }

  /** Of a person the latest {@link DENIALS_A_PERSON} tracks stay. */
  add({ person, track, deniedAtMs }: DeniedTrack, templates: readonly TrackTemplate[]): void {
    for (const template of templates) {
      this.#connection.run(
        `INSERT INTO denials (person, track, denied_at, ${TEMPLATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [person, track, deniedAtMs, ...valuesOf(template, this.#key)],
      );
    }
    this.#connection.run(
      `DELETE FROM denials WHERE person = ? AND track NOT IN
         (SELECT track FROM denials WHERE person = ? GROUP BY track ORDER BY max(denied_at) DESC, max(id) DESC LIMIT ?)`,
      [person, person, DENIALS_A_PERSON],
    );
    this.#read.dataVersion = -1;
  }

  /** Takes back what was said of a person; gives the number of tracks. */
  remove(person: string): number {
    const tracks = this.#connection.get('SELECT count(DISTINCT track) AS n FROM denials WHERE person = ?', [person]);
    this.#connection.run('DELETE FROM denials WHERE person = ?', [person]);
    this.#read.dataVersion = -1;
    return Number(tracks?.n ?? 0);
  }

  removeAll(): void {
    this.#connection.run('DELETE FROM denials');
    this.#read.dataVersion = -1;
  }

  /** Said last first. */
  list(): DeniedTrack[] {
    const rows = this.#connection.rows(
      'SELECT person, track, max(denied_at) AS at FROM denials GROUP BY person, track ORDER BY at DESC, track',
    );
    return Array.from(rows, ({ person, track, at }) => ({
      person: String(person),
      track: String(track),
      deniedAtMs: Number(at),
    }));
  }

  /** All that was said; read again when this or another process changed it. */
  all(): Denials {
    const dataVersion = this.#connection.dataVersion();
    const known = this.#read.denials;
    if (this.#read.dataVersion === dataVersion) return known;
    const newest = this.#connection.get('SELECT max(id) AS id, count(*) AS n FROM denials');
    const mark = `${newest?.id} ${newest?.n}`;
    // The file changes with each visitor; what was said seldom does.
    const denials = mark === this.#mark ? known : this.#load(known.version + 1);
    this.#mark = mark;
    this.#read = { dataVersion, denials };
    return denials;
  }

  #load(version: number): Denials {
    const looks = [...this.#connection.rows('SELECT * FROM denials')].flatMap((row): Denial[] => {
      const template = templateOfRow(row, this.#key);
      if (!template) return [];
      return [{ ...template, person: String(row.person), track: String(row.track), deniedAtMs: Number(row.denied_at) }];
    });
    return { version, people: new Set(looks.map(({ person }) => person)), looks };
  }
}
