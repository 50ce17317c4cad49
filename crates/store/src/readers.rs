//! Reading beside the writer: a few read-only connections, opened when they are first needed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::StoreError;
use crate::history;
use crate::open::{kept, open_reader_of};

/// How many read at once; more wait for their turn.
const READERS: usize = 4;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    /// Whether it is read without its log, because nobody can write beside it.
    as_it_lies: bool,
    /// Why nothing of it can be read but what a start has read.
    may_be_read: Result<(), StoreError>,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    /// After the connections.
    _kept: Option<Arc<File>>,
}

impl Readers {
    pub fn new(path: PathBuf, as_it_lies: bool, may_be_read: Result<(), StoreError>) -> Readers {
        let places = Arc::new(Semaphore::new(READERS));
        let _kept = kept(&path).ok();
        Readers { path, as_it_lies, may_be_read, idle: Mutex::new(Vec::new()), places, _kept }
    }

    /// Opens the first connection now, so that the first question to a file that was just opened does not wait for it. Where that
    /// fails, whoever asks first is told.
    pub fn prepare(&self) {
        let ready = open_reader_of(&self.path, self.as_it_lies).ok().filter(|db| history::prepare(db).is_ok());
        self.idle().extend(ready);
    }

    /// Lets `read` run on a thread for blocking work. Dropping the future does not stop a read that has begun, nor give its place to
    /// another.
    pub async fn read<T: Send + 'static>(
        self: Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.may_be_read.clone()?;
        let readers = Arc::clone(&self);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            let idle = readers.idle().pop();
            let db = match idle {
                Some(db) => db,
                None => open_reader_of(&readers.path, readers.as_it_lies)?,
            };
            let found = read(&db);
            if !readers.places.is_closed() {
                readers.idle().push(db);
            }
            found
        });
        reading.await.map_err(|error| StoreError::Sqlite(format!("a read ended badly: {error}")))?
    }

    /// Another connection, for who reads for long and should keep nobody from his turn. Blocks on the disk.
    pub fn another(&self) -> Result<Connection, StoreError> {
        self.may_be_read.clone()?;
        if self.is_closed() {
            return Err(StoreError::Closed);
        }
        open_reader_of(&self.path, self.as_it_lies)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_closed(&self) -> bool {
        self.places.is_closed()
    }

    /// Takes no more reads and lets go of the file.
    pub fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // A list of connections has no half-changed state.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
