//! Many samples to few buckets, anchored to absolute time so that a refresh never moves a point
//! (what users of today's tools ask for: home-assistant/frontend 53542).

use serde::{Deserialize, Serialize};

use crate::time::WallMs;

/// What happened to a numeric series within `[start_ms, start_ms + width)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Start; a multiple of the width since the epoch.
    pub start_ms: WallMs,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of the values; with `count` the mean.
    pub sum: f64,
    /// The value with the latest time.
    pub last: f64,
    /// How many samples; at least 1.
    pub count: u32,
}

impl Bucket {
    /// The mean of the bucket's samples.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

/// Bucket widths that people read easily, from a second to a day.
const WIDTHS_MS: [u64; 14] = [
    1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 21_600_000,
    86_400_000,
];

/// The narrowest width of the list with which `span_ms` needs at most `most` buckets.
pub fn width_ms(span_ms: u64, most: u32) -> u64 {
    let most = u64::from(most.max(1));
    WIDTHS_MS.into_iter().find(|w| span_ms.div_ceil(*w) <= most).unwrap_or(86_400_000)
}

/// Folds samples, given in the order of their time, into buckets of `width_ms`. Empty stretches make no bucket: a gap stays a gap.
#[derive(Clone, Debug, Default)]
pub struct Downsampler {
    width_ms: u64,
    buckets: Vec<Bucket>,
}

impl Downsampler {
    /// Starts with nothing; `width_ms` is at least 1.
    pub fn new(width_ms: u64) -> Downsampler {
        Downsampler { width_ms: width_ms.max(1), buckets: Vec::new() }
    }

    /// Goes on from buckets that were read from the cache, in the order of time and of the same width.
    pub fn resume(width_ms: u64, buckets: Vec<Bucket>) -> Downsampler {
        Downsampler { width_ms: width_ms.max(1), buckets }
    }

    /// The start of the bucket that `at` falls into.
    pub fn start_of(&self, at: WallMs) -> WallMs {
        let width = i64::try_from(self.width_ms).unwrap_or(i64::MAX);
        WallMs(at.0.div_euclid(width).saturating_mul(width))
    }

    /// Adds one sample, late ones too, and returns the bucket it changed. Values that are not finite are left out.
    pub fn add(&mut self, at: WallMs, value: f64) -> Option<Bucket> {
        if !value.is_finite() {
            return None;
        }
        let start_ms = self.start_of(at);
        let place = self.buckets.partition_point(|b| b.start_ms < start_ms);
        let newest = place + 1 >= self.buckets.len();
        match self.buckets.get_mut(place) {
            Some(b) if b.start_ms == start_ms => {
                b.min = b.min.min(value);
                b.max = b.max.max(value);
                b.sum += value;
                b.count = b.count.saturating_add(1);
                if newest {
                    b.last = value;
                }
                Some(*b)
            }
            _ => {
                let bucket = Bucket { start_ms, min: value, max: value, sum: value, last: value, count: 1 };
                self.buckets.insert(place, bucket);
                Some(bucket)
            }
        }
    }

    /// Forgets buckets that start before `from`.
    pub fn forget_before(&mut self, from: WallMs) {
        self.buckets.retain(|b| b.start_ms >= from);
    }

    /// The buckets in the order of time.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The width every bucket has, in milliseconds.
    pub fn width_ms(&self) -> u64 {
        self.width_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_stay_where_they_are_however_the_window_slides() {
        let mut early = Downsampler::new(10_000);
        let mut late = Downsampler::new(10_000);
        for t in 0..100 {
            early.add(WallMs(t * 700), t as f64);
            if t >= 40 {
                late.add(WallMs(t * 700), t as f64);
            }
        }
        let tail = &early.buckets()[early.buckets().len() - 3..];
        assert_eq!(tail, &late.buckets()[late.buckets().len() - 3..]);
    }

    #[test]
    fn a_gap_makes_no_bucket_and_a_late_sample_lands_where_it_belongs() {
        let mut d = Downsampler::new(1_000);
        d.add(WallMs(100), 1.0);
        d.add(WallMs(5_100), 5.0);
        d.add(WallMs(900), 3.0);
        d.add(WallMs(2_000), f64::NAN);
        let starts: Vec<i64> = d.buckets().iter().map(|b| b.start_ms.0).collect();
        assert_eq!(starts, [0, 5_000]);
        assert_eq!(d.buckets()[0].max, 3.0);
        assert_eq!(d.buckets()[0].mean(), 2.0);
    }

    #[test]
    fn times_before_the_epoch_have_buckets_too() {
        assert_eq!(Downsampler::new(1_000).start_of(WallMs(-1)), WallMs(-1_000));
    }

    #[test]
    fn the_width_is_the_narrowest_that_fits() {
        for (span, most, want) in
            [(900_000, 300, 5_000), (3_600_000, 300, 15_000), (604_800_000, 300, 3_600_000), (1, 1, 1_000)]
        {
            assert_eq!(width_ms(span, most), want, "{span} in {most}");
        }
    }
}
