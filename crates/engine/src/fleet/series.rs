//! A series with its latest value: half a million of them in a big city, one in the processor's cache line each.

use fleetlens_model::id::ThingKey;
use fleetlens_model::shared::SharedText;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::time::{MonoMs, WallMs};

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
    pub(crate) fn sample(&self, series: fleetlens_model::id::SeriesKey) -> Option<Sample> {
        let Latest { device_ms, received_ms, seq, value, source, quality, timed } = self.latest()?;
        Some(Sample { series, device_ms, received_ms, seq, value, source, quality, timed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_fills_a_cache_line_and_no_more() {
        assert_eq!(size_of::<Option<Series>>(), 64);
    }
}
