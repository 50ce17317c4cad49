//! What the program tells of itself: one shape for the diagnostics page, for `fleetlens doctor` and for the report that people copy.
//! `None` is no figure, which is told as such and never as nothing.
//!
//! Nothing in it is secret: no password, no token, and of an address no user name ([`masked`]).

mod mask;
mod report;

use fleetlens_model::figures::{CacheFigures, Spread, WriterFigures};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use crate::rows::{LinkState, RefusalRow, ShedRow};

pub use mask::masked;
pub use report::{bytes, report, span, utc};

/// Everything there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// When, by our wall clock.
    pub made_ms: WallMs,
    /// When `program`, `link`, `engine`, `writer`, `drops` and `reach` were told, where that was before: by a program that runs beside the one
    /// that tells it, or has run. `None` for when the rest was.
    pub told_ms: Option<WallMs>,
    /// The program.
    pub program: ProgramFigures,
    /// The way to the broker; `None` where none is known, as when the program does not run.
    pub link: Option<LinkFigures>,
    /// What happens to messages.
    pub engine: Option<EngineFigures>,
    /// The threads of the cache.
    pub writer: Option<WriterFigures>,
    /// What the cache holds.
    pub cache: Option<CacheFigures>,
    /// Where the cache is.
    pub disk: Option<DiskFigures>,
    /// What was not taken.
    pub drops: Option<Drops>,
    /// Who is told outside the windows; `None` where the profile names nobody.
    pub reach: Option<ReachFigures>,
    /// The last lines of the log that tell of trouble, the oldest first.
    pub troubles: Vec<String>,
}

/// The program and the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFigures {
    /// Its version.
    pub version: String,
    /// [`crate::CONTRACT`].
    pub contract: u16,
    /// SQLite's version.
    pub sqlite: String,
    /// The version of the cache's tables that it writes.
    pub schema: u32,
    /// Operating system and processor: `linux x86_64`.
    pub system: String,
    /// How long it runs, in milliseconds.
    pub uptime_ms: Option<u64>,
    /// Memory that is its own now, in bytes.
    pub resident_bytes: Option<u64>,
    /// Where its log is kept.
    pub log_file: Option<String>,
    /// Lines that the log's file did not take.
    pub log_dropped: Option<u64>,
}

/// The way to the broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkFigures {
    /// Whether and since when.
    pub state: LinkState,
    /// The broker as people write it.
    pub broker: String,
    /// What our subscriptions are worth.
    pub guarantee: String,
    /// How often it came up since the start.
    pub connects: u64,
    /// Messages that were read and that the engine has not taken.
    pub inbox_waiting: Option<u64>,
    /// How many there may be: then nothing more is read.
    pub inbox_places: Option<u64>,
    /// Publishes that the broker may not have.
    pub unfinished: Option<u64>,
    /// Messages a second, over the last few seconds.
    pub per_s: f32,
    /// How old the newest message is, in milliseconds; `None` when none came.
    pub last_message_age_ms: Option<u64>,
}

/// What happens to messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFigures {
    /// The profile's name.
    pub profile: String,
    /// Things known.
    pub things: u64,
    /// Windows that look.
    pub windows: u32,
    /// Messages received since the start.
    pub received: u64,
    /// Messages whose rows are on the disk.
    pub stored: u64,
    /// Writes that wait for the batch that is on its way.
    pub gathered: u64,
    /// How many there may be: then the link is not read.
    pub gather_max: u64,
    /// Whether the link is read.
    pub is_reading: bool,
    /// Requests of commands that are on the wire.
    pub requests: u64,
    /// How many there may be: then further commands wait for room.
    pub requests_max: u64,
    /// Commands that do.
    pub requests_waiting: u64,
    /// The batch on its way to the disk.
    pub in_flight: Option<InFlight>,
    /// How long batches took until they were on the disk.
    pub commits: Option<Spread>,
    /// How long ago the last one was, in milliseconds; `None` when there was none.
    pub last_commit_age_ms: Option<u64>,
    /// Why the cache cannot be written, while it cannot.
    pub cache_fault: Option<String>,
}

/// A batch on its way to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Since when, in milliseconds.
    pub age_ms: u64,
    /// How many writes it is.
    pub writes: u64,
    /// How often it failed before.
    pub failed: u32,
}

/// The disk that the cache is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFigures {
    /// The cache's file.
    pub file: String,
    /// What a program may still write there, in bytes.
    pub free_bytes: Option<u64>,
    /// How big it is.
    pub whole_bytes: Option<u64>,
}

/// What was not taken, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// QoS 0 messages left out because more came than could be taken.
    pub shed: u64,
    /// Messages refused.
    pub refused: u64,
    /// Messages that had come before and were stored already.
    pub repeated: u64,
    /// What was shed by topic, newest first, at most 20.
    pub sheds: Vec<ShedRow>,
    /// The last refusals, newest first, at most 20.
    pub refusals: Vec<RefusalRow>,
}

/// Who is told of alarms outside the windows, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachFigures {
    /// Every way, in the order of the profile.
    pub routes: Vec<RouteFigures>,
    /// What nobody was told because too much was waiting to be kept.
    pub missed: u64,
    /// Alarms that are not watched for escalation any more, because too many are active.
    pub unwatched: u64,
    /// Why what waits cannot be kept over a restart, while it cannot.
    pub fault: Option<String>,
}

/// One way to somebody outside the windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteFigures {
    /// Its name in the profile; of mail with the address.
    pub name: String,
    /// Notices that wait, also for the end of quiet hours, or are on their way.
    pub waiting: u64,
    /// Notices delivered.
    pub delivered: u64,
    /// Notices left out because too many were waiting, and given up.
    pub left_out: u64,
    /// Why the last attempt failed; `None` once one did not.
    pub fault: Option<String>,
}

/// How something that was looked at stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It goes on, but somebody should know.
    Warn,
    /// It does not go on like this.
    Fault,
}

impl Level {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fault => "fault",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How it stands.
    pub level: Level,
    /// What was looked at: `cache`.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where there is nothing to do.
    pub todo: String,
}

impl Check {
    /// As it should be.
    pub fn ok(what: &str, found: impl Into<String>) -> Check {
        Check { level: Level::Ok, what: what.to_owned(), found: found.into(), todo: String::new() }
    }

    /// It goes on, but somebody should know.
    pub fn warn(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Check {
        Check { level: Level::Warn, what: what.to_owned(), found: found.into(), todo: todo.into() }
    }

    /// It does not go on like this.
    pub fn fault(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Check {
        Check { level: Level::Fault, what: what.to_owned(), found: found.into(), todo: todo.into() }
    }
}
