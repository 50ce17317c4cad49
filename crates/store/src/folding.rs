//! Numbers and parts of buckets that become the buckets of an answer.

use fleetlens_model::downsample::Bucket;

use crate::codec::rolled::Rolled;

/// Buckets of one width that are being made, and when the last value of each was measured: that is needed only where two parts of one
/// bucket are put together, so it lies beside them, and most answers are the buckets as they lie.
#[derive(Debug)]
pub(crate) struct Folding {
    width_ms: i64,
    buckets: Vec<Bucket>,
    last_ms: Vec<i64>,
    /// The start of the last bucket, if what comes may belong into it.
    open_ms: Option<i64>,
}

impl Folding {
    /// Of this width, at least 1.
    pub fn new(width_ms: i64) -> Folding {
        Folding { width_ms, buckets: Vec::new(), last_ms: Vec::new(), open_ms: None }
    }

    /// Memory for so many more at once: a day is half a megabyte, and growing to that costs as much as reading it.
    pub fn reserve(&mut self, buckets: usize) {
        self.buckets.reserve(buckets);
        self.last_ms.reserve(buckets);
    }

    /// What comes is not in the order of time with what was there: parts of one bucket are put together at the end.
    pub fn begin(&mut self) {
        self.open_ms = None;
    }

    /// Adds what is a bucket already, of this width or a narrower one that divides it.
    pub fn add_part(&mut self, mut part: Rolled) {
        self.begin();
        part.bucket.start_ms.0 = self.start_of(part.bucket.start_ms.0);
        self.buckets.push(part.bucket);
        self.last_ms.push(part.last_ms);
    }

    /// Adds numbers with the times they were measured at, in the order of time since the last [`Folding::begin`].
    pub fn add(&mut self, numbers: impl Iterator<Item = (i64, f64)>) {
        for (device_ms, number) in numbers {
            if !number.is_finite() {
                continue;
            }
            // In the order of time, so most fall into the bucket of the one before, and nothing is divided.
            let is_same = |start_ms: &i64| (0..self.width_ms).contains(&device_ms.wrapping_sub(*start_ms));
            match self.open_ms.filter(is_same).and(self.buckets.last_mut()).zip(self.last_ms.last_mut()) {
                Some((bucket, last_ms)) => {
                    (bucket.min, bucket.max) = (bucket.min.min(number), bucket.max.max(number));
                    (bucket.sum, bucket.last, *last_ms) = (bucket.sum + number, number, device_ms);
                    bucket.count = bucket.count.saturating_add(1);
                }
                None => {
                    // The next bucket needs no division either, and a series that speaks as often as there are buckets has no others.
                    let next_ms = self.open_ms.map(|start_ms| start_ms.wrapping_add(self.width_ms)).filter(is_same);
                    let start_ms = next_ms.unwrap_or_else(|| self.start_of(device_ms));
                    self.buckets.push(Rolled::of(start_ms, device_ms, number).bucket);
                    self.last_ms.push(device_ms);
                    self.open_ms = Some(start_ms);
                }
            }
        }
    }

    /// The buckets in the order of time, each once.
    pub fn end(self) -> Vec<Bucket> {
        let Folding { buckets, last_ms, .. } = self;
        if buckets.is_sorted_by(|one, next| one.start_ms < next.start_ms) {
            return buckets;
        }
        let mut parts: Vec<Rolled> =
            buckets.into_iter().zip(last_ms).map(|(bucket, last_ms)| Rolled { bucket, last_ms }).collect();
        if !parts.is_sorted_by_key(|part| part.bucket.start_ms) {
            parts.sort_by_key(|part| part.bucket.start_ms);
        }
        parts.dedup_by(|next, last| {
            let is_one = last.bucket.start_ms == next.bucket.start_ms;
            if is_one {
                last.and(next);
            }
            is_one
        });
        parts.into_iter().map(|part| part.bucket).collect()
    }

    fn start_of(&self, ms: i64) -> i64 {
        ms.div_euclid(self.width_ms).saturating_mul(self.width_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn however_numbers_come_in_their_buckets_are_those_of_all_of_them_in_order(
            stretches in prop::collection::vec(prop::collection::vec((-50_i64..200, -9_i32..9), 0..30), 1..5),
            width_ms in 1_i64..40,
        ) {
            let mut said = Vec::new();
            let mut folding = Folding::new(width_ms);
            for mut stretch in stretches {
                stretch.sort_by_key(|(at, _)| *at);
                let numbers: Vec<(i64, f64)> = stretch.into_iter().map(|(at, n)| (at, f64::from(n))).collect();
                folding.begin();
                folding.add(numbers.iter().copied().chain([(7, f64::NAN)]));
                said.extend(numbers);
            }
            said.sort_by_key(|(at, _)| *at);
            let mut want: Vec<Bucket> = Vec::new();
            for (at, n) in said {
                let start_ms = at.div_euclid(width_ms) * width_ms;
                match want.last_mut().filter(|bucket| bucket.start_ms.0 == start_ms) {
                    Some(bucket) => {
                        (bucket.min, bucket.max, bucket.last) = (bucket.min.min(n), bucket.max.max(n), n);
                        (bucket.sum, bucket.count) = (bucket.sum + n, bucket.count + 1);
                    }
                    None => want.push(Rolled::of(start_ms, at, n).bucket),
                }
            }
            prop_assert_eq!(folding.end(), want);
        }
    }
}
