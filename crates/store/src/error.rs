//! What can go wrong with the cache, as a person should read it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// `SQLITE_IOERR_SHMSIZE`: the shared-memory file of the write-ahead log could not grow, which means the disk is full.
const SHM_COULD_NOT_GROW: i32 = 10 | (19 << 8);

/// Why the cache could not be opened, written or read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Another instance has it open.
    #[error("{} is in use by another Fleetlens; close that one, or choose another profile", .path.display())]
    InUse {
        /// The cache.
        path: PathBuf,
    },
    /// A newer program wrote it. Nothing was changed.
    #[error("{} was written by a newer Fleetlens (schema {found}, this one knows {known}); update Fleetlens", .path.display())]
    Newer {
        /// The cache.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// An older program wrote it, and it is only to be read. Nothing was changed.
    #[error("{} was written by an older Fleetlens (schema {found}, this one reads {known}); open it once in the app, which brings it up to date", .path.display())]
    Older {
        /// The cache.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The one this program reads.
        known: i64,
    },
    /// It belongs to another profile. Nothing was changed.
    #[error("{} is the cache of the profile {found:?}, not of {wanted:?}; each profile needs a file of its own", .path.display())]
    OtherProfile {
        /// The cache.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// An SQLite file, but not ours. Nothing was changed.
    #[error("{} is the database of another program; move it away, or choose another place for the cache", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Not an SQLite file. Nothing was changed.
    #[error("{} is not a database; move it away to start with an empty cache", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// An SQLite file of ours that is damaged.
    #[error("{} is damaged ({detail}); move it away to start with an empty cache", .path.display())]
    Corrupt {
        /// The cache.
        path: PathBuf,
        /// What SQLite or the reader says.
        detail: String,
    },
    /// No room left where it is.
    #[error("the disk is full: {} cannot grow; free some space, it goes on by itself", .path.display())]
    DiskFull {
        /// The cache.
        path: PathBuf,
    },
    /// The file or its folder cannot be opened, read or written.
    #[error("{} cannot be used ({detail}); check that the folder is there and may be written", .path.display())]
    Io {
        /// The cache.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// A row that a person waits for, a command, an alarm or an entry of the audit log, breaks a rule and would break it every time. It alone was left out; the
    /// rest of its batch is stored.
    #[error("{reason} ({which}), which is a fault of this program; the rest of its batch is stored")]
    LeftOut {
        /// Which one.
        which: String,
        /// What it was and the rule it broke.
        reason: String,
    },
    /// More batches wait than the queue holds; nothing of this one was taken.
    #[error("the cache is {waiting} batches behind; the disk does not keep up")]
    Behind {
        /// How many wait.
        waiting: usize,
    },
    /// It was closed.
    #[error("the cache is closed")]
    Closed,
    /// Anything else SQLite says.
    #[error("the cache failed: {0}")]
    Sqlite(String),
}

/// Whether a write broke a rule, ours or the schema's, so that it would break it every time.
pub(crate) fn breaks_a_rule(error: &rusqlite::Error) -> bool {
    let rules = [ErrorCode::ConstraintViolation, ErrorCode::TypeMismatch, ErrorCode::TooBig];
    matches!(error, rusqlite::Error::ToSqlConversionFailure(_))
        || error.sqlite_error_code().is_some_and(|code| rules.contains(&code))
}

/// Whether stored bytes are not what was stored.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    let unreadable = matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    );
    unreadable || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

impl StoreError {
    /// Whether the file is of no use and may be moved away for a new one: not a database, or damaged.
    pub fn is_broken_file(&self) -> bool {
        matches!(self, StoreError::NotADatabase { .. } | StoreError::Corrupt { .. })
    }

    /// Whether the same batch would never be taken whole; anything else is worth another try.
    pub fn is_permanent(&self) -> bool {
        matches!(self, StoreError::LeftOut { .. })
    }

    /// Names what SQLite met at `path`.
    pub(crate) fn at(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = path.to_owned();
        move |error| StoreError::of(&path, &error)
    }

    fn of(path: &Path, error: &rusqlite::Error) -> StoreError {
        let path = path.to_owned();
        let detail = error.to_string();
        let Some(code) = error.sqlite_error_code() else {
            return if is_damage(error) { StoreError::Corrupt { path, detail } } else { StoreError::Sqlite(detail) };
        };
        let full = code == ErrorCode::DiskFull
            || error.sqlite_error().is_some_and(|error| error.extended_code == SHM_COULD_NOT_GROW);
        if full {
            StoreError::DiskFull { path }
        } else if code == ErrorCode::NotADatabase {
            StoreError::NotADatabase { path }
        } else if code == ErrorCode::DatabaseCorrupt {
            StoreError::Corrupt { path, detail }
        } else if [ErrorCode::CannotOpen, ErrorCode::ReadOnly, ErrorCode::PermissionDenied, ErrorCode::SystemIoFailure]
            .contains(&code)
        {
            StoreError::Io { path, detail }
        } else {
            StoreError::Sqlite(detail)
        }
    }

    /// Names what the file system said.
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + use<> {
        let path = path.to_owned();
        move |error| {
            let path = path.clone();
            if error.kind() == std::io::ErrorKind::StorageFull {
                StoreError::DiskFull { path }
            } else {
                StoreError::Io { path, detail: error.to_string() }
            }
        }
    }
}
