//! What can be taken over of the history: runs and their blocks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use crate::codec::block::{self, Block, Entry, Filling};
use crate::codec::page::{self, Scratch};
use crate::codec::{Damaged, rolled};
use crate::table::count;
use crate::table::run::{self, Run, RunKey, SETTLED, Tier};

use super::tree::Row;
use super::{Lost, NUMBER_MAX, SLICE, TELL, Taking};

/// A run as its row had it, and what came of its blocks.
struct Found {
    run: Run,
    begun: bool,
}

impl Taking<'_> {
    pub(super) fn history(&mut self, seq_from_runs: bool) -> rusqlite::Result<()> {
        let mut runs: BTreeMap<i64, Option<Found>> = BTreeMap::new();
        self.each("run", true, |_, row| {
            let key = row.key.ok_or(Lost::Row)?;
            let found = match row.text(3).ok_or(Lost::Row)? {
                "live" => Some(Found { run: run_of(&row)?, begun: false }),
                // On its way, or gone: nobody reads it.
                _ => None,
            };
            runs.insert(key, found);
            Ok(())
        })?;
        if seq_from_runs {
            let highest = runs.values().flatten().map(|found| found.run.last_seq).max().unwrap_or(0);
            let highest = i64::try_from(highest).ok().filter(|seq| *seq < NUMBER_MAX);
            self.last_seq = self.last_seq.max(highest.unwrap_or(0));
        }
        let rolled_up = runs.values().flatten().any(|found| found.run.tier != Tier::Samples);
        let stray = if rolled_up { SETTLED } else { 1 };
        let (mut waiting, mut bytes) = (0, 0_u64);
        let mut told_at = Instant::now();
        let mut scratch = Scratch::default();
        self.each("block", true, |taking, row| {
            let (id, key) = (row.key.ok_or(Lost::Row)?, row.whole(1).ok_or(Lost::Row)?);
            let data = row.bytes(6).ok_or(Lost::Row)?;
            if matches!(runs.get(&key), Some(None)) {
                return Ok(());
            }
            let known = |entry: &Entry| taking.series.contains(&entry.series);
            let block = block_of(data, known)?.ok_or(Lost::Row)?;
            let tier = runs.get(&key).and_then(Option::as_ref).map_or(Tier::Samples, |found| found.run.tier);
            if !is_of_tier(&block, tier, &mut scratch) {
                return Err(Lost::Row);
            }
            let found = runs.entry(key).or_insert_with(|| Some(Found { run: empty(key, tier, stray), begun: false }));
            let Some(Found { run, begun }) = found else { return Ok(()) };
            if !*begun {
                *run = Run { from_ms: i64::MAX, to_ms: i64::MIN, entries: 0, pages: 0, bytes: 0, ..*run };
                run::begin(taking.db, run.key)?;
                *begun = true;
            }
            run::add_as(taking.db, Some(id), run.key, &block)?;
            (run.from_ms, run.to_ms) = (run.from_ms.min(block.from_ms), run.to_ms.max(block.to_ms));
            run.entries += block.count;
            run.pages += block.pages;
            run.bytes += block.bytes.len() as u64;
            match run.tier {
                Tier::Samples => taking.told.samples += block.count,
                Tier::Minutes | Tier::Hours | Tier::Days => taking.told.buckets += block.count,
            }
            waiting += block.bytes.len();
            bytes += block.bytes.len() as u64;
            if waiting >= SLICE {
                taking.db.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
                waiting = 0;
            }
            if told_at.elapsed() >= TELL {
                tracing::info!(megabytes = bytes / 1_000_000, samples = taking.told.samples, "salvaging the history");
                told_at = Instant::now();
            }
            Ok(())
        })?;
        for found in runs.values().flatten().filter(|found| found.begun) {
            run::finish(self.db, &found.run)?;
        }
        Ok(())
    }
}

fn empty(key: i64, tier: Tier, level: u32) -> Run {
    Run {
        key: RunKey(key),
        tier,
        level,
        first_seq: 0,
        last_seq: 0,
        from_ms: 0,
        to_ms: 0,
        entries: 0,
        pages: 0,
        bytes: 0,
    }
}

fn run_of(row: &Row) -> Result<Run, Lost> {
    let whole = |column| row.whole(column).ok_or(Lost::Row);
    let level = u32::try_from(whole(2)?).map_err(|_| Lost::Row)?;
    let run = empty(row.key.ok_or(Lost::Row)?, Tier::of_code(1, whole(1)?)?, level);
    Ok(Run { first_seq: count(4, whole(4)?)?, last_seq: count(5, whole(5)?)?, ..run })
}

/// The pages of a block whose series are known, as a block; nothing where there are none.
fn block_of(data: &[u8], known: impl Fn(&Entry) -> bool) -> Result<Option<Block>, Damaged> {
    let mut all = true;
    let mut filling = Filling::default();
    let mut put = |entry: Entry, at: Range<usize>| {
        if known(&entry) {
            filling.push(entry, |out| out.extend(data.get(at).unwrap_or_default()));
        } else {
            all = false;
        }
    };
    block::pages(data, |_| true, &mut put)?;
    let block = filling.take();
    Ok(if all { block.map(|block| Block { bytes: data.to_vec(), ..block }) } else { block })
}

/// Whether the first page of a block is what its run says: the tier itself has no checksum.
fn is_of_tier(block: &Block, tier: Tier, scratch: &mut Scratch) -> bool {
    let mut first = None;
    let found = block::pages(
        &block.bytes,
        |_| true,
        |entry, at| {
            first.get_or_insert((entry, at));
        },
    );
    let (Ok(()), Some((entry, at))) = (found, first) else { return false };
    let bytes = block.bytes.get(at).unwrap_or_default();
    let ends = if tier == Tier::Samples {
        let mut samples = Vec::new();
        let read = page::get(bytes, entry.count, entry.from_ms, &mut samples, scratch);
        read.ok().and(samples.last().map(|kept| kept.device_ms))
    } else {
        let mut buckets = Vec::new();
        let read = rolled::get(bytes, entry.count, entry.from_ms, tier.width_ms(), &mut buckets);
        read.ok().and(buckets.last().map(|rolled| rolled.bucket.start_ms.0))
    };
    ends == Some(entry.to_ms) && entry.from_ms.rem_euclid(tier.width_ms()) == 0
}
