//! Jobs: what a service has many things do, such as a new firmware, and how far each of them is (AWS IoT Jobs).
//!
//! What is told of a job comes twice, late, and in another order than it happened. So whatever is kept here is the greatest of what
//! was told, by the order that the service gives it: the same messages lead to the same, in whatever order they came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::shared::SharedText;
use crate::time::WallMs;

/// How many jobs are kept, the newest.
pub const JOBS_MAX: usize = 200;

/// How many executions are kept, of all jobs together.
pub const EXECUTIONS_MAX: usize = 100_000;

/// A time of the service further ahead of ours than this is not believed. More than a sample's, because here it only puts messages
/// in their order, and a clock of ours that is hours behind must not take that away.
const AHEAD_MAX_MS: i64 = 86_400_000;

/// When something was, by the service's clock: its receipt where the message does not say, or claims a time too far ahead. Else one
/// wrong or forged time would stand over everything that is said after it.
pub fn believed(claimed: Option<WallMs>, received: WallMs) -> WallMs {
    claimed.filter(|claimed| *claimed <= received.plus(AHEAD_MAX_MS)).unwrap_or(received)
}

/// What is kept of a time: itself, or, where it is too far ahead for [`believed`] to have taken it now, when we last listened. A cache
/// may have such times from before they were looked at, or from a clock of ours that was wrong. Where the clock stands before the moment
/// when we last listened it is the one that is wrong now, and says nothing of what is kept: were everything of one time, an old report
/// that is said again would win.
fn bounded(kept: WallMs, now: WallMs, listened: WallMs) -> WallMs {
    if kept <= now.plus(AHEAD_MAX_MS) || now < listened { kept } else { listened }
}

/// The longest text that is kept of what a thing said of its execution, in characters.
const DETAILS_MAX_CHARS: usize = 200;

/// Where a thing is with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// The thing has not begun.
    Queued,
    /// It does it.
    InProgress,
    /// It did it.
    Succeeded,
    /// It tried and could not.
    Failed,
    /// It did not do it in time.
    TimedOut,
    /// It would not.
    Rejected,
    /// Somebody took it back.
    Canceled,
    /// The thing is none of the job's any more.
    Removed,
}

impl JobStatus {
    /// All of them, in the order of a life.
    pub const ALL: [JobStatus; 8] = [
        JobStatus::Queued,
        JobStatus::InProgress,
        JobStatus::Succeeded,
        JobStatus::Failed,
        JobStatus::TimedOut,
        JobStatus::Rejected,
        JobStatus::Canceled,
        JobStatus::Removed,
    ];

    /// The service's word.
    pub fn word(self) -> &'static str {
        match self {
            JobStatus::Queued => "QUEUED",
            JobStatus::InProgress => "IN_PROGRESS",
            JobStatus::Succeeded => "SUCCEEDED",
            JobStatus::Failed => "FAILED",
            JobStatus::TimedOut => "TIMED_OUT",
            JobStatus::Rejected => "REJECTED",
            JobStatus::Canceled => "CANCELED",
            JobStatus::Removed => "REMOVED",
        }
    }

    /// The status of a [`JobStatus::word`]; `None` for any other.
    pub fn of_word(word: &str) -> Option<JobStatus> {
        JobStatus::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether nothing of it changes any more by itself.
    pub fn is_over(self) -> bool {
        match self {
            JobStatus::Queued | JobStatus::InProgress => false,
            JobStatus::Succeeded
            | JobStatus::Failed
            | JobStatus::TimedOut
            | JobStatus::Rejected
            | JobStatus::Canceled
            | JobStatus::Removed => true,
        }
    }
}

/// How many things are where with a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobCounts {
    /// Not begun.
    pub queued: u32,
    /// Under way.
    pub in_progress: u32,
    /// Done.
    pub succeeded: u32,
    /// Tried in vain.
    pub failed: u32,
    /// Not done in time.
    pub timed_out: u32,
    /// Refused by the thing.
    pub rejected: u32,
    /// Taken back.
    pub canceled: u32,
    /// None of the job's any more.
    pub removed: u32,
}

impl JobCounts {
    /// How many there are of one status.
    pub fn of(&self, status: JobStatus) -> u32 {
        let mut counts = *self;
        *counts.place(status)
    }

    /// Where those of a status are counted.
    pub fn place(&mut self, status: JobStatus) -> &mut u32 {
        match status {
            JobStatus::Queued => &mut self.queued,
            JobStatus::InProgress => &mut self.in_progress,
            JobStatus::Succeeded => &mut self.succeeded,
            JobStatus::Failed => &mut self.failed,
            JobStatus::TimedOut => &mut self.timed_out,
            JobStatus::Rejected => &mut self.rejected,
            JobStatus::Canceled => &mut self.canceled,
            JobStatus::Removed => &mut self.removed,
        }
    }

    /// All things of the job.
    pub fn total(&self) -> u32 {
        JobStatus::ALL.iter().fold(0, |total, status| total.saturating_add(self.of(*status)))
    }

    /// Those of which nothing changes any more.
    pub fn over(&self) -> u32 {
        let over = JobStatus::ALL.iter().filter(|status| status.is_over());
        over.fold(0, |total, status| total.saturating_add(self.of(*status)))
    }
}

/// Where a job is as a whole. What happens later stands later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStanding {
    /// It goes on, as far as anybody said.
    #[default]
    Going,
    /// It is being taken back.
    Canceling,
    /// Every thing is done with it.
    Completed,
    /// It was taken back.
    Canceled,
    /// It is being deleted.
    Deleting,
    /// The service does not know it any more.
    Deleted,
}

/// A job as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id, 1–64 characters of `[A-Za-z0-9_-]`.
    pub id: String,
    /// What it has things do, in the words of its document; empty while no message told.
    pub what: String,
    /// What was last said of it as a whole, and when.
    standing: Option<(WallMs, JobStanding)>,
    /// How the service counts its things, as of when; told when it is over.
    counts: Option<(WallMs, JobCounts)>,
    /// When the first of its things was told.
    pub since_ms: Option<WallMs>,
    /// When anything of it last changed, by the service's clock.
    pub changed_ms: WallMs,
}

impl Job {
    /// Of which nothing is known but that it is there.
    pub fn new(id: &str) -> Job {
        Job { id: id.to_owned(), ..Job::default() }
    }

    /// Where it is.
    pub fn standing(&self) -> JobStanding {
        self.standing.map(|(_, standing)| standing).unwrap_or_default()
    }

    /// How the service counts its things, where it said.
    pub fn counts(&self) -> Option<JobCounts> {
        self.counts.map(|(_, counts)| counts)
    }

    /// As the cache has it, without times that nobody would believe: what is said from now on stands over them.
    pub fn restored(mut self, now: WallMs, listened: WallMs) -> Job {
        let bounded = |at: WallMs| bounded(at, now, listened);
        self.standing = self.standing.map(|(at, standing)| (bounded(at), standing));
        self.counts = self.counts.map(|(at, counts)| (bounded(at), counts));
        self.since_ms = self.since_ms.map(bounded);
        self.changed_ms = bounded(self.changed_ms);
        self
    }

    /// Something was said of it as a whole.
    pub fn told(&mut self, at: WallMs, standing: JobStanding, counts: Option<JobCounts>) {
        self.standing = self.standing.max(Some((at, standing)));
        self.counts = self.counts.max(counts.map(|counts| (at, counts)));
        self.changed_ms = self.changed_ms.max(at);
    }

    /// Something was said of one of its things.
    pub fn touched(&mut self, report: &Report) {
        if let Some(what) = report.what.as_ref().filter(|what| **what > self.what) {
            self.what.clone_from(what);
        }
        self.since_ms = earlier(self.since_ms, report.queued_ms);
        self.changed_ms = self.changed_ms.max(report.at);
    }
}

/// What a message says of a thing's part of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where the thing is.
    pub status: JobStatus,
    /// When this became so, by the service's clock.
    pub at: WallMs,
    /// Which execution of the job on that thing and which change of it; `None` for an event, which says neither.
    pub version: Option<(u64, u64)>,
    /// What the thing said of it; `None` where the message does not say.
    pub said: Option<Said>,
    /// When it was put into the thing's queue.
    pub queued_ms: Option<WallMs>,
    /// When the thing began.
    pub started_ms: Option<WallMs>,
    /// What the job has things do.
    pub what: Option<String>,
}

/// What a thing said of its execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// How far it is, in percent, where it says so as `progress` or `percent`.
    pub progress_pct: Option<u8>,
    /// All the rest of it, at most 200 characters.
    pub text: String,
}

impl Said {
    /// Of details by their names.
    pub fn of(details: &BTreeMap<String, String>) -> Said {
        let is_progress = |name: &str| matches!(name, "progress" | "percent" | "progress_pct");
        let progress = details.iter().find(|(name, _)| is_progress(name)).and_then(|(name, value)| {
            let pct = value.trim().trim_end_matches('%').trim_end().parse::<u8>().ok()?;
            (pct <= 100).then_some((name, pct))
        });
        let rest = details.iter().filter(|(name, _)| progress.is_none_or(|(told, _)| told != *name));
        let text = rest.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" · ");
        Said { progress_pct: progress.map(|(_, pct)| pct), text: text.chars().take(DETAILS_MAX_CHARS).collect() }
    }
}

/// A thing's part of a job, with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThingJob {
    /// The job's id.
    pub job: String,
    /// The thing's name: a job may name things of which nothing else is known.
    pub thing: SharedText,
    /// How far it is.
    pub execution: Execution,
}

/// What of one execution is newer: the later second, and within one the greater execution number and version number. The second
/// comes first, so that a version number beyond all others holds nothing for longer than its time does.
type Order = (i64, (u64, u64));

fn order(at: WallMs, version: (u64, u64)) -> Order {
    (second(at), version)
}

/// How far a thing is with a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The newest of what was told with a version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    stand: Option<((u64, u64), JobStatus, WallMs)>,
    /// The newest of what the thing said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    words: Option<(Order, Said)>,
    /// The last event of its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    end: Option<(WallMs, JobStatus, Said)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    queued_ms: Option<WallMs>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    started_ms: Option<WallMs>,
}

impl Execution {
    /// As the cache has it, like [`Job::restored`].
    pub fn restored(mut self, now: WallMs, listened: WallMs) -> Execution {
        let bounded = |at: WallMs| bounded(at, now, listened);
        self.stand = self.stand.map(|(version, status, at)| (version, status, bounded(at)));
        self.words = self.words.map(|((s, version), said)| ((second(bounded(WallMs::from_s(s))), version), said));
        self.end = self.end.map(|(at, status, said)| (bounded(at), status, said));
        self.queued_ms = self.queued_ms.map(bounded);
        self.started_ms = self.started_ms.map(bounded);
        self
    }

    /// Takes a report. One that is late, or was taken before, changes nothing.
    pub fn take(&mut self, report: &Report) {
        match report.version {
            Some(version) => {
                let rank = |(version, status, at)| (order(at, version), status, at);
                let told = (version, report.status, report.at);
                self.stand = self.stand.into_iter().chain([told]).max_by_key(|stand| rank(*stand));
                let words = report.said.clone().map(|said| (order(report.at, version), said));
                self.words = self.words.take().max(words);
            }
            None => {
                let end = (report.at, report.status, report.said.clone().unwrap_or_default());
                self.end = self.end.take().max(Some(end));
            }
        }
        self.queued_ms = earlier(self.queued_ms, report.queued_ms);
        self.started_ms = earlier(self.started_ms, report.started_ms);
    }

    /// Where the thing is.
    pub fn status(&self) -> JobStatus {
        match (&self.stand, self.ended()) {
            (_, Some((_, status, _))) => *status,
            (Some((_, status, _)), None) => *status,
            (None, None) => JobStatus::Queued,
        }
    }

    /// Since when, by the service's clock.
    pub fn since_ms(&self) -> WallMs {
        match (&self.stand, self.ended()) {
            (_, Some((at, ..))) => *at,
            (Some((_, _, at)), None) => *at,
            (None, None) => WallMs::default(),
        }
    }

    /// What the thing said last.
    pub fn said(&self) -> Said {
        let with_end = self.ended().map(|(_, _, said)| said).filter(|said| **said != Said::default());
        let said = with_end.or(self.words.as_ref().map(|(_, said)| said)).cloned().unwrap_or_default();
        // How far it was says nothing of what is over.
        if self.status().is_over() { Said { progress_pct: None, ..said } } else { said }
    }

    /// Its end, unless it was begun again since: the service may try a thing again. Events count in seconds.
    fn ended(&self) -> Option<&(WallMs, JobStatus, Said)> {
        let begun_again = |end: WallMs| self.stand.is_some_and(|(_, _, at)| second(at) > second(end));
        self.end.as_ref().filter(|(at, ..)| !begun_again(*at))
    }
}

fn second(at: WallMs) -> i64 {
    at.0.div_euclid(1_000)
}

fn earlier(one: Option<WallMs>, other: Option<WallMs>) -> Option<WallMs> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
