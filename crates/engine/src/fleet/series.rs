//! A series with its latest value: half a million of them in a big city, one in the processor's cache line each.

use std::borrow::Cow;

use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::query::Fact;
use fleetlens_model::shared::SharedText;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::time::{MonoMs, WallMs};

use super::keyed::Keyed;

/// A series with its latest value.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its thing.
    pub thing: ThingKey,
    /// Of its latest value; `None` while it has none.
    source: Option<Source>,
    quality: Quality,
    timed: Timed,
    /// JSON pointer of its value.
    pub pointer: SharedText,
    device_ms: WallMs,
    received_ms: WallMs,
    seq: u64,
    value: Said,
    received: MonoMs,
}

/// Of what was received in an earlier run, or not at all.
const NOT_IN_THIS_RUN: MonoMs = MonoMs(u64::MAX);

/// A value as it lies in a series.
#[derive(Clone, Debug)]
enum Said {
    Number(f64),
    Flag(bool),
    Text(SharedText),
}

/// The latest value of a series, as a [`Sample`] has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// [`Sample::device_ms`].
    pub device_ms: WallMs,
    /// [`Sample::received_ms`].
    pub received_ms: WallMs,
    /// [`Sample::seq`].
    pub seq: u64,
    /// [`Sample::value`].
    pub value: Value,
    /// [`Sample::source`].
    pub source: Source,
    /// [`Sample::quality`].
    pub quality: Quality,
    /// [`Sample::timed`].
    pub timed: Timed,
}

impl Series {
    /// One that has said nothing yet.
    pub(super) fn new(thing: ThingKey, pointer: SharedText) -> Series {
        Series {
            thing,
            source: None,
            quality: Quality::Good,
            timed: Timed::ByUs,
            pointer,
            device_ms: WallMs(0),
            received_ms: WallMs(0),
            seq: 0,
            value: Said::Flag(false),
            received: NOT_IN_THIS_RUN,
        }
    }

    /// Its latest value.
    pub fn latest(&self) -> Option<Latest> {
        Some(Latest { value: self.value()?, ..self.dated()? })
    }

    /// When that was received, in this run.
    pub fn received(&self) -> Option<MonoMs> {
        (self.received != NOT_IN_THIS_RUN).then_some(self.received)
    }

    /// What that says.
    pub fn value(&self) -> Option<Value> {
        self.source?;
        Some(match &self.value {
            Said::Number(number) => Value::Number(*number),
            Said::Flag(flag) => Value::Flag(*flag),
            Said::Text(text) => Value::Text(text.as_str().to_owned()),
        })
    }

    /// What that says, to be looked at.
    pub(crate) fn fact(&self) -> Option<Fact<'_>> {
        self.source?;
        Some(match &self.value {
            Said::Number(number) => Fact::Number(*number),
            Said::Flag(flag) => Fact::Flag(*flag),
            Said::Text(text) => Fact::Text(Cow::Borrowed(text.as_str())),
        })
    }

    /// The number to plot of it, as [`Value::as_number`] has it.
    pub fn number(&self) -> Option<f64> {
        self.source?;
        match &self.value {
            Said::Number(number) => Some(*number),
            Said::Flag(flag) => Value::Flag(*flag).as_number(),
            Said::Text(_) => None,
        }
    }

    /// When the device said it.
    pub fn device_ms(&self) -> Option<WallMs> {
        self.source.map(|_| self.device_ms)
    }

    /// The number of the latest value among all samples.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// The latest value without what it says, for which text is copied.
    fn dated(&self) -> Option<Latest> {
        Some(Latest {
            device_ms: self.device_ms,
            received_ms: self.received_ms,
            seq: self.seq,
            value: Value::Flag(false),
            source: self.source?,
            quality: self.quality,
            timed: self.timed,
        })
    }

    /// Whether the device said the latest value at this very time and says it again.
    pub(super) fn is_said_again(&self, sample: &Sample) -> bool {
        let says_same = || match (&self.value, &sample.value) {
            (Said::Number(known), Value::Number(said)) => known == said,
            (Said::Flag(known), Value::Flag(said)) => known == said,
            (Said::Text(known), Value::Text(said)) => known.as_str() == said,
            (Said::Number(_) | Said::Flag(_) | Said::Text(_), _) => false,
        };
        let by_device = self.timed == Timed::ByDevice && sample.timed == Timed::ByDevice;
        self.source.is_some() && by_device && self.device_ms == sample.device_ms && says_same()
    }

    /// It is heard again: what the cache knew is known by now.
    pub(super) fn hear_again(&mut self, source: Source, now: MonoMs) {
        self.received = now;
        if self.source == Some(Source::Cached) {
            self.source = Some(source);
        }
    }

    /// Whether a sample is newer news than the latest value ([`Sample::supersedes`]).
    pub(super) fn is_superseded_by(&self, sample: &Sample) -> bool {
        self.dated().is_none_or(|latest| {
            let Latest { device_ms, received_ms, seq, value, source, quality, timed } = latest;
            sample.supersedes(&Sample {
                series: sample.series,
                device_ms,
                received_ms,
                seq,
                value,
                source,
                quality,
                timed,
            })
        })
    }

    /// A sample is the latest from now on.
    pub(super) fn take(&mut self, sample: &Sample, source: Source, received: Option<MonoMs>) {
        self.value = match &sample.value {
            Value::Number(number) => Said::Number(*number),
            Value::Flag(flag) => Said::Flag(*flag),
            Value::Text(text) => match std::mem::replace(&mut self.value, Said::Flag(false)) {
                // A word that is said again, as most are.
                Said::Text(known) if known.as_str() == text => Said::Text(known),
                Said::Number(_) | Said::Flag(_) | Said::Text(_) => Said::Text(text.as_str().into()),
            },
        };
        self.source = Some(source);
        (self.quality, self.timed) = (sample.quality, sample.timed);
        (self.device_ms, self.received_ms, self.seq) = (sample.device_ms, sample.received_ms, sample.seq);
        self.received = received.unwrap_or(NOT_IN_THIS_RUN);
    }

    /// The latest value as the sample that it was.
    #[cfg(test)]
    pub(crate) fn sample(&self, series: SeriesKey) -> Option<Sample> {
        let Latest { device_ms, received_ms, seq, value, source, quality, timed } = self.latest()?;
        Some(Sample { series, device_ms, received_ms, seq, value, source, quality, timed })
    }
}

/// The series of one thing in the order of their pointers, which lie with the series: a key each, in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesOf(Box<[SeriesKey]>);

impl SeriesOf {
    fn at(&self, pointer: &str, all: &Keyed<SeriesKey, Series>) -> Result<usize, usize> {
        self.0.binary_search_by(|key| pointer_of(*key, all).cmp(pointer))
    }

    /// The one at this pointer.
    pub(crate) fn get(&self, pointer: &str, all: &Keyed<SeriesKey, Series>) -> Option<SeriesKey> {
        self.nth(self.place(pointer, all)?)
    }

    /// Which of them is at this pointer. That is so for as long as there are so many, since none ever goes.
    pub(super) fn place(&self, pointer: &str, all: &Keyed<SeriesKey, Series>) -> Option<usize> {
        self.at(pointer, all).ok()
    }

    /// The one in this place.
    pub(super) fn nth(&self, place: usize) -> Option<SeriesKey> {
        self.0.get(place).copied()
    }

    /// Takes in a series that is among all; another at its pointer is none of them from then on.
    pub(super) fn insert(&mut self, key: SeriesKey, all: &Keyed<SeriesKey, Series>) {
        match self.at(pointer_of(key, all), all) {
            Ok(at) => {
                if let Some(place) = self.0.get_mut(at) {
                    *place = key;
                }
            }
            Err(at) => {
                let mut keys = std::mem::take(&mut self.0).into_vec();
                keys.reserve_exact(1);
                keys.insert(at, key);
                self.0 = keys.into_boxed_slice();
            }
        }
    }

    /// Takes in many at once that are among all.
    pub(super) fn extend(&mut self, more: Vec<SeriesKey>, all: &Keyed<SeriesKey, Series>) {
        if !self.0.is_empty() {
            more.into_iter().for_each(|key| self.insert(key, all));
            return;
        }
        let mut keys = more;
        keys.sort_by(|one, other| pointer_of(*one, all).cmp(pointer_of(*other, all)));
        // Of those at one pointer the last counts, as it does one by one.
        keys.reverse();
        keys.dedup_by(|one, other| pointer_of(*one, all) == pointer_of(*other, all));
        keys.reverse();
        self.0 = keys.into_boxed_slice();
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = SeriesKey> {
        self.0.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn pointer_of(key: SeriesKey, all: &Keyed<SeriesKey, Series>) -> &str {
    all.get(&key).map_or("", |series| series.pointer.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_series_of_a_thing_are_a_map_in_the_order_of_their_pointers(
            at_once in proptest::collection::vec("[a-f]{0,2}", 0..12),
            one_by_one in proptest::collection::vec("[a-f]{0,2}", 0..12),
        ) {
            let (mut all, mut of, mut map) = (Keyed::default(), SeriesOf::default(), BTreeMap::new());
            let mut made = |pointer: &String| {
                let key = all.next_key();
                all.insert(key, Series::new(ThingKey(1), pointer.as_str().into()));
                (pointer.clone(), key)
            };
            let (at_once, one_by_one) = (at_once.iter().map(&mut made).collect::<Vec<_>>(), one_by_one.iter().map(made).collect::<Vec<_>>());
            of.extend(at_once.iter().map(|(_, key)| *key).collect(), &all);
            map.extend(at_once);
            for (pointer, key) in one_by_one {
                of.insert(key, &all);
                map.insert(pointer, key);
            }
            prop_assert!(of.iter().eq(map.values().copied()));
            prop_assert_eq!((of.len(), of.is_empty()), (map.len(), map.is_empty()));
            for (pointer, key) in &map {
                prop_assert_eq!(of.get(pointer, &all), Some(*key));
                prop_assert_eq!(of.place(pointer, &all).and_then(|place| of.nth(place)), Some(*key));
            }
            prop_assert_eq!(of.get("none", &all), None);
        }
    }

    #[test]
    fn a_series_fills_a_cache_line_and_no_more() {
        assert_eq!(size_of::<Option<Series>>(), 64);
    }
}
