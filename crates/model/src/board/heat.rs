//! How full car parks are by hour and day of the week, out of hours of what was measured. An hour of which nothing is known is a gap.

use crate::downsample::Bucket;
use crate::time::WallMs;

/// Hours of a week.
pub const CELLS: usize = 7 * 24;

/// An hour, in milliseconds: the width of the buckets.
pub const HOUR_MS: u64 = 3_600_000;

/// What is added up, hour of the week by hour of the week, Monday's first.
#[derive(Clone, Debug, PartialEq)]
pub struct Week {
    /// Spaces that were taken, and spaces that there were, each summed over weeks and car parks.
    hours: Vec<(f64, f64)>,
    utc_offset_min: i32,
    begins: Option<WallMs>,
    parks: u32,
}

impl Week {
    /// Nothing yet, for somebody whose clock shows this much more than UTC.
    pub fn new(utc_offset_min: i32) -> Week {
        Week { hours: vec![(0.0, 0.0); CELLS], utc_offset_min, begins: None, parks: 0 }
    }

    /// Adds a car park with so many spaces: how many were free, in buckets of an hour.
    pub fn add(&mut self, free: &[Bucket], spaces: u32) {
        let spaces = f64::from(spaces);
        if spaces <= 0.0 || free.is_empty() {
            return;
        }
        self.parks += 1;
        for bucket in free {
            let Some((taken, there)) = self.hours.get_mut(cell(bucket.start_ms, self.utc_offset_min)) else { continue };
            *taken += (spaces - bucket.mean()).clamp(0.0, spaces);
            *there += spaces;
            self.begins = Some(self.begins.map_or(bucket.start_ms, |begins| begins.min(bucket.start_ms)));
        }
    }

    /// By hour, Monday's first, the mean share of spaces that were taken; `None` where nothing was measured. Car parks count by their
    /// spaces, and each hour of each by itself.
    pub fn shares(&self) -> Vec<Option<f32>> {
        self.hours.iter().map(|(taken, there)| (*there > 0.0).then(|| (taken / there) as f32)).collect()
    }

    /// The first hour that was added.
    pub fn begins(&self) -> Option<WallMs> {
        self.begins
    }

    /// How many car parks were added of which anything is known.
    pub fn parks(&self) -> u32 {
        self.parks
    }
}

/// Which hour of the week it is.
fn cell(at: WallMs, utc_offset_min: i32) -> usize {
    let hours = at.0.saturating_add(i64::from(utc_offset_min) * 60_000).div_euclid(3_600_000);
    // The first day of the epoch was a Thursday.
    let hour = (hours + 3 * 24).rem_euclid(7 * 24);
    usize::try_from(hour).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 17 November 2025, 00:00 UTC.
    const MONDAY_MS: i64 = 1_763_337_600_000;

    fn hour(nth: i64, free: f64) -> Bucket {
        let start_ms = WallMs(MONDAY_MS + nth * 3_600_000);
        Bucket { start_ms, min: free, max: free, sum: free * 2.0, last: free, count: 2 }
    }

    #[test]
    fn hours_fall_into_their_day_by_the_persons_clock_and_a_gap_is_none() {
        for (offset_min, nth, want) in
            [(0, 0, 0), (60, 0, 1), (-60, 0, 167), (60, 167, 0), (0, 24 * 6 + 23, 167), (0, -1, 167)]
        {
            let mut week = Week::new(offset_min);
            week.add(&[hour(nth, 25.0)], 100);
            let shares = week.shares();
            assert_eq!(shares.len(), CELLS);
            assert_eq!(shares[want], Some(0.75), "{nth} at {offset_min}");
            assert_eq!(shares.iter().flatten().count(), 1, "everything else is a gap");
        }
    }

    #[test]
    fn the_mean_goes_over_weeks_and_over_car_parks_by_their_spaces() {
        let mut week = Week::new(0);
        week.add(&[hour(8, 100.0), hour(8 + 168, 0.0)], 100);
        assert_eq!(week.shares()[8], Some(0.5), "empty one week and full the next");
        week.add(&[hour(8, 0.0)], 200);
        assert_eq!(week.shares()[8], Some(0.75), "a big car park that is full");
        week.add(&[hour(9, -5.0), hour(10, 900.0)], 10);
        assert_eq!((week.shares()[9], week.shares()[10]), (Some(1.0), Some(0.0)), "no more than there are");
        week.add(&[], 10);
        week.add(&[hour(11, 1.0)], 0);
        assert_eq!((week.parks(), week.shares()[11]), (3, None));
        assert_eq!(week.begins(), Some(WallMs(MONDAY_MS + 8 * 3_600_000)));
    }
}
