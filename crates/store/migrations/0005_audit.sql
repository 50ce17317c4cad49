-- Version 5. Append-only, like every migration: the next change of the schema is 0006.

CREATE TABLE audit (
  seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL CHECK (author IN ('person', 'device', 'broker', 'service', 'program')),
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  thing TEXT NOT NULL,
  shadow TEXT NOT NULL,
  command INTEGER,
  trace TEXT NOT NULL,
  event TEXT NOT NULL,
  after_ms INTEGER,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Against mistakes; whoever wants to can take them away, which the hashes then tell.
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

CREATE TRIGGER audit_unshortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
