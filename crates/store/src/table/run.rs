//! `run` and `block`: the history that is no longer in the journal.
//!
//! A run is everything of a stretch of sequences, ordered by series and time, and never changes: runs are made of the journal and of
//! other runs, become live in the transaction in which what they were made of is gone, and go as a whole. Its rows in `block` hold
//! pages of one series after the other ([`crate::codec::block`]).
//!
//! | column of `run` | meaning |
//! |---|---|
//! | `tier` | 0 samples; 1, 2, 3 what happened in each minute, hour, day |
//! | `level` | how often it was merged; from [`SETTLED`] on samples are in the roll-ups too, and there once |
//! | `state` | building, live, gone (its blocks go a few at a time) |
//! | `first_seq`, `last_seq` | of the samples that it was made of |
//! | `from_ms`, `to_ms` | the times they count at |
//! | `entries`, `pages`, `bytes` | samples or buckets, pages, and bytes of its blocks |
//!
//! `block_place` finds the blocks of a series: the first whose last series is not before it, and those behind it until one begins
//! after it.

use std::ops::Range;
use std::rc::Rc;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::keeping::Days;
use rusqlite::{Connection, Row, params};

use super::{count, counted, damaged, unreadable};
use crate::codec::Damaged;
use crate::codec::block::{self, Block, Entry};
use crate::history::Damage;
use crate::weave::Page;

/// The level from which on a run's samples are rolled up.
pub(crate) const SETTLED: u32 = 16;

/// What the entries of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Samples,
    Minutes,
    Hours,
    Days,
}

impl Tier {
    /// Those that hold buckets, the narrowest first.
    pub const ROLLED: [Tier; 3] = [Tier::Minutes, Tier::Hours, Tier::Days];

    /// Those that go by their age; what happened on each day stays.
    pub const AGING: [Tier; 3] = [Tier::Samples, Tier::Minutes, Tier::Hours];

    /// How old its entries may become; `None` is for ever.
    pub fn days(self, days: Days) -> Option<u32> {
        match self {
            Tier::Samples => Some(days.samples),
            Tier::Minutes => Some(days.minutes),
            Tier::Hours => days.hours,
            Tier::Days => None,
        }
    }

    /// The width of a bucket; of samples that of an instant.
    pub fn width_ms(self) -> i64 {
        match self {
            Tier::Samples => 1,
            Tier::Minutes => 60_000,
            Tier::Hours => 3_600_000,
            Tier::Days => 86_400_000,
        }
    }

    fn code(self) -> i64 {
        match self {
            Tier::Samples => 0,
            Tier::Minutes => 1,
            Tier::Hours => 2,
            Tier::Days => 3,
        }
    }

    pub fn of_code(column: usize, code: i64) -> rusqlite::Result<Tier> {
        match code {
            0 => Ok(Tier::Samples),
            1 => Ok(Tier::Minutes),
            2 => Ok(Tier::Hours),
            3 => Ok(Tier::Days),
            other => Err(unreadable(column, format!("{other} is no tier"))),
        }
    }
}

/// The key of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunKey(pub i64);

/// A run that is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub key: RunKey,
    pub tier: Tier,
    pub level: u32,
    pub first_seq: u64,
    pub last_seq: u64,
    pub from_ms: i64,
    pub to_ms: i64,
    pub entries: u64,
    pub pages: u64,
    pub bytes: u64,
}

impl Run {
    pub fn is_settled(&self) -> bool {
        self.level >= SETTLED
    }
}

const COLUMNS: &str = "run, tier, level, first_seq, last_seq, from_ms, to_ms, entries, pages, bytes";

fn of_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        key: RunKey(row.get(0)?),
        tier: Tier::of_code(1, row.get(1)?)?,
        level: row.get(2)?,
        first_seq: count(3, row.get(3)?)?,
        last_seq: count(4, row.get(4)?)?,
        from_ms: row.get(5)?,
        to_ms: row.get(6)?,
        entries: count(7, row.get(7)?)?,
        pages: count(8, row.get(8)?)?,
        bytes: count(9, row.get(9)?)?,
    })
}

/// The live runs in the order of what was said first.
pub(crate) fn live(db: &Connection) -> rusqlite::Result<Vec<Run>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE state = 'live' ORDER BY first_seq, run"))?
        .query_map([], of_row)?
        .collect()
}

/// The highest key there is.
pub(crate) fn last_key(db: &Connection) -> rusqlite::Result<RunKey> {
    db.prepare_cached("SELECT coalesce(max(run), 0) FROM run")?.query_one([], |row| Ok(RunKey(row.get(0)?)))
}

/// Begins a run that nobody reads yet; again does nothing.
pub(crate) fn begin(db: &Connection, key: RunKey) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO run (run, tier, level, state, first_seq, last_seq, from_ms, to_ms, entries, pages, bytes)
         VALUES (?1, 0, 0, 'building', 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (run) DO NOTHING",
    )?
    .execute([key.0])
    .map(drop)
}

/// Adds a block to a run that is being built.
pub(crate) fn add(db: &Connection, key: RunKey, block: &Block) -> rusqlite::Result<()> {
    add_as(db, None, key, block)
}

/// Adds a block in the place that its row has, or else behind the others.
pub(crate) fn add_as(db: &Connection, place: Option<i64>, key: RunKey, block: &Block) -> rusqlite::Result<()> {
    let Block { first_series, last_series, from_ms, to_ms, bytes, .. } = block;
    db.prepare_cached(
        "INSERT INTO block (block, run, first_series, last_series, from_ms, to_ms, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![place, key.0, first_series.0, last_series.0, from_ms, to_ms, bytes])
    .map(drop)
}

/// A run is whole and is read from now on.
pub(crate) fn finish(db: &Connection, run: &Run) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE run SET tier = ?2, level = ?3, state = 'live', first_seq = ?4, last_seq = ?5, from_ms = ?6, to_ms = ?7,
           entries = ?8, pages = ?9, bytes = ?10
         WHERE run = ?1",
    )?
    .execute(params![
        run.key.0,
        run.tier.code(),
        run.level,
        counted(run.first_seq)?,
        counted(run.last_seq)?,
        run.from_ms,
        run.to_ms,
        counted(run.entries)?,
        counted(run.pages)?,
        counted(run.bytes)?,
    ])
    .map(drop)
}

/// Whether a run is there to be read.
pub(crate) fn is_live(db: &Connection, key: RunKey) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM run WHERE run = ?1 AND state = 'live')")?
        .query_one([key.0], |row| row.get(0))
}

/// A run is read no more.
pub(crate) fn retire(db: &Connection, key: RunKey) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE run SET state = 'gone' WHERE run = ?1 AND state = 'live'")?.execute([key.0]).map(drop)
}

/// A run that was being built is not to be.
pub(crate) fn give_up(db: &Connection, key: RunKey) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE run SET state = 'gone' WHERE run = ?1 AND state = 'building'")?.execute([key.0]).map(drop)
}

/// Gives up every run that is being built: whoever built them was killed.
pub(crate) fn give_up_all(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE run SET state = 'gone' WHERE state = 'building'", []).map(drop)
}

/// Whether there is a run that is gone and not yet removed.
pub(crate) fn has_gone(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM run WHERE state = 'gone')")?.query_one([], |row| row.get(0))
}

/// Removes some blocks of a run that is gone, or the row of one that has none left; false when there is none.
pub(crate) fn sweep(db: &Connection, blocks: usize) -> rusqlite::Result<bool> {
    let gone: Option<i64> =
        db.prepare_cached("SELECT min(run) FROM run WHERE state = 'gone'")?.query_one([], |row| row.get(0))?;
    let Some(run) = gone else { return Ok(false) };
    let blocks = i64::try_from(blocks).unwrap_or(i64::MAX);
    let removed = db
        .prepare_cached("DELETE FROM block WHERE block IN (SELECT block FROM block WHERE run = ?1 LIMIT ?2)")?
        .execute((run, blocks))?;
    if removed == 0 {
        db.prepare_cached("DELETE FROM run WHERE run = ?1")?.execute([run])?;
    }
    Ok(true)
}

/// Adds the pages of one series in a run that touch this stretch, in order, without what is damaged; `place` is the run's among
/// those that are read.
pub(crate) fn pages(
    db: &Connection,
    key: RunKey,
    place: usize,
    series: SeriesKey,
    span: &Range<i64>,
    lost: &mut Damage,
    pages: &mut Vec<Page>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT first_series, from_ms, to_ms, data FROM block WHERE run = ?1 AND last_series >= ?2
         ORDER BY last_series, block",
    )?;
    let mut rows = statement.query((key.0, series.0))?;
    let next = || -> rusqlite::Result<bool> {
        let Some(row) = rows.next()? else { return Ok(false) };
        if row.get::<_, u32>(0)? > series.0 {
            return Ok(false);
        }
        let (from_ms, to_ms): (i64, i64) = (row.get(1)?, row.get(2)?);
        if from_ms >= span.end || to_ms < span.start {
            return Ok(true);
        }
        let wanted = |entry: &Entry| entry.series == series && entry.from_ms < span.end && entry.to_ms >= span.start;
        let bytes = Rc::new(row.get::<_, Vec<u8>>(3)?);
        block::pages(&bytes, wanted, |entry, at| pages.push(Page::new(place, entry, Rc::clone(&bytes), at)))
            .map_err(|Damaged| damaged("a block"))?;
        Ok(true)
    };
    lost.passes_over(next)
}

/// Hands over every page of a run that touches this stretch, series by series, without what is damaged; `place` is the run's among
/// those that are read.
pub(crate) fn all_pages(
    db: &Connection,
    key: RunKey,
    place: usize,
    span: &Range<i64>,
    lost: &mut Damage,
    mut each: impl FnMut(Page),
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT data FROM block WHERE run = ?1 AND from_ms < ?3 AND to_ms >= ?2 ORDER BY last_series, block",
    )?;
    let mut rows = statement.query((key.0, span.start, span.end))?;
    let next = || -> rusqlite::Result<bool> {
        let Some(row) = rows.next()? else { return Ok(false) };
        let bytes = Rc::new(row.get::<_, Vec<u8>>(0)?);
        let wanted = |entry: &Entry| entry.from_ms < span.end && entry.to_ms >= span.start;
        block::pages(&bytes, wanted, |entry, at| each(Page::new(place, entry, Rc::clone(&bytes), at)))
            .map_err(|Damaged| damaged("a block"))?;
        Ok(true)
    };
    lost.passes_over(next)
}

/// The blocks of a run in order.
pub(crate) fn blocks(db: &Connection, key: RunKey) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached("SELECT block FROM block WHERE run = ?1 ORDER BY last_series, block")?
        .query_map([key.0], |row| row.get(0))?
        .collect()
}

/// A block as it is.
pub(crate) fn block(db: &Connection, block: i64) -> rusqlite::Result<Vec<u8>> {
    db.prepare_cached("SELECT data FROM block WHERE block = ?1")?.query_one([block], |row| row.get(0))
}
