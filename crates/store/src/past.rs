//! The cache as it was at a moment, and what came after it: what a replay is made of.
//!
//! *Known at a moment* is what had been received by then, whatever its own time says. Everything here reads in one short transaction, beside
//! the writer and without a lock on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use fleetlens_model::alarm::Alarm;
use fleetlens_model::alarm::state::State;
use fleetlens_model::command::Command;
use fleetlens_model::described::Commons;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::{Passage, Restored, ShadowThen};
use fleetlens_model::shadow::{Document, Packed};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::{FUTURE_TOLERANCE_MS, Sample};
use fleetlens_model::time::WallMs;
use rusqlite::Connection;

use crate::codec::Kept;
use crate::codec::page::Scratch;
use crate::history::Damage;
use crate::open;
use crate::table::run::{self, Run, Tier};
use crate::table::{alarm, command, damaged, journal, latest, meta, series, shadow, shadow_change, thing};
use crate::weave::{self, Page};

/// How far before a moment values are looked for that were replaced since: what was older then is not shown, rather than the whole
/// cache read.
pub(crate) const LOOK_BACK_MS: i64 = 24 * 3_600_000;

/// How late a message may be and still be found with those of its time.
const LATE_MS: i64 = 3_600_000;

/// Everything known at a moment.
#[derive(Debug)]
pub struct AsItWas {
    /// What a fleet is made of. Without what only an engine that goes on needs: no open commands, no jobs, nothing learned.
    pub restored: Restored,
    /// When anything was received last; `None` where nothing was within the day before.
    pub heard_ms: Option<WallMs>,
    /// Of so many shadows nobody can tell what they were: their history does not reach back that far, or does not tell all of it.
    pub shadows_unknown: u32,
    /// So many alarms were raised again since, and what they were before is not kept.
    pub alarms_unknown: u32,
}

/// When the oldest sample that is kept was measured, and when the newest was; `None` of a cache without any.
pub(crate) fn span(db: &Connection) -> rusqlite::Result<Option<Range<WallMs>>> {
    let db = db.unchecked_transaction()?;
    let runs = sample_runs(&db)?;
    let held = journal::span(&db)?;
    let starts = runs.iter().map(|run| run.from_ms).chain(held.map(|held| held.0));
    let ends = runs.iter().map(|run| run.to_ms).chain(held.map(|held| held.1));
    Ok(starts.min().zip(ends.max()).map(|(from, to)| WallMs(from)..WallMs(to)))
}

fn sample_runs(db: &Connection) -> rusqlite::Result<Vec<Run>> {
    Ok(run::live(db)?.into_iter().filter(|run| run.tier == Tier::Samples).collect())
}

/// Everything known at a moment.
pub(crate) fn at(db: &Connection, path: &Path, at: WallMs, lost: &mut Damage) -> rusqlite::Result<AsItWas> {
    let db = db.unchecked_transaction()?;
    let (mut texts, mut commons) = (Texts::default(), Commons::default());
    let things = thing::restored(&db, &mut texts, &mut commons)?.all;
    let latest = latest_at(&db, at, lost)?;
    let (shadows, shadows_unknown) = shadows_at(&db, at, &mut texts)?;
    let (alarms, alarms_unknown) = alarms_at(&db, at)?;
    let commands: Vec<Command> =
        command::recent(&db)?.into_iter().filter(|command| over(command).is_some_and(|over| over <= at)).collect();
    let heard_ms = latest.iter().map(|sample| sample.received_ms).max();
    let series = series::all(&db, &mut texts)?;
    let restored = Restored {
        installation: meta::installation(&db)?,
        things,
        series,
        last_seq: latest.iter().map(|sample| sample.seq).max().unwrap_or(0),
        last_alarm: alarms.iter().map(|alarm| alarm.id.0).max().unwrap_or(0),
        last_command: commands.iter().map(|command| command.id.0).max().unwrap_or(0),
        latest,
        shadows,
        commands,
        alarms,
        link_seen_ms: heard_ms,
        stats: open::measured(&db, path)?,
        texts,
        commons,
        ..Restored::default()
    };
    Ok(AsItWas { restored, heard_ms, shadows_unknown, alarms_unknown })
}

/// When a command was over; `None` of one that is not.
fn over(command: &Command) -> Option<WallMs> {
    if command.phase.is_open() { None } else { command.steps.iter().map(|(_, at)| *at).max() }
}

/// The news of each series that was the newest then.
fn latest_at(db: &Connection, at: WallMs, lost: &mut Damage) -> rusqlite::Result<Vec<Sample>> {
    // What was the newest then and is it still: most of what speaks seldom, however long ago.
    let mut found: BTreeMap<SeriesKey, Sample> = BTreeMap::new();
    let mut replaced: BTreeSet<SeriesKey> = BTreeSet::new();
    for sample in latest::all(db)? {
        if sample.received_ms <= at {
            found.insert(sample.series, sample);
        } else {
            replaced.insert(sample.series);
        }
    }
    let span = at.0.saturating_sub(LOOK_BACK_MS)..at.0.saturating_add(FUTURE_TOLERANCE_MS + 1);
    // With each its run's place: of the journal it came last.
    let mut known: BTreeMap<SeriesKey, Vec<(usize, Kept)>> = BTreeMap::new();
    journal::of_all(db, &span, lost, |series, kept| {
        if kept.received_ms <= at.0 && replaced.contains(&series) {
            known.entry(series).or_default().push((usize::MAX, kept));
        }
    })?;
    let mut runs: Vec<(usize, Run)> = sample_runs(db)?.into_iter().enumerate().collect();
    runs.retain(|(_, run)| run.from_ms < span.end && run.to_ms >= span.start);
    runs.sort_by_key(|(_, run)| std::cmp::Reverse(run.to_ms));
    let (mut undecided, mut scratch) = (replaced, Scratch::default());
    for (place, run) in runs {
        undecided
            .retain(|series| known.get(series).and_then(|known| reach(known)).is_none_or(|from| run.to_ms >= from));
        if undecided.is_empty() {
            break;
        }
        // They come series by series: only those of one are held, as each keeps its block.
        let (mut pages, mut broken) = (Vec::<Page>::new(), 0);
        run::all_pages(db, run.key, place, &span, lost, |page| {
            let series = page.entry.series;
            if let Some(before) = pages.first().map(|page| page.entry.series).filter(|before| *before != series) {
                broken += take_newest(&mut pages, known.entry(before).or_default(), at, &mut scratch);
            }
            if undecided.contains(&series) {
                pages.push(page);
            }
        })?;
        if let Some(last) = pages.first().map(|page| page.entry.series) {
            broken += take_newest(&mut pages, known.entry(last).or_default(), at, &mut scratch);
        }
        (0..broken).for_each(|_| lost.meets(&damaged("a page of samples")));
    }
    for (series, known) in known {
        found.extend(newest_of(known).map(|kept| (series, kept.sample(series, 0))));
    }
    let mut latest: Vec<Sample> = found.into_values().collect();
    // Where two say the same time, what came later is the newer one: also after this moment.
    latest.sort_by_key(|sample| (sample.received_ms, sample.device_ms));
    for (sample, seq) in latest.iter_mut().zip(1..) {
        sample.seq = seq;
    }
    latest.sort_by_key(|sample| sample.series);
    Ok(latest)
}

/// From when on news of a series can have been news, beside what is known of it: nothing that was measured so long before the newest.
fn reach(known: &[(usize, Kept)]) -> Option<i64> {
    let newest = known.iter().map(|(_, kept)| kept.device_ms).max()?;
    Some(newest.saturating_sub(2 * FUTURE_TOLERANCE_MS))
}

/// Takes what may have been the newest of a series then out of its pages of one run; how many of them are damaged.
fn take_newest(pages: &mut Vec<Page>, known: &mut Vec<(usize, Kept)>, at: WallMs, scratch: &mut Scratch) -> u32 {
    pages.sort_by_key(|page| std::cmp::Reverse(page.entry.to_ms));
    let (mut samples, mut broken) = (Vec::new(), 0);
    for page in pages.drain(..) {
        if reach(known).is_some_and(|reach| page.entry.to_ms < reach) {
            break;
        }
        samples.clear();
        let place = page.run;
        if weave::unpack(vec![page], &mut samples, scratch).is_err() {
            broken += 1;
            continue;
        }
        known.extend(samples.drain(..).filter(|kept| kept.received_ms <= at.0).map(|kept| (place, kept)));
        if let Some(reach) = reach(known) {
            known.retain(|(_, kept)| kept.device_ms >= reach);
        }
    }
    broken
}

/// What was the newest of a series, out of what is known of it, in the order it came.
fn newest_of(mut known: Vec<(usize, Kept)>) -> Option<Kept> {
    let reach = reach(&known)?;
    known.retain(|(_, kept)| kept.device_ms >= reach);
    known.sort_by_key(|(place, kept)| (kept.received_ms, *place, kept.device_ms));
    let mut newest: Option<Sample> = None;
    for ((_, kept), seq) in known.into_iter().zip(1..) {
        let sample = kept.sample(SeriesKey(0), seq);
        if newest.as_ref().is_none_or(|newest| sample.supersedes(newest)) {
            newest = Some(sample);
        }
    }
    newest.map(|sample| Kept::of(&sample))
}

type Shadows = Vec<(ThingKey, fleetlens_model::shared::SharedText, Packed, WallMs)>;

/// Each shadow's document then, and of how many nobody can tell.
fn shadows_at(db: &Connection, at: WallMs, texts: &mut Texts) -> rusqlite::Result<(Shadows, u32)> {
    let mut shadows: BTreeMap<_, _> = shadow::all(db, texts)?
        .into_iter()
        .map(|(thing, name, document, heard_ms)| ((thing, name), (document, heard_ms.min(at))))
        .collect();
    let mut unknown = 0;
    for (thing, name) in shadow_change::changed(db, at, WallMs(i64::MAX))? {
        let key = (thing, texts.get(&name));
        let now = shadows.get(&key).map(|(document, _)| document.open()).unwrap_or_default();
        let (changes, is_whole) = shadow_change::since(db, thing, &name, at)?;
        let then = changes.iter().try_fold(now, Document::before).filter(|_| is_whole);
        unknown += u32::from(then.is_none());
        match then.filter(says_something) {
            Some(then) => drop(shadows.insert(key, (Packed::of(&then, texts), at))),
            None => drop(shadows.remove(&key)),
        }
    }
    Ok((
        shadows.into_iter().map(|((thing, name), (document, heard_ms))| (thing, name, document, heard_ms)).collect(),
        unknown,
    ))
}

/// Before the first change of a shadow that was new there was none.
fn says_something(document: &Document) -> bool {
    document.desired.is_some() || document.reported.is_some()
}

/// The alarms as they stood then and the newest that were over, in the order of their ids, and how many are not known.
fn alarms_at(db: &Connection, at: WallMs) -> rusqlite::Result<(Vec<Alarm>, u32)> {
    let (mut alarms, mut unknown) = (alarm::over_at(db, at)?, 0);
    // Also those that were raised later: of these some were raised before as well.
    for alarm in alarm::not_over_at(db, at, WallMs(i64::MAX))? {
        match alarm.state.as_of(at) {
            Some(state) => alarms.push(Alarm { state, ..alarm }),
            None => unknown += u32::from(alarm.state.times > 1),
        }
    }
    alarms.sort_by_key(|alarm| alarm.id);
    Ok((alarms, unknown))
}

/// What came after one moment and up to another, in slices of about `most` samples.
pub(crate) fn between(
    db: &Connection,
    after: WallMs,
    up_to: WallMs,
    most: usize,
    lost: &mut Damage,
) -> rusqlite::Result<Passage> {
    let db = db.unchecked_transaction()?;
    let span = after.0.saturating_sub(LATE_MS)..up_to.0.saturating_add(FUTURE_TOLERANCE_MS + 1);
    let mut slice = Slice { after, until: up_to, most: most.max(1), full: 2 * most.max(1), samples: Vec::new() };
    let (runs, mut scratch) = (sample_runs(&db)?, Scratch::default());
    for (place, run) in runs.iter().enumerate().filter(|(_, run)| run.from_ms < span.end && run.to_ms >= span.start) {
        let (mut unpacked, mut broken) = (Vec::new(), 0);
        run::all_pages(&db, run.key, place, &span, lost, |page| {
            let series = page.entry.series;
            unpacked.clear();
            match weave::unpack(vec![page], &mut unpacked, &mut scratch) {
                Ok(_) => unpacked.drain(..).for_each(|kept| slice.add(place, series, kept)),
                Err(_) => broken += 1,
            }
        })?;
        (0..broken).for_each(|_| lost.meets(&damaged("a page of samples")));
    }
    journal::of_all(&db, &span, lost, |series, kept| slice.add(usize::MAX, series, kept))?;
    slice.cut();
    let Slice { until, samples, .. } = slice;
    let samples = samples.into_iter().map(|(_, series, kept)| kept.sample(series, 0)).collect();
    Ok(Passage {
        until,
        samples,
        shadows: shadows_between(&db, after, until)?,
        alarms: alarms_between(&db, after, until)?,
    })
}

/// The first samples that came after a moment; of more than twice what is wanted the later ones are let go before all are read.
struct Slice {
    after: WallMs,
    until: WallMs,
    most: usize,
    /// With so many it is cut.
    full: usize,
    samples: Vec<(usize, SeriesKey, Kept)>,
}

impl Slice {
    fn add(&mut self, place: usize, series: SeriesKey, kept: Kept) {
        if kept.received_ms > self.after.0 && kept.received_ms <= self.until.0 {
            self.samples.push((place, series, kept));
            if self.samples.len() > self.full {
                self.cut();
                // Of more that came together nothing can be let go: each cut has as many new ones.
                self.full = self.samples.len() + self.most;
            }
        }
    }

    /// What came together stays together.
    fn cut(&mut self) {
        self.samples.sort_by_key(|(place, _, kept)| (kept.received_ms, *place));
        if let Some(((_, _, first), (_, _, next))) = self.samples.first().zip(self.samples.get(self.most)) {
            self.until = WallMs(next.received_ms.saturating_sub(1).max(first.received_ms));
            let until = self.until.0;
            self.samples.retain(|(_, _, kept)| kept.received_ms <= until);
        }
    }
}

fn shadows_between(db: &Connection, after: WallMs, until: WallMs) -> rusqlite::Result<Vec<ShadowThen>> {
    let mut became = Vec::new();
    for (thing, name) in shadow_change::changed(db, after, until)? {
        // A history that has lost its beginning still tells of what it holds.
        let (changes, _) = shadow_change::since(db, thing, &name, after)?;
        let mut then = Some(shadow::one(db, thing, &name)?.map(|(document, _)| document).unwrap_or_default());
        for change in &changes {
            if change.heard_ms <= until {
                let document = then.clone().filter(says_something);
                became
                    .push((change.seq, ShadowThen { heard_ms: change.heard_ms, thing, name: name.clone(), document }));
            }
            then = then.and_then(|then| then.before(change));
        }
    }
    became.sort_by_key(|(seq, then)| (then.heard_ms, *seq));
    Ok(became.into_iter().map(|(_, then)| then).collect())
}

fn alarms_between(db: &Connection, after: WallMs, until: WallMs) -> rusqlite::Result<Vec<(WallMs, Alarm)>> {
    let mut became = Vec::new();
    for alarm in alarm::not_over_at(db, after, until)? {
        let turns: BTreeSet<WallMs> = alarm.state.turns().filter(|at| *at > after && *at <= until).collect();
        let state = |at: WallMs| State::as_of(&alarm.state, at);
        became.extend(turns.into_iter().filter_map(|at| Some((at, Alarm { state: state(at)?, ..alarm.clone() }))));
    }
    became.sort_by_key(|(at, alarm)| (*at, alarm.id));
    Ok(became)
}
