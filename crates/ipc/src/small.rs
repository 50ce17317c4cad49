//! Small charts, as tables have them: the last hours of many series at once, in few buckets, read from the cache.

use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// Series that one [`crate::Intent::Small`] may ask for: more rows than a screen has.
pub const SMALL_SERIES_MAX: usize = 100;

/// Buckets that go into the time that was asked for, at most; one more comes, because the first is cut and the last has only begun.
pub const SMALL_BUCKETS_MAX: u32 = 48;

/// How far back a small chart may go, in milliseconds: 31 days.
pub const SMALL_SPAN_MAX_MS: u64 = 31 * 24 * 3_600_000;

/// The last hours of some series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Smalls {
    /// When the first bucket begins.
    pub from_ms: WallMs,
    /// How wide each is, in milliseconds.
    pub width_ms: u64,
    /// How many there are, with those in which nothing was said.
    pub count: u32,
    /// Of each series that was asked for, in that order.
    pub all: Vec<Small>,
}

/// One series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Small {
    /// Which one.
    pub series: SeriesKey,
    /// What was said, by time. A bucket that is not here is a gap.
    pub points: Vec<SmallPoint>,
}

/// What was said within one bucket. Single precision is more than a line of a few pixels shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SmallPoint {
    /// Which bucket, from 0.
    pub nth: u8,
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// The mean.
    pub mean: f32,
}
