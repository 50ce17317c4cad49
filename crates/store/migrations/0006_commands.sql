-- Version 6. Append-only, like every migration: the next change of the schema is 0007.

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
