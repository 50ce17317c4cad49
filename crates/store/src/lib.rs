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

mod aside;
mod building;
mod codec;
mod error;
mod figures;
mod folding;
mod history;
mod mover;
mod open;
mod past;
mod picture;
mod purge;
mod readers;
mod reading;
mod salvage;
mod table;
mod transaction;
mod upgrade;
mod weave;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use fleetlens_model::alarm::Alarm;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::figures::{CacheFigures, WriterFigures};
use fleetlens_model::id::ThingKey;
use fleetlens_model::keeping::Keeping;
use fleetlens_model::record::{History, HistoryQuery, Refusal, Restored, StoreStats, Write};
use fleetlens_model::shadow::change::Change;
use fleetlens_model::time::WallMs;
use tokio::sync::oneshot;

pub use error::StoreError;
pub use figures::{Beside, SCHEMA, sqlite_version};
pub use past::AsItWas;
pub use reading::Reading;
pub use salvage::Salvaged;

use history::Damage;
use mover::{Asked, Bell, Movers, Shared, Tail};
use open::Lock;
use readers::Readers;
use writer::{Around, Batch, Counts, Keep, Order, Writer};

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
    /// Why there is no writer from the beginning.
    only_read: Option<StoreError>,
    readers: Arc<Readers>,
    counts: Arc<Counts>,
    keep: Keep,
    tail: Arc<Tail>,
}

#[derive(Debug)]
struct Writing {
    queue: SyncSender<Order>,
    thread: JoinHandle<Result<(), StoreError>>,
    bell: Arc<Bell>,
    stop: Arc<AtomicBool>,
    movers: [JoinHandle<()>; 2],
}

/// A broken cache that was moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it is now.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub reason: StoreError,
    /// What of it is in the new cache.
    pub salvaged: Salvaged,
}

impl std::fmt::Display for Quarantined {
    /// What happened, where the old file is and what of it is in the new one, as a person should read it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let no_database = matches!(self.reason, StoreError::NotADatabase { .. });
        let what = if no_database { "was no database" } else { "was damaged" };
        write!(f, "the cache {what} and is kept as {}; {}", self.moved_to.display(), self.salvaged)
    }
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

    /// Like [`Store::open`], but a file that is no database or is damaged is renamed to `<name>.broken-<wall ms>`, and a new cache
    /// takes its place with what can still be read of it. Nothing is deleted.
    pub fn open_or_quarantine(
        path: &Path,
        profile: &str,
        new_installation: u64,
        now: WallMs,
    ) -> Result<(Store, Restored, Option<Quarantined>), StoreError> {
        let lock = Lock::take(path)?;
        aside::finish_salvage(path)?;
        let noted = aside::noted_damage(path);
        if noted.is_some() {
            // What is known to be damaged is not written to any more, only looked at whether it is ours.
            open::check_whose(path, profile)?;
        }
        let (reason, lock) = match noted {
            Some(noted) => (noted, lock),
            None => match open::open(path, profile, new_installation) {
                Ok(opened) => match Store::start(path, lock, opened) {
                    Ok((store, restored)) => return Ok((store, restored, None)),
                    Err(reason) if reason.is_broken_file() => (reason, Lock::take(path)?),
                    Err(error) => return Err(error),
                },
                Err(reason) if reason.is_broken_file() => (reason, lock),
                Err(error) => return Err(error),
            },
        };
        let (moved_to, salvaged) = aside::replace(path, profile, new_installation, now)?;
        let note = Quarantined { moved_to, reason, salvaged };
        tracing::warn!(reason = %note.reason, "{note}");
        let opened = open::open(path, profile, new_installation)?;
        let (store, restored) = Store::start(path, lock, opened)?;
        Ok((store, restored, Some(note)))
    }

    /// Opens a cache where nothing can be written, to show what is in it: whatever is committed fails with `why`, and is
    /// worth another try with a cache that [`Store::may_be_written`]. Takes no lock and changes nothing. Of one that is damaged, or an
    /// older schema's, it shows what can be read; where that says no number of its installation, it is 0, and the history of schemas 1
    /// to 3 is not shown. Fails on what is not there, another profile's, a newer schema's, another program's, where nothing can be
    /// read, and on one of this schema with a log that only whoever may write can read.
    pub fn look(path: &Path, profile: &str, why: StoreError) -> Result<(Store, Restored), StoreError> {
        let (restored, as_it_lies, history_is) = match open::look(path, profile) {
            Ok((restored, as_it_lies)) => (restored, as_it_lies, Ok(())),
            Err(error) if error.is_broken_file() || matches!(error, StoreError::Older { .. }) => {
                let history_is =
                    if matches!(error, StoreError::Older { found: ..4, .. }) { Err(error) } else { Ok(()) };
                (picture::of(path, profile)?, open::log_bytes(path) == 0, history_is)
            }
            Err(error) => return Err(error),
        };
        let readers = Arc::new(Readers::new(path.to_owned(), as_it_lies, history_is));
        let (writing, counts, keep) = (Mutex::new(None), Arc::default(), Keep::default());
        let inner =
            Inner { path: path.to_owned(), writing, only_read: Some(why), readers, counts, keep, tail: Arc::default() };
        Ok((Store { inner: Arc::new(inner) }, restored))
    }

    /// Why nothing can be written here; `None` for a cache that was opened for writing.
    pub fn only_read(&self) -> Option<&StoreError> {
        self.inner.only_read.as_ref()
    }

    /// Whether a cache and its folder can be written now, and nobody has it. Blocks on the disk; leaves nothing behind.
    pub fn may_be_written(path: &Path) -> bool {
        Lock::take(path).is_ok_and(|_lock| open::may_be_written(path).is_ok())
    }

    fn start(
        path: &Path,
        lock: Lock,
        (db, restored): (rusqlite::Connection, Restored),
    ) -> Result<(Store, Restored), StoreError> {
        let bell = Arc::new(Bell::default());
        let around = Around { bell: Some(Arc::clone(&bell)), ..Around::default() };
        let Around { counts, keep, tail, .. } = around.clone();
        let writer = Writer::new(db, path.to_owned(), lock.keeps(path), around)?;
        let (queue, batches) = sync_channel(QUEUE_BATCHES);
        let stop = Arc::new(AtomicBool::new(false));
        let shared = Shared {
            writer: queue.clone(),
            keep: Arc::clone(&keep),
            tail: Arc::clone(&tail),
            stop: Arc::clone(&stop),
            counts: Arc::clone(&counts),
        };
        // Before a thread runs: one that nobody waits for would keep the lock for a while.
        let movers = Movers::new(path, &shared, &bell)?;
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let thread = named("fleetlens-store").spawn(move || writer.run(&batches)).map_err(StoreError::io(path))?;
        let movers = movers.spawn().map_err(StoreError::io(path))?;
        let readers = Arc::new(Readers::new(path.to_owned(), false, Ok(())));
        readers.prepare();
        let writing = Mutex::new(Some(Writing { queue, thread, bell, stop, movers }));
        let inner = Inner { path: path.to_owned(), writing, only_read: None, readers, counts, keep, tail };
        Ok((Store { inner: Arc::new(inner) }, restored))
    }

    /// Performs the writes in one transaction, after those of every earlier call; resolves when they are on the disk.
    ///
    /// They are queued by the call itself; dropping the future takes nothing back. On an error nothing of this batch is stored, and
    /// later batches are still taken. The same batch may be given again: every write can be repeated. A write that breaks a rule is
    /// no error: it alone is left out, see [`Store::left_out`]. But of a command, an alarm or an entry of the audit log that was left out it is told
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
            None => Err(self.inner.only_read.clone().unwrap_or(StoreError::Closed)),
        };
        if queued.is_ok() {
            self.inner.counts.taken.fetch_add(1, Ordering::Relaxed);
        }
        async move {
            queued?;
            outcome.await.unwrap_or(Err(StoreError::Closed))
        }
    }

    /// Keeps no more than this from now on; until it is said, everything stays. What is over goes a little at a time, while no batch
    /// waits (see `purge.rs`): after this call, then hourly by age, and whenever the size is over its limit.
    pub fn set_retention(&self, keep: impl Into<Keeping>) {
        *self.inner.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(keep.into());
        if let Some(writing) = &*self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner) {
            // A full queue wakes the writer too.
            _ = writing.queue.try_send(Order::Purge);
        }
    }

    /// Moves everything out of the journal and rolls it up now, instead of when it is due; resolves when that is on the disk. What
    /// arrives meanwhile may stay in the journal.
    pub fn settle(&self) -> impl Future<Output = Result<(), StoreError>> + Send + 'static + use<> {
        let (done, outcome) = oneshot::channel();
        if let Some(writing) = &*self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner) {
            writing.bell.ring(Asked::settle(done));
        }
        async move { outcome.await.unwrap_or(Err(StoreError::Closed)) }
    }

    /// A stretch of one series in buckets, in the order of time; texts have none. Needs a Tokio runtime, like every read.
    pub fn history(
        &self,
        query: HistoryQuery,
    ) -> impl Future<Output = Result<History, StoreError>> + Send + 'static + use<> {
        let (path, counts) = (self.inner.path.clone(), Arc::clone(&self.inner.counts));
        Arc::clone(&self.inner.readers).read(move |db| {
            let mut lost = Damage::default();
            let found = history::buckets(db, &query, &mut lost).map_err(StoreError::at(&path));
            if let Err(error @ StoreError::Corrupt { .. }) = &found {
                lost.meets(error);
            }
            counts.met(&path, &lost);
            found
        })
    }

    /// The newest alarms of a thing whose life touches a span, at most `most`, newest first. Of one that was raised again while it was
    /// open the cache knows the last time.
    pub fn alarms_of(
        &self,
        thing: ThingKey,
        span: Range<WallMs>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Alarm>, StoreError>> + Send + 'static + use<> {
        let path = self.inner.path.clone();
        Arc::clone(&self.inner.readers)
            .read(move |db| table::alarm::of_thing(db, thing, &span, most).map_err(StoreError::at(&path)))
    }

    /// Reads what this cache holds like somebody from outside, beside everything else, for as long as that takes. Blocks on the disk. Fails
    /// once it is closed; who reads then should end (see [`Reading::is_closed`]).
    pub fn reading(&self) -> Result<Reading, StoreError> {
        Reading::beside(Arc::clone(&self.inner.readers))
    }

    /// How often in this run something was read or written that turned out to be damaged. A chart leaves it out; the next start
    /// salvages the rest.
    pub fn damaged(&self) -> u64 {
        self.inner.counts.damaged.load(Ordering::Relaxed)
    }

    /// Resolves when damage keeps the cache from being written, or its history from being packed: what meets it would fail every time.
    /// It is noted for the next opening: [`Store::close`] it, then [`Store::open_or_quarantine`] takes over what can be read. Never
    /// resolves for a cache that is closed before. What only answers meet is no reason, see [`Store::damaged`].
    pub fn hindered(&self) -> impl Future<Output = StoreError> + Send + 'static + use<> {
        let mut told = self.inner.counts.hindered.subscribe();
        async move {
            match told.wait_for(Option::is_some).await.ok().and_then(|told| told.clone()) {
                Some(error) => error,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether [`Store::hindered`] resolves.
    pub fn is_hindered(&self) -> bool {
        self.inner.counts.hindered.borrow().is_some()
    }

    /// How big and how old the cache is.
    pub fn stats(&self) -> impl Future<Output = Result<StoreStats, StoreError>> + Send + 'static + use<> {
        let path = self.inner.path.clone();
        Arc::clone(&self.inner.readers).read(move |db| open::stats(db, &path))
    }

    /// What the file holds and how it stands; reads some of it, so it is not for every moment.
    pub fn figures(&self) -> impl Future<Output = Result<CacheFigures, StoreError>> + Send + 'static + use<> {
        let path = self.inner.path.clone();
        Arc::clone(&self.inner.readers).read(move |db| figures::read(db, &path).map_err(StoreError::at(&path)))
    }

    /// What the threads do now and did in this run.
    pub fn writer_figures(&self) -> WriterFigures {
        figures::of_writer(&self.inner.counts, &self.inner.tail)
    }

    /// What was refused, the newest first; at most 1 000 different ones are kept.
    pub fn refusals(&self) -> impl Future<Output = Result<Vec<Refusal>, StoreError>> + Send + 'static + use<> {
        let at = StoreError::at(&self.inner.path);
        Arc::clone(&self.inner.readers).read(move |db| table::refusal::newest(db).map_err(at))
    }

    /// What the audit log tells, the newest first, at most so many of these; rows that say nothing of ours are left out.
    pub fn audit(
        &self,
        filter: Filter,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send + 'static + use<> {
        let at = StoreError::at(&self.inner.path);
        Arc::clone(&self.inner.readers).read(move |db| {
            let rows = table::audit::newest(db, &filter, most).map_err(at)?;
            Ok(rows.into_iter().filter_map(|row| row.entry).collect())
        })
    }

    /// What changed in a shadow before the change of this number, or ever: the newest first, at most so many.
    pub fn shadow_changes(
        &self,
        thing: ThingKey,
        shadow: String,
        before: Option<u64>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Change>, StoreError>> + Send + 'static + use<> {
        let at = StoreError::at(&self.inner.path);
        Arc::clone(&self.inner.readers)
            .read(move |db| table::shadow_change::newest(db, thing, &shadow, before, most).map_err(at))
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
    /// closed; closing again does nothing. What the mover has begun it gives up.
    pub async fn close(self) -> Result<(), StoreError> {
        let Some(writing) = self.inner.hang_up() else { return Ok(()) };
        tokio::task::spawn_blocking(move || writing.ended()).await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Inner {
    /// Nothing more is taken; what is queued is finished.
    fn hang_up(&self) -> Option<Writing> {
        self.readers.close();
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        writing.stop.store(true, Ordering::Relaxed);
        Some(writing)
    }
}

impl Writing {
    /// Waits for all threads: the movers have a way into the queue, so they end first.
    fn ended(self) -> Result<(), StoreError> {
        let Writing { queue, thread, bell, movers, .. } = self;
        bell.end();
        drop(queue);
        let joined = movers.map(|mover| mover.join().map_err(|_| StoreError::Sqlite("a mover ended badly".to_owned())));
        let writer = thread.join().unwrap_or_else(|_| Err(StoreError::Sqlite("the writer ended badly".to_owned())));
        writer.and(joined.into_iter().collect())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.hang_up().map(Writing::ended) {
            tracing::error!(%error, "the cache was not closed properly");
        }
    }
}
