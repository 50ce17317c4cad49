//! Retention: what is over the limits goes, a little at a time, whenever no batch waits.
//!
//! **What goes.** By age: runs of samples, of minutes and of hours whose last entry is older than those are kept of any kind, and
//! commands asked, alarms ended and changes of shadows heard of longer ago than samples are kept. By size: whole runs, those of samples before those of minutes
//! before those of hours, in each the one that was said first, and changes of shadows before any run of a later time, until the cache is
//! [`UNDER_PCT`] % under its limit, so that this is not done again with the next batch.
//! Days, latest values, shadows, open commands, open alarms and the audit log stay whatever the limits say. A run that is not settled stays too: it
//! is not in the roll-ups yet.
//!
//! **How.** The writer's thread takes one [`Purge::step`] when its queue is empty and looks at the queue before the next: a step is
//! one transaction that takes on nothing more after [`STEP`], so a batch waits that long and its commit at most. A run that goes is
//! read no more from that moment; its blocks are removed a few at a time. Samples that are too old within a run that is not, because
//! they came late or the limits became shorter, the mover leaves out when it settles a run or makes it anew (`mover.rs`); so it does with
//! what is kept less long of its kind than of another in the same run (`mover/cut.rs`).
//!
//! **What time it is.** The cache has no clock: "now" is when the newest write says it was made. A cache that hears nothing does not
//! grow. A now that is further ahead of the last than anything is kept would make everything too old at once: a wall clock may be
//! wrong by years, and a person who comes back after two months would not find the last month she had. So it is not gone by before
//! it has been ahead for a day ([`BELIEVED_AFTER_MS`]), over restarts too; until then the time that was last gone by stands. The size
//! is kept meanwhile as ever.
//!
//! **What counts as size.** The pages in use (all but the free ones) and the write-ahead log, of which no more than the part that is
//! always kept: a longer one goes by itself, and no run that is thrown away would make it shorter. Nor does what a move is making count:
//! what it is made of is there until its end, and to make room for both for so long would cost a part of the history for ever.
//!
//! **Where the space goes.** Into new rows first. A cache made from schema 3 on has `auto_vacuum=INCREMENTAL`: of its free pages only
//! [`SPARE_PAGES`] or a sixteenth of the file stay, the rest is given back to the disk. Older ones have `auto_vacuum=NONE`, which
//! cannot be changed without writing the whole file anew (SQLite's `VACUUM`: minutes, and twice the space, both of which are short
//! when this matters); they do not shrink, but do not grow either while pages are free.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use fleetlens_model::keeping::Keeping;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, TransactionBehavior};

use crate::mover::Moved;
use crate::open;
use crate::table::run::{self, Run, RunKey, Tier};
use crate::table::{alarm, command, meta, shadow_change};

/// A step begins nothing new after this. Its commit comes on top: some milliseconds, or tens of them on a slow disk.
const STEP: Duration = Duration::from_millis(10);

/// How far under the limit a cache that was over it ends, in percent of the limit.
const UNDER_PCT: u64 = 5;

/// How often what is too old is looked for: what is kept for days need not go to the minute.
const AGED_EVERY_MS: u64 = 3_600_000;

/// How long a time that is further ahead than anything is kept must go on before it is gone by.
const BELIEVED_AFTER_MS: u64 = DAY_MS;

/// Ended commands, ended alarms and changes of shadows that one statement removes: few enough that it does not outlast a step.
const ROWS: usize = 200;

/// Blocks that one statement removes, for the same reason.
const BLOCKS: usize = 16;

/// A run that is more than this part of the limit does not go as a whole: runs were made for a larger limit.
const RUN_PARTS: u64 = 6;

/// Free pages that a cache keeps for what comes next: 4 MiB.
const SPARE_PAGES: u64 = 1_024;

/// Pages given back to the disk by one statement.
const GIVE_BACK_PAGES: u64 = 32;

/// After a step that failed (the disk is full, say) nothing is tried for this long.
const REST: Duration = Duration::from_secs(30);

const DAY_MS: u64 = 86_400_000;

/// What only the mover can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Leave out what is too old within runs that are not.
    Age,
    /// Make this run anew without what was measured before this.
    Trim(RunKey, i64),
}

/// How far the writer is with what its retention asks for.
#[derive(Debug, Default)]
pub(crate) struct Purge {
    /// The limits that the work under way was begun for.
    keep: Option<Keeping>,
    /// The last time that the cache knew of when it was opened.
    opened_at: Option<WallMs>,
    /// When it was last looked for what is too old.
    aged_at: Option<WallMs>,
    /// What the mover is to be told.
    asks: Option<Ask>,
    /// The run of which it was asked to leave a part out, and when.
    trims: Option<(RunKey, Instant)>,
    /// Whether the cache was over its size and is not yet far enough under it.
    over: bool,
    /// Whether space was given back that the file on the disk has not yet lost: that takes a checkpoint.
    gave_back: bool,
    rests_until: Option<Instant>,
    /// Bytes of the runs that are being made.
    making: BTreeMap<RunKey, u64>,
}

impl Purge {
    /// Of a cache that knew of this time when it was opened.
    pub fn new(opened_at: Option<WallMs>) -> Purge {
        Purge { opened_at, ..Purge::default() }
    }

    /// A move has put this in.
    pub fn moved(&mut self, moved: &Moved) {
        for (key, blocks) in &moved.blocks {
            let bytes: usize = blocks.iter().map(|block| block.bytes.len()).sum();
            *self.making.entry(*key).or_default() += bytes as u64;
        }
        if let Some(finish) = &moved.finish {
            self.making.retain(|key, _| !finish.begun.contains(key));
        }
    }

    /// A step failed: nothing is tried for a while, unless the limits become others.
    pub fn rest(&mut self) {
        self.rests_until = Some(Instant::now() + REST);
    }

    /// What the mover is to be told since this was asked last.
    pub fn asks(&mut self) -> Option<Ask> {
        self.asks.take()
    }

    /// Does a little of what is to be done at `now`; false when there is nothing to do. On an error nothing has changed. Without
    /// limits only what is gone already is removed, and its space given back.
    pub fn step(
        &mut self,
        db: &mut Connection,
        path: &Path,
        keep: Option<Keeping>,
        now: Option<WallMs>,
    ) -> rusqlite::Result<bool> {
        if self.keep != keep {
            let making = std::mem::take(&mut self.making);
            *self = Purge { keep, making, ..Purge::new(self.opened_at) };
        }
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Ok(false);
        }
        self.rests_until = None;
        let began = Instant::now();
        if sweep(db, began)? {
            return Ok(true);
        }
        let used = Used { making_bytes: self.making.values().sum(), ..Used::measure(db, path)? };
        if let Some(keep) = &keep
            && self.by_limits(db, keep, now, used)?
        {
            return Ok(true);
        }
        if give_back(db, used, began)? {
            self.gave_back = true;
            return Ok(true);
        }
        if std::mem::take(&mut self.gave_back) {
            db.pragma(None, "wal_checkpoint", "PASSIVE", |_| Ok(()))?;
        }
        Ok(false)
    }

    fn by_limits(
        &mut self,
        db: &mut Connection,
        keep: &Keeping,
        now: Option<WallMs>,
        used: Used,
    ) -> rusqlite::Result<bool> {
        if let Some(now) = now
            && self.aged_at.is_none_or(|last| now.0.abs_diff(last.0) >= AGED_EVERY_MS)
        {
            self.age(db, keep, now)?;
            return Ok(true);
        }
        self.over = used.is_over(keep, self.over);
        Ok(self.over && self.shrink(db, keep, now)?)
    }

    /// Ended commands, ended alarms and changes of shadows of old, some of them; then the runs.
    fn age(&mut self, db: &mut Connection, keep: &Keeping, now: WallMs) -> rusqlite::Result<()> {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last = meta::aged(&transaction)?.or(self.opened_at);
        let cutoff = cutoff(keep.all.keep_days, now);
        // A clock that was set ahead by less than is kept would take nearly all of it, too.
        if last.is_some_and(|last| now.since(last) > BELIEVED_AFTER_MS) {
            let since = meta::ahead_since(&transaction)?.filter(|since| *since <= now).unwrap_or(now);
            if now.since(since) < BELIEVED_AFTER_MS {
                meta::set_ahead_since(&transaction, Some(since))?;
                transaction.commit()?;
                self.aged_at = Some(now);
                return Ok(());
            }
        }
        let gone = command::forget(&transaction, cutoff, ROWS)?
            + alarm::forget(&transaction, cutoff, ROWS)?
            + shadow_change::forget(&transaction, cutoff, ROWS)?;
        if gone == 0 {
            meta::set_aged(&transaction, now)?;
            meta::set_ahead_since(&transaction, None)?;
            let runs = run::live(&transaction)?;
            for tier in Tier::AGING {
                // Of what is kept longer for one kind the mover takes the others out.
                let Some(days) = tier.days(keep.longest()) else { continue };
                let before_ms = whole_buckets(tier, days, now);
                for run in runs.iter().filter(|run| run.tier == tier && run.is_settled() && run.to_ms < before_ms) {
                    go(&transaction, run, i64::MAX)?;
                }
            }
        }
        transaction.commit()?;
        if gone == 0 {
            (self.aged_at, self.asks) = (Some(now), Some(Ask::Age));
        }
        Ok(())
    }

    /// Some changes of shadows are gone, or the run that is the first to go, or one that is much of the cache is to lose its older half;
    /// false when nothing can be done now.
    fn shrink(&mut self, db: &mut Connection, keep: &Keeping, now: Option<WallMs>) -> rusqlite::Result<bool> {
        let runs = run::live(db)?;
        let settled = |run: &&Run| run.is_settled() && run.tier != Tier::Days;
        let first = runs.iter().filter(settled).min_by_key(|run| (run.tier, run.last_seq));
        // Both histories reach as far back: of shadows goes what was heard of before all that is left of the tier that goes.
        let of_tier = runs.iter().filter(settled).filter(|run| first.is_some_and(|first| run.tier == first.tier));
        let oldest_ms = of_tier.map(|run| run.from_ms).min().unwrap_or(i64::MAX);
        if shadow_change::forget(db, WallMs(oldest_ms), ROWS)? > 0 {
            return Ok(true);
        }
        let Some(first) = first else { return Ok(false) };
        // What a wrong clock dated into the future is no reason to lose everything before it.
        let to_ms = now.map_or(first.to_ms, |now| first.to_ms.min(now.0));
        if first.tier == Tier::Samples && first.bytes > limit(keep) / RUN_PARTS && first.from_ms < to_ms {
            let asked = |(key, at): (RunKey, Instant)| key == first.key && at.elapsed() < REST;
            if !self.trims.is_some_and(asked) {
                let middle =
                    first.from_ms.saturating_add((to_ms.abs_diff(first.from_ms) / 2).cast_signed()).saturating_add(1);
                self.trims = Some((first.key, Instant::now()));
                self.asks = Some(Ask::Trim(first.key, middle));
            }
            return Ok(false);
        }
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // A wrong clock may have dated the run into the future: what the next of its tier has is not gone with it.
        let after =
            runs.iter().filter(|run| run.tier == first.tier && run.key != first.key && run.last_seq >= first.last_seq);
        let next_ms = after.map(|run| run.to_ms).min().unwrap_or(i64::MAX);
        go(&transaction, first, next_ms)?;
        transaction.commit()?;
        Ok(true)
    }
}

/// The oldest samples that are kept of any kind, as of when what is too old was last looked for.
pub(crate) fn kept_from(db: &Connection, keep: &Keeping) -> rusqlite::Result<Option<i64>> {
    Ok(meta::aged(db)?.map(|aged| cutoff(keep.longest().samples, aged).0))
}

/// Removes some blocks of runs that are gone; false when there are none.
fn sweep(db: &mut Connection, began: Instant) -> rusqlite::Result<bool> {
    if !run::has_gone(db)? {
        return Ok(false);
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    while run::sweep(&transaction, BLOCKS)? && began.elapsed() < STEP {}
    transaction.commit()?;
    Ok(true)
}

/// A run is read no more; that its tier is complete from its end on, or from `next_ms` if that is earlier, is noted.
fn go(db: &Connection, gone: &Run, next_ms: i64) -> rusqlite::Result<()> {
    meta::set_gone(db, gone.tier, WallMs(gone.to_ms.saturating_add(gone.tier.width_ms()).min(next_ms)))?;
    run::retire(db, gone.key)
}

/// Gives a little of what is free and not wanted back to the disk; false when there is nothing to give, or no way to.
fn give_back(db: &mut Connection, used: Used, began: Instant) -> rusqlite::Result<bool> {
    const INCREMENTAL: u64 = 2;
    let spare = SPARE_PAGES.max(used.pages / 16);
    let mut too_many = used.free_pages.saturating_sub(spare);
    if too_many == 0 || number(db, "auto_vacuum")? != INCREMENTAL {
        return Ok(false);
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    while too_many > 0 && began.elapsed() < STEP {
        let some = too_many.min(GIVE_BACK_PAGES);
        // One row for each page; it is given back when its row has been stepped to.
        let mut statement = transaction.prepare(&format!("PRAGMA incremental_vacuum({some})"))?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        too_many -= some;
    }
    transaction.commit()?;
    Ok(true)
}

/// How much of the disk is taken.
#[derive(Clone, Copy, Debug)]
struct Used {
    pages: u64,
    free_pages: u64,
    page_bytes: u64,
    log_bytes: u64,
    /// What a move is making of what is there.
    making_bytes: u64,
}

impl Used {
    fn measure(db: &Connection, path: &Path) -> rusqlite::Result<Used> {
        Ok(Used {
            pages: number(db, "page_count")?,
            free_pages: number(db, "freelist_count")?,
            page_bytes: number(db, "page_size")?,
            log_bytes: open::log_bytes(path).min(open::LOG_KEPT_BYTES),
            making_bytes: 0,
        })
    }

    fn bytes(&self) -> u64 {
        let in_use = self.pages.saturating_sub(self.free_pages) * self.page_bytes;
        in_use.saturating_sub(self.making_bytes) + self.log_bytes
    }

    /// Whether it is more than may be kept or, when it `was`, not yet far enough under that.
    fn is_over(&self, keep: &Keeping, was: bool) -> bool {
        let limit = limit(keep);
        self.bytes() > if was { limit - limit / 100 * UNDER_PCT } else { limit }
    }
}

fn limit(keep: &Keeping) -> u64 {
    u64::from(keep.all.max_mb) * 1_000_000
}

/// The start of the first bucket of a tier that is kept: one goes when all of it is too old.
pub(crate) fn whole_buckets(tier: Tier, days: u32, now: WallMs) -> i64 {
    cutoff(days, now).0.div_euclid(tier.width_ms()).saturating_mul(tier.width_ms())
}

fn cutoff(days: u32, now: WallMs) -> WallMs {
    let kept = (u64::from(days) * DAY_MS).cast_signed();
    WallMs(now.0.saturating_sub(kept))
}

fn number(db: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let number: i64 = db.pragma_query_value(None, pragma, |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

#[cfg(test)]
mod tests;
