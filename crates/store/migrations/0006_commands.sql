-- Version 6. Append-only, like every migration: the next change of the schema is 0007.

CREATE TABLE bulk (
  bulk INTEGER NOT NULL PRIMARY KEY CHECK (bulk > 0),
  asked_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'aborted', 'stopped', 'done')),
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
