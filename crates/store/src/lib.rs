//! The local SQLite cache: one writer, many readers.
