-- Version 8. What was learned of a series for rules that ask what is usual for it: of each day of the week its hours with their last
-- weeks. The day stands first in the key: what is written within an hour is of one day, and so lies together.
CREATE TABLE rhythm (
  weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  series INTEGER NOT NULL REFERENCES series (series),
  hours BLOB NOT NULL,
  PRIMARY KEY (weekday, series)
) STRICT, WITHOUT ROWID;

CREATE INDEX rhythm_of ON rhythm (series);

-- Where each thing is in a rule's state machine.
CREATE TABLE position (
  thing INTEGER NOT NULL REFERENCES thing (thing),
  rule TEXT NOT NULL,
  -- Since when its timers ran on; NULL when they stood still.
  running_ms INTEGER,
  position TEXT NOT NULL,
  PRIMARY KEY (thing, rule)
) STRICT, WITHOUT ROWID;
