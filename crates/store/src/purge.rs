//! Retention: what is over the limits goes, a little at a time, whenever no batch waits.
//!
//! **What goes.** By age: samples measured, commands asked and alarms ended longer ago than the days that are kept. By size: the
//! oldest samples, until the cache is [`UNDER_PCT`] % under its limit, so that this is not done again with the next batch. Latest
//! values, shadows, open commands and open alarms stay whatever the limits say.
//!
//! **How.** The writer's thread takes one [`Purge::step`] when its queue is empty and looks at the queue before the next: a step is
//! one transaction that takes on nothing more after [`STEP`], so a batch waits that long and its commit at most. Samples are
//! ordered by series and then by time, with no second index that every insert would pay for: a pass walks over all series and
//! takes from each what lies before a horizon. By age the horizon is given. By size it comes closer in strides that are a quarter
//! of what should go (if samples came evenly), and within a stride it ends as soon as enough is gone; so series differ in what is
//! left of them by a stride at most.
//!
//! **What time it is.** The cache has no clock: "now" is when the newest write says it was made. A cache that hears nothing does not
//! grow. A now that is further ahead of the last than anything is kept would make everything too old at once: a wall clock may be
//! wrong by years, and a person who comes back after two months would not find the last month she had. So it is not gone by before
//! it has been ahead for a day ([`BELIEVED_AFTER_MS`]), over restarts too; until then the time that was last gone by stands. The size
//! is kept meanwhile as ever.
//!
//! **Devices without a clock.** A stride begins where the last one ended, and at what is kept for its age, however old the oldest
//! sample calls itself: a device that goes on saying 1970 would hold the horizon there, and nothing else would ever go.
//!
//! **What counts as size.** The pages in use (all but the free ones) and the write-ahead log, of which no more than the part that is
//! always kept: a longer one goes by itself, and no sample that is thrown away would make it shorter. Rows that go leave their
//! pages part-filled at first (SQLite merges them from a third downwards); where a series has only a few pages, up to two thirds
//! of it go before the first of them is free, and it fills again before the cache grows.
//!
//! **Where the space goes.** Into new rows first. A cache made from schema 3 on has `auto_vacuum=INCREMENTAL`: of its free pages only
//! [`SPARE_PAGES`] or a sixteenth of the file stay, the rest is given back to the disk. Older ones have `auto_vacuum=NONE`, which
//! cannot be changed without writing the whole file anew (SQLite's `VACUUM`: minutes, and twice the space, both of which are short
//! when this matters); they do not shrink, but do not grow either while pages are free.

use std::path::Path;
use std::time::{Duration, Instant};

use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::Retention;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, TransactionBehavior};

use crate::open;
use crate::table::meta::Totals;
use crate::table::{alarm, command, meta, sample, series};
use crate::transaction::Tally;

/// A step begins nothing new after this. Its commit comes on top: some milliseconds, or tens of them on a slow disk.
const STEP: Duration = Duration::from_millis(10);

/// How far under the limit a cache that was over it ends, in percent of the limit.
const UNDER_PCT: u64 = 5;

/// How often what is too old is looked for: what is kept for days need not go to the minute.
const AGED_EVERY_MS: u64 = 3_600_000;

/// How long a time that is further ahead than anything is kept must go on before it is gone by.
const BELIEVED_AFTER_MS: u64 = DAY_MS;

/// Rows that one statement removes: few enough that it does not outlast a step.
const ROWS: usize = 200;

/// Series whose keys are read at once.
const SERIES: usize = 256;

/// Free pages that a cache keeps for what comes next: 4 MiB.
const SPARE_PAGES: u64 = 1_024;

/// Pages given back to the disk by one statement.
const GIVE_BACK_PAGES: u64 = 32;

/// After a step that failed (the disk is full, say) nothing is tried for this long.
const REST: Duration = Duration::from_secs(30);

const DAY_MS: u64 = 86_400_000;

/// How far the writer is with what its retention asks for.
#[derive(Debug, Default)]
pub(crate) struct Purge {
    /// The limits that the work under way was begun for.
    keep: Option<Retention>,
    /// The last time that the cache knew of when it was opened.
    opened_at: Option<WallMs>,
    /// When it was last looked for what is too old.
    aged_at: Option<WallMs>,
    /// The time that was gone by then: that one, or an earlier one while it is not believed.
    goes_by: Option<WallMs>,
    /// Whether the cache was over its size and is not yet far enough under it.
    over: bool,
    /// Where the last stride ended, if that was not enough.
    strode_to: Option<WallMs>,
    pass: Option<Pass>,
    /// Whether space was given back that the file on the disk has not yet lost: that takes a checkpoint.
    gave_back: bool,
    rests_until: Option<Instant>,
}

/// One walk over all series.
#[derive(Debug)]
struct Pass {
    /// Samples before it go.
    horizon: WallMs,
    /// Removes nothing more as soon as the cache is small enough for this.
    by_size: Option<Retention>,
    /// Whether anything more is to go; the walk goes on without, to know what the oldest is now.
    removes: bool,
    /// The next series is the first from here on.
    next: u32,
    /// The oldest sample that stays in the series so far, or came in meanwhile.
    oldest: Option<WallMs>,
}

impl Purge {
    /// Of a cache that knew of this time when it was opened.
    pub fn new(opened_at: Option<WallMs>) -> Purge {
        Purge { opened_at, ..Purge::default() }
    }

    /// Tells of a committed transaction. What came in behind the walk is not met by it.
    pub fn heard(&mut self, tally: &Tally) {
        if let Some(pass) = &mut self.pass {
            pass.oldest = earlier(pass.oldest, tally.oldest_new);
        }
    }

    /// A step failed: nothing is tried for a while, unless the limits become others.
    pub fn rest(&mut self) {
        self.rests_until = Some(Instant::now() + REST);
    }

    /// Does a little of what is to be done at `now` and returns the totals after it; `None` when there is nothing to do. On an error
    /// nothing has changed.
    pub fn step(
        &mut self,
        db: &mut Connection,
        path: &Path,
        keep: Retention,
        now: Option<WallMs>,
        totals: &Totals,
    ) -> rusqlite::Result<Option<Totals>> {
        if self.keep != Some(keep) {
            *self = Purge { keep: Some(keep), ..Purge::new(self.opened_at) };
        }
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        self.rests_until = None;
        let began = Instant::now();
        if let Some(pass) = self.pass.take() {
            return self.walk(db, path, pass, totals, began).map(Some);
        }
        if let Some(now) = now
            && self.aged_at.is_none_or(|last| now.0.abs_diff(last.0) >= AGED_EVERY_MS)
        {
            return self.age(db, keep, now, totals).map(Some);
        }
        let used = Used::measure(db, path)?;
        self.over = used.is_over(keep, self.over);
        if self.over && totals.samples > 0 {
            let kept_from = self.goes_by.map_or(WallMs(i64::MIN), |at| cutoff(keep, at));
            let horizon = totals.oldest_ms.map_or(WallMs(i64::MIN), |oldest| {
                let from = oldest.max(kept_from).max(self.strode_to.unwrap_or(oldest));
                from.plus(used.stride_ms(keep, from, self.goes_by.unwrap_or(from)))
            });
            let pass = Pass { horizon, by_size: Some(keep), removes: true, next: 0, oldest: None };
            return self.walk(db, path, pass, totals, began).map(Some);
        }
        if give_back(db, used, began)? {
            self.gave_back = true;
            return Ok(Some(*totals));
        }
        if std::mem::take(&mut self.gave_back) {
            db.pragma(None, "wal_checkpoint", "PASSIVE", |_| Ok(()))?;
        }
        Ok(None)
    }

    /// Ended commands and alarms of old, some of them; then the samples.
    fn age(&mut self, db: &mut Connection, keep: Retention, now: WallMs, totals: &Totals) -> rusqlite::Result<Totals> {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last = meta::aged(&transaction)?.or(self.opened_at);
        let cutoff = cutoff(keep, now);
        if last.is_some_and(|last| last < cutoff) {
            let since = meta::ahead_since(&transaction)?.filter(|since| *since <= now).unwrap_or(now);
            if now.since(since) < BELIEVED_AFTER_MS {
                meta::set_ahead_since(&transaction, Some(since))?;
                transaction.commit()?;
                (self.aged_at, self.goes_by) = (Some(now), last);
                return Ok(*totals);
            }
        }
        let gone = command::forget(&transaction, cutoff, ROWS)? + alarm::forget(&transaction, cutoff, ROWS)?;
        if gone == 0 {
            meta::set_aged(&transaction, now)?;
            meta::set_ahead_since(&transaction, None)?;
        }
        transaction.commit()?;
        if gone == 0 {
            (self.aged_at, self.goes_by) = (Some(now), Some(now));
            if totals.oldest_ms.is_some_and(|oldest| oldest < cutoff) {
                self.pass = Some(Pass { horizon: cutoff, by_size: None, removes: true, next: 0, oldest: None });
            }
        }
        Ok(*totals)
    }

    /// Goes on with a pass. When it fails, the pass goes on from where it was.
    fn walk(
        &mut self,
        db: &mut Connection,
        path: &Path,
        mut pass: Pass,
        totals: &Totals,
        began: Instant,
    ) -> rusqlite::Result<Totals> {
        let at = (pass.next, pass.oldest, pass.removes);
        match pass.go_on(db, path, totals, began) {
            Ok((totals, at_the_end)) => {
                if at_the_end {
                    self.strode_to = (pass.by_size.is_some() && pass.removes).then_some(pass.horizon);
                } else {
                    self.pass = Some(pass);
                }
                Ok(totals)
            }
            Err(error) => {
                (pass.next, pass.oldest, pass.removes) = at;
                self.pass = Some(pass);
                Err(error)
            }
        }
    }
}

impl Pass {
    /// As many series as fit into a step; true when they were the last.
    fn go_on(
        &mut self,
        db: &mut Connection,
        path: &Path,
        before: &Totals,
        began: Instant,
    ) -> rusqlite::Result<(Totals, bool)> {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut totals = *before;
        let mut at_the_end = false;
        'step: while !at_the_end {
            let some = series::keys_from(&transaction, SeriesKey(self.next), SERIES)?;
            at_the_end = some.len() < SERIES;
            for series in some {
                let mut first = sample::oldest(&transaction, series)?;
                while self.removes && first.is_some_and(|first| first < self.horizon) {
                    if began.elapsed() >= STEP {
                        at_the_end = false;
                        self.next = series.0;
                        break 'step;
                    }
                    let gone = sample::forget(&transaction, series, self.horizon, ROWS)?;
                    totals.samples = totals.samples.saturating_sub(gone);
                    first = sample::oldest(&transaction, series)?;
                    if let Some(keep) = self.by_size {
                        self.removes = Used::measure(&transaction, path)?.is_over(keep, true);
                    }
                }
                self.oldest = earlier(self.oldest, first);
                // Nothing comes after the last key there can be.
                self.next = series.0.saturating_add(1);
            }
            if began.elapsed() >= STEP {
                break;
            }
        }
        if at_the_end {
            totals.oldest_ms = self.oldest;
        }
        totals.write(before, &transaction)?;
        transaction.commit()?;
        Ok((totals, at_the_end))
    }
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
}

impl Used {
    fn measure(db: &Connection, path: &Path) -> rusqlite::Result<Used> {
        Ok(Used {
            pages: number(db, "page_count")?,
            free_pages: number(db, "freelist_count")?,
            page_bytes: number(db, "page_size")?,
            log_bytes: open::log_bytes(path).min(open::LOG_KEPT_BYTES),
        })
    }

    fn bytes(&self) -> u64 {
        self.pages.saturating_sub(self.free_pages) * self.page_bytes + self.log_bytes
    }

    /// Whether it is more than may be kept or, when it `was`, not yet far enough under that.
    fn is_over(&self, keep: Retention, was: bool) -> bool {
        let limit = limit(keep);
        self.bytes() > if was { limit - limit / 100 * UNDER_PCT } else { limit }
    }

    /// How far the horizon moves from the oldest sample, in milliseconds.
    fn stride_ms(&self, keep: Retention, oldest: WallMs, now: WallMs) -> i64 {
        let limit = limit(keep);
        let target = limit - limit / 100 * UNDER_PCT;
        let span = now.0.abs_diff(oldest.0);
        let share = self.bytes().saturating_sub(target) as f64 / self.bytes().max(1) as f64;
        // At least a four hundredth, so that the last passes are not ever shorter ones.
        let stride = span as f64 * (share / 4.0).max(1.0 / 400.0);
        (stride as i64).max(1)
    }
}

fn limit(keep: Retention) -> u64 {
    u64::from(keep.max_mb) * 1_000_000
}

fn cutoff(keep: Retention, now: WallMs) -> WallMs {
    let kept = (u64::from(keep.keep_days) * DAY_MS).cast_signed();
    WallMs(now.0.saturating_sub(kept))
}

fn number(db: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let number: i64 = db.pragma_query_value(None, pragma, |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn earlier(one: Option<WallMs>, other: Option<WallMs>) -> Option<WallMs> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
