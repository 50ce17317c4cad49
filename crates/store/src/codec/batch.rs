//! Samples of many series in the order they came: a row of the journal, or of the latest values.
//!
//! Each: the series, the sequence and both times as differences from the sample before, a byte of marks and shape, the value. Some
//! nine bytes.

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Sample;

use super::bytes::{put_signed, seal, sealed, unsealed};
use super::{Damaged, Kept, Marks, value};

const VERSION: u8 = 1;

/// What is being gathered.
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    before: Before,
    pub samples: u64,
    pub from_ms: i64,
    pub to_ms: i64,
    pub first_seq: u64,
}

/// The sample before, from which the next is told.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    series: u32,
    seq: u64,
    device_ms: i64,
}

impl Default for Batch {
    fn default() -> Batch {
        let (bytes, before) = (unsealed(VERSION), Before::default());
        Batch { bytes, before, samples: 0, from_ms: i64::MAX, to_ms: i64::MIN, first_seq: u64::MAX }
    }
}

impl Batch {
    /// Adds a sample.
    pub fn push(&mut self, sample: &Sample) {
        let Sample { series, device_ms, received_ms, seq, .. } = sample;
        put_signed(&mut self.bytes, i64::from(series.0) - i64::from(self.before.series));
        put_signed(&mut self.bytes, seq.wrapping_sub(self.before.seq).wrapping_sub(1).cast_signed());
        put_signed(&mut self.bytes, device_ms.0.wrapping_sub(self.before.device_ms));
        put_signed(&mut self.bytes, received_ms.0.wrapping_sub(device_ms.0));
        let at = self.bytes.len();
        self.bytes.push(0);
        let shape = value::put(&mut self.bytes, &sample.value);
        if let Some(place) = self.bytes.get_mut(at) {
            *place = Marks::of(sample).byte() << 3 | shape;
        }
        self.before = Before { series: series.0, seq: *seq, device_ms: device_ms.0 };
        self.samples += 1;
        self.from_ms = self.from_ms.min(device_ms.0);
        self.to_ms = self.to_ms.max(device_ms.0);
        self.first_seq = self.first_seq.min(*seq);
    }

    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// The bytes to keep, until the next sample is pushed.
    pub fn seal(&mut self) -> &[u8] {
        seal(&mut self.bytes);
        &self.bytes
    }

    /// Begins anew in the same memory.
    pub fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        *self = Batch { bytes, ..Batch::default() };
        self.bytes.truncate(unsealed(VERSION).len());
    }
}

/// Hands each sample over, in order.
pub(crate) fn each(bytes: &[u8], mut each: impl FnMut(Sample)) -> Result<(), Damaged> {
    walk(bytes, |_, _| true, |series, seq, kept| each(kept.sample(series, seq)))
}

/// Hands over the samples of one series up to this sequence.
pub(crate) fn of_series(
    bytes: &[u8],
    wanted: SeriesKey,
    up_to_seq: u64,
    mut each: impl FnMut(Kept),
) -> Result<(), Damaged> {
    walk(bytes, |series, seq| series == wanted && seq <= up_to_seq, |_, _, kept| each(kept))
}

/// Hands over every sample without making another of it.
pub(crate) fn walk(
    bytes: &[u8],
    wanted: impl Fn(SeriesKey, u64) -> bool,
    mut each: impl FnMut(SeriesKey, u64, Kept),
) -> Result<(), Damaged> {
    let mut input = sealed(bytes, VERSION)?;
    let mut before = Before::default();
    while !input.is_empty() {
        let series = u32::try_from(i64::from(before.series) + input.signed()?).map_err(|_| Damaged)?;
        let seq = before.seq.wrapping_add(1).wrapping_add(input.signed()?.cast_unsigned());
        let device_ms = before.device_ms.wrapping_add(input.signed()?);
        before = Before { series, seq, device_ms };
        let received_ms = device_ms.wrapping_add(input.signed()?);
        let byte = input.byte()?;
        if wanted(SeriesKey(series), seq) {
            let marks = Marks::of_byte(byte >> 3)?;
            let value = value::get(&mut input, byte & 0b111)?;
            each(SeriesKey(series), seq, Kept { device_ms, received_ms, value, marks });
        } else {
            value::skip(&mut input, byte & 0b111)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::testing::samples;

    proptest! {
        #[test]
        fn what_came_comes_back_in_the_order_it_came(samples in samples()) {
            let mut batch = Batch::default();
            samples.iter().for_each(|sample| batch.push(sample));
            let mut back = Vec::new();
            prop_assert_eq!(each(batch.seal(), |sample| back.push(sample)), Ok(()));
            prop_assert_eq!(&back, &samples);
            if let Some(first) = samples.first() {
                let (mut of_one, mut want) = (Vec::new(), samples.clone());
                prop_assert_eq!(of_series(batch.seal(), first.series, first.seq, |kept| of_one.push(kept)), Ok(()));
                want.retain(|sample| sample.series == first.series && sample.seq <= first.seq);
                prop_assert_eq!(of_one, want.iter().map(Kept::of).collect::<Vec<_>>());
            }
        }
    }
}
