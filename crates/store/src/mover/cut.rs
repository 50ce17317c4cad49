//! What is kept less long of its kind than of another goes out of the runs that both are in.
//!
//! A run is of all kinds, and goes as a whole when it is too old for each of them. Before that it is made anew, without what is too old
//! for its kind, once for each age: once a day, the runs that have come to it since. How far that is noted with the first of them
//! ([`Cuts`]), so whoever reads looks at the roll-ups before anything is gone. All runs are gone through where the ages are others, where
//! a thing became one of another kind, and where it was not brought to its end; a run that has nothing to lose is only read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::keeping::Keeping;
use fleetlens_model::kind::Kind;
use rusqlite::Connection;

use super::sources::next_series;
use super::{Ended, Finish, Moved, Mover, OLD_BY_MS};
use crate::purge::whole_buckets;
use crate::table::cuts::{self, Cuts};
use crate::table::run::{self, Run, RunKey, Tier};
use crate::table::{meta, series};

/// The kind of each series in the place of its key; nothing where there is none. A byte each.
type Kinds = Vec<Option<Kind>>;

/// From when on entries of a tier are kept, where their kind is kept less long than another.
#[derive(Debug, Default)]
pub(super) struct KeptFrom {
    by_kind: BTreeMap<Kind, i64>,
    kinds: Arc<Kinds>,
}

impl KeptFrom {
    /// Of one series.
    pub fn of(&self, series: SeriesKey) -> i64 {
        let kind = self.kinds.get(series.0 as usize).copied().flatten();
        kind.and_then(|kind| self.by_kind.get(&kind).copied()).unwrap_or(i64::MIN)
    }
}

/// The kinds as of when they were last made: with the same numbers they are the same, and to make them takes a look at every thing.
#[derive(Debug)]
pub(super) struct Known {
    kind_changes: u64,
    last_series: SeriesKey,
    kinds: Arc<Kinds>,
}

/// Runs that are gone through, one after the other.
pub(super) struct Cutting {
    /// The ages it was begun for.
    keep: Keeping,
    runs: VecDeque<RunKey>,
    /// What is to be noted when it is done.
    done: Cuts,
}

impl Mover {
    /// A step of it: what goes is noted, a run is gone through, or that it is done is noted. False when there is nothing to do.
    pub(super) fn cut_if_due(&mut self) -> Result<bool, Ended> {
        let keep = self.keep();
        if let Some(keep) = keep
            && kept_shorter(&keep).is_empty()
            && self.aged
        {
            // What comes from now on is kept as long of every kind: when ages differ again, be it as before, all is gone through.
            let cuts = Cuts::read(&self.db).map_err(self.failed())?;
            if cuts.by.is_some() {
                self.note(cuts.begun())?;
            }
        }
        let keep = keep.filter(|keep| !kept_shorter(keep).is_empty());
        if self.cutting.as_ref().is_some_and(|cutting| Some(cutting.keep) != keep) {
            self.cutting = None;
        }
        let Some(keep) = keep else { return Ok(false) };
        let Some(cutting) = &mut self.cutting else {
            if !self.aged {
                return Ok(false);
            }
            let Some(cutting) = Cutting::due(&self.db, keep).map_err(self.failed())? else { return Ok(false) };
            self.note(cutting.done.begun())?;
            self.cutting = Some(cutting);
            return Ok(true);
        };
        let Some(key) = cutting.runs.front().copied() else {
            let done = cutting.done.clone();
            self.note(done)?;
            self.cutting = None;
            return Ok(true);
        };
        let runs = run::live(&self.db).map_err(self.failed())?;
        // It may have gone by its size, and one that is broken stays as it is.
        let run = runs.into_iter().find(|run| run.key == key && !self.broken.contains(&key));
        if let Some(run) = run
            && self.holds_what_is_gone(&run)?
        {
            self.merge(&[run], i64::MIN)?;
        }
        if let Some(cutting) = &mut self.cutting {
            cutting.runs.pop_front();
        }
        Ok(true)
    }

    /// From when on what is in a tier is kept: as of the last cut, but never less than the ages say now. What went by a clock that was
    /// ahead, or by a shorter age, is no reason that what comes now goes.
    pub(super) fn kept_of_kinds(&mut self, tier: Tier) -> Result<KeptFrom, Ended> {
        let Some(keep) = self.keep() else { return Ok(KeptFrom::default()) };
        let (db, known) = (&self.db, &mut self.kinds);
        let mut read = || -> rusqlite::Result<KeptFrom> {
            let Some(aged) = meta::aged(db)? else { return Ok(KeptFrom::default()) };
            let cuts = Cuts::read(db)?;
            let of_tier = kept_shorter(&keep).into_iter().filter(|(of, ..)| *of == tier);
            let kept_from = |kind, days| Some(cuts.gone(kind, tier)?.min(whole_buckets(tier, days, aged)));
            let by_kind: BTreeMap<Kind, i64> =
                of_tier.filter_map(|(_, kind, days)| Some((kind, kept_from(kind, days)?))).collect();
            if by_kind.is_empty() {
                return Ok(KeptFrom::default());
            }
            Ok(KeptFrom { by_kind, kinds: kinds(db, known)? })
        };
        read().map_err(|error| Ended::Failed((self.at)(error)))
    }

    /// Whether a run has anything that is to go; reads as much of it as that takes.
    fn holds_what_is_gone(&mut self, run: &Run) -> Result<bool, Ended> {
        let kept = self.kept_of_kinds(run.tier)?;
        let mut sources = self.sources(&[*run])?;
        while let Some((series, pages)) = next_series(&self.db, &mut sources)? {
            if pages.iter().any(|page| page.entry.from_ms < kept.of(series)) {
                return Ok(true);
            }
            if self.shared.stop.load(Ordering::Relaxed) {
                return Err(Ended::Stopped);
            }
        }
        Ok(false)
    }

    fn note(&mut self, cuts: Cuts) -> Result<(), Ended> {
        self.give(Moved {
            blocks: Vec::new(),
            finish: Some(Finish { cuts: Some(Box::new(cuts)), ..Finish::default() }),
        })?;
        self.taken()
    }
}

impl Cutting {
    /// What there is to do; `None` while nothing is due.
    fn due(db: &Connection, keep: Keeping) -> rusqlite::Result<Option<Cutting>> {
        let Some(aged) = meta::aged(db)? else { return Ok(None) };
        let (mut cuts, kind_changes) = (Cuts::read(db)?, cuts::kind_changes(db)?);
        let by = Some(in_words(&keep));
        let is_new = cuts.by != by;
        let all = is_new || cuts.kind_changes != kind_changes;
        let runs: Vec<Run> = run::live(db)?.into_iter().filter(Run::is_settled).collect();
        let (mut is_due, mut keys) = (is_new, BTreeSet::new());
        for (tier, kind, days) in kept_shorter(&keep) {
            let (before_ms, gone) = (whole_buckets(tier, days, aged), cuts.gone(kind, tier));
            let has_come_to_it = |run: &Run| all || gone.is_none_or(|gone| run.to_ms >= gone);
            let may_lose = |run: &&Run| run.tier == tier && run.from_ms < before_ms && has_come_to_it(run);
            let lose: Vec<&Run> = runs.iter().filter(may_lose).collect();
            let Some(last_ms) = lose.iter().map(|run| run.to_ms).max() else { continue };
            is_due |= gone.is_none_or(|gone| before_ms.saturating_sub(gone) >= OLD_BY_MS);
            keys.extend(lose.into_iter().map(|run| run.key));
            // Behind what there is nothing goes: a clock that is ahead says nothing of what comes when it is right again.
            cuts.set_gone(kind, tier, before_ms.min(last_ms.saturating_add(tier.width_ms())));
        }
        if !is_due {
            return Ok(None);
        }
        (cuts.by, cuts.kind_changes) = (by, kind_changes);
        Ok(Some(Cutting { keep, runs: keys.into_iter().collect(), done: cuts }))
    }
}

/// The kind of every series, made anew where a thing became another kind or there are new ones.
fn kinds(db: &Connection, known: &mut Option<Known>) -> rusqlite::Result<Arc<Kinds>> {
    let (kind_changes, last_series) = (cuts::kind_changes(db)?, series::last_key(db)?);
    if let Some(known) = known
        && (known.kind_changes, known.last_series) == (kind_changes, last_series)
    {
        return Ok(Arc::clone(&known.kinds));
    }
    // Not beside the new ones.
    *known = None;
    let mut kinds = vec![None; last_series.0 as usize + 1];
    series::each_kind(db, |series, kind| {
        if let Some(place) = kinds.get_mut(series.0 as usize) {
            *place = Some(kind);
        }
    })?;
    let kinds = Arc::new(kinds);
    *known = Some(Known { kind_changes, last_series, kinds: Arc::clone(&kinds) });
    Ok(kinds)
}

/// The kinds whose entries of a tier are kept less long than those of another, and how many days.
fn kept_shorter(keep: &Keeping) -> Vec<(Tier, Kind, u32)> {
    let longest = keep.longest();
    let of_tier = |tier: Tier| {
        let days = move |kind: Kind| tier.days(keep.of(kind)).map(|days| (tier, kind, days));
        Kind::ALL.into_iter().filter_map(days).filter(move |(_, _, days)| Some(*days) != tier.days(longest))
    };
    Tier::AGING.into_iter().flat_map(of_tier).collect()
}

/// The ages of every kind.
fn in_words(keep: &Keeping) -> String {
    let words: Vec<String> = Kind::ALL.iter().map(|kind| format!("{}: {}", kind.word(), keep.of(*kind))).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;
    use std::sync::mpsc::sync_channel;

    use fleetlens_model::id::{ThingKey, ThingName};
    use fleetlens_model::keeping::Ages;
    use fleetlens_model::record::Retention;
    use fleetlens_model::thing::Meta;
    use fleetlens_model::time::WallMs;

    use super::super::{Bell, Shared, Task};
    use super::*;
    use crate::table::thing;

    #[test]
    fn things_are_looked_through_once_for_all_tiers_and_the_earlier_of_both_cutoffs_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let (db, _) = crate::open::open(&path, "malta", 1).unwrap();
        let meta = Meta { kind: Kind::Lamp, ..Meta::default() };
        thing::put(&db, ThingKey(1), &ThingName::new("lamp-1").unwrap(), &meta).unwrap();
        series::put(&db, SeriesKey(3), ThingKey(1), "/v").unwrap();
        let day = 86_400_000;
        meta::set_aged(&db, WallMs(100 * day + 1)).unwrap();
        let mut cuts = Cuts::default();
        cuts.set_gone(Kind::Lamp, Tier::Samples, 98 * day);
        cuts.set_gone(Kind::Lamp, Tier::Minutes, 80 * day);
        cuts.write(&db).unwrap();

        let (writer, _orders) = sync_channel(1);
        let (tail, stop, counts) = Default::default();
        let ages = Ages { keep_days: Some(7), minutes_days: Some(12), hours_days: None };
        let keep = Keeping::with(Retention::default(), [(Kind::Lamp, ages)]);
        let keep = Arc::new(std::sync::Mutex::new(Some(keep)));
        let shared = Shared { writer, keep, tail, stop, counts };
        let (bell, last_key) = (Arc::<Bell>::default(), Arc::<AtomicI64>::default());
        let Ok(mut mover) = Mover::new(&path, Task::Merge, bell, shared, last_key) else { panic!("it is there") };
        let mut of = |tier| mover.kept_of_kinds(tier).unwrap_or_else(|_| panic!("it can be read"));
        let (samples, minutes) = (of(Tier::Samples), of(Tier::Minutes));
        assert_eq!([samples.of(SeriesKey(3)), minutes.of(SeriesKey(3))], [93 * day + 1, 80 * day]);
        assert_eq!([samples.of(SeriesKey(2)), samples.of(SeriesKey(9))], [i64::MIN; 2], "of no kind");
        assert!(Arc::ptr_eq(&samples.kinds, &minutes.kinds), "made twice");
        assert_eq!(size_of_val(samples.kinds.as_slice()), 4, "a byte a series");
    }
}
