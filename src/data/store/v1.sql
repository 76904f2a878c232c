-- Schema 1 of a workspace. Never edit this file once released: write the next step beside it.

PRAGMA application_id = 0x65727731; -- "erw1"

-- An image path, relative to the folder of the workspace or absolute. The rest is filled when the file is first read, and
-- holds only while the file has that size and modification time (nanoseconds since 1970). A hash without them was told of a
-- file that could not be read, and holds only while it cannot.
CREATE TABLE images (
    id    INTEGER PRIMARY KEY,
    path  TEXT NOT NULL UNIQUE,
    hash  TEXT,
    size  INTEGER,
    mtime INTEGER
) STRICT;
CREATE INDEX images_by_hash ON images (hash) WHERE hash IS NOT NULL;

CREATE TABLE groups (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    source      INTEGER NOT NULL REFERENCES images (id),
    instruction TEXT NOT NULL,
    category    TEXT,
    candidates  INTEGER NOT NULL,
    agreement   REAL,
    -- Of the record it was imported from, so that importing it again is one look.
    digest      BLOB
) STRICT;
CREATE INDEX groups_by_source ON groups (source);

CREATE TABLE candidates (
    id       INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    key      TEXT NOT NULL,
    image    INTEGER NOT NULL REFERENCES images (id),
    editor   TEXT,
    seed     INTEGER, -- the bits of an unsigned number
    fault    TEXT,
    UNIQUE (group_id, key)
) STRICT;
CREATE INDEX candidates_by_image ON candidates (image);

CREATE TABLE annotators (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE labels (
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    axis      TEXT NOT NULL CHECK (axis IN ('if', 'vq')),
    score     REAL NOT NULL CHECK (score BETWEEN 1 AND 4),
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    -- 1: from a file, and replaced when that file's record changes; 0: given in the program, and kept.
    imported  INTEGER NOT NULL CHECK (imported IN (0, 1)),
    PRIMARY KEY (candidate, annotator, axis)
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE
) STRICT;

-- What a model said of (source content, candidate content, instruction), whose hash is the key: a score belongs to contents,
-- not to rows or paths. A log sigma is -Inf where a model has no uncertainty; an axis is NULL where it has no such axis.
CREATE TABLE scores (
    model        INTEGER NOT NULL REFERENCES models (id),
    key          BLOB NOT NULL,
    mean         REAL NOT NULL,
    log_sigma    REAL NOT NULL,
    if_mean      REAL,
    if_log_sigma REAL,
    vq_mean      REAL,
    vq_log_sigma REAL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;

-- What a list shows of a group's scores: aggregate means in candidate order, four bytes each (f32, little-endian, NaN for
-- none). Derived from the tables above and kept in step by every writer, so that listing 200,000 groups is one merge.
CREATE TABLE shown (
    model    INTEGER NOT NULL REFERENCES models (id),
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    means    BLOB NOT NULL,
    PRIMARY KEY (model, group_id)
) STRICT, WITHOUT ROWID;
