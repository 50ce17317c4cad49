//! A series' chart.

use fleetlens_model::alarm::Priority;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::{AlarmId, SeriesKey, ThingKey};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A stretch of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Which series.
    pub series: SeriesKey,
    /// Whose it is.
    pub thing: ThingKey,
    /// What people call that.
    pub thing_title: String,
    /// Its name.
    pub label: String,
    /// Its unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// The least and the greatest value there can be, where that is known: 0 and 100 of a percentage.
    pub limits: Option<(f64, f64)>,
    /// Whether it says yes or no, and nothing else: 0 is no, 1 is yes.
    pub is_flag: bool,
    /// How far back.
    pub span_ms: u64,
    /// The right edge: where it was asked to end, else our wall clock as of the frame.
    pub until_ms: WallMs,
    /// Width of a bucket; a stretch of more than twice the thing's interval without one is a gap.
    pub bucket_ms: u64,
    /// A stretch longer than this without a bucket is a gap.
    pub gap_ms: u64,
    /// In the order of time.
    pub buckets: Vec<Bucket>,
    /// Commands within the span.
    pub marks: Vec<ChartMark>,
    /// Alarms of the thing that touch the span, at most [`CHART_ALARMS_MAX`]: of a rule that says which values it looks at only if
    /// this is one of them.
    pub alarms: Vec<ChartAlarm>,
}

/// The most alarms that a chart shows; of more the newest.
pub const CHART_ALARMS_MAX: usize = 500;

/// When an alarm was so, on a chart. Of one that was raised again while it was open, the last time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartAlarm {
    /// Which one.
    pub id: AlarmId,
    /// When it was raised.
    pub raised_ms: WallMs,
    /// When it was so no more; `None` while it is.
    pub cleared_ms: Option<WallMs>,
    /// How bad it is.
    pub priority: Priority,
    /// Its name: `nearly full`.
    pub name: String,
}

/// A moment worth a line on a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartMark {
    /// When.
    pub at_ms: WallMs,
    /// What: `dim to 40 %`.
    pub label: String,
}
