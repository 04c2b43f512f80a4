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
  // What a fleet, consent and the law ask for. people.version is the gallery's version when the person or one of their
  // templates changed last; origin says who decides about the person. Triggers keep the audit trail append-only.
  `ALTER TABLE people ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE people ADD COLUMN origin TEXT NOT NULL DEFAULT 'device' CHECK (origin IN ('device', 'fleet'));
   ALTER TABLE people ADD COLUMN consent_note TEXT;
   UPDATE people SET version = (SELECT version FROM meta);
   CREATE INDEX people_by_version ON people (version);
   CREATE INDEX people_by_retention ON people (retain_until) WHERE retain_until IS NOT NULL;
   CREATE TABLE tombstones (
     person     TEXT PRIMARY KEY,
     deleted_at INTEGER NOT NULL,
     version    INTEGER NOT NULL,
     reason     TEXT NOT NULL CHECK (reason IN ('removed', 'expired', 'fleet'))
   ) STRICT;
   CREATE INDEX tombstones_by_version ON tombstones (version);
   CREATE TABLE audit (
     id      INTEGER PRIMARY KEY AUTOINCREMENT,
     at      INTEGER NOT NULL,
     actor   TEXT NOT NULL,
     action  TEXT NOT NULL,
     person  TEXT,
     version INTEGER NOT NULL,
     detail  TEXT NOT NULL CHECK (json_valid(detail))
   ) STRICT;
   CREATE INDEX audit_by_person ON audit (person, id);
   CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
     BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
   CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
     BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
   CREATE TABLE crops (
     person         TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
     picture_sha256 TEXT NOT NULL CHECK (length(picture_sha256) = 64),
     side           INTEGER NOT NULL CHECK (side > 0),
     data_key       INTEGER NOT NULL REFERENCES data_keys (id),
     pixels         BLOB NOT NULL,
     PRIMARY KEY (person, picture_sha256)
   ) STRICT;
   CREATE TABLE state (
     key   TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT;`,
];

/** What a gallery file holds. */
export const GALLERY_SCHEMA = { applicationId: APPLICATION_ID, migrations: MIGRATIONS } as const;
