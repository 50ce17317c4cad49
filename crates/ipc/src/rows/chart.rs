//! A series' chart.

use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// The recent past of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Which series.
    pub series: SeriesKey,
    /// Its name.
    pub label: String,
    /// Its unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// The least and the greatest value there can be, where that is known: 0 and 100 of a percentage.
    pub limits: Option<(f64, f64)>,
    /// How far back.
    pub span_ms: u64,
    /// Our wall clock as of the frame: the right edge.
    pub until_ms: WallMs,
    /// Width of a bucket; a stretch of more than twice the thing's interval without one is a gap.
    pub bucket_ms: u64,
    /// A stretch longer than this without a bucket is a gap.
    pub gap_ms: u64,
    /// In the order of time.
    pub buckets: Vec<Bucket>,
    /// Commands within the span.
    pub marks: Vec<ChartMark>,
}

/// A moment worth a line on a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartMark {
    /// When.
    pub at_ms: WallMs,
    /// What: `dim to 40 %`.
    pub label: String,
}
