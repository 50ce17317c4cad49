//! Measured values: what was said, by whom, when, and how far it can be trusted.

use serde::{Deserialize, Serialize};

use crate::id::SeriesKey;
use crate::time::WallMs;

/// A device time further ahead of ours than this is not believed (docs/adr/0002-clocks.md).
pub const FUTURE_TOLERANCE_MS: i64 = 120_000;

/// The longest text value that is kept, in bytes; a longer one is refused where it is decoded.
pub const TEXT_MAX_BYTES: usize = 1024;

/// One value of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A finite number; its unit is the series'.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A word or an enumeration's member, at most [`TEXT_MAX_BYTES`].
    Text(String),
}

impl Value {
    /// The number to plot: flags are 0 and 1, texts have none.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Flag(b) => Some(if *b { 1.0 } else { 0.0 }),
            Value::Text(_) => None,
        }
    }

    /// With how many decimals a number is written that nobody said more of: as many as it needs, at most 2; below 1 as many as
    /// show three figures, at most 9.
    pub fn decimals(&self) -> u8 {
        const MOST: u8 = 9;
        let Some(number) = self.as_number().map(f64::abs) else { return 0 };
        let leading = if (f64::MIN_POSITIVE..1.0).contains(&number) { -number.log10().floor() } else { 0.0 };
        let most = (leading + 2.0).min(f64::from(MOST)) as usize;
        let written = format!("{number:.most$}");
        let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
        u8::try_from(decimals).unwrap_or(MOST)
    }
}

/// How a value reached the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// Published while we listened.
    Live,
    /// Replayed by the broker on subscribe; may be old.
    Retained,
    /// Read from the local cache; the link has said nothing newer since the start.
    Cached,
}

/// How far a value can be trusted, apart from how it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quality {
    /// As the device measured it.
    #[default]
    Good,
    /// The device itself said that it is old.
    Stale,
    /// Something about it was not believed, e.g. its time.
    Estimated,
    /// Made up, e.g. by the demo city where the real value is not known.
    Synthetic,
}

/// Whose clock dated a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Timed {
    /// The device's, and we believe it.
    ByDevice,
    /// Ours: the payload carried no time, or one too far in the future.
    ByUs,
}

/// One value with everything a row keeps of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which series.
    pub series: SeriesKey,
    /// The time it is ordered and aged by: the device's where believed, else ours.
    pub device_ms: WallMs,
    /// When we received it.
    pub received_ms: WallMs,
    /// Breaks ties between equal times; rises by one with every sample of this cache.
    pub seq: u64,
    /// What was said.
    pub value: Value,
    /// Live or retained; rows read back are shown as cached.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
    /// Whose clock dated it.
    pub timed: Timed,
}

impl Sample {
    /// Whether this is newer news than `latest` of the same series. By device time, then sequence; but by sequence alone where our
    /// own clock dated this one, or where `latest` lies in a future nobody believes: our clock was wrong and was put right.
    pub fn supersedes(&self, latest: &Sample) -> bool {
        let ours = self.timed == Timed::ByUs;
        let impossible = latest.device_ms.0.saturating_sub(self.received_ms.0) > FUTURE_TOLERANCE_MS;
        if ours || impossible {
            self.seq >= latest.seq
        } else {
            (self.device_ms, self.seq) >= (latest.device_ms, latest.seq)
        }
    }
}

/// Decides which time dates a sample: the claimed one unless it lies too far ahead, else ours.
pub fn date(claimed: Option<WallMs>, received: WallMs) -> (WallMs, Timed, Quality) {
    match claimed {
        Some(t) if t.0.saturating_sub(received.0) <= FUTURE_TOLERANCE_MS => (t, Timed::ByDevice, Quality::Good),
        Some(_) => (received, Timed::ByUs, Quality::Estimated),
        None => (received, Timed::ByUs, Quality::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_nobody_knows_has_the_decimals_it_needs() {
        for (number, want) in [
            (442.0, 0),
            (0.0, 0),
            (-17.5, 1),
            (3.456_78, 2),
            (99.999, 0),
            (0.5, 1),
            (0.123_456, 3),
            (-0.001_234, 5),
            (1e-300, 0),
            (1e300, 0),
        ] {
            assert_eq!(Value::Number(number).decimals(), want, "{number}");
        }
        assert_eq!((Value::Flag(true).decimals(), Value::Text("3.14".into()).decimals()), (0, 0));
    }

    #[test]
    fn a_wrong_clock_of_ours_does_not_freeze_the_latest_value() {
        let at = |seq, device_ms, received_ms, timed| Sample {
            series: SeriesKey(1),
            device_ms: WallMs(device_ms),
            received_ms: WallMs(received_ms),
            seq,
            value: Value::Flag(true),
            source: Source::Live,
            quality: Quality::Good,
            timed,
        };
        let day = 86_400_000;
        for (name, new, latest, want) in [
            ("in order", at(2, 20, 20, Timed::ByDevice), at(1, 10, 10, Timed::ByDevice), true),
            ("late", at(2, 10, 20, Timed::ByDevice), at(1, 15, 15, Timed::ByDevice), false),
            ("equal times", at(2, 10, 20, Timed::ByDevice), at(1, 10, 10, Timed::ByDevice), true),
            ("our clock was a day ahead", at(2, 20, 20, Timed::ByUs), at(1, day, day, Timed::ByUs), true),
            ("and the device has a clock", at(2, 20, 20, Timed::ByDevice), at(1, day, day, Timed::ByDevice), true),
        ] {
            assert_eq!(new.supersedes(&latest), want, "{name}");
        }
    }

    #[test]
    fn a_time_from_the_future_is_not_believed_and_an_old_one_is() {
        let ours = WallMs(1_000_000_000_000);
        for (name, claimed, want) in [
            ("no time", None, (ours, Timed::ByUs, Quality::Good)),
            ("a day old", Some(ours.plus(-86_400_000)), (ours.plus(-86_400_000), Timed::ByDevice, Quality::Good)),
            ("a clock a little fast", Some(ours.plus(120_000)), (ours.plus(120_000), Timed::ByDevice, Quality::Good)),
            ("a lie", Some(ours.plus(120_001)), (ours, Timed::ByUs, Quality::Estimated)),
            ("the end of time", Some(WallMs(i64::MAX)), (ours, Timed::ByUs, Quality::Estimated)),
        ] {
            assert_eq!(date(claimed, ours), want, "{name}");
        }
    }
}
