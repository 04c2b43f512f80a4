/**
 * What a file of visitors holds. A sighting is one track that was decided: a stranger's belongs to a visitor, one of
 * somebody known has their id, and is kept so that a mistake can be told from it. A denial is
 * what a track looked like of which somebody said that it is not a person. Times are milliseconds since the epoch;
 * embeddings are float32 little endian.
 */
export const VISITOR_SCHEMA = {
  /** "EYLV" */
  applicationId: 0x45594c56,
  migrations: [
    `CREATE TABLE visitors (
       id         TEXT PRIMARY KEY,
       person     TEXT,
       first_seen INTEGER NOT NULL,
       last_seen  INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE sightings (
       id      INTEGER PRIMARY KEY,
       track   TEXT NOT NULL,
       camera  TEXT NOT NULL,
       seen_at INTEGER NOT NULL,
       visitor TEXT REFERENCES visitors (id) ON DELETE CASCADE,
       person  TEXT,
       CHECK ((visitor IS NULL) <> (person IS NULL))
     ) STRICT;
     CREATE INDEX sightings_by_visitor ON sightings (visitor, seen_at);
     CREATE INDEX sightings_by_time ON sightings (seen_at);
     CREATE TABLE templates (
       id        INTEGER PRIMARY KEY,
       sighting  INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE,
       encoder   TEXT NOT NULL,
       part      TEXT NOT NULL CHECK (part IN ('full', 'upper')),
       mask      TEXT CHECK (mask IN ('none', 'worn', 'incorrect')),
       embedding BLOB NOT NULL,
       quality   REAL NOT NULL CHECK (quality BETWEEN 0 AND 1)
     ) STRICT;
     CREATE INDEX templates_by_sighting ON templates (sighting);`,
    `CREATE TABLE denials (
       id        INTEGER PRIMARY KEY AUTOINCREMENT,
       person    TEXT NOT NULL,
       track     TEXT NOT NULL,
       denied_at INTEGER NOT NULL,
       encoder   TEXT NOT NULL,
       part      TEXT NOT NULL CHECK (part IN ('full', 'upper')),
       mask      TEXT CHECK (mask IN ('none', 'worn', 'incorrect')),
       embedding BLOB NOT NULL,
       quality   REAL NOT NULL CHECK (quality BETWEEN 0 AND 1)
     ) STRICT;
     CREATE INDEX denials_by_person ON denials (person, denied_at);`,
  ],
} as const;
