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
