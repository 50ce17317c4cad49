//! The one thread that writes. It takes whatever has gathered into one transaction, so batches grow by themselves under load.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetlens_model::record::{Retention, Write};
use fleetlens_model::time::WallMs;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{StoreError, breaks_a_rule};
use crate::open::{self, Lock};
use crate::purge::Purge;
use crate::table::meta::{self, Totals};
use crate::transaction::{self, LeftOut, Tally};

/// A transaction takes no further batch once it holds this many writes (docs/adr/0003-delivery.md, 2).
const GROUP_WRITES: usize = 2_000;

/// Nothing to write for this long is a moment to shorten the log, where that is due.
const LULL: Duration = Duration::from_secs(1);

/// What somebody wants written, and where to say that it is.
pub(crate) struct Batch {
    pub writes: Arc<Vec<Write>>,
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

/// What comes to the writer through its queue.
pub(crate) enum Order {
    /// Something to write.
    Write(Batch),
    /// The retention is another.
    Purge,
}

/// How much is to be kept; `None`, which is everything, until somebody says.
pub(crate) type Keep = Arc<Mutex<Option<Retention>>>;

/// What the writer counts in this run, for whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Samples dropped because they were there already.
    pub duplicates: AtomicU64,
    /// Writes left out because they broke a rule.
    pub left_out: AtomicU64,
}

pub(crate) struct Writer {
    db: Connection,
    path: PathBuf,
    /// As the last committed transaction left them.
    totals: Totals,
    counts: Arc<Counts>,
    keep: Keep,
    purge: Purge,
    /// The newest time of ours that a committed write has told.
    now: Option<WallMs>,
    /// [`LULL`], but in tests.
    lull: Duration,
    _lock: Lock,
}

impl Writer {
    pub fn new(
        db: Connection,
        path: PathBuf,
        lock: Lock,
        counts: Arc<Counts>,
        keep: Keep,
    ) -> Result<Writer, StoreError> {
        let at = StoreError::at(&path);
        let totals = Totals::read(&db).map_err(&at)?;
        let now = meta::link_last_seen(&db).map_err(&at)?;
        let purge = Purge::new(now);
        Ok(Writer { db, path, totals, counts, keep, purge, now, lull: LULL, _lock: lock })
    }

    /// Until the queue is closed and empty; then moves the log into the file.
    pub fn run(mut self, queue: &Receiver<Order>) -> Result<(), StoreError> {
        while let Some(first) = self.next(queue) {
            let mut writes = first.writes.len();
            let mut group = vec![first];
            while writes < GROUP_WRITES
                && let Ok(next) = queue.try_recv()
            {
                // Limits are looked at after the group, whoever said so.
                if let Order::Write(next) = next {
                    writes += next.writes.len();
                    group.push(next);
                }
            }
            self.commit(group);
        }
        // The rows are safe in the log as well: on a full disk they stay there until the next start.
        if let Err(error) = self.db.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(())) {
            tracing::warn!(%error, "the log of the cache could not be moved into its file");
        }
        self.db.close().map_err(|(_, error)| StoreError::at(&self.path)(error))
    }

    /// The next batch, or `None` at the end. While there is none: what the retention asks for, and after a burst, which leaves a long
    /// log behind, a short one again.
    fn next(&mut self, queue: &Receiver<Order>) -> Option<Batch> {
        let mut stays_long = false;
        loop {
            let order = match queue.try_recv() {
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if self.purge() => continue,
                Err(TryRecvError::Empty) => {
                    let long = open::log_bytes(&self.path) > open::LOG_KEPT_BYTES;
                    if stays_long || !long {
                        queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
                    } else {
                        queue.recv_timeout(self.lull)
                    }
                }
                Ok(order) => Ok(order),
            };
            match order {
                Ok(Order::Write(batch)) => return Some(batch),
                Ok(Order::Purge) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.shorten_log() {
                        tracing::warn!(%error, "the log of the cache stays long");
                        stays_long = true;
                    }
                }
            }
        }
    }

    /// A little of what the retention asks for; false when there is nothing to do.
    fn purge(&mut self) -> bool {
        let Some(keep) = *self.keep.lock().unwrap_or_else(PoisonError::into_inner) else { return false };
        match self.purge.step(&mut self.db, &self.path, keep, self.now, &self.totals) {
            Ok(Some(totals)) => {
                self.totals = totals;
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "what is too old or too much stays in the cache for now");
                self.purge.rest();
                false
            }
        }
    }

    /// Moves the log into the file and gives its space back. Waits for nobody: what somebody still reads stays for the next time.
    fn shorten_log(&self) -> rusqlite::Result<()> {
        self.db.busy_timeout(Duration::ZERO)?;
        let shortened = self.db.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
        self.db.busy_timeout(open::BUSY)?;
        shortened
    }

    /// One transaction for all; if it fails, one for each, so that one bad batch does not fail its neighbours.
    fn commit(&mut self, group: Vec<Batch>) {
        let together = match group.as_slice() {
            [] | [_] => false,
            several => {
                let writes = several.iter().flat_map(|batch| batch.writes.iter());
                match transaction::whole(&mut self.db, &self.totals, writes) {
                    Ok(tally) => {
                        self.keep(&tally);
                        true
                    }
                    Err(error) => {
                        tracing::warn!(%error, batches = several.len(), "a transaction failed; each batch gets its own");
                        false
                    }
                }
            }
        };
        for batch in group {
            let outcome = if together { Ok(()) } else { self.alone(&batch.writes) };
            // Nobody waiting any more is no concern of the rows.
            _ = batch.done.send(outcome);
        }
    }

    /// One batch. A write that breaks a rule would break it every time: it is left out and told, and the others stay. Only of one that
    /// somebody waits for it is said to who gave the batch.
    fn alone(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let at = StoreError::at(&self.path);
        match transaction::whole(&mut self.db, &self.totals, writes.iter()) {
            Ok(tally) => self.keep(&tally),
            Err(error) if breaks_a_rule(&error) => {
                let (tally, left_out) = transaction::without_the_bad(&mut self.db, &self.totals, writes).map_err(at)?;
                self.keep(&tally);
                self.counts.left_out.fetch_add(left_out.len() as u64, Ordering::Relaxed);
                for LeftOut { which, reason, .. } in &left_out {
                    tracing::error!(which, "{reason}, which is a fault of this program");
                }
                if let Some(LeftOut { which, reason, .. }) = left_out.into_iter().find(|one| one.is_waited_for) {
                    return Err(StoreError::LeftOut { which, reason });
                }
            }
            Err(error) => return Err(at(error)),
        }
        Ok(())
    }

    fn keep(&mut self, tally: &Tally) {
        self.totals = tally.totals;
        self.now = tally.moment.or(self.now);
        self.purge.heard(tally);
        self.counts.duplicates.fetch_add(tally.duplicates, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use fleetlens_model::id::{ThingKey, ThingName};
    use fleetlens_model::thing::Meta;

    use super::*;

    /// Some 1 kB each.
    fn things(keys: std::ops::Range<u32>) -> Arc<Vec<Write>> {
        let title = "x".repeat(1000);
        let thing = |key: u32| Write::Thing {
            thing: ThingKey(key),
            name: ThingName::new(key.to_string()).unwrap(),
            meta: Meta { title: title.clone(), ..Meta::default() },
        };
        Arc::new(keys.map(thing).collect())
    }

    /// A writer of an empty cache.
    fn writer(folder: &tempfile::TempDir) -> Writer {
        let path = folder.path().join("malta.db");
        let lock = Lock::take(&path).unwrap();
        let (db, _) = open::open(&path, "malta", 1).unwrap();
        Writer::new(db, path, lock, Arc::default(), Arc::default()).unwrap()
    }

    fn until(what: &str, condition: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_lull_after_a_burst_makes_the_log_short_and_the_size_true() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        writer.lull = Duration::from_millis(20);
        let path = writer.path.clone();
        let (queue, batches) = sync_channel(1);
        let thread = std::thread::spawn(move || writer.run(&batches));
        let commit = |writes| {
            let (done, outcome) = oneshot::channel();
            queue.send(Order::Write(Batch { writes, done })).unwrap();
            outcome.blocking_recv().unwrap().unwrap();
        };
        let reader = open::open_reader(&path).unwrap();
        let count = |reader: &Connection| -> u32 {
            reader.query_one("SELECT count(*) FROM thing", [], |row| row.get(0)).unwrap()
        };
        commit(things(0..100));
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(&reader), 100);
        // One batch longer than any limit of the log.
        commit(things(100..20_000));
        assert!(open::log_bytes(&path) > 4 * open::LOG_KEPT_BYTES, "the reader keeps the log from being shortened");
        assert_eq!(count(&reader), 100, "whoever began before the burst still sees what was");
        reader.execute_batch("COMMIT").unwrap();

        until("the log is short", || open::log_bytes(&path) <= open::LOG_KEPT_BYTES);
        assert_eq!(count(&reader), 20_000);
        let measured = open::stats(&reader, &path).unwrap().bytes;
        drop(reader);
        drop(queue);
        thread.join().unwrap().unwrap();
        let truth = std::fs::metadata(&path).unwrap().len();
        assert!((truth..=truth + open::LOG_KEPT_BYTES).contains(&measured), "{measured} bytes told, {truth} are there");
    }

    #[test]
    fn without_a_lull_the_log_is_cut_when_it_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        writer.alone(&things(0..20_000)).unwrap();
        assert!(open::log_bytes(&writer.path) > 4 * open::LOG_KEPT_BYTES);
        writer.alone(&things(20_000..20_001)).unwrap();
        assert!(open::log_bytes(&writer.path) <= open::LOG_KEPT_BYTES);
    }

    /// SQLite's own limit stands in for a small disk, so that this runs where nothing can be mounted; `tests/disk_full.rs` has a disk.
    #[test]
    fn what_does_not_fit_is_refused_as_a_full_disk_and_what_does_is_still_taken() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        let path = writer.path.clone();
        let pages: i64 = writer.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let limit = |db: &Connection, pages: i64| db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limit(&writer.db, pages + 4).unwrap();
        let mut outcomes = Vec::new();
        let group = [things(1..3), things(10..100), things(3..5)].map(|writes| {
            let (done, outcome) = oneshot::channel();
            outcomes.push(outcome);
            Batch { writes, done }
        });
        writer.commit(group.into());
        let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.blocking_recv().unwrap()).collect();
        assert_eq!(outcomes, [Ok(()), Err(StoreError::DiskFull { path: path.clone() }), Ok(())]);

        limit(&writer.db, 1_000_000).unwrap();
        let (queue, batches) = sync_channel(1);
        let (done, outcome) = oneshot::channel();
        queue.send(Order::Write(Batch { writes: things(10..100), done })).unwrap();
        drop(queue);
        writer.run(&batches).unwrap();
        assert_eq!(outcome.blocking_recv().unwrap(), Ok(()), "the same batch, once there is room");
        let (_, restored) = open::open(&path, "malta", 1).unwrap();
        assert_eq!(restored.things.len(), 4 + 90);
    }
}
