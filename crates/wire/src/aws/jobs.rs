//! How jobs go: `$aws/events/job/{job}/{change}`, `$aws/events/jobExecution/{job}/{change}` for one thing's part of it, and what a
//! thing is told to do, `$aws/things/{thing}/jobs/notify` and `…/notify-next`, and how far it says to be, `…/{job}/update/accepted`.
//!
//! AWS gives the answer to an update to the device alone; other services publish it for everybody.

mod document;

use std::collections::BTreeMap;

use fleetlens_model::shadow::{Object, parse_thing_name};
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use super::{count, moment, object, optional_word, thing_of, word};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

/// Executions one notification may list (AWS IoT Jobs, quotas: 15 in each state).
const WAITING_MAX: usize = 64;

/// Details of one execution (AWS IoT Jobs, quotas: 10).
const DETAILS_MAX: usize = 32;

/// The longest id of a job (AWS IoT Jobs, `JobId`).
const JOB_ID_MAX_BYTES: usize = 64;

/// What to subscribe to for all jobs of all things, as one who looks on.
pub const JOB_FILTERS: [&str; 5] = [
    "$aws/events/job/+/+",
    "$aws/events/jobExecution/+/+",
    "$aws/things/+/jobs/notify",
    "$aws/things/+/jobs/notify-next",
    "$aws/things/+/jobs/+/update/accepted",
];

/// What became of a job or of a thing's part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobChange {
    /// Every thing is done with it.
    Completed,
    /// The thing did it.
    Succeeded,
    /// The thing tried and could not.
    Failed,
    /// The thing would not.
    Rejected,
    /// Somebody took it back.
    Canceled,
    /// The thing did not do it in time.
    TimedOut,
    /// The thing is none of the job's any more.
    Removed,
    /// It is no longer known.
    Deleted,
    /// It is being taken back.
    CancellationInProgress,
    /// It is being deleted.
    DeletionInProgress,
}

const OF_JOBS: [(&str, JobChange); 5] = [
    ("completed", JobChange::Completed),
    ("canceled", JobChange::Canceled),
    ("deleted", JobChange::Deleted),
    ("cancellation_in_progress", JobChange::CancellationInProgress),
    ("deletion_in_progress", JobChange::DeletionInProgress),
];

const OF_EXECUTIONS: [(&str, JobChange); 7] = [
    ("succeeded", JobChange::Succeeded),
    ("failed", JobChange::Failed),
    ("rejected", JobChange::Rejected),
    ("canceled", JobChange::Canceled),
    ("timed_out", JobChange::TimedOut),
    ("removed", JobChange::Removed),
    ("deleted", JobChange::Deleted),
];

/// An execution that waits or runs on a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobWaiting {
    /// The job.
    pub job: String,
    /// In the service's word, such as `QUEUED` or `IN_PROGRESS`.
    pub status: String,
    /// When it was put into the queue.
    pub queued_at: Option<WallMs>,
    /// When the thing began.
    pub started_at: Option<WallMs>,
    /// When anything of it last changed.
    pub updated_at: Option<WallMs>,
    /// Rises with each change.
    pub version: u64,
    /// Which time the thing does this job, from 1.
    pub number: u64,
    /// What the thing said about it; `None` where the message does not say.
    pub details: Option<BTreeMap<String, String>>,
    /// What the job's document has things do, in words; `None` where the message has no document.
    pub what: Option<String>,
}

/// Where an execution is after a thing told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// In the service's word, such as `IN_PROGRESS`.
    pub status: String,
    /// Rises with each change.
    pub version: u64,
    /// What the thing said about it.
    pub details: BTreeMap<String, String>,
}

/// What a message about jobs says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobTold {
    /// Of a job as a whole.
    Job {
        /// Its id.
        job: String,
        /// What became of it.
        change: JobChange,
        /// When, if it says so.
        at: Option<WallMs>,
        /// How many things did what, by the service's words, such as `numberOfSucceededThings`; empty until the job is over.
        counts: BTreeMap<String, u64>,
    },
    /// Of a thing's part of a job.
    Execution {
        /// The job.
        job: String,
        /// The thing, not checked yet.
        thing: String,
        /// What became of it.
        change: JobChange,
        /// When, if it says so.
        at: Option<WallMs>,
        /// What the thing said about it.
        details: BTreeMap<String, String>,
    },
    /// What a thing has still to do: all of it.
    Waiting {
        /// The thing.
        thing: String,
        /// When this was so.
        at: Option<WallMs>,
        /// Every execution that waits or runs, by status and in the service's order.
        executions: Vec<JobWaiting>,
    },
    /// What a thing is to do next.
    Next {
        /// The thing.
        thing: String,
        /// When this was so.
        at: Option<WallMs>,
        /// The execution; `None` where nothing is left.
        execution: Option<JobWaiting>,
    },
    /// A thing told how far it is, and the service took it.
    Updated {
        /// The thing.
        thing: String,
        /// The job.
        job: String,
        /// When.
        at: Option<WallMs>,
        /// How far it is; told only where the thing asked to have it repeated (`includeJobExecutionState`).
        state: Option<JobState>,
    },
}

/// Whether a topic is one of jobs.
pub fn is_job(topic: &str) -> bool {
    let of_thing = || topic.strip_prefix("$aws/things/").and_then(|rest| rest.split_once('/'));
    topic.starts_with("$aws/events/job/")
        || topic.starts_with("$aws/events/jobExecution/")
        || of_thing().is_some_and(|(_, rest)| rest.starts_with("jobs/"))
}

/// Reads a message about jobs. What topic and payload say of the same must agree.
pub fn decode_job(topic: &str, payload: &[u8]) -> Result<JobTold, WireError> {
    let foreign = || WireError::NotAnEvent { topic: quote(topic, QUOTE_MAX_CHARS) };
    if let Some(rest) = topic.strip_prefix("$aws/events/job/") {
        let (job, change) = of(rest, &OF_JOBS).ok_or_else(foreign)?;
        let event = about(payload, "JOB", job)?;
        let counts = match event.get("jobProcessDetails").filter(|value| !value.is_null()) {
            None => BTreeMap::new(),
            Some(Json::Object(given)) => counts(given)?,
            Some(other) => return Err(json::wrong("jobProcessDetails", other, "an object")),
        };
        return Ok(JobTold::Job { job: job.to_owned(), change, at: moment(&event, "timestamp")?, counts });
    }
    if let Some(rest) = topic.strip_prefix("$aws/events/jobExecution/") {
        let (job, change) = of(rest, &OF_EXECUTIONS).ok_or_else(foreign)?;
        let event = about(payload, "JOB_EXECUTION", job)?;
        let arn = word(&event, "thingArn")?;
        let thing = thing_of(&arn).ok_or_else(|| {
            json::wrong("thingArn", &Json::from(arn.as_str()), "a thing's, such as arn:aws:iot:…:thing/lamp-1")
        })?;
        let details = details(&event)?.unwrap_or_default();
        let (job, thing) = (job.to_owned(), thing.to_owned());
        return Ok(JobTold::Execution { job, thing, change, at: moment(&event, "timestamp")?, details });
    }
    let rest = topic.strip_prefix("$aws/things/").and_then(|rest| rest.split_once("/jobs/"));
    let Some((thing, rest)) = rest else { return Err(foreign()) };
    let thing = || parse_thing_name(thing).map(str::to_owned).map_err(|error| WireError::Topic(error.into()));
    let updated = rest.strip_suffix("/update/accepted").filter(|job| is_job_id(job));
    let (thing, event) = match (rest, updated) {
        ("notify" | "notify-next", _) | (_, Some(_)) => (thing()?, object(payload)?),
        _ => return Err(foreign()),
    };
    let at = moment(&event, "timestamp")?;
    match (rest, updated) {
        (_, Some(job)) => Ok(JobTold::Updated { thing, job: job.to_owned(), at, state: state(&event)? }),
        ("notify", None) => waiting(thing, at, &event),
        _ => next(thing, at, &event),
    }
}

/// Whether a text can be a job's id.
fn is_job_id(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=JOB_ID_MAX_BYTES).contains(&text.len()) && text.bytes().all(is_word)
}

/// A job's id and what became of it.
fn of<'a>(rest: &'a str, changes: &[(&str, JobChange)]) -> Option<(&'a str, JobChange)> {
    let (job, word) = rest.split_once('/')?;
    let change = changes.iter().find(|(known, _)| *known == word)?.1;
    is_job_id(job).then_some((job, change))
}

/// The object of an event about a job.
fn about(payload: &[u8], kind: &str, job: &str) -> Result<Object, WireError> {
    let event = object(payload)?;
    for (field, wanted, why) in [("eventType", kind, "that of its topic"), ("jobId", job, "the job of its topic")] {
        let given = word(&event, field)?;
        if given != wanted {
            return Err(json::wrong(field, &Json::from(given), why));
        }
    }
    Ok(event)
}

fn counts(given: &Object) -> Result<BTreeMap<String, u64>, WireError> {
    if given.len() > DETAILS_MAX {
        return Err(WireError::TooLong { given: given.len(), max: DETAILS_MAX });
    }
    // Beside counts there are the things that are left, as a list.
    let counts = given.iter().filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)));
    Ok(counts.collect())
}

fn details(event: &Object) -> Result<Option<BTreeMap<String, String>>, WireError> {
    match event.get("statusDetails").filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(Json::Object(given)) if given.len() > DETAILS_MAX => {
            Err(WireError::TooLong { given: given.len(), max: DETAILS_MAX })
        }
        Some(Json::Object(given)) => given
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) => Ok((name.clone(), text.to_owned())),
                None => Err(json::wrong("statusDetails", value, "texts by name")),
            })
            .collect::<Result<_, _>>()
            .map(Some),
        Some(other) => Err(json::wrong("statusDetails", other, "texts by name")),
    }
}

/// A notification: lists of executions by their status.
fn waiting(thing: String, at: Option<WallMs>, event: &Object) -> Result<JobTold, WireError> {
    let mut executions = Vec::new();
    match event.get("jobs") {
        Some(Json::Object(by_status)) => {
            for (status, list) in by_status {
                let Json::Array(list) = list else { return Err(json::wrong("jobs", list, "lists by status")) };
                if executions.len() + list.len() > WAITING_MAX {
                    return Err(WireError::TooLong { given: executions.len() + list.len(), max: WAITING_MAX });
                }
                for one in list {
                    executions.push(execution(one, Some(status))?);
                }
            }
        }
        Some(other) => return Err(json::wrong("jobs", other, "lists by status")),
        None => return Err(json::missing("jobs")),
    }
    Ok(JobTold::Waiting { thing, at, executions })
}

/// The next execution; none where the service leaves it out or empty.
fn next(thing: String, at: Option<WallMs>, event: &Object) -> Result<JobTold, WireError> {
    let given = event.get("execution").filter(|value| !value.is_null());
    let given = given.filter(|value| !value.as_object().is_some_and(Object::is_empty));
    let execution = given.map(|given| execution(given, None)).transpose()?;
    Ok(JobTold::Next { thing, at, execution })
}

fn execution(given: &Json, status: Option<&String>) -> Result<JobWaiting, WireError> {
    let Json::Object(given) = given else { return Err(json::wrong("execution", given, "an object")) };
    let status = match status {
        Some(status) => status.clone(),
        None => word(given, "status")?,
    };
    let job = word(given, "jobId")?;
    if !is_job_id(&job) {
        return Err(json::wrong("jobId", &Json::from(job), "1 to 64 of A-Z, a-z, 0-9, _ and -"));
    }
    Ok(JobWaiting {
        job,
        status: optional_word(given, "status")?.unwrap_or(status),
        queued_at: moment(given, "queuedAt")?,
        started_at: moment(given, "startedAt")?,
        updated_at: moment(given, "lastUpdatedAt")?,
        version: count(given, "versionNumber")?.unwrap_or(0),
        number: count(given, "executionNumber")?.unwrap_or(1),
        details: details(given)?,
        what: given.get("jobDocument").and_then(document::what),
    })
}

/// Where an execution is after an update, where the answer repeats it.
fn state(event: &Object) -> Result<Option<JobState>, WireError> {
    match event.get("executionState").filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(Json::Object(given)) => Ok(Some(JobState {
            status: word(given, "status")?,
            version: count(given, "versionNumber")?.ok_or_else(|| json::missing("versionNumber"))?,
            details: details(given)?.unwrap_or_default(),
        })),
        Some(other) => Err(json::wrong("executionState", other, "an object")),
    }
}

#[cfg(test)]
mod tests;
