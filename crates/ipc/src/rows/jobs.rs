//! Jobs: what a service has many things do, how far each is, and which firmware is in the field.

use fleetlens_model::id::ThingKey;
use fleetlens_model::job::{JobCounts, JobStanding, JobStatus};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A job as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// What it has things do, in the words of its document; empty while no message told.
    pub what: String,
    /// Where it is as a whole.
    pub standing: JobStanding,
    /// How many things are where: as the service counts them where it said, else those of which we heard.
    pub counts: JobCounts,
    /// When the first of its things was given it, where that was told.
    pub since_ms: Option<WallMs>,
    /// When anything of it last changed, by the service's clock.
    pub changed_ms: WallMs,
}

/// A thing's part of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingJobRow {
    /// The job's id.
    pub job: String,
    /// What it has the thing do; may be empty.
    pub what: String,
    /// The thing's name.
    pub name: String,
    /// The thing, where it is known.
    pub thing: Option<ThingKey>,
    /// What people call it; the name where nobody gave one.
    pub title: String,
    /// What it is, where it is known.
    pub kind: Option<Kind>,
    /// Street and area; may be empty.
    pub place: String,
    /// Where it is with the job.
    pub status: JobStatus,
    /// How far it is, in percent, where it says so and is not done.
    pub progress_pct: Option<u8>,
    /// What the thing said of it; may be empty.
    pub details: String,
    /// Since when it is so, by the service's clock.
    pub since_ms: WallMs,
}

/// A job with a stretch of its things, by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPage {
    /// The job.
    pub job: JobRow,
    /// How many things the stretch is of: those with the status that was asked for, of which we heard.
    pub total: u32,
    /// Where it begins, from 0.
    pub first: u32,
    /// The stretch; shorter than asked for only at the end.
    pub rows: Vec<ThingJobRow>,
}

/// The versions in the field of one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareRow {
    /// The kind.
    pub kind: Kind,
    /// How many things there are of it.
    pub things: u32,
    /// How many run which version, the most frequent first; at most 12.
    pub versions: Vec<(String, u32)>,
    /// How many run a version that is not among those.
    pub others: u32,
    /// How many do not say.
    pub unknown: u32,
}
