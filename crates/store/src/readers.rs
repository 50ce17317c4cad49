//! Reading beside the writer: a few read-only connections, opened when they are first needed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::StoreError;
use crate::open::open_reader;

/// How many read at once; more wait for their turn.
const READERS: usize = 4;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, idle: Mutex::new(Vec::new()), places: Semaphore::new(READERS) }
    }

    /// Lets `read` run on a thread for blocking work. Dropping the future does not stop a read that has begun.
    pub async fn read<T: Send + 'static>(
        self: Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self);
        let _place = self.places.acquire().await.map_err(|_| StoreError::Closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            let idle = readers.idle().pop();
            let db = match idle {
                Some(db) => db,
                None => open_reader(&readers.path)?,
            };
            let found = read(&db);
            if !readers.places.is_closed() {
                readers.idle().push(db);
            }
            found
        });
        reading.await.map_err(|error| StoreError::Sqlite(format!("a read ended badly: {error}")))?
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
