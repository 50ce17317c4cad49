-- A third priority, below the other two: advisory.
CREATE TABLE alarm_9 (
  alarm INTEGER NOT NULL PRIMARY KEY,
  thing INTEGER NOT NULL REFERENCES thing (thing),
  rule TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('advisory', 'warning', 'critical')),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),
  -- When nothing was left to do about it; NULL while it is open or hidden.
  ended_ms INTEGER CHECK (ended_ms IS NULL OR active = 0),
  detail TEXT NOT NULL
) STRICT;

INSERT INTO alarm_9 SELECT * FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_9 RENAME TO alarm;

CREATE INDEX alarm_open ON alarm (alarm) WHERE ended_ms IS NULL;
CREATE INDEX alarm_ended ON alarm (ended_ms, alarm) WHERE ended_ms IS NOT NULL;
