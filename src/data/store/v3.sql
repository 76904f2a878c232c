-- Schema 3: what was measured on pairs of images, words on candidates, and candidates that somebody put together.

-- Measures belong to contents (the key is a hash of the source's and the candidate's hashes), not to rows or paths. `version`
-- counts up when a formula changes; what an older one gave is measured again. `numbers` are f64, little-endian, in the order of
-- that version, NaN where undefined; `reasons` is JSON by measure, NULL where all are defined.
CREATE TABLE measures (
    key     BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    numbers BLOB NOT NULL,
    reasons TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    tag       TEXT NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (candidate, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_tag ON tags (tag);

-- `origin` says in words how it came about: a filter, a range of a plot.
CREATE TABLE selections (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    at     INTEGER NOT NULL -- milliseconds since 1970
) STRICT;
CREATE TABLE selected (
    selection INTEGER NOT NULL REFERENCES selections (id) ON DELETE CASCADE,
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    PRIMARY KEY (selection, candidate)
) STRICT, WITHOUT ROWID;
CREATE INDEX selected_by_candidate ON selected (candidate);
