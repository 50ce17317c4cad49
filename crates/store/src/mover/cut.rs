//! What is kept less long of its kind than of another goes out of the runs that both are in.
//!
//! A run is of all kinds, and goes as a whole when it is too old for each of them. Before that it is made anew, without what is too old
//! for its kind, once for each age: once a day, the runs that have come to it since. How far that is noted with the first of them
//! ([`Cuts`]), so whoever reads looks at the roll-ups before anything is gone. All runs are gone through where the ages are others, where
//! a thing became one of another kind, and where it was not brought to its end; a run that has nothing to lose is only read.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::keeping::Keeping;
use fleetlens_model::kind::Kind;
use rusqlite::Connection;

use super::sources::next_series;
use super::{Ended, Finish, Moved, Mover, OLD_BY_MS};
use crate::purge::cutoff;
use crate::table::cuts::{self, Cuts};
use crate::table::run::{self, Run, RunKey, Tier};
use crate::table::{meta, series};

/// From when on entries of a tier are kept, where their kind is kept less long than another.
#[derive(Debug, Default)]
pub(super) struct KeptFrom(HashMap<SeriesKey, i64>);

impl KeptFrom {
    /// Of one series.
    pub fn of(&self, series: SeriesKey) -> i64 {
        self.0.get(&series).copied().unwrap_or(i64::MIN)
    }
}

/// What a [`KeptFrom`] was made of: with the same it is the same, and to make it takes a look at every thing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Of {
    gone: BTreeMap<Kind, i64>,
    kind_changes: u64,
    last_series: SeriesKey,
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
        let keep = self.keep().filter(|keep| !kept_shorter(keep).is_empty());
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

    /// From when on what is in a tier is kept, as of the last cut.
    pub(super) fn kept_of_kinds(&mut self, tier: Tier) -> Result<Arc<KeptFrom>, Ended> {
        let Some(keep) = self.keep() else { return Ok(Arc::default()) };
        let db = &self.db;
        let read = |last: &mut Option<(Of, Arc<KeptFrom>)>| -> rusqlite::Result<Arc<KeptFrom>> {
            let cuts = Cuts::read(db)?;
            let of_tier = kept_shorter(&keep).into_iter().filter(|(of, ..)| *of == tier);
            let gone: BTreeMap<Kind, i64> =
                of_tier.filter_map(|(_, kind, _)| Some((kind, cuts.gone(kind, tier)?))).collect();
            if gone.is_empty() {
                return Ok(Arc::default());
            }
            let of = Of { gone, kind_changes: cuts::kind_changes(db)?, last_series: series::last_key(db)? };
            if let Some((known, kept)) = last
                && *known == of
            {
                return Ok(Arc::clone(kept));
            }
            let mut kept = KeptFrom::default();
            series::each_kind(db, |series, kind| {
                kept.0.extend(of.gone.get(&kind).map(|before_ms| (series, *before_ms)));
            })?;
            Ok(Arc::clone(&last.insert((of, Arc::new(kept))).1))
        };
        read(&mut self.kept_last).map_err(|error| Ended::Failed((self.at)(error)))
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
        let before: Vec<(Tier, Kind, i64)> =
            kept_shorter(&keep).into_iter().map(|(tier, kind, days)| (tier, kind, cutoff(days, aged).0)).collect();
        let is_new = cuts.by != by;
        let is_a_day = |(tier, kind, before_ms): &(Tier, Kind, i64)| {
            cuts.gone(*kind, *tier).is_none_or(|gone| before_ms.saturating_sub(gone) >= OLD_BY_MS)
        };
        if !is_new && !before.iter().any(is_a_day) {
            return Ok(None);
        }
        let all = is_new || cuts.kind_changes != kind_changes;
        let may_lose = |run: &Run| {
            before.iter().any(|(tier, kind, before_ms)| {
                let has_come_to_it = || cuts.gone(*kind, *tier).is_none_or(|gone| run.to_ms >= gone);
                *tier == run.tier && run.from_ms < *before_ms && (all || has_come_to_it())
            })
        };
        let runs = run::live(db)?.iter().filter(|run| run.is_settled() && may_lose(run)).map(|run| run.key).collect();
        before.iter().for_each(|(tier, kind, before_ms)| cuts.set_gone(*kind, *tier, *before_ms));
        (cuts.by, cuts.kind_changes) = (by, kind_changes);
        Ok(Some(Cutting { keep, runs, done: cuts }))
    }
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
