//! What a person takes out of the program as a file: sheets (CSV, RFC 4180), the report of a span of time (HTML), and pictures of charts
//! that the window drew.

use fleetlens_model::audit::Filter;
use fleetlens_model::id::{BulkId, SeriesKey};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// The longest file that is sent to a window, in bytes; a longer one is refused with a word about `fleetlens … export`.
pub const EXPORT_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What is taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Export {
    /// What came of each thing of a bulk command, in the order of their release.
    Bulk(BulkId),
    /// What of the audit log passes, in the order in which it was written.
    Audit(Filter),
    /// What happened to alarms from one moment to another, of which the second is not included: a page with charts and maps.
    Report {
        /// The beginning; before the end.
        from_ms: WallMs,
        /// The end; what is still to come is left out.
        to_ms: WallMs,
        /// Whose days and hours: a name of the time zone database, such as `Europe/Malta`; empty for those of the host's machine.
        zone: String,
    },
    /// What a chart shows: a line a bucket, with least, mean, greatest and count of each value.
    Chart {
        /// The values, at most [`CHART_COLUMNS_MAX`].
        columns: Vec<ChartColumn>,
        /// The beginning.
        from_ms: WallMs,
        /// The end, not included; after the beginning.
        until_ms: WallMs,
        /// Width of a bucket; at most [`CHART_LINES_MAX`] of them lie between beginning and end.
        bucket_ms: u64,
    },
    /// A picture that the window drew, for a window whose page may save no files; at most [`PICTURE_MAX_BYTES`].
    Picture {
        /// What it is.
        picture: Picture,
        /// The file.
        bytes: Vec<u8>,
    },
}

/// A value of a sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartColumn {
    /// Which.
    pub series: SeriesKey,
    /// How much earlier its values are than the line in which they stand: what a chart is compared with.
    pub earlier_ms: u64,
    /// What stands over it, with the unit; at most [`HEADING_MAX_CHARS`].
    pub heading: String,
}

/// A kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Picture {
    /// Pixels.
    Png,
    /// Strokes.
    Svg,
}

/// The most values of a sheet of a chart.
pub const CHART_COLUMNS_MAX: usize = 8;

/// The most lines of one.
pub const CHART_LINES_MAX: u64 = 10_000;

/// The longest heading of a value in it.
pub const HEADING_MAX_CHARS: usize = 200;

/// The largest picture that a window hands over, in bytes: a call is not much larger.
pub const PICTURE_MAX_BYTES: usize = 240 * 1024;

/// The longest name of a time zone, in characters.
pub const ZONE_MAX_CHARS: usize = 64;

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exported {
    /// In a new file on the machine of the person, who sits before it.
    File {
        /// Where it is.
        path: String,
        /// Rows that could not be read and are missing in it.
        unread: u64,
    },
    /// Here, for a window that is on another machine: at most [`EXPORT_MAX_BYTES`].
    Text {
        /// What to call the file.
        name: String,
        /// What is in it.
        text: String,
        /// Rows that could not be read and are missing in it.
        unread: u64,
    },
}
