-- Schema 2: data sets and their parts, votes between two candidates, ratings on other scales, imports under way.

ALTER TABLE groups ADD COLUMN data_set TEXT;
ALTER TABLE groups ADD COLUMN split TEXT;
-- 1: made here by an editor, and kept when the group's record is imported anew.
ALTER TABLE candidates ADD COLUMN made INTEGER NOT NULL DEFAULT 0 CHECK (made IN (0, 1));
CREATE INDEX groups_by_set ON groups (data_set) WHERE data_set IS NOT NULL;

-- Each with the candidate of the smaller number first, so that a pair of candidates is one pair whoever came first.
CREATE TABLE votes (
    a          INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    b          INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    annotator  INTEGER NOT NULL REFERENCES annotators (id),
    axis       TEXT NOT NULL CHECK (axis IN ('if', 'vq', 'overall')),
    choice     TEXT NOT NULL CHECK (choice IN ('a', 'b', 'tie', 'both-good', 'both-bad')),
    count_a    REAL,
    count_b    REAL,
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    simulated  INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    imported   INTEGER NOT NULL CHECK (imported IN (0, 1)),
    PRIMARY KEY (a, b, annotator, axis),
    CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_by_b ON votes (b);

-- What is not on the scale from 1 to 4, as published.
CREATE TABLE ratings (
    candidate INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    name      TEXT NOT NULL,
    value     REAL NOT NULL,
    low       REAL,
    high      REAL,
    imported  INTEGER NOT NULL CHECK (imported IN (0, 1)),
    PRIMARY KEY (candidate, annotator, name)
) STRICT, WITHOUT ROWID;

-- Imports that have begun and not ended, with the records that are stored already. The id is of file, stamp and options.
CREATE TABLE imports (
    id   BLOB PRIMARY KEY,
    done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What annotators did in the program, step by step: a step is what one keypress or one ranking said, and is undone as a whole.
-- `detail` is JSON: what was said, and what was there before.
CREATE TABLE steps (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL, -- milliseconds since 1970
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    session   TEXT NOT NULL,
    group_id  INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    detail    TEXT NOT NULL,
    undone    INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1))
) STRICT;
CREATE INDEX steps_by_annotator ON steps (annotator, undone, id);
CREATE INDEX steps_by_group ON steps (group_id);
