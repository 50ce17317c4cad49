-- Version 4. Append-only, like every migration: the next change of the schema is 0005.
-- What was in the tables of version 3 is moved by src/upgrade.rs, which drops them.

ALTER TABLE sample RENAME TO sample_3;
ALTER TABLE latest RENAME TO latest_3;
ALTER TABLE unacked RENAME TO unacked_3;

CREATE TABLE journal (
  batch INTEGER NOT NULL PRIMARY KEY,
  samples INTEGER NOT NULL CHECK (samples > 0),
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE packets (
  batch INTEGER NOT NULL PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE run (
  run INTEGER NOT NULL PRIMARY KEY,
  tier INTEGER NOT NULL CHECK (tier IN (0, 1, 2, 3)),
  level INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('building', 'live', 'gone')),
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE block (
  block INTEGER NOT NULL PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (run),
  first_series INTEGER NOT NULL,
  last_series INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE INDEX block_place ON block (run, last_series);

CREATE TABLE latest (
  block INTEGER NOT NULL PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
