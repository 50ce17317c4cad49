//! What a person takes out of the program as a file: sheets (CSV, RFC 4180), and the report of a span of time (HTML).

use fleetlens_model::audit::Filter;
use fleetlens_model::id::BulkId;
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
}

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
