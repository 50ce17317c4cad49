//! How samples become bytes and samples again. No SQL here.
//!
//! Three shapes: a [`batch`] is what one transaction brought, in the order it came; a [`page`] is a stretch of one series, by
//! columns; a [`block`] is as many pages, of one series after the other, as make a row of a good size. Batches and blocks carry a
//! checksum, so that a flipped bit is noticed and not shown as a value. A first byte says the version; another one is never guessed.

pub(crate) mod batch;
pub(crate) mod block;
pub(crate) mod bytes;
pub(crate) mod column;
pub(crate) mod page;
pub(crate) mod rolled;
pub(crate) mod value;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use thiserror::Error;

/// Bytes that none of ours could have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stored samples are damaged")]
pub(crate) struct Damaged;

/// A sample within its series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub device_ms: i64,
    pub received_ms: i64,
    pub value: Value,
    pub marks: Marks,
}

impl Kept {
    pub fn of(sample: &Sample) -> Kept {
        Kept {
            device_ms: sample.device_ms.0,
            received_ms: sample.received_ms.0,
            value: sample.value.clone(),
            marks: Marks::of(sample),
        }
    }

    pub fn sample(self, series: SeriesKey, seq: u64) -> Sample {
        Sample {
            series,
            device_ms: WallMs(self.device_ms),
            received_ms: WallMs(self.received_ms),
            seq,
            value: self.value,
            source: self.marks.source(),
            quality: self.marks.quality(),
            timed: self.marks.timed(),
        }
    }

    /// Whether both are the same thing said: a message may come again in a new packet (docs/adr/0003-delivery.md, 4).
    pub fn repeats(&self, other: &Kept) -> bool {
        self.device_ms == other.device_ms
            && self.marks.timed() == Timed::ByDevice
            && other.marks.timed() == Timed::ByDevice
            && self.value == other.value
    }
}

/// How a value came, how good it is and whose clock dated it, in five bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    const BITS: u8 = 5;

    fn of(sample: &Sample) -> Marks {
        let source = match sample.source {
            Source::Live => 0,
            Source::Retained => 1,
            Source::Cached => 2,
        };
        let quality = match sample.quality {
            Quality::Good => 0,
            Quality::Stale => 1,
            Quality::Estimated => 2,
            Quality::Synthetic => 3,
        };
        let timed = match sample.timed {
            Timed::ByUs => 0,
            Timed::ByDevice => 1,
        };
        Marks(source | quality << 2 | timed << 4)
    }

    pub fn byte(self) -> u8 {
        self.0
    }

    pub fn of_byte(byte: u8) -> Result<Marks, Damaged> {
        if byte >> Marks::BITS == 0 && byte & 0b11 != 0b11 { Ok(Marks(byte)) } else { Err(Damaged) }
    }

    fn source(self) -> Source {
        match self.0 & 0b11 {
            0 => Source::Live,
            1 => Source::Retained,
            _ => Source::Cached,
        }
    }

    fn quality(self) -> Quality {
        match self.0 >> 2 & 0b11 {
            0 => Quality::Good,
            1 => Quality::Stale,
            2 => Quality::Estimated,
            _ => Quality::Synthetic,
        }
    }

    pub fn timed(self) -> Timed {
        if self.0 >> 4 & 1 == 0 { Timed::ByUs } else { Timed::ByDevice }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-1_000_i32..1_000).prop_map(|n| Value::Number(f64::from(n) / 10.0)),
            prop::num::f64::NORMAL.prop_map(Value::Number),
            any::<bool>().prop_map(Value::Flag),
            "[a-z]{0,3}".prop_map(Value::Text),
        ]
    }

    /// Some samples of a few series, as a stream with its oddities brings them.
    pub(crate) fn samples() -> impl Strategy<Value = Vec<Sample>> {
        let time = prop_oneof![1_780_000_000_000_i64..1_780_000_100_000, any::<i32>().prop_map(i64::from)];
        let sample = (1_u32..5, time, -2_000_i64..90_000, 0_u64..9, value(), any::<bool>(), 0_u8..4, 0_u8..3);
        prop::collection::vec(sample, 0..80).prop_map(|samples| {
            let mut seq = 0;
            let sample = |(series, device_ms, later, skips, value, by_device, quality, source): (
                u32,
                i64,
                i64,
                u64,
                _,
                _,
                u8,
                u8,
            )| {
                seq += 1 + skips;
                let marks = Marks(source | quality << 2 | u8::from(by_device) << 4);
                let received_ms = if by_device { device_ms + later } else { device_ms };
                Kept { device_ms, received_ms, value, marks }.sample(SeriesKey(series), seq)
            };
            samples.into_iter().map(sample).collect()
        })
    }
}
