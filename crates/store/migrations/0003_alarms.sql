-- Version 3. Append-only, like every migration: the next change of the schema is 0004.

CREATE TABLE alarm (
  alarm INTEGER NOT NULL PRIMARY KEY,
  thing INTEGER NOT NULL REFERENCES thing (thing),
  rule TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('warning', 'critical')),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),
  -- When nothing was left to do about it; NULL while it is open.
  ended_ms INTEGER CHECK ((ended_ms IS NULL) = (active = 1 OR acknowledged = 0)),
  detail TEXT NOT NULL
) STRICT;

CREATE INDEX alarm_open ON alarm (alarm) WHERE ended_ms IS NULL;
CREATE INDEX alarm_ended ON alarm (ended_ms, alarm) WHERE ended_ms IS NOT NULL;

-- Ended commands go by their age.
CREATE INDEX command_aged ON command (asked_ms) WHERE open = 0;
