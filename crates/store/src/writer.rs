//! The one thread that writes. It takes whatever has gathered into one transaction, so batches grow by themselves under load.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetlens_model::keeping::Keeping;
use fleetlens_model::record::Write;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use crate::aside;
use crate::error::{StoreError, breaks_a_rule};
use crate::history::Damage;
use crate::mover::{Asked, Bell, Moved, Tail};
use crate::open::{self, Lock};
use crate::purge::Purge;
use crate::table::run::{self, Tier};
use crate::table::{journal, latest, meta};
use crate::transaction::{self, Known, LeftOut, Tally};

/// A transaction takes no further batch once it holds this many writes (docs/adr/0003-delivery.md, 2).
const GROUP_WRITES: usize = 2_000;

/// With so many samples in the journal nothing is written until the mover has taken some away: the broker holds.
const TAIL_MAX: u64 = 4_000_000;

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
    /// Something the mover has made; answered by whether what it was made of was still there.
    Move(Moved, SyncSender<Result<bool, StoreError>>),
    /// The retention is another.
    Purge,
}

/// How much is to be kept; `None`, which is everything, until somebody says.
pub(crate) type Keep = Arc<Mutex<Option<Keeping>>>;

/// What the writer counts in this run, for whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Samples dropped because they were there already.
    pub duplicates: AtomicU64,
    /// Writes left out because they broke a rule.
    pub left_out: AtomicU64,
    /// Times that something stored was met that is damaged.
    pub damaged: AtomicU64,
    /// The first damage that keeps the writer or the mover from their work; see [`crate::Store::hindered`].
    pub hindered: watch::Sender<Option<StoreError>>,
    /// Batches taken into the queue.
    pub taken: AtomicU64,
    /// Batches answered.
    pub answered: AtomicU64,
}

impl Counts {
    /// Something damaged was met, or nothing. Of the first it is said, and noted for the next start.
    pub fn met(&self, path: &Path, damage: &Damage) {
        let Some(first) = damage.first() else { return };
        if self.damaged.fetch_add(damage.count(), Ordering::Relaxed) == 0 {
            tracing::error!(detail = first, "a part of the cache is damaged; the next start salvages what can be read");
            aside::mark_damaged(path, first);
        }
    }

    /// The writer or the mover failed. Where that is for damage it is counted and told: the same work would fail every time.
    pub fn failed(&self, path: &Path, error: &StoreError) {
        if !error.is_broken_file() {
            return;
        }
        let mut damage = Damage::default();
        damage.meets(error);
        self.met(path, &damage);
        self.hindered.send_if_modified(|hindered| {
            let first = hindered.is_none();
            hindered.get_or_insert_with(|| error.clone());
            first
        });
    }
}

/// What the writer shares with the others.
#[derive(Clone, Default)]
pub(crate) struct Around {
    pub counts: Arc<Counts>,
    pub keep: Keep,
    pub tail: Arc<Tail>,
    /// Where the movers are woken; nobody, in tests.
    pub bell: Option<Arc<Bell>>,
}

pub(crate) struct Writer {
    db: Connection,
    path: PathBuf,
    /// As the last committed transaction left it.
    known: Known,
    around: Around,
    purge: Purge,
    /// The newest time of ours that a committed write has told.
    now: Option<WallMs>,
    /// Batches that came while the mover was waited for.
    waiting: VecDeque<Batch>,
    /// [`LULL`], but in tests.
    lull: Duration,
    _lock: Lock,
}

impl Writer {
    pub fn new(db: Connection, path: PathBuf, lock: Lock, around: Around) -> Result<Writer, StoreError> {
        let at = StoreError::at(&path);
        let known = Known::read(&db).map_err(&at)?;
        let now = meta::link_last_seen(&db).map_err(&at)?;
        let (rows, samples, bytes) = journal::size(&db).map_err(&at)?;
        around.tail.rows.store(rows, Ordering::Relaxed);
        around.tail.samples.store(samples, Ordering::Relaxed);
        around.tail.bytes.store(bytes, Ordering::Relaxed);
        let purge = Purge::new(now);
        Ok(Writer { db, path, known, around, purge, now, waiting: VecDeque::new(), lull: LULL, _lock: lock })
    }

    /// Until the queue is closed and empty; then moves the log into the file.
    pub fn run(mut self, queue: &Receiver<Order>) -> Result<(), StoreError> {
        self.wake_mover();
        while let Some(first) = self.next(queue) {
            let mut writes = first.writes.len();
            let mut group = vec![first];
            while writes < GROUP_WRITES
                && let Some(next) = self.waiting.pop_front().or_else(|| self.at_hand(queue))
            {
                writes += next.writes.len();
                group.push(next);
            }
            self.commit(group);
            self.hold(queue);
        }
        // The rows are safe in the log as well: on a full disk they stay there until the next start.
        if let Err(error) = self.db.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(())) {
            tracing::warn!(%error, "the log of the cache could not be moved into its file");
        }
        self.db.close().map_err(|(_, error)| StoreError::at(&self.path)(error))
    }

    /// A batch that is there already. Limits are looked at after the group, whoever said so.
    fn at_hand(&mut self, queue: &Receiver<Order>) -> Option<Batch> {
        loop {
            match queue.try_recv().ok()? {
                Order::Write(next) => return Some(next),
                Order::Move(moved, done) => self.moved(&moved, &done),
                Order::Purge => {}
            }
        }
    }

    /// The next batch, or `None` at the end. While there is none: what the retention asks for, and after a burst, which leaves a long
    /// log behind, a short one again.
    fn next(&mut self, queue: &Receiver<Order>) -> Option<Batch> {
        if let Some(batch) = self.waiting.pop_front() {
            return Some(batch);
        }
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
                Ok(Order::Move(moved, done)) => self.moved(&moved, &done),
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

    /// While the journal is too long, only what the mover makes is taken.
    fn hold(&mut self, queue: &Receiver<Order>) {
        while self.around.bell.is_some() && self.around.tail.samples.load(Ordering::Relaxed) > TAIL_MAX {
            match queue.recv_timeout(LULL) {
                Ok(Order::Move(moved, done)) => self.moved(&moved, &done),
                Ok(Order::Write(batch)) => self.waiting.push_back(batch),
                Ok(Order::Purge) => {}
                // It makes nothing: it rests after a failure, or is at its end.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Tells the movers when the journal is long.
    fn wake_mover(&self) {
        let Around { tail, bell, .. } = &self.around;
        if let Some(bell) = bell
            && tail.is_long()
        {
            bell.ring(Asked::due());
        }
    }

    /// Puts in what the mover has made.
    fn moved(&mut self, moved: &Moved, done: &SyncSender<Result<bool, StoreError>>) {
        let outcome = self.put_in(moved).map_err(StoreError::at(&self.path));
        if outcome.is_ok() {
            self.purge.moved(moved);
        }
        if outcome.is_ok()
            && let Some(finish) = &moved.finish
        {
            let Around { counts, tail, .. } = &self.around;
            if outcome == Ok(true) {
                counts.duplicates.fetch_add(finish.repeated, Ordering::Relaxed);
                if let Some(flushed) = finish.flushed {
                    tail.rows.fetch_sub(flushed.rows, Ordering::Relaxed);
                    tail.samples.fetch_sub(flushed.samples, Ordering::Relaxed);
                    tail.bytes.fetch_sub(flushed.bytes, Ordering::Relaxed);
                }
            }
        }
        // The mover may be at its end.
        _ = done.send(outcome);
    }

    /// One transaction; false when something that it was made of has gone meanwhile: then it goes, too.
    fn put_in(&mut self, moved: &Moved) -> rusqlite::Result<bool> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (key, blocks) in &moved.blocks {
            run::begin(&transaction, *key)?;
            for block in blocks {
                run::add(&transaction, *key, block)?;
            }
        }
        let mut is_current = true;
        if let Some(finish) = &moved.finish {
            for input in &finish.inputs {
                is_current &= run::is_live(&transaction, *input)?;
            }
            if is_current {
                finish.inputs.iter().try_for_each(|input| run::retire(&transaction, *input))?;
                finish.runs.iter().try_for_each(|run| run::finish(&transaction, run))?;
                if let Some(before) = finish.kept_from {
                    meta::set_gone(&transaction, Tier::Samples, WallMs(before))?;
                }
                if let Some(flushed) = finish.flushed {
                    journal::forget(&transaction, flushed.up_to_batch)?;
                }
                finish.latest.iter().try_for_each(|(block, data)| latest::put(&transaction, *block, data))?;
                if let Some(cuts) = &finish.cuts {
                    cuts.write(&transaction)?;
                }
            }
            // Those that are live are not touched by it.
            finish.begun.iter().try_for_each(|key| run::give_up(&transaction, *key))?;
        }
        transaction.commit()?;
        Ok(is_current)
    }

    /// A little of what the retention asks for; false when there is nothing to do.
    fn purge(&mut self) -> bool {
        let keep = *self.around.keep.lock().unwrap_or_else(PoisonError::into_inner);
        match self.purge.step(&mut self.db, &self.path, keep, self.now) {
            Ok(more) => {
                if let Some(ask) = self.purge.asks()
                    && let Some(bell) = &self.around.bell
                {
                    bell.ring(ask.into());
                }
                more
            }
            Err(error) => {
                tracing::warn!(%error, "what is too old or too much stays in the cache for now");
                self.around.counts.failed(&self.path, &StoreError::at(&self.path)(error));
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
                match transaction::whole(&mut self.db, &mut self.known, writes) {
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
            self.around.counts.answered.fetch_add(1, Ordering::Relaxed);
            // Nobody waiting any more is no concern of the rows.
            _ = batch.done.send(outcome);
        }
    }

    /// One batch. A write that breaks a rule would break it every time: it is left out and told, and the others stay. Only of one that
    /// somebody waits for it is said to who gave the batch.
    fn alone(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let at = StoreError::at(&self.path);
        match transaction::whole(&mut self.db, &mut self.known, writes.iter()) {
            Ok(tally) => self.keep(&tally),
            Err(error) if breaks_a_rule(&error) => {
                let (tally, left_out) =
                    transaction::without_the_bad(&mut self.db, &mut self.known, writes).map_err(at)?;
                self.keep(&tally);
                self.around.counts.left_out.fetch_add(left_out.len() as u64, Ordering::Relaxed);
                for LeftOut { which, reason, .. } in &left_out {
                    tracing::error!(which, "{reason}, which is a fault of this program");
                }
                if let Some(LeftOut { which, reason, .. }) = left_out.into_iter().find(|one| one.is_waited_for) {
                    return Err(StoreError::LeftOut { which, reason });
                }
            }
            Err(error) => {
                let error = at(error);
                self.around.counts.failed(&self.path, &error);
                return Err(error);
            }
        }
        Ok(())
    }

    fn keep(&mut self, tally: &Tally) {
        self.known.did(tally);
        self.now = tally.moment.or(self.now);
        let Around { counts, tail, .. } = &self.around;
        counts.duplicates.fetch_add(tally.duplicates, Ordering::Relaxed);
        if let Some((samples, bytes)) = tally.journal {
            tail.rows.fetch_add(1, Ordering::Relaxed);
            tail.samples.fetch_add(samples, Ordering::Relaxed);
            tail.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.wake_mover();
        }
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
            meta: Box::new(Meta { title: title.clone(), ..Meta::default() }),
        };
        Arc::new(keys.map(thing).collect())
    }

    /// A writer of an empty cache.
    fn writer(folder: &tempfile::TempDir) -> Writer {
        let path = folder.path().join("malta.db");
        let lock = Lock::take(&path).unwrap();
        let (db, _) = open::open(&path, "malta", 1).unwrap();
        Writer::new(db, path, lock, Around::default()).unwrap()
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
