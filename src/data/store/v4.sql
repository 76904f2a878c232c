-- Schema 4: selections have versions, what they were made by, and a reason for every candidate; near duplicates.

-- Both tables anew, because a name was unique; nothing refers to them but each other. `recipe` is JSON: how it was curated;
-- NULL of what somebody put together. `model` is the fingerprint of the model whose scores decided.
CREATE TABLE versions (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    origin  TEXT NOT NULL,
    at      INTEGER NOT NULL, -- milliseconds since 1970
    recipe  TEXT,
    model   TEXT,
    UNIQUE (name, version)
) STRICT;
INSERT INTO versions (id, name, version, origin, at) SELECT id, name, 1, origin, at FROM selections;
CREATE TABLE members (
    selection INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    PRIMARY KEY (selection, candidate)
) STRICT, WITHOUT ROWID;
INSERT INTO members SELECT selection, candidate FROM selected;
DROP TABLE selected;
DROP TABLE selections;
ALTER TABLE versions RENAME TO selections;
ALTER TABLE members RENAME TO selected;
CREATE INDEX selected_by_candidate ON selected (candidate);

-- Why each candidate was kept or dropped, thousands a row, since a million rows a version would be too many: from candidate
-- `first` on, each as the distance from the one before (LEB128), a code, and for near duplicates of which (LEB128).
CREATE TABLE verdicts (
    selection INTEGER NOT NULL REFERENCES selections (id) ON DELETE CASCADE,
    first     INTEGER NOT NULL,
    codes     BLOB NOT NULL,
    PRIMARY KEY (selection, first)
) STRICT, WITHOUT ROWID;

-- Decisions that people looked at, and whether they agree. Where they do not, the candidate is in `selected` against its verdict,
-- or out of it.
CREATE TABLE spot_checks (
    selection INTEGER NOT NULL REFERENCES selections (id) ON DELETE CASCADE,
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    -- Whether the recipe kept it.
    kept      INTEGER NOT NULL CHECK (kept IN (0, 1)),
    agrees    INTEGER NOT NULL CHECK (agrees IN (0, 1)),
    at        INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (selection, candidate)
) STRICT, WITHOUT ROWID;

-- Perceptual hashes (64 bits) of images by the hash of their content.
CREATE TABLE looks (
    hash TEXT PRIMARY KEY,
    bits INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
