-- Version 1. Append-only: a file that was ever released is never changed; the next change of the schema is 0002.
-- What each table means stands at the head of src/table/<table>.rs.

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thing (
  thing INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  meta TEXT NOT NULL
) STRICT;

CREATE TABLE series (
  series INTEGER NOT NULL PRIMARY KEY,
  thing INTEGER NOT NULL REFERENCES thing (thing),
  pointer TEXT NOT NULL,
  UNIQUE (thing, pointer)
) STRICT;

CREATE TABLE sample (
  series INTEGER NOT NULL REFERENCES series (series),
  device_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  value ANY NOT NULL,
  source INTEGER NOT NULL CHECK (source IN (0, 1, 2)),
  quality INTEGER NOT NULL CHECK (quality IN (0, 1, 2, 3)),
  timed INTEGER NOT NULL CHECK (timed IN (0, 1)),
  PRIMARY KEY (series, device_ms, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest (
  series INTEGER NOT NULL PRIMARY KEY REFERENCES series (series),
  device_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  value ANY NOT NULL,
  source INTEGER NOT NULL CHECK (source IN (0, 1, 2)),
  quality INTEGER NOT NULL CHECK (quality IN (0, 1, 2, 3)),
  timed INTEGER NOT NULL CHECK (timed IN (0, 1))
) STRICT;

CREATE TABLE shadow (
  thing INTEGER NOT NULL REFERENCES thing (thing),
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  heard_ms INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (thing, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE command (
  command INTEGER NOT NULL PRIMARY KEY,
  thing INTEGER NOT NULL REFERENCES thing (thing),
  shadow TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE,
  phase TEXT NOT NULL CHECK (
    phase IN ('pending', 'sent', 'accepted', 'rejected', 'settled', 'overtaken', 'expired', 'cancelled')
  ),
  open INTEGER NOT NULL CHECK (open IN (0, 1)),
  asked_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  wants TEXT NOT NULL,
  detail TEXT NOT NULL,
  steps TEXT NOT NULL
) STRICT;

CREATE INDEX command_open ON command (command) WHERE open = 1;
CREATE INDEX command_ended ON command (thing, command) WHERE open = 0;

CREATE TABLE unacked (
  packet_id INTEGER NOT NULL PRIMARY KEY CHECK (packet_id BETWEEN 1 AND 65535),
  digest INTEGER NOT NULL
) STRICT;

CREATE TABLE refusal (
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count > 0),
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (topic, reason)
) STRICT, WITHOUT ROWID;

CREATE INDEX refusal_by_time ON refusal (last_ms);
