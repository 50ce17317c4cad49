//! Read-only connections that are kept between reads, so that tiles load side by side without waiting for each other.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

/// How many idle connections are kept; a map loads about this many tiles at once.
const KEPT: usize = 4;

/// How long one lending may compute. A tile takes far less than a millisecond; `tiles` of a hostile file may be a view that never ends.
const LONGEST: Duration = Duration::from_secs(2);

/// Steps of SQLite's machine between two looks at the clock. A tile takes fewer.
const STEPS: i32 = 10_000;

/// The largest value that is read: a hostile one may have a gigabyte. Descriptions that list every value of every layer stay below.
const VALUE_MAX_BYTES: i32 = 8 * 1024 * 1024;

/// Where the tiles are, and the connections nobody is using.
#[derive(Debug)]
pub struct Connections {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Growing(PathBuf),
    Bytes(&'static [u8]),
}

impl Connections {
    /// To a file.
    pub fn to_file(path: &Path) -> Connections {
        Connections { place: Place::File(path.to_owned()), idle: Mutex::default() }
    }

    /// To a file that is written meanwhile.
    pub fn to_growing(path: &Path) -> Connections {
        Connections { place: Place::Growing(path.to_owned()), idle: Mutex::default() }
    }

    /// To a database that is part of the program.
    pub fn to_bytes(bytes: &'static [u8]) -> Connections {
        Connections { place: Place::Bytes(bytes), idle: Mutex::default() }
    }

    /// Lends a connection; opens one when all are in use. The lock is not held while it is used. What is asked of it fails once it has
    /// computed for [`LONGEST`], and on a value over [`VALUE_MAX_BYTES`].
    pub fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let begun = Instant::now();
        connection.progress_handler(STEPS, Some(move || begun.elapsed() > LONGEST))?;
        let result = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(result)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = match &self.place {
            Place::File(path) => {
                let flags =
                    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(uri(path), flags)?
            }
            Place::Growing(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(path, flags)?;
                connection.busy_timeout(LONGEST)?;
                connection
            }
            Place::Bytes(bytes) => {
                let mut connection = Connection::open_in_memory()?;
                connection.deserialize_bytes("main", bytes)?;
                connection
            }
        };
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES)?;
        Ok(connection)
    }
}

/// The file as SQLite's URI. `immutable`: no locks and no journal, so that a file on a read-only disk opens too
/// (SQLite, "Uniform Resource Identifiers", 3.1).
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) && bytes.get(1) == Some(&b':') {
        uri.push('/');
    }
    for byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
