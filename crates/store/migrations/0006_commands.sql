-- Version 6. Append-only, like every migration: the next change of the schema is 0007.

CREATE TABLE shadow_change (
  change INTEGER NOT NULL PRIMARY KEY CHECK (change > 0),
  thing INTEGER NOT NULL REFERENCES thing (thing),
  shadow TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  version INTEGER NOT NULL,
  heard_ms INTEGER NOT NULL,
  author TEXT NOT NULL CHECK (author IN ('device', 'person', 'program', 'other', 'unheard')),
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  command INTEGER,
  token TEXT NOT NULL,
  leaves TEXT NOT NULL,
  more INTEGER NOT NULL CHECK (more >= 0)
) STRICT;

CREATE INDEX shadow_change_of ON shadow_change (thing, shadow, change, number);
CREATE INDEX shadow_change_by_time ON shadow_change (heard_ms);

CREATE TABLE bulk (
  bulk INTEGER NOT NULL PRIMARY KEY CHECK (bulk > 0),
  asked_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'held', 'aborted', 'stopped', 'done')),
  head TEXT NOT NULL
) STRICT;

CREATE TABLE bulk_thing (
  bulk INTEGER NOT NULL REFERENCES bulk (bulk),
  place INTEGER NOT NULL CHECK (place >= 0),
  thing INTEGER NOT NULL REFERENCES thing (thing),
  -- NULL while nothing was asked of it; the same command is never asked twice.
  command INTEGER UNIQUE,
  progress TEXT NOT NULL,
  PRIMARY KEY (bulk, place),
  UNIQUE (bulk, thing)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  job TEXT NOT NULL PRIMARY KEY,
  told TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_execution (
  job TEXT NOT NULL REFERENCES job (job),
  thing TEXT NOT NULL,
  told TEXT NOT NULL,
  PRIMARY KEY (job, thing)
) STRICT, WITHOUT ROWID;
