//! The local cache in SQLite: what the app knew last, what was measured, and the outbox. One thread writes, a few read, and what
//! [`Store::commit`] has confirmed survives a kill and a power cut.
//!
//! Besides `tiles` the only crate that knows SQL. It performs [`Write`] and returns [`Restored`]; what to write is not decided
//! here. What does not belong here: rules about things and commands (`model`), acknowledgements (`engine`), a clock.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("malta.db");
//! use std::sync::Arc;
//!
//! use fleetlens_model::id::{ThingKey, ThingName};
//! use fleetlens_model::record::Write;
//! use fleetlens_store::Store;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let (store, before) = Store::open(&path, "malta", 4711)?;
//! assert!(before.things.is_empty());
//! let name = ThingName::new("lamp-0417")?;
//! let lamp = Write::Thing { thing: ThingKey(1), name, meta: Default::default() };
//! store.commit(Arc::new(vec![lamp])).await?; // now it is on the disk
//! store.close().await?;
//!
//! let (_store, restored) = Store::open(&path, "malta", 0)?;
//! assert_eq!(restored.things[0].1.as_str(), "lamp-0417");
//! assert_eq!(restored.installation, 4711);
//! # Ok(()) })
//! # }
//! ```

mod error;
mod open;
mod purge;
mod readers;
mod reading;
mod table;
mod transaction;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use fleetlens_model::record::{History, HistoryQuery, Refusal, Restored, Retention, StoreStats, Write};
use fleetlens_model::time::WallMs;
use tokio::sync::oneshot;

pub use error::StoreError;
pub use reading::Reading;

use open::Lock;
use readers::Readers;
use writer::{Batch, Counts, Keep, Order, Writer};

/// Batches that may wait for the writer. One that finds no place is refused rather than kept, so that a slow disk cannot fill the
/// memory; whoever has more waits for the answers first.
const QUEUE_BATCHES: usize = 4_096;

/// An open cache. Clones are the same one. [`Store::close`] it; when the last clone is dropped, the same happens, without telling.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writing: Mutex<Option<Writing>>,
    readers: Arc<Readers>,
    counts: Arc<Counts>,
    keep: Keep,
}

#[derive(Debug)]
struct Writing {
    queue: SyncSender<Order>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// A broken cache that was moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it is now.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub reason: StoreError,
}

impl Store {
    /// Opens the cache of `profile` at `path`, or makes it; `new_installation` is a random number for a new one. Blocks for as
    /// long as it takes to read what the last picture needs.
    ///
    /// Refuses, without changing the file: one that another instance has open, a newer schema's, another profile's, another
    /// program's, and what is no database. Older schemas are brought up to date.
    pub fn open(path: &Path, profile: &str, new_installation: u64) -> Result<(Store, Restored), StoreError> {
        let lock = Lock::take(path)?;
        let opened = open::open(path, profile, new_installation)?;
        Store::start(path, lock, opened)
    }

    /// Like [`Store::open`], but a file that is no database or is damaged is renamed to `<name>.broken-<wall ms>` and a new cache
    /// takes its place. Nothing is deleted.
    pub fn open_or_quarantine(
        path: &Path,
        profile: &str,
        new_installation: u64,
        now: WallMs,
    ) -> Result<(Store, Restored, Option<Quarantined>), StoreError> {
        let lock = Lock::take(path)?;
        let (opened, note) = match open::open(path, profile, new_installation) {
            Ok(opened) => (opened, None),
            Err(reason) if reason.is_broken_file() => {
                let moved_to = open::quarantine(path, now)?;
                tracing::warn!(%reason, moved_to = %moved_to.display(), "starting with an empty cache");
                (open::open(path, profile, new_installation)?, Some(Quarantined { moved_to, reason }))
            }
            Err(error) => return Err(error),
        };
        let (store, restored) = Store::start(path, lock, opened)?;
        Ok((store, restored, note))
    }

    fn start(
        path: &Path,
        lock: Lock,
        (db, restored): (rusqlite::Connection, Restored),
    ) -> Result<(Store, Restored), StoreError> {
        let counts = Arc::new(Counts::default());
        let keep = Keep::default();
        let writer = Writer::new(db, path.to_owned(), lock, Arc::clone(&counts), Arc::clone(&keep))?;
        let (queue, batches) = sync_channel(QUEUE_BATCHES);
        let thread = std::thread::Builder::new()
            .name("fleetlens-store".to_owned())
            .spawn(move || writer.run(&batches))
            .map_err(StoreError::io(path))?;
        let readers = Arc::new(Readers::new(path.to_owned()));
        let writing = Mutex::new(Some(Writing { queue, thread }));
        Ok((Store { inner: Arc::new(Inner { path: path.to_owned(), writing, readers, counts, keep }) }, restored))
    }

    /// Performs the writes in one transaction, after those of every earlier call; resolves when they are on the disk.
    ///
    /// They are queued by the call itself; dropping the future takes nothing back. On an error nothing of this batch is stored, and
    /// later batches are still taken. The same batch may be given again: every write can be repeated. A write that breaks a rule is
    /// no error: it alone is left out, see [`Store::left_out`]. But of a command or an alarm that was left out it is told
    /// ([`StoreError::LeftOut`]), because something is answered and sent on account of it; the rest of that batch is stored.
    pub fn commit(
        &self,
        writes: Arc<Vec<Write>>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static + use<> {
        let (done, outcome) = oneshot::channel();
        let queued = match &*self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(writing) => {
                writing.queue.try_send(Order::Write(Batch { writes, done })).map_err(|error| match error {
                    TrySendError::Full(_) => StoreError::Behind { waiting: QUEUE_BATCHES },
                    TrySendError::Disconnected(_) => StoreError::Closed,
                })
            }
            None => Err(StoreError::Closed),
        };
        async move {
            queued?;
            outcome.await.unwrap_or(Err(StoreError::Closed))
        }
    }

    /// Keeps no more than this from now on; until it is said, everything stays. What is over goes a little at a time, while no batch
    /// waits (see `purge.rs`): after this call, then hourly by age, and whenever the size is over its limit.
    pub fn set_retention(&self, retention: Retention) {
        *self.inner.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(retention);
        if let Some(writing) = &*self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner) {
            // A full queue wakes the writer too.
            _ = writing.queue.try_send(Order::Purge);
        }
    }

    /// A stretch of one series in buckets, in the order of time; texts have none. Needs a Tokio runtime, like every read.
    pub fn history(
        &self,
        query: HistoryQuery,
    ) -> impl Future<Output = Result<History, StoreError>> + Send + 'static + use<> {
        let at = StoreError::at(&self.inner.path);
        Arc::clone(&self.inner.readers).read(move |db| table::sample::history(db, &query).map_err(at))
    }

    /// How big and how old the cache is.
    pub fn stats(&self) -> impl Future<Output = Result<StoreStats, StoreError>> + Send + 'static + use<> {
        let path = self.inner.path.clone();
        Arc::clone(&self.inner.readers).read(move |db| open::stats(db, &path))
    }

    /// What was refused, the newest first; at most 1 000 different ones are kept.
    pub fn refusals(&self) -> impl Future<Output = Result<Vec<Refusal>, StoreError>> + Send + 'static + use<> {
        let at = StoreError::at(&self.inner.path);
        Arc::clone(&self.inner.readers).read(move |db| table::refusal::newest(db).map_err(at))
    }

    /// How many samples of this run were dropped because they were there already.
    pub fn duplicates(&self) -> u64 {
        self.inner.counts.duplicates.load(Ordering::Relaxed)
    }

    /// How many writes of this run were left out because they broke a rule: a fault of whoever asked for them. Each is logged, and
    /// stands among the [`Store::refusals`] under the topic `cache`.
    pub fn left_out(&self) -> u64 {
        self.inner.counts.left_out.load(Ordering::Relaxed)
    }

    /// Commits what is queued, moves the log into the file where the disk allows it, and lets go of it. Other clones find it
    /// closed; closing again does nothing.
    pub async fn close(self) -> Result<(), StoreError> {
        let Some(thread) = self.inner.hang_up() else { return Ok(()) };
        tokio::task::spawn_blocking(move || ended(thread)).await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Inner {
    /// Ends the queue; the writer finishes what is in it.
    fn hang_up(&self) -> Option<JoinHandle<Result<(), StoreError>>> {
        self.readers.close();
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(writing.thread)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.hang_up().map(ended) {
            tracing::error!(%error, "the cache was not closed properly");
        }
    }
}

fn ended(thread: JoinHandle<Result<(), StoreError>>) -> Result<(), StoreError> {
    thread.join().unwrap_or_else(|_| Err(StoreError::Sqlite("the writer ended badly".to_owned())))
}
