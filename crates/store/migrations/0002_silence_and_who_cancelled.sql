-- Version 2. Append-only, like every migration: the next change of the schema is 0003.

ALTER TABLE thing ADD COLUMN silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1));

-- JSON of the person who took the command back; empty when nobody did.
ALTER TABLE command ADD COLUMN cancelled_by TEXT NOT NULL DEFAULT '';
