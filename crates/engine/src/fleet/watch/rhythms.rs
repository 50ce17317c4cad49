//! What values usually are, learned for rules that ask for it ([`fleetlens_model::alarm::rhythm`]), and for no others.
//!
//! Only what is said while we listen is learned, so a gap teaches nothing. An hour is written down when it is over. A series of which
//! little is known yet, and which was there before this run, is looked up once in the cache's history: a rule that was written today
//! knows the weeks before.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use fleetlens_model::alarm::rhythm::{Day, Recalled, Rhythm, Usual, WEEKS};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::expression::Name;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_model::time::{Now, WallMs};
use fleetlens_wire::time::Zone;

use super::Asked;
use super::facts::level_pct;
use crate::fleet::rules::when;
use crate::fleet::{Effects, Fleet, Outward, Thing};

/// The most series of which is learned what is usual: some 5 KB each, half a gigabyte in all.
pub(super) const RHYTHMS_MAX: usize = 100_000;

/// How many series are looked up in the history at once; whoever looks at a chart wants to read as well.
const RECALLED_AT_ONCE: usize = 2;

const HOUR_MS: i64 = 3_600_000;

/// No zone changes its clocks within less than this.
const SLOT_MS: i64 = HOUR_MS / 4;

/// What is usual for the series that rules ask about.
#[derive(Debug, Default)]
pub(in crate::fleet) struct Rhythms {
    known: HashMap<SeriesKey, Rhythm>,
    clock: CityClock,
    /// The first series that was not there before this run.
    first_new: SeriesKey,
    /// Those of which little was known at the start and nobody has asked since: an earlier run may have ended before it had looked them up.
    doubtful: BTreeSet<SeriesKey>,
    to_recall: VecDeque<SeriesKey>,
    recalling: BTreeSet<SeriesKey>,
    gone: Vec<SeriesKey>,
    is_full: bool,
}

/// What the city's clocks show, worked out once for each quarter of an hour.
#[derive(Debug, Default)]
struct CityClock {
    zone: Zone,
    slot: Option<(i64, i64)>,
}

impl CityClock {
    fn local(&mut self, at: WallMs) -> WallMs {
        let local = self.shown(at);
        self.slot = Some((at.0.div_euclid(SLOT_MS), local.0 - at.0));
        local
    }

    /// As [`CityClock::local`], for whoever may only look.
    fn shown(&self, at: WallMs) -> WallMs {
        let known = self.slot.filter(|(of, _)| *of == at.0.div_euclid(SLOT_MS));
        at.plus(known.map_or_else(|| self.zone.ahead_ms(at), |(_, ahead_ms)| ahead_ms))
    }
}

impl Rhythms {
    /// As the cache knew them.
    pub(in crate::fleet) fn restored(rhythms: Vec<(SeriesKey, u8, Day)>, first_new: SeriesKey, zone: Zone) -> Rhythms {
        let mut known: HashMap<SeriesKey, Rhythm> = HashMap::new();
        for (series, weekday, day) in rhythms {
            known.entry(series).or_default().restore(weekday, day);
        }
        let doubtful = known.iter().filter(|(_, rhythm)| rhythm.knows_little()).map(|(series, _)| *series).collect();
        let clock = CityClock { zone, slot: None };
        Rhythms { known, clock, first_new, doubtful, ..Rhythms::default() }
    }

    /// What a series usually says at the hour of this moment.
    pub(in crate::fleet) fn usual(&self, series: SeriesKey, at: WallMs) -> Option<Usual> {
        self.known.get(&series)?.usual_at(self.clock.shown(at))
    }

    /// Begins to learn, if there is room.
    fn learn(&mut self, series: SeriesKey) {
        if self.known.contains_key(&series) {
            if self.doubtful.remove(&series) {
                self.to_recall.push_back(series);
            }
            return;
        }
        if self.known.len() >= RHYTHMS_MAX {
            if !self.is_full {
                tracing::warn!(
                    "rules ask what is usual for more than {RHYTHMS_MAX} values; the others are not learned, and those rules say \
                     nothing of them"
                );
            }
            self.is_full = true;
            return;
        }
        self.known.insert(series, Rhythm::default());
        if series < self.first_new {
            self.to_recall.push_back(series);
        }
    }

    fn forget(&mut self, series: SeriesKey) {
        if self.known.remove(&series).is_some() {
            self.doubtful.remove(&series);
            self.gone.push(series);
        }
    }
}

impl Fleet {
    /// A value was said: what is usual.
    pub(in crate::fleet) fn learn(&mut self, sample: &Sample, effects: &mut Effects) {
        let rhythms = &mut self.watch.rhythms;
        let Value::Number(number) = sample.value else { return };
        // Most fleets have no rule that asks.
        if rhythms.known.is_empty() {
            return;
        }
        let Some(rhythm) = rhythms.known.get_mut(&sample.series) else { return };
        let Some(weekday) = rhythm.hear(number, rhythms.clock.local(sample.device_ms)) else { return };
        effects.writes.extend(written(sample.series, weekday, rhythm));
    }

    /// What rules ask of a thing is worked out anew: what is learned from now on.
    pub(super) fn learn_asked(&mut self, key: ThingKey, asked: &[Asked]) {
        if self.watch.rhythms.known.is_empty() && !self.rules.ask_what_is_usual() {
            return;
        }
        let is_usual = |asked: &&Asked| {
            let when = self.rules.at(asked.rule).and_then(|rule| when(rule));
            when.is_some_and(|when| when.expression.needs().usual.contains(&usize::from(asked.nth)))
        };
        let wanted: BTreeSet<SeriesKey> = asked.iter().filter(is_usual).map(|asked| asked.series).collect();
        let Some(thing) = self.things.get(&key) else { return };
        let rhythms = &mut self.watch.rhythms;
        thing.series.iter().filter(|series| !wanted.contains(series)).for_each(|series| rhythms.forget(series));
        wanted.into_iter().for_each(|series| rhythms.learn(series));
    }

    /// What no rule of the profile asks any more is not kept, whether its thing ever speaks again or not.
    pub(in crate::fleet) fn forget_what_nobody_asks(&mut self) {
        if self.watch.rhythms.known.is_empty() {
            return;
        }
        let asked = self.rules.what_is_usual();
        let is_asked = |series: &SeriesKey| {
            let pointer = self.series.get(series).map(|series| series.pointer.as_str());
            pointer.is_some_and(|pointer| asked.contains(pointer))
        };
        let gone: Vec<SeriesKey> =
            self.watch.rhythms.known.keys().filter(|series| !is_asked(series)).copied().collect();
        gone.into_iter().for_each(|series| self.watch.rhythms.forget(series));
    }

    /// With each tick: what is forgotten goes from the cache, and some of what the history may know is looked up.
    pub(in crate::fleet) fn recall_some(&mut self, now: Now, effects: &mut Effects) {
        let rhythms = &mut self.watch.rhythms;
        effects.writes.extend(rhythms.gone.drain(..).map(Write::RhythmGone));
        while rhythms.recalling.len() < RECALLED_AT_ONCE {
            let Some(series) = rhythms.to_recall.pop_front() else { return };
            // A zone that is not whole hours from Greenwich has its hours in the middle of others.
            let is_by_hours = rhythms.clock.zone.ahead_ms(now.wall) % HOUR_MS == 0;
            let bucket_ms = if is_by_hours { HOUR_MS } else { SLOT_MS };
            let to_ms = WallMs(now.wall.0.div_euclid(HOUR_MS) * HOUR_MS);
            let from_ms = to_ms.plus(-(7 * 24 * HOUR_MS * WEEKS as i64));
            rhythms.recalling.insert(series);
            let query =
                HistoryQuery { series, from_ms, to_ms, bucket_ms: bucket_ms.cast_unsigned(), up_to_seq: self.last_seq };
            effects.outward.push(Outward::Recall(query));
        }
    }

    /// What the history knows of a series.
    pub(in crate::fleet) fn recalled(
        &mut self,
        series: SeriesKey,
        buckets: &[Bucket],
        now: Now,
        effects: &mut Effects,
    ) {
        let rhythms = &mut self.watch.rhythms;
        rhythms.recalling.remove(&series);
        if let Some(rhythm) = rhythms.known.get_mut(&series) {
            let mut hours: BTreeMap<i64, Bucket> = BTreeMap::new();
            for bucket in buckets {
                let no = rhythms.clock.local(bucket.start_ms).0.div_euclid(HOUR_MS);
                hours.entry(no).and_modify(|hour| add(hour, bucket)).or_insert(*bucket);
            }
            for weekday in rhythm.recall(hours.iter().map(|(no, hour)| of_hour(*no, hour))) {
                effects.writes.extend(written(series, weekday, rhythm));
            }
        }
        self.recall_some(now, effects);
    }

    /// What a value that a rule names usually is, in the rule's own unit.
    pub(super) fn usual(&self, thing: &Thing, name: Option<&Name>, series: SeriesKey) -> Option<Usual> {
        // At the hour of the word that is judged: a broker may say again what was said long ago.
        let said_ms = self.series.get(&series)?.latest()?.device_ms;
        let usual = self.watch.rhythms.usual(series, said_ms)?;
        match name {
            Some(Name::Level) => {
                let (level, one_more) =
                    (level_pct(thing, usual.value)?, level_pct(thing, 0.0)? - level_pct(thing, 1.0)?);
                Some(usual.converted(level, one_more))
            }
            Some(Name::Value(_) | Name::Input(..) | Name::Variable(_)) | None => Some(usual),
        }
    }
}

fn written(series: SeriesKey, weekday: u8, rhythm: &Rhythm) -> Option<Write> {
    let day = Box::new(rhythm.day(weekday)?.clone());
    Some(Write::Rhythm { series, weekday, day })
}

fn add(hour: &mut Bucket, part: &Bucket) {
    hour.min = hour.min.min(part.min);
    hour.max = hour.max.max(part.max);
    hour.sum += part.sum;
    hour.count = hour.count.saturating_add(part.count);
}

/// How far its values were from their mean the history does not say. Of values that lie evenly it is a quarter of their range; of
/// most noise it is less, so that the history makes nobody wake for too little.
fn of_hour(no: i64, hour: &Bucket) -> Recalled {
    Recalled { local: WallMs(no.saturating_mul(HOUR_MS)), mean: hour.mean(), distance: (hour.max - hour.min) / 4.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_learned_than_there_is_room_for() {
        let mut rhythms = Rhythms::default();
        (0..=RHYTHMS_MAX).for_each(|n| rhythms.learn(SeriesKey(u32::try_from(n).unwrap())));
        assert_eq!((rhythms.known.len(), rhythms.is_full), (RHYTHMS_MAX, true));
        rhythms.forget(SeriesKey(7));
        rhythms.learn(SeriesKey(u32::MAX));
        assert_eq!(rhythms.known.len(), RHYTHMS_MAX);
        assert_eq!(rhythms.gone, [SeriesKey(7)]);
    }

    #[test]
    fn the_citys_clocks_are_right_when_they_change() {
        let mut clock = CityClock { zone: Zone::parse("Europe/Malta").unwrap(), slot: None };
        // 2026-03-29, 01:00 UTC: two in the morning is three.
        let change = 1_774_746_000_000;
        for (at_ms, hours) in [(change - 1, 1), (change, 2), (change + 1, 2), (change - 1, 1)] {
            assert_eq!(clock.local(WallMs(at_ms)).0 - at_ms, hours * HOUR_MS, "{at_ms}");
        }
    }
}
