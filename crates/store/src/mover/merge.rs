//! Runs become larger ones, and settled ones with their roll-ups.

use std::collections::BTreeSet;

use super::cut::KeptFrom;
use super::sources::{Source, add, buckets_of, next_series, pages_of, unpacked, widened};
use super::{Ended, Finish, Mover};
use crate::building::Building;
use crate::codec::page::{PAGE_SAMPLES, Scratch};
use crate::codec::rolled::Rolled;
use crate::table::run::{self, Run, RunKey, SETTLED, Tier};
use crate::table::series;
use crate::weave::{self, Page};

/// Runs of one level that are merged.
const FAN: usize = 16;
/// Settled runs of one level that are merged.
const SETTLED_FAN: usize = 8;
/// Samples that each series should have in a settled run: pages of so many take less than two bytes a sample.
const SETTLE_PER_SERIES: u64 = 100;
/// Settled runs whose pages are longer than this on the average gain nothing by merging.
const PAGE_IS_LONG: u64 = 512;
/// A settled run is made no larger than this, in samples or buckets.
const RUN_MAX: u64 = 8_000_000;
/// Nor does it span more: it goes by its age as a whole.
const SPAN_MAX_MS: i64 = 86_400_000;

impl Mover {
    /// The merge or settling that is due, or is asked for.
    pub(super) fn merge_or_settle(&mut self, all: bool, up_to_seq: u64) -> Result<bool, Ended> {
        let kept_from = self.kept_from()?;
        let mut runs = run::live(&self.db).map_err(self.failed())?;
        runs.retain(|run| !self.broken.contains(&run.key));
        let (fresh, settled): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| !run.is_settled());
        let limit = self.size_limit();
        let (samples, bytes) = sum(&fresh);
        let is_due = samples >= self.settles_at()? || bytes >= limit || waits_long(&fresh);
        let asked = |run: &Run| run.first_seq <= up_to_seq && (all || self.is_old(run.from_ms, kept_from));
        if !fresh.is_empty() && (is_due || fresh.iter().any(asked)) {
            self.settle(&oldest(fresh, limit), &settled)?;
            return Ok(true);
        }
        if let Some(some) = level_of(&fresh, FAN).filter(|some| sum(some).1 <= limit) {
            self.merge(&some, kept_from)?;
            return Ok(true);
        }
        if let Some(old) = settled.iter().find(|run| run.tier == Tier::Samples && self.is_old(run.from_ms, kept_from)) {
            self.merge(&[*old], kept_from)?;
            return Ok(true);
        }
        if let Some((key, before_ms)) = self.trims.take()
            && let Some(run) = settled.iter().find(|run| run.key == key)
        {
            self.merge(&[*run], before_ms.max(kept_from))?;
            return Ok(true);
        }
        if self.cut_if_due()? {
            return Ok(true);
        }
        for tier in [Tier::Samples].into_iter().chain(Tier::ROLLED) {
            let of_tier: Vec<Run> = settled.iter().filter(|run| run.tier == tier).copied().collect();
            if let Some(some) = worth_merging(&of_tier, limit) {
                self.merge(&some, kept_from)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many samples wait before they are settled.
    fn settles_at(&self) -> Result<u64, Ended> {
        let series = series::last_key(&self.db).map_err(self.failed())?;
        Ok((u64::from(series.0) * SETTLE_PER_SERIES).clamp(1_000_000, 16_000_000))
    }

    /// Runs of one tier become one of the next level, without the samples before `kept_from` and what is gone by the age of its kind.
    pub(super) fn merge(&mut self, runs: &[Run], kept_from: i64) -> Result<(), Ended> {
        let Some(first) = runs.first() else { return Ok(()) };
        let level = runs.iter().map(|run| run.level).max().unwrap_or_default() + u32::from(runs.len() > 1);
        // Never by merging alone what is not settled becomes settled.
        let level = if first.is_settled() { level } else { level.min(SETTLED - 1) };
        // What is not settled is yet to be rolled up.
        let leaves_out = first.is_settled() && first.tier == Tier::Samples;
        let kept_from = if leaves_out { kept_from } else { i64::MIN };
        let of_kinds = if first.is_settled() { self.kept_of_kinds(first.tier)? } else { KeptFrom::default() };
        let mut building = Building::new(self.next_key(), first.tier, level, seqs(runs));
        let mut sources = self.sources(runs)?;
        let (mut scratch, mut repeated) = (Scratch::default(), 0);
        let mut samples = Vec::new();
        while let Some((series, pages)) = next_series(&self.db, &mut sources)? {
            let of_kind = of_kinds.of(series);
            match first.tier {
                Tier::Samples => {
                    let kept_from = kept_from.max(of_kind);
                    for cluster in weave::clusters(pages) {
                        if cluster.iter().all(|page| page.entry.to_ms < kept_from) {
                            continue;
                        }
                        if let [only] = cluster.as_slice()
                            && only.entry.count >= PAGE_SAMPLES / 2
                            && only.entry.from_ms >= kept_from
                        {
                            building.whole_page(only.entry, only.bytes());
                            continue;
                        }
                        repeated += unpacked(runs, cluster, &mut samples, &mut scratch)?;
                        let kept = samples.drain(..).filter(|kept| kept.device_ms >= kept_from);
                        building.samples(series, kept);
                    }
                }
                Tier::Minutes | Tier::Hours | Tier::Days => {
                    let mut buckets = buckets_of(runs, &pages, first.tier)?;
                    buckets.retain(|rolled| rolled.bucket.start_ms.0 >= of_kind);
                    building.buckets(series, &buckets);
                }
            }
            self.hand_over(&mut [&mut building])?;
        }
        let kept_from = gone_before(runs, kept_from);
        self.finish(vec![building], Finish { inputs: keys(runs), repeated, kept_from, ..Finish::default() })
    }

    /// Everything that is not settled becomes one settled run, and is rolled up.
    fn settle(&mut self, fresh: &[Run], settled: &[Run]) -> Result<(), Ended> {
        let kept_from = self.kept_from()?;
        let begins_ms = fresh.iter().map(|run| run.from_ms).min().unwrap_or(i64::MAX);
        let before: Vec<Run> =
            settled.iter().filter(|run| run.tier == Tier::Samples && run.to_ms >= begins_ms).copied().collect();
        let of_kinds = self.kept_of_kinds(Tier::Samples)?;
        let mut building = Building::new(self.next_key(), Tier::Samples, SETTLED, seqs(fresh));
        let mut rolling = Tier::ROLLED.map(|tier| Building::new(self.next_key(), tier, SETTLED, seqs(fresh)));
        let (mut sources, mut known) = (self.sources(fresh)?, self.sources(&before)?);
        known.iter_mut().for_each(|source| source.may_go = true);
        let (mut scratch, mut repeated) = (Scratch::default(), 0);
        let (mut samples, mut there) = (Vec::new(), Vec::new());
        while let Some((series, pages)) = next_series(&self.db, &mut sources)? {
            let kept_from = kept_from.max(of_kinds.of(series));
            let known = pages_of(&self.db, &mut known, series)?;
            let mut minutes: Vec<Rolled> = Vec::new();
            for cluster in weave::clusters(pages) {
                repeated += unpacked(fresh, cluster, &mut samples, &mut scratch)?;
                // One page at a time: a device whose clock stands still has pages that span everything.
                let near: Vec<&Page> = known.iter().filter(|page| weave::touches(&samples, &page.entry)).collect();
                for page in near {
                    there.clear();
                    unpacked(&before, vec![page.clone()], &mut there, &mut scratch)?;
                    repeated += weave::take_out(&mut samples, &there);
                }
                for kept in &samples {
                    if let Some(number) = kept.value.as_number() {
                        let width_ms = Tier::Minutes.width_ms();
                        let start_ms = kept.device_ms.div_euclid(width_ms).saturating_mul(width_ms);
                        add(&mut minutes, &Rolled::of(start_ms, kept.device_ms, number));
                    }
                }
                building.samples(series, samples.drain(..).filter(|kept| kept.device_ms >= kept_from));
            }
            let mut narrow = minutes;
            for rolled in &mut rolling {
                rolled.buckets(series, &narrow);
                // The next is made of this one.
                narrow = match rolled.tier() {
                    Tier::Minutes => widened(&narrow, Tier::Hours),
                    Tier::Hours => widened(&narrow, Tier::Days),
                    Tier::Days | Tier::Samples => Vec::new(),
                };
            }
            let [minutes, hours, days] = &mut rolling;
            self.hand_over(&mut [&mut building, minutes, hours, days])?;
        }
        let kept_from = gone_before(fresh, kept_from);
        let finish = Finish { inputs: keys(fresh), repeated, kept_from, ..Finish::default() };
        self.finish(std::iter::once(building).chain(rolling).collect(), finish)
    }

    pub(super) fn sources(&self, runs: &[Run]) -> Result<Vec<Source>, Ended> {
        let source = |(place, run): (usize, &Run)| {
            let blocks = run::blocks(&self.db, run.key).map_err(self.failed())?;
            Ok(Source { place, key: run.key, blocks: blocks.into(), pages: Default::default(), may_go: false })
        };
        runs.iter().enumerate().map(source).collect()
    }
}

/// Before when not every sample is there any more when what is older than `kept_from` is left out of these runs. Not later than they
/// end: nothing of what comes behind them is gone, whatever a clock that is ahead says is too old.
fn gone_before(runs: &[Run], kept_from: i64) -> Option<i64> {
    let is_cut = runs.iter().any(|run| run.from_ms < kept_from);
    let last_ms = runs.iter().map(|run| run.to_ms).max()?;
    is_cut.then_some(kept_from.min(last_ms.saturating_add(1)))
}

/// The first runs of the lowest level that has so many.
fn level_of(runs: &[Run], fan: usize) -> Option<Vec<Run>> {
    let levels: BTreeSet<u32> = runs.iter().map(|run| run.level).collect();
    levels.into_iter().find_map(|level| {
        let of_level: Vec<Run> = runs.iter().filter(|run| run.level == level).take(fan).copied().collect();
        (of_level.len() == fan).then_some(of_level)
    })
}

/// As many of the runs that were said first as may be one: by its size it goes as a whole.
fn oldest(runs: Vec<Run>, size_limit: u64) -> Vec<Run> {
    let mut bytes = 0;
    let fits = |run: &Run| {
        let is_first = bytes == 0;
        bytes += run.bytes;
        is_first || bytes <= size_limit
    };
    runs.into_iter().take_while(fits).collect()
}

/// Whether the oldest has waited for a day by what was measured since.
fn waits_long(runs: &[Run]) -> bool {
    let ends = || runs.iter().map(|run| run.to_ms);
    ends().max().zip(ends().min()).is_some_and(|(last, first)| last.saturating_sub(first) > SPAN_MAX_MS)
}

/// The first settled neighbours of one level that gain by being one.
fn worth_merging(runs: &[Run], size_limit: u64) -> Option<Vec<Run>> {
    let levels: BTreeSet<u32> = runs.iter().map(|run| run.level).collect();
    levels.into_iter().find_map(|level| {
        let of_level: Vec<Run> = runs.iter().filter(|run| run.level == level).copied().collect();
        of_level.windows(SETTLED_FAN).find(|some| is_worth_it(some, size_limit)).map(<[Run]>::to_vec)
    })
}

/// Whether settled runs gain by being one, and that one can still go by its age and its size.
fn is_worth_it(runs: &[Run], size_limit: u64) -> bool {
    let (entries, bytes) = sum(runs);
    let pages: u64 = runs.iter().map(|run| run.pages).sum();
    let span = |run: &Run| run.to_ms.saturating_sub(run.from_ms);
    let from_ms = runs.iter().map(|run| run.from_ms).min().unwrap_or_default();
    let to_ms = runs.iter().map(|run| run.to_ms).max().unwrap_or_default();
    let is_of_samples = runs.iter().any(|run| run.tier == Tier::Samples);
    // What came late makes a run long; such a one is merged with its neighbours all the same.
    let widest = runs.iter().map(span).max().unwrap_or_default();
    let short = !is_of_samples || to_ms.saturating_sub(from_ms) <= SPAN_MAX_MS.max(widest);
    short && entries <= RUN_MAX && bytes <= size_limit && entries < pages.saturating_mul(PAGE_IS_LONG)
}

fn sum(runs: &[Run]) -> (u64, u64) {
    runs.iter().fold((0, 0), |(entries, bytes), run| (entries + run.entries, bytes + run.bytes))
}

fn keys(runs: &[Run]) -> Vec<RunKey> {
    runs.iter().map(|run| run.key).collect()
}

/// The stretch of sequences that runs cover.
fn seqs(runs: &[Run]) -> (u64, u64) {
    let first = runs.iter().map(|run| run.first_seq).min().unwrap_or_default();
    (first, runs.iter().map(|run| run.last_seq).max().unwrap_or_default())
}
