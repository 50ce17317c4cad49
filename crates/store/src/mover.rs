//! Moves the history, in the background: out of the journal into runs, runs into larger ones, samples into roll-ups.
//!
//! **What is made of what.** A *flush* makes a run of the oldest rows of the journal. [`FAN`] runs of one level are *merged* into one
//! of the next, so that a series lies in few places. When there is enough of them ([`settles_at`]) all runs that are not settled are
//! *settled*: one run in which each thing is said once, and with it what happened in each minute, hour and day. Settled runs of short
//! pages are merged further, while what they span stays small enough to go by its age in time.
//!
//! **What goes by the age of its kind.** Once a day settled runs lose what is older than is kept of its kind, where they stay for the
//! sake of others ([`cut`]).
//!
//! **Who does it.** Two threads of this module: one flushes ([`flush`]), the other merges and settles ([`merge`]), so that the journal
//! stays short while much is merged. They read what never changes (rows of the journal below a number, blocks of live runs) and make the new
//! blocks; the writer's thread puts them in, a megabyte a transaction. The last of these makes the new runs live and takes away what
//! they were made of. Whoever is killed before that leaves a run that is not live, which the next start gives up; nothing is lost and
//! nothing is there twice.
//!
//! **Damage.** A run with a block that cannot be read is left as it is: what can be read of it still is.

mod bell;
mod cut;
mod flush;
mod merge;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fleetlens_model::keeping::Keeping;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::building::Building;
use crate::codec::block::Block;
use crate::error::StoreError;
use crate::history::Damage;
use crate::open;
use crate::purge;
use crate::table::cuts::Cuts;
use crate::table::meta::Totals;
use crate::table::run::{self, Run, RunKey};
use crate::writer::{Counts, Keep, Order};

pub(crate) use bell::{Asked, Bell};
use cut::Cutting;

/// The part of the size limit that may wait to be settled, and that one run may have.
const SIZE_PARTS: u64 = 8;

/// Bytes of new blocks that are put in at once.
const SLICE: usize = 1 << 20;

/// Samples are taken out of a run that stays when they are older than is kept by this much: else it would be made anew all the time.
const OLD_BY_MS: i64 = 86_400_000;

/// After a failure (the disk is full, say) nothing is tried for this long.
const REST: Duration = Duration::from_secs(30);

/// How full the journal is. The writer adds, and takes away what a move has taken.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub rows: AtomicU64,
    pub samples: AtomicU64,
    pub bytes: AtomicU64,
}

/// What the writer is to put in, in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub blocks: Vec<(RunKey, Vec<Block>)>,
    /// With the last of a move.
    pub finish: Option<Finish>,
}

/// The end of a move.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    /// Every run that was begun.
    pub begun: Vec<RunKey>,
    /// Those that are to be live.
    pub runs: Vec<Run>,
    /// What they were made of: all of these must still be live.
    pub inputs: Vec<RunKey>,
    /// Rows of the journal that they were made of.
    pub flushed: Option<Flushed>,
    /// Latest values as they are after those rows.
    pub latest: Vec<(u32, Vec<u8>)>,
    /// Samples that repeated others and are gone.
    pub repeated: u64,
    /// Samples before this were left out, because they are older than is kept.
    pub kept_from: Option<i64>,
    /// What of single kinds is there no more from now on.
    pub cuts: Option<Box<Cuts>>,
}

/// Rows of the journal that are in a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flushed {
    pub up_to_batch: i64,
    pub rows: u64,
    pub samples: u64,
    pub bytes: u64,
}

/// Why a move ended before its end.
enum Ended {
    /// The program ends, or the writer has.
    Stopped,
    /// What it was made of went meanwhile, by its age or size.
    Outdated,
    /// A run cannot be read.
    Broken(RunKey, StoreError),
    /// A run could not be read this time.
    Unread(rusqlite::Error),
    Failed(StoreError),
}

/// What one of the threads does.
enum Task {
    /// Flushes, and then wakes who merges.
    Flush(Arc<Bell>),
    /// Merges and settles.
    Merge,
}

struct Mover {
    task: Task,
    bell: Arc<Bell>,
    db: Connection,
    shared: Shared,
    path: PathBuf,
    at: Box<dyn Fn(rusqlite::Error) -> StoreError + Send>,
    /// Of both threads.
    last_key: Arc<AtomicI64>,
    /// Runs that cannot be read whole.
    broken: BTreeSet<RunKey>,
    /// Whether samples that are too old are looked for.
    aged: bool,
    /// A run that is to lose what was measured before this.
    trims: Option<(RunKey, i64)>,
    /// Runs that are gone through for the sake of single kinds.
    cutting: Option<Cutting>,
    /// The kinds of all series, as they were asked for last.
    kinds: Option<cut::Known>,
    /// The answer to what was given last, when nobody has waited for it yet.
    given: Option<Receiver<Result<bool, StoreError>>>,
    /// Runs that were begun and are neither live nor given up.
    begun: Vec<RunKey>,
}

/// What both threads share with the writer.
#[derive(Clone)]
pub(crate) struct Shared {
    pub writer: SyncSender<Order>,
    pub keep: Keep,
    pub tail: Arc<Tail>,
    pub stop: Arc<AtomicBool>,
    pub counts: Arc<Counts>,
}

/// The movers of a cache, before they begin.
pub(crate) struct Movers {
    flusher: Mover,
    merger: Mover,
}

impl Movers {
    /// Fails on what the threads would fail on later. Who flushes waits at `bell`, and wakes who merges.
    pub fn new(path: &Path, shared: &Shared, bell: &Arc<Bell>) -> Result<Movers, StoreError> {
        let last_key = run::last_key(&open::open_reader(path)?).map_err(StoreError::at(path))?;
        let last_key = Arc::new(AtomicI64::new(last_key.0));
        let then = Arc::new(Bell::default());
        let merger = Mover::new(path, Task::Merge, Arc::clone(&then), shared.clone(), Arc::clone(&last_key))?;
        let flusher = Mover::new(path, Task::Flush(then), Arc::clone(bell), shared.clone(), last_key)?;
        Ok(Movers { flusher, merger })
    }

    /// They end when `bell` is told so.
    pub fn spawn(self) -> std::io::Result<[JoinHandle<()>; 2]> {
        let spawned =
            |name: &str, mover: Mover| std::thread::Builder::new().name(name.to_owned()).spawn(move || mover.run());
        Ok([spawned("fleetlens-flush", self.flusher)?, spawned("fleetlens-merge", self.merger)?])
    }
}

impl Drop for Mover {
    /// However it ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.bell.end();
        if let Task::Flush(then) = &self.task {
            then.end();
        }
    }
}

impl Mover {
    fn new(
        path: &Path,
        task: Task,
        bell: Arc<Bell>,
        shared: Shared,
        last_key: Arc<AtomicI64>,
    ) -> Result<Mover, StoreError> {
        Ok(Mover {
            task,
            bell,
            db: open::open_reader(path)?,
            shared,
            path: path.to_owned(),
            at: Box::new(StoreError::at(path)),
            last_key,
            broken: BTreeSet::new(),
            aged: false,
            trims: None,
            cutting: None,
            kinds: None,
            given: None,
            begun: Vec::new(),
        })
    }

    /// Until the cache is closed.
    fn run(mut self) {
        let mut rests_until = None;
        while let Some(asked) = self.bell.wait(rests_until) {
            (self.aged, self.trims) = (asked.aged, asked.trim);
            let outcome = self.work(!asked.settle.is_empty());
            rests_until = match &outcome {
                Ok(()) => None,
                // Who waits finds that out by itself.
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "the history stays where it is for now");
                    Some(Instant::now() + REST)
                }
            };
            match (&self.task, outcome) {
                // Only now: what is asked of who merges may be in what was just flushed.
                (Task::Flush(then), Ok(())) => then.ring(asked),
                (Task::Merge, Ok(())) => answer(asked.settle, &Ok(())),
                (Task::Flush(_) | Task::Merge, outcome) => {
                    // Those who wait are told; the rest is tried again.
                    self.bell.ring(Asked { due: true, settle: Vec::new(), ..asked });
                    answer(asked.settle, &outcome);
                }
            }
        }
    }

    /// Everything there is to do; with `all` also what is not due of what is there now. What comes meanwhile waits until it is due:
    /// else this would never end. [`StoreError::Closed`] when it had to end before.
    fn work(&mut self, all: bool) -> Result<(), StoreError> {
        let up_to_seq = Totals::read(&self.db).map_err(&self.at)?.last_seq;
        loop {
            let outcome = self.give_up().and_then(|()| self.step(all, up_to_seq));
            match outcome {
                Ok(true) | Err(Ended::Outdated) => {}
                Ok(false) => return Ok(()),
                Err(Ended::Stopped) => return Err(StoreError::Closed),
                Err(Ended::Broken(key, error)) => {
                    tracing::error!(%error, run = key.0, "a part of the history cannot be read whole and stays as it is");
                    self.broken.insert(key);
                    self.meets(&error);
                }
                Err(Ended::Unread(error)) => return Err((self.at)(error)),
                Err(Ended::Failed(error)) => {
                    self.shared.counts.failed(&self.path, &error);
                    return Err(error);
                }
            }
        }
    }

    /// Takes away what an earlier move has begun and not finished.
    fn give_up(&mut self) -> Result<(), Ended> {
        if self.begun.is_empty() {
            return Ok(());
        }
        // A slice of it may still be on its way; however that ends, it is given up.
        _ = self.taken();
        let begun = self.begun.clone();
        self.give(Moved { blocks: Vec::new(), finish: Some(Finish { begun, ..Finish::default() }) })?;
        self.taken()?;
        self.begun.clear();
        Ok(())
    }

    fn meets(&self, error: &StoreError) {
        let mut damage = Damage::default();
        damage.meets(error);
        self.shared.counts.met(&self.path, &damage);
    }

    /// One move; false when there is nothing to move.
    fn step(&mut self, all: bool, up_to_seq: u64) -> Result<bool, Ended> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        match self.task {
            Task::Flush(_) => self.flush_if_due(all, up_to_seq),
            Task::Merge => self.merge_or_settle(all, up_to_seq),
        }
    }

    /// Whether what reaches back so far is made anew because of its age.
    fn is_old(&self, from_ms: i64, kept_from: i64) -> bool {
        self.aged && from_ms < kept_from.saturating_sub(OLD_BY_MS)
    }

    /// How much is to be kept; `None` is everything.
    fn keep(&self) -> Option<Keeping> {
        *self.shared.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Samples from here on are kept, if only of one kind.
    fn kept_from(&self) -> Result<i64, Ended> {
        let Some(keep) = self.keep() else { return Ok(i64::MIN) };
        Ok(purge::kept_from(&self.db, &keep).map_err(self.failed())?.unwrap_or(i64::MIN))
    }

    fn size_limit(&self) -> u64 {
        self.keep().map_or(u64::MAX, |keep| u64::from(keep.all.max_mb) * 1_000_000 / SIZE_PARTS)
    }

    /// Gives the writer the blocks that are full, when they are enough.
    fn hand_over(&mut self, building: &mut [&mut Building]) -> Result<(), Ended> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        if building.iter().map(|one| one.waiting()).sum::<usize>() < SLICE {
            return Ok(());
        }
        let blocks = building.iter_mut().map(|one| (one.key(), one.take())).collect();
        self.give(Moved { blocks, finish: None })
    }

    fn finish(&mut self, building: Vec<Building>, mut finish: Finish) -> Result<(), Ended> {
        let mut blocks = Vec::new();
        for one in building {
            let key = one.key();
            finish.begun.push(key);
            let (last, run) = one.finish();
            finish.runs.extend(run);
            blocks.push((key, last));
        }
        let outcome = self.give(Moved { blocks, finish: Some(finish) }).and_then(|()| self.taken());
        // Whether what they were made of was still there or not: the writer has made them live or given them up.
        if matches!(outcome, Ok(()) | Err(Ended::Outdated)) {
            self.begun.clear();
        }
        outcome
    }

    /// Gives the writer something to put in, and goes on while it does; at most one is on its way.
    fn give(&mut self, moved: Moved) -> Result<(), Ended> {
        self.taken()?;
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        let (done, outcome) = sync_channel(1);
        self.shared.writer.send(Order::Move(moved, done)).map_err(|_| Ended::Stopped)?;
        self.given = Some(outcome);
        Ok(())
    }

    /// Waits until what was given last is in the file.
    fn taken(&mut self) -> Result<(), Ended> {
        let Some(outcome) = self.given.take() else { return Ok(()) };
        match outcome.recv() {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Ended::Outdated),
            Ok(Err(error)) => Err(Ended::Failed(error)),
            Err(_) => Err(Ended::Stopped),
        }
    }

    fn next_key(&mut self) -> RunKey {
        let key = RunKey(self.last_key.fetch_add(1, Ordering::Relaxed) + 1);
        self.begun.push(key);
        key
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> Ended + '_ {
        |error| Ended::Failed((self.at)(error))
    }
}

fn answer(waiting: Vec<oneshot::Sender<Result<(), StoreError>>>, outcome: &Result<(), StoreError>) {
    for one in waiting {
        // Nobody may be waiting any more.
        _ = one.send(outcome.clone());
    }
}
