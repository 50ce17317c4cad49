-- The detail of an alarm keeps its whole state from here on: shelved, out of service, waiting for a reset, and what runs towards its
-- next change. Details of before are read as what they say. What came and went while people were not told of it is over without
-- anybody's acknowledgement, and what is hidden is not over though it may be neither active nor wait for one: so what is open does not
-- follow from the two bits any more.
CREATE TABLE alarm_7 (
  alarm INTEGER NOT NULL PRIMARY KEY,
  thing INTEGER NOT NULL REFERENCES thing (thing),
  rule TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('warning', 'critical')),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),
  -- When nothing was left to do about it; NULL while it is open or hidden.
  ended_ms INTEGER CHECK (ended_ms IS NULL OR active = 0),
  detail TEXT NOT NULL
) STRICT;

INSERT INTO alarm_7 SELECT * FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_7 RENAME TO alarm;

CREATE INDEX alarm_open ON alarm (alarm) WHERE ended_ms IS NULL;
CREATE INDEX alarm_ended ON alarm (ended_ms, alarm) WHERE ended_ms IS NOT NULL;
