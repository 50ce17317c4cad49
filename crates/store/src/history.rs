//! Reading the history: out of the roll-ups where they are narrow enough, out of samples where not, and out of the journal.
//!
//! What is settled is in the roll-ups; what is not (runs that are not settled, and the journal) is added to them as it is read. Where
//! the samples are gone by their age the minutes answer, where those are gone the hours: coarser than was asked, but there.

use std::ops::{ControlFlow, Range};

use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::time::WallMs;
use rusqlite::Connection;

use crate::codec::page::{self, Scratch};
use crate::codec::rolled;
use crate::codec::{Damaged, Kept};
use crate::error::is_damage;
use crate::folding::Folding;
use crate::table::cuts::Cuts;
use crate::table::run::{self, Run, Tier};
use crate::table::{damaged, journal, meta, series};
use crate::weave::{self, Page};

/// How long the first slice of a long walk is.
const STEP_MS: i64 = 3_600_000;
/// With fewer samples in a slice the next is twice as long.
const SLICE_FEW: usize = 10_000;
/// With as many it is half as long.
const SLICE_MANY: usize = 40_000;

/// What was damaged and is left out of an answer.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    count: u64,
    first: Option<String>,
}

impl Damage {
    /// Meets something.
    pub fn meets(&mut self, what: &impl std::fmt::Display) {
        self.count += 1;
        self.first.get_or_insert_with(|| what.to_string());
    }

    /// Takes one row after the other, for as long as `next` says that there may be another, and passes over those that are damaged.
    pub fn passes_over(&mut self, mut next: impl FnMut() -> rusqlite::Result<bool>) -> rusqlite::Result<()> {
        loop {
            match next() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) if is_damage(&error) => {
                    self.meets(&error);
                    // In a tree that is broken there is no going on.
                    if error.sqlite_error_code().is_some() {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// What was met first; nothing when nothing was.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

/// The numbers and flags of a stretch in buckets, without what is damaged.
pub(crate) fn buckets(db: &Connection, query: &HistoryQuery, lost: &mut Damage) -> rusqlite::Result<Vec<Bucket>> {
    // All of it of one moment of the cache.
    let db = db.unchecked_transaction()?;
    let runs = run::live(&db)?;
    let width_ms = i64::try_from(query.bucket_ms.max(1)).unwrap_or(i64::MAX);
    let mut folding = Folding::new(width_ms);
    for (span, tier) in stretches(&db, query.series, query.from_ms.0..query.to_ms.0, width_ms)? {
        if tier != Tier::Samples {
            let of_tier = runs.iter().filter(|run| run.tier == tier);
            let mut parts = Vec::new();
            for page in pages(&db, of_tier, query.series, &span, lost)? {
                parts.clear();
                let (count, from_ms) = (page.entry.count, page.entry.from_ms);
                if rolled::get(page.bytes(), count, from_ms, tier.width_ms(), &mut parts).is_err() {
                    lost.meets(&damaged("a page of buckets"));
                    continue;
                }
                let inside = parts.drain(..).filter(|part| span.contains(&part.bucket.start_ms.0));
                inside.for_each(|part| folding.add_part(part));
            }
        }
        // After the roll-ups: of equal times what was said later is the last.
        let is_raw = |run: &Run| run.tier == Tier::Samples && (tier == Tier::Samples || !run.is_settled());
        let pages = pages(&db, runs.iter().filter(|run| is_raw(run)), query.series, &span, lost)?;
        let mut samples = Vec::new();
        journal::of_series(&db, query.series, &span, query.up_to_seq, &mut samples, lost)?;
        weave::weave(&mut samples, 0);
        let places = span.start.abs_diff(span.end) / width_ms.unsigned_abs() + 2;
        let many = samples.len() + pages.iter().map(|page| page.entry.count).sum::<usize>();
        folding.reserve(many.min(usize::try_from(places).unwrap_or(usize::MAX)));
        let mut scratch = Scratch::default();
        let mut rest = Vec::new();
        folding.begin();
        for cluster in weave::clusters(pages) {
            // Samples that nothing else can repeat go into their buckets as they are read.
            let alone = match &*cluster {
                [page] if tier == Tier::Samples && !weave::touches(&samples, &page.entry) => Some(page),
                _ => None,
            };
            match alone.map(|page| fold_page(page, &span, &mut folding, &mut scratch)) {
                Some(Ok(true)) => {}
                Some(Err(_)) => lost.meets(&damaged("a page of samples")),
                Some(Ok(false)) | None => unpack(cluster, &span, &mut rest, &mut scratch, lost),
            }
        }
        // Before the journal's, which were said later.
        rest.append(&mut samples);
        let mut samples = rest;
        weave::weave(&mut samples, 0);
        if tier != Tier::Samples && !samples.is_empty() {
            // What is said again and not settled yet is in the roll-ups already.
            let settled = runs.iter().filter(|run| run.tier == Tier::Samples && run.is_settled());
            let mut there = Vec::new();
            for page in pages_touched(&db, settled, query.series, &samples, lost)? {
                there.clear();
                match weave::unpack(vec![page], &mut there, &mut scratch) {
                    Ok(_) => drop(weave::take_out(&mut samples, &there)),
                    Err(error) => lost.meets(&error),
                }
            }
        }
        folding.begin();
        folding.add(samples.iter().filter_map(|kept| Some((kept.device_ms, kept.value.as_number()?))));
    }
    Ok(folding.end())
}

/// Makes a connection ready for questions. The first makes SQLite read what the file says of its tables, which takes as long as the
/// answer; asked is for what nobody has.
pub(crate) fn prepare(db: &Connection) -> rusqlite::Result<()> {
    let nothing =
        HistoryQuery { series: SeriesKey(0), from_ms: WallMs(0), to_ms: WallMs(1), bucket_ms: 1, up_to_seq: 0 };
    buckets(db, &nothing, &mut Damage::default()).map(drop)
}

/// Puts the numbers of a page that lie in this stretch into their buckets, or none of them where it is damaged; false where it has more
/// than numbers.
fn fold_page(page: &Page, span: &Range<i64>, folding: &mut Folding, scratch: &mut Scratch) -> Result<bool, Damaged> {
    let entry = &page.entry;
    let Some((after_ms, numbers)) = page::numbers(page.bytes(), entry.count, scratch)? else { return Ok(false) };
    let times = after_ms.iter().map(|after| entry.from_ms.wrapping_add(*after));
    let numbers = times.zip(numbers.iter().copied());
    if span.contains(&entry.from_ms) && span.contains(&entry.to_ms) {
        folding.add(numbers);
    } else {
        folding.add(numbers.filter(|(device_ms, _)| span.contains(device_ms)));
    }
    Ok(true)
}

/// Which tier answers for which part of a stretch of a series, for buckets of this width.
fn stretches(
    db: &Connection,
    series: SeriesKey,
    span: Range<i64>,
    width_ms: i64,
) -> rusqlite::Result<Vec<(Range<i64>, Tier)>> {
    let cuts = Cuts::read(db)?;
    let kind = if cuts.is_empty() { Kind::Other } else { series::kind(db, series)? };
    let fits = |tier: &Tier| width_ms % tier.width_ms() == 0;
    let wanted = Tier::ROLLED.into_iter().rev().find(fits).unwrap_or(Tier::Samples);
    let mut end = span.end;
    let mut stretches = Vec::new();
    // From the newest back: each tier answers from where it is complete, in whole buckets of the next one.
    for (tier, next) in [(Tier::Samples, Tier::Minutes), (Tier::Minutes, Tier::Hours), (Tier::Hours, Tier::Days)] {
        let gone_ms = meta::gone(db, tier)?.map(|gone| gone.0).max(cuts.gone(kind, tier)).unwrap_or(i64::MIN);
        let width_ms = next.width_ms();
        let from = if gone_ms == i64::MIN {
            gone_ms
        } else {
            gone_ms.saturating_add(width_ms - 1).div_euclid(width_ms) * width_ms
        };
        let from = from.clamp(span.start, end.max(span.start));
        if from < end {
            split(from..end, tier.max(wanted), tier, &mut stretches);
            end = from;
        }
    }
    if span.start < end {
        stretches.push((span.start..end, Tier::Days));
    }
    Ok(stretches)
}

/// Whole buckets are the tier's, what is left at both ends is the next narrower one's, down to the narrowest that is there.
fn split(span: Range<i64>, tier: Tier, narrowest: Tier, stretches: &mut Vec<(Range<i64>, Tier)>) {
    let width_ms = tier.width_ms();
    let narrower = match tier {
        Tier::Days => Tier::Hours,
        Tier::Hours => Tier::Minutes,
        Tier::Minutes | Tier::Samples => Tier::Samples,
    };
    let from = span.start.saturating_add(width_ms - 1).div_euclid(width_ms).saturating_mul(width_ms);
    let to = span.end.div_euclid(width_ms).saturating_mul(width_ms);
    if tier <= narrowest || tier == Tier::Samples {
        stretches.push((span, tier));
    } else if from >= to {
        split(span, narrower, narrowest, stretches);
    } else {
        for end in [span.start..from, to..span.end] {
            if !end.is_empty() {
                split(end, narrower, narrowest, stretches);
            }
        }
        stretches.push((from..to, tier));
    }
}

/// Adds the samples of a series in these runs that lie in this stretch; those of one run are in the order of time.
fn of_runs<'a>(
    db: &Connection,
    runs: impl Iterator<Item = &'a Run>,
    series: SeriesKey,
    span: &Range<i64>,
    samples: &mut Vec<Kept>,
    lost: &mut Damage,
) -> rusqlite::Result<()> {
    let mut scratch = Scratch::default();
    let pages = pages(db, runs, series, span, lost)?;
    samples.reserve(pages.iter().map(|page| page.entry.count).sum());
    weave::clusters(pages).for_each(|cluster| unpack(cluster, span, samples, &mut scratch, lost));
    Ok(())
}

/// Adds the samples of a cluster that lie in this stretch.
fn unpack(cluster: Vec<Page>, span: &Range<i64>, samples: &mut Vec<Kept>, scratch: &mut Scratch, lost: &mut Damage) {
    let start = samples.len();
    if weave::unpack(cluster, samples, scratch).is_err() {
        samples.truncate(start);
        lost.meets(&damaged("a page of samples"));
    }
    let new = samples.get(start..).unwrap_or_default();
    if new.first().is_some_and(|kept| kept.device_ms < span.start)
        || new.last().is_some_and(|kept| kept.device_ms >= span.end)
    {
        let inside: Vec<Kept> = samples.drain(start..).filter(|kept| span.contains(&kept.device_ms)).collect();
        samples.extend(inside);
    }
}

/// The pages of a series in these runs that may hold one of these samples, which are in the order of time.
fn pages_touched<'a>(
    db: &Connection,
    runs: impl Iterator<Item = &'a Run>,
    series: SeriesKey,
    samples: &[Kept],
    lost: &mut Damage,
) -> rusqlite::Result<Vec<Page>> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(Vec::new()) };
    let mut touched = pages(db, runs, series, &(first.device_ms..last.device_ms.saturating_add(1)), lost)?;
    touched.retain(|page| weave::touches(samples, &page.entry));
    Ok(touched)
}

fn pages<'a>(
    db: &Connection,
    runs: impl Iterator<Item = &'a Run>,
    series: SeriesKey,
    span: &Range<i64>,
    lost: &mut Damage,
) -> rusqlite::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for (place, run) in runs.enumerate().filter(|(_, run)| run.from_ms < span.end && run.to_ms >= span.start) {
        run::pages(db, run.key, place, series, span, lost, &mut pages)?;
    }
    Ok(pages)
}

/// Every sample of a series in a stretch in the order of time, until `each` says `Break`; true when there was no `Break`. Read in
/// slices, each of one moment of the cache. Of those that are no longer in the journal the sequence is not known: it is 0.
pub(crate) fn samples(
    db: &Connection,
    series: SeriesKey,
    span: Range<WallMs>,
    lost: &mut Damage,
    mut each: impl FnMut(Sample) -> ControlFlow<()>,
) -> rusqlite::Result<bool> {
    let mut from = span.start.0;
    let mut step_ms = STEP_MS;
    loop {
        let slice = db.unchecked_transaction()?;
        let runs: Vec<Run> = run::live(&slice)?.into_iter().filter(|run| run.tier == Tier::Samples).collect();
        let held = journal::span(&slice)?;
        let starts = runs.iter().map(|run| run.from_ms).chain(held.map(|held| held.0));
        let ends = runs.iter().map(|run| run.to_ms).chain(held.map(|held| held.1));
        let end = ends.max().map_or(from, |last| last.saturating_add(1)).min(span.end.0);
        from = from.max(starts.min().unwrap_or(from));
        if from >= end {
            return Ok(true);
        }
        let to = from.saturating_add(step_ms).min(end);
        let mut kept = Vec::new();
        of_runs(&slice, runs.iter(), series, &(from..to), &mut kept, lost)?;
        journal::of_series(&slice, series, &(from..to), u64::MAX, &mut kept, lost)?;
        drop(slice);
        weave::weave(&mut kept, 0);
        step_ms = match kept.len() {
            ..SLICE_FEW => step_ms.saturating_mul(2),
            SLICE_MANY.. => (step_ms / 2).max(1),
            _ => step_ms,
        };
        for one in kept {
            if each(one.sample(series, 0)).is_break() {
                return Ok(false);
            }
        }
        from = to;
    }
}
