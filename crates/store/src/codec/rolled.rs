//! What happened to a series in each minute, hour or day, by columns. Decimals are scaled together; what follows from the others is
//! told from them: the smallest and the largest from the last, the sum from what the count alone would make of the last.

use fleetlens_model::downsample::Bucket;
use fleetlens_model::time::WallMs;

use super::bytes::Input;
use super::page::scale;
use super::{Damaged, column, value};

/// The most buckets of a page.
pub(crate) const PAGE_BUCKETS: usize = 1_024;

const DECIMALS: u8 = 0;
const FLOATS: u8 = 1;

/// A bucket, and when its last value was measured, so that two halves of one bucket know whose last is the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rolled {
    pub bucket: Bucket,
    pub last_ms: i64,
}

impl Rolled {
    /// A bucket of one sample.
    pub fn of(start_ms: i64, device_ms: i64, value: f64) -> Rolled {
        let bucket = Bucket { start_ms: WallMs(start_ms), min: value, max: value, sum: value, last: value, count: 1 };
        Rolled { bucket, last_ms: device_ms }
    }

    /// Takes in another part of the same bucket; of equal times the later told is the last.
    pub fn and(&mut self, other: &Rolled) {
        let (ours, theirs) = (&mut self.bucket, &other.bucket);
        ours.min = ours.min.min(theirs.min);
        ours.max = ours.max.max(theirs.max);
        ours.sum += theirs.sum;
        ours.count = ours.count.saturating_add(theirs.count);
        if other.last_ms >= self.last_ms {
            ours.last = theirs.last;
            self.last_ms = other.last_ms;
        }
    }
}

/// Adds a page of buckets in the order of time, all of this width; how many and the first one's start are kept elsewhere.
pub(crate) fn put(out: &mut Vec<u8>, buckets: &[Rolled], width_ms: i64) {
    let Some(first) = buckets.first() else { return };
    let start = first.bucket.start_ms.0;
    let columns = |of: &dyn Fn(&Rolled) -> i64| -> Vec<i64> { buckets.iter().map(of).collect() };
    column::put(out, &columns(&|rolled| rolled.bucket.start_ms.0.wrapping_sub(start).div_euclid(width_ms.max(1))));
    column::put(out, &columns(&|rolled| rolled.last_ms.wrapping_sub(rolled.bucket.start_ms.0)));
    column::put(out, &columns(&|rolled| i64::from(rolled.bucket.count)));
    let floats = |of: fn(&Bucket) -> f64| buckets.iter().map(move |rolled| of(&rolled.bucket));
    let said: Vec<f64> = floats(|b| b.last).chain(floats(|b| b.min)).chain(floats(|b| b.max)).collect();
    let sums: Vec<f64> = floats(|b| b.sum).collect();
    let mut whole = Vec::new();
    let n = buckets.len();
    let parts = scale(&said, &mut whole).and_then(|places| {
        let (last, rest) = whole.split_at_checked(n)?;
        let (min, max) = rest.split_at_checked(n)?;
        let (sum_places, sum) = sum_of_decimals(&sums, places)?;
        Some((places, last, min, max, sum_places, sum))
    });
    match parts {
        Some((places, last, min, max, sum_places, sum)) => {
            out.extend([DECIMALS, places, sum_places]);
            let less = |one: &[i64], other: &[i64]| -> Vec<i64> {
                one.iter().zip(other).map(|(one, other)| one.wrapping_sub(*other)).collect()
            };
            column::put(out, last);
            column::put(out, &less(last, min));
            column::put(out, &less(max, last));
            let more = sum_places.saturating_sub(places);
            let counts = buckets.iter().map(|rolled| i64::from(rolled.bucket.count));
            let of_last: Vec<i64> = last.iter().zip(counts).map(|(last, count)| alone(*last, count, more)).collect();
            column::put(out, &less(&sum, &of_last));
        }
        None => {
            out.push(FLOATS);
            said.chunks(n).for_each(|column| column::put_floats(out, column));
            column::put_floats(out, &sums);
        }
    }
}

/// Adds the buckets of a page to `buckets`.
pub(crate) fn get(
    page: &[u8],
    count: usize,
    from_ms: i64,
    width_ms: i64,
    buckets: &mut Vec<Rolled>,
) -> Result<(), Damaged> {
    if count > PAGE_BUCKETS {
        return Err(Damaged);
    }
    let mut input = Input(page);
    let mut unpacking = column::Unpacking::default();
    let mut whole = || -> Result<Vec<i64>, Damaged> {
        let mut numbers = Vec::new();
        column::get(&mut input, count, &mut numbers, &mut unpacking)?;
        Ok(numbers)
    };
    let (starts, lasts, counts) = (whole()?, whole()?, whole()?);
    let values: [Vec<f64>; 4] = match input.byte()? {
        DECIMALS => {
            let (places, sum_places) = (input.byte()?, input.byte()?);
            let more = sum_places.checked_sub(places).filter(|_| sum_places <= value::PLACES_MAX).ok_or(Damaged)?;
            let mut columns = <[Vec<i64>; 4]>::default();
            for numbers in &mut columns {
                column::get(&mut input, count, numbers, &mut unpacking)?;
            }
            let [last, below, above, beside] = &columns;
            let number = |whole: i64| value::unscaled(whole, places);
            let mut values = <[Vec<f64>; 4]>::default();
            let [lasts, mins, maxs, sums] = &mut values;
            let rows = last.iter().zip(below).zip(above).zip(beside).zip(&counts);
            for ((((last, below), above), beside), count) in rows {
                lasts.push(number(*last)?);
                mins.push(number(last.wrapping_sub(*below))?);
                maxs.push(number(last.wrapping_add(*above))?);
                sums.push(value::unscaled(beside.wrapping_add(alone(*last, *count, more)), sum_places)?);
            }
            values
        }
        FLOATS => {
            let mut values = <[Vec<f64>; 4]>::default();
            for numbers in &mut values {
                column::get_floats(&mut input, count, numbers, &mut unpacking)?;
            }
            values
        }
        _ => return Err(Damaged),
    };
    let [last, min, max, sum] = &values;
    let rows = starts.iter().zip(&lasts).zip(&counts).zip(last).zip(min).zip(max).zip(sum);
    for ((((((start, last_after), count), last), min), max), sum) in rows {
        let start_ms = from_ms.wrapping_add(start.wrapping_mul(width_ms));
        let count = u32::try_from(*count).map_err(|_| Damaged)?;
        let bucket = Bucket { start_ms: WallMs(start_ms), min: *min, max: *max, sum: *sum, last: *last, count };
        buckets.push(Rolled { bucket, last_ms: start_ms.wrapping_add(*last_after) });
    }
    Ok(())
}

/// Sums of decimals as whole ones, and their places, which may be more than those of the numbers that are kept. What was added up as
/// floats is off in its last bits: a sum this near to a decimal is one.
fn sum_of_decimals(sums: &[f64], places: u8) -> Option<(u8, Vec<i64>)> {
    const NEAR: f64 = 1e-6;
    (places..=value::PLACES_MAX).find_map(|places| {
        let whole = sums.iter().map(|sum| value::rounded(*sum, places, NEAR)).collect::<Option<Vec<i64>>>()?;
        Some((places, whole))
    })
}

/// What the sum of a bucket would be if every value were its last, with so many more places.
fn alone(last: i64, count: i64, more: u8) -> i64 {
    last.wrapping_mul(count).wrapping_mul(10_i64.wrapping_pow(more.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn back(buckets: &[Rolled]) -> (Vec<Rolled>, usize) {
        let (mut out, mut back) = (Vec::new(), Vec::new());
        put(&mut out, buckets, MINUTE);
        let from_ms = buckets.first().map_or(0, |rolled| rolled.bucket.start_ms.0);
        assert_eq!(get(&out, buckets.len(), from_ms, MINUTE, &mut back), Ok(()));
        (back, out.len())
    }

    /// Buckets of a series, some of whose numbers are decimals and some are not.
    fn rolled(numbers: &[f64], divisor: f64) -> Vec<Rolled> {
        let mut buckets: Vec<Rolled> = Vec::new();
        for (n, number) in (0_i64..).zip(numbers) {
            let device_ms = 1_780_000_020_000 + n * 17_000;
            let one = Rolled::of(device_ms.div_euclid(MINUTE) * MINUTE, device_ms, number / divisor);
            match buckets.last_mut() {
                Some(last) if last.bucket.start_ms == one.bucket.start_ms => last.and(&one),
                _ => buckets.push(one),
            }
        }
        buckets
    }

    proptest! {
        #[test]
        fn buckets_come_back(numbers in prop::collection::vec(-5_000_i32..5_000, 1..400), divisor in prop::sample::select(vec![1.0, 10.0, 7.0, 1000.0])) {
            let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
            let buckets = rolled(&numbers, divisor);
            let (back, _) = back(&buckets);
            prop_assert_eq!(back.len(), buckets.len());
            for (one, other) in back.iter().zip(&buckets) {
                let (sum, want) = (one.bucket.sum, other.bucket.sum);
                prop_assert!((sum - want).abs() <= want.abs() * 1e-12 + 1e-9, "{} is not {}", sum, want);
                prop_assert_eq!(Rolled { bucket: Bucket { sum: want, ..one.bucket }, ..*one }, *other);
            }
        }
    }

    #[test]
    fn a_sum_may_have_more_places_than_what_is_kept_of_its_values() {
        let mut bucket = Rolled::of(0, 1, 0.0);
        for (device_ms, value) in [(2, -0.125), (3, -5.0)] {
            bucket.and(&Rolled::of(0, device_ms, value));
        }
        assert_eq!(back(&[bucket]).0, [bucket]);
    }

    #[test]
    fn a_day_of_minutes_takes_some_bytes_a_minute() {
        let numbers: Vec<f64> = (0..5_000).map(|n| f64::from(213 + n * 31 % 17)).collect();
        let buckets = rolled(&numbers, 10.0);
        let buckets = &buckets[..1_000];
        let (_, bytes) = back(buckets);
        assert!(bytes < 5_000, "{bytes} bytes");
    }

    #[test]
    fn the_halves_of_a_bucket_are_one_whatever_came_first() {
        let half = |device_ms, value| Rolled::of(0, device_ms, value);
        let (mut one, mut other) = (half(10, 1.0), half(20, 2.0));
        one.and(&half(20, 2.0));
        other.and(&half(10, 1.0));
        assert_eq!(one, other);
        assert_eq!((one.bucket.last, one.bucket.count, one.bucket.min), (2.0, 2, 1.0));
    }
}
