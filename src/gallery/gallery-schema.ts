/** Marks the file as an Eyeline gallery (PRAGMA application_id): "EYLG". A file of another program is left alone. */
export const APPLICATION_ID = 0x45594c47;

/**
 * The steps from an empty file to the schema of today: step `i` takes `PRAGMA user_version` from `i` to `i + 1`.
 * A step that was released never changes again. Times are milliseconds since the epoch; embeddings are float32 little endian,
 * from step 2 on sealed (sealed.ts) under the data key named; a row without a key is of step 1 and is sealed when the gallery is opened.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE people (
     id           TEXT PRIMARY KEY,
     name         TEXT NOT NULL UNIQUE,
     consent_at   INTEGER,
     retain_until INTEGER,
     created_at   INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE templates (
     id             INTEGER PRIMARY KEY,
     person         TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
     encoder        TEXT NOT NULL,
     part           TEXT NOT NULL CHECK (part IN ('full', 'upper')),
     dimension      INTEGER NOT NULL CHECK (dimension > 0),
     embedding      BLOB NOT NULL CHECK (length(embedding) = 4 * dimension),
     quality        REAL NOT NULL CHECK (quality BETWEEN 0 AND 1),
     mask           TEXT CHECK (mask IN ('none', 'worn', 'incorrect')),
     source_file    TEXT NOT NULL,
     picture_sha256 TEXT NOT NULL CHECK (length(picture_sha256) = 64),
     created_at     INTEGER NOT NULL,
     UNIQUE (person, picture_sha256, encoder, part)
   ) STRICT;
   CREATE INDEX templates_by_encoder ON templates (encoder, part, person);
   CREATE TABLE meta (
     id      INTEGER PRIMARY KEY CHECK (id = 1),
     version INTEGER NOT NULL
   ) STRICT;
   INSERT INTO meta (id, version) VALUES (1, 0);`,
  `CREATE TABLE data_keys (
     id         INTEGER PRIMARY KEY AUTOINCREMENT,
     wrapped    BLOB NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE sealed_templates (
     id             INTEGER PRIMARY KEY,
     person         TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
     encoder        TEXT NOT NULL,
     part           TEXT NOT NULL CHECK (part IN ('full', 'upper')),
     dimension      INTEGER NOT NULL CHECK (dimension > 0),
     data_key       INTEGER REFERENCES data_keys (id),
     embedding      BLOB NOT NULL,
     quality        REAL NOT NULL CHECK (quality BETWEEN 0 AND 1),
     mask           TEXT CHECK (mask IN ('none', 'worn', 'incorrect')),
     source_file    TEXT NOT NULL,
     picture_sha256 TEXT NOT NULL CHECK (length(picture_sha256) = 64),
     created_at     INTEGER NOT NULL,
     UNIQUE (person, picture_sha256, encoder, part)
   ) STRICT;
   INSERT INTO sealed_templates
     SELECT id, person, encoder, part, dimension, NULL, embedding, quality, mask, source_file, picture_sha256, created_at
     FROM templates;
   DROP TABLE templates;
   ALTER TABLE sealed_templates RENAME TO templates;
   CREATE INDEX templates_by_encoder ON templates (encoder, part, person);`,
];

/** The schema this program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** What a gallery file holds. */
export const GALLERY_SCHEMA = { applicationId: APPLICATION_ID, migrations: MIGRATIONS } as const;
