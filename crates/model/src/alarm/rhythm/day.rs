//! A day of the week as it is kept: of each of its hours the last weeks, four bytes each.
//!
//! What is usual is a median of means, and the spread is at least a hundredth of it: numbers that are known to a fifth of a percent
//! are as good as exact ones, and a series takes a quarter of the memory.

use super::{DAY_HOURS, WEEKS};

/// How many bytes a day takes, in memory and written down.
pub const DAY_BYTES: usize = DAY_HOURS * WEEKS * PAST_BYTES;

const PAST_BYTES: usize = 4;

/// The greatest value that is kept as it is.
pub(super) const KEPT_MAX: f64 = 1.8e19;

/// Stands for an hour of which nothing is known; no number is packed so.
const NOTHING: u16 = u16::MAX;

/// The exponent of a 32-bit number that becomes 0: 7 of its 8 bits stay, around 1.
const EXPONENT_FROM: u32 = 64 << FRACTION_BITS;
const FRACTION_BITS: u32 = 8;

/// Bits of the fraction of a 32-bit number that are not kept.
const CUT_BITS: u32 = 23 - FRACTION_BITS;

/// The greatest packed number without its sign.
const PACKED_MAX: u32 = 0x7eff;
const SIGN: u16 = 0x8000;

/// A day of the week: its hours, each with what was heard in it in the last weeks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day(Box<[[Past; WEEKS]; DAY_HOURS]>);

/// An hour that is over, in one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past {
    mean: u16,
    /// The mean distance of its values from their mean.
    distance: u16,
}

/// An hour of one week as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hour {
    pub mean: f64,
    pub distance: f64,
}

impl Default for Day {
    fn default() -> Day {
        Day(Box::new([[Past { mean: NOTHING, distance: NOTHING }; WEEKS]; DAY_HOURS]))
    }
}

impl Day {
    /// As it is written down: [`DAY_BYTES`] of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let pasts = self.0.iter().flatten();
        pasts.flat_map(|past| [past.mean.to_le_bytes(), past.distance.to_le_bytes()]).flatten().collect()
    }

    /// As it was written down; `None` of what no day is.
    pub fn from_bytes(bytes: &[u8]) -> Option<Day> {
        if bytes.len() != DAY_BYTES {
            return None;
        }
        let mut day = Day::default();
        for (past, bytes) in day.0.iter_mut().flatten().zip(bytes.chunks_exact(PAST_BYTES)) {
            let [mean, more, distance, even_more] = <[u8; PAST_BYTES]>::try_from(bytes).ok()?;
            *past =
                Past { mean: u16::from_le_bytes([mean, more]), distance: u16::from_le_bytes([distance, even_more]) };
        }
        Some(day)
    }

    /// The weeks of an hour that are known.
    pub(super) fn hour(&self, hour: usize) -> impl Iterator<Item = Hour> + '_ {
        let weeks = self.0.get(hour).into_iter().flatten();
        weeks
            .filter(|past| past.mean != NOTHING)
            .map(|past| Hour { mean: unpacked(past.mean), distance: unpacked(past.distance) })
    }

    /// Whether an hour of a week is known.
    pub(super) fn knows(&self, hour: usize, week: usize) -> bool {
        self.0.get(hour).and_then(|weeks| weeks.get(week)).is_some_and(|past| past.mean != NOTHING)
    }

    /// An hour of a week, in the place of the one that was there.
    pub(super) fn put(&mut self, hour: usize, week: usize, Hour { mean, distance }: Hour) {
        if let Some(past) = self.0.get_mut(hour).and_then(|weeks| weeks.get_mut(week)) {
            *past = Past { mean: packed(mean), distance: packed(distance) };
        }
    }
}

/// A number in 16 bits: its sign, 7 bits of exponent and 8 of fraction. What is nearer to nothing than 10⁻¹⁹ is nothing.
fn packed(number: f64) -> u16 {
    let sign = if number < 0.0 { SIGN } else { 0 };
    let bits = (number.abs().min(KEPT_MAX) as f32).to_bits();
    let rounded = bits.saturating_add(1 << (CUT_BITS - 1)) >> CUT_BITS;
    let packed = rounded.saturating_sub(EXPONENT_FROM).min(PACKED_MAX);
    if packed == 0 { 0 } else { sign | u16::try_from(packed).unwrap_or(0) }
}

fn unpacked(packed: u16) -> f64 {
    let (sign, number) = (packed & SIGN != 0, packed & !SIGN);
    if number == 0 {
        return 0.0;
    }
    let number = f64::from(f32::from_bits((u32::from(number) + EXPONENT_FROM) << CUT_BITS));
    if sign { -number } else { number }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_kept_to_a_fifth_of_a_percent(number in prop_oneof![-1e6..1e6f64, -1.0..1.0f64, -1e18..1e18f64, Just(0.0)]) {
            let kept = unpacked(packed(number));
            prop_assert!((kept - number).abs() <= number.abs() * 0.002 + 1e-18, "{number} {kept}");
            prop_assert_eq!(packed(kept), packed(number));
        }

        #[test]
        fn whatever_bytes_there_are_are_numbers(bytes in proptest::collection::vec(any::<u8>(), DAY_BYTES)) {
            let day = Day::from_bytes(&bytes).unwrap();
            prop_assert_eq!(day.to_bytes(), bytes);
            for hour in (0..DAY_HOURS).flat_map(|hour| day.hour(hour)) {
                prop_assert!(hour.mean.is_finite() && hour.distance.is_finite());
            }
        }
    }

    #[test]
    fn numbers_that_people_write_are_kept_as_they_are() {
        for number in [0.0, 1.0, -1.0, 0.5, 10.0, 90.0, 100.0, 500.0, -40.0, 255.0] {
            assert_eq!(unpacked(packed(number)), number);
        }
        for number in [f64::MAX, f64::MIN, f64::INFINITY, 1e30] {
            assert!((unpacked(packed(number)).abs() - KEPT_MAX).abs() < KEPT_MAX / 100.0, "{number}");
        }
        assert_eq!(unpacked(packed(f64::MIN_POSITIVE)), 0.0);
        assert_eq!(Day::from_bytes(&[0; DAY_BYTES - 1]), None);
        assert_eq!(Day::default().hour(3).count(), 0);
    }
}
