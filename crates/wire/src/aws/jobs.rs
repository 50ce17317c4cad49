//! How jobs go: `$aws/events/job/{job}/{change}`, `$aws/events/jobExecution/{job}/{change}` for one thing's part of it, and what a
//! thing is told to do, `$aws/things/{thing}/jobs/notify` and `…/notify-next`.

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
    /// When anything of it last changed.
    pub updated_at: Option<WallMs>,
    /// Rises with each change.
    pub version: u64,
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
        let details = details(&event)?;
        let (job, thing) = (job.to_owned(), thing.to_owned());
        return Ok(JobTold::Execution { job, thing, change, at: moment(&event, "timestamp")?, details });
    }
    let rest = topic.strip_prefix("$aws/things/").and_then(|rest| rest.split_once("/jobs/"));
    let (thing, list) = match rest {
        Some((thing, "notify")) => (thing, true),
        Some((thing, "notify-next")) => (thing, false),
        Some(_) | None => return Err(foreign()),
    };
    let thing = parse_thing_name(thing).map_err(|error| WireError::Topic(error.into()))?.to_owned();
    let event = object(payload)?;
    let at = moment(&event, "timestamp")?;
    if list { waiting(thing, at, &event) } else { next(thing, at, &event) }
}

/// A job's id and what became of it.
fn of<'a>(rest: &'a str, changes: &[(&str, JobChange)]) -> Option<(&'a str, JobChange)> {
    let (job, word) = rest.split_once('/')?;
    let change = changes.iter().find(|(known, _)| *known == word)?.1;
    (!job.is_empty()).then_some((job, change))
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

fn details(event: &Object) -> Result<BTreeMap<String, String>, WireError> {
    match event.get("statusDetails").filter(|value| !value.is_null()) {
        None => Ok(BTreeMap::new()),
        Some(Json::Object(given)) if given.len() > DETAILS_MAX => {
            Err(WireError::TooLong { given: given.len(), max: DETAILS_MAX })
        }
        Some(Json::Object(given)) => given
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) => Ok((name.clone(), text.to_owned())),
                None => Err(json::wrong("statusDetails", value, "texts by name")),
            })
            .collect(),
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
    Ok(JobWaiting {
        job: word(given, "jobId")?,
        status: optional_word(given, "status")?.unwrap_or(status),
        queued_at: moment(given, "queuedAt")?,
        updated_at: moment(given, "lastUpdatedAt")?,
        version: count(given, "versionNumber")?.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Option<WallMs> = Some(WallMs(1_517_016_948_000));

    fn map<V: Clone>(of: &[(&str, V)]) -> BTreeMap<String, V> {
        of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn events_of_jobs_are_read() {
        let completed = r#"{"eventType":"JOB","eventId":"7364ffd1","timestamp":"1517016948","operation":"completed",
            "jobId":"j-1","status":"COMPLETED","targetSelection":"SNAPSHOT","targets":["arn:aws:iot:r:1:thing/a"],
            "description":"d","completedAt":1517016948,"jobProcessDetails":{"numberOfSucceededThings":3,"numberOfFailedThings":0,
            "processingTargets":["x"]}}"#;
        let failed = r#"{"eventType":"JOB_EXECUTION","eventId":"cca89fa5","timestamp":"1517016948","operation":"failed",
            "jobId":"j-1","thingArn":"arn:aws:iot:eu-central-1:123456789012:thing/lamp-1","status":"FAILED",
            "statusDetails":{"step":"flash"}}"#;
        let notify = r#"{"timestamp":1517016948,"jobs":{"IN_PROGRESS":[{"jobId":"j-1","queuedAt":1517016947,
            "lastUpdatedAt":1517016948,"executionNumber":1,"versionNumber":2}],"QUEUED":[{"jobId":"j-2"}]}}"#;
        let next = r#"{"timestamp":1517016948,"execution":{"jobId":"j-1","status":"QUEUED","queuedAt":1517016947,
            "lastUpdatedAt":1517016948,"versionNumber":2,"jobDocument":{"a":[{"b":1}]}}}"#;
        let (job, thing) = ("j-1".to_owned(), "lamp-1".to_owned());
        let waiting = |job: &str, status: &str, known: bool| JobWaiting {
            job: job.into(),
            status: status.into(),
            queued_at: known.then_some(WallMs(1_517_016_947_000)),
            updated_at: AT.filter(|_| known),
            version: if known { 2 } else { 0 },
        };
        for (topic, payload, want) in [
            (
                "$aws/events/job/j-1/completed",
                completed,
                JobTold::Job {
                    job: job.clone(),
                    change: JobChange::Completed,
                    at: AT,
                    counts: map(&[("numberOfFailedThings", 0), ("numberOfSucceededThings", 3)]),
                },
            ),
            (
                "$aws/events/job/j-1/deletion_in_progress",
                r#"{"eventType":"JOB","jobId":"j-1","operation":"deletion_in_progress","status":"IN_PROGRESS"}"#,
                JobTold::Job {
                    job: job.clone(),
                    change: JobChange::DeletionInProgress,
                    at: None,
                    counts: BTreeMap::new(),
                },
            ),
            (
                "$aws/events/jobExecution/j-1/failed",
                failed,
                JobTold::Execution {
                    job,
                    thing: thing.clone(),
                    change: JobChange::Failed,
                    at: AT,
                    details: map(&[("step", "flash".to_owned())]),
                },
            ),
            (
                "$aws/things/lamp-1/jobs/notify",
                notify,
                JobTold::Waiting {
                    thing: thing.clone(),
                    at: AT,
                    executions: vec![waiting("j-1", "IN_PROGRESS", true), waiting("j-2", "QUEUED", false)],
                },
            ),
            (
                "$aws/things/lamp-1/jobs/notify-next",
                next,
                JobTold::Next { thing: thing.clone(), at: AT, execution: Some(waiting("j-1", "QUEUED", true)) },
            ),
            (
                "$aws/things/lamp-1/jobs/notify-next",
                r#"{"timestamp":1517016948,"execution":{}}"#,
                JobTold::Next { thing, at: AT, execution: None },
            ),
        ] {
            assert_eq!(decode_job(topic, payload.as_bytes()), Ok(want), "{topic}");
        }
    }

    #[test]
    fn what_is_no_event_of_a_job_is_refused_with_the_reason() {
        let (failed, notify) = ("$aws/events/jobExecution/j/failed", "$aws/things/a/jobs/notify");
        let many = format!(r#"{{"jobs":{{"QUEUED":[{}{{"jobId":"j"}}]}}}}"#, r#"{"jobId":"j"},"#.repeat(64));
        for (topic, payload, says) in [
            ("$aws/events/job/j/succeeded", "{}", "none of the events that are read"),
            ("$aws/events/jobExecution//failed", "{}", "none of the events that are read"),
            ("$aws/things/a/jobs/get/accepted", "{}", "none of the events that are read"),
            ("$aws/things/a b/jobs/notify", "{}", "a thing name holds ' '"),
            (failed, r#"{"eventType":"JOB","jobId":"j"}"#, "that of its topic"),
            (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"k"}"#, "the job of its topic"),
            (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"j"}"#, "\"thingArn\" is missing"),
            (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"j","thingArn":"lamp-1"}"#, ":thing/lamp-1"),
            (
                failed,
                r#"{"eventType":"JOB_EXECUTION","jobId":"j","thingArn":"arn:aws:iot:r:1:thing/a","statusDetails":{"a":1}}"#,
                "texts by name",
            ),
            (notify, "{}", "\"jobs\" is missing"),
            (notify, r#"{"jobs":{"QUEUED":7}}"#, "lists by status"),
            (notify, r#"{"jobs":{"QUEUED":[{}]}}"#, "\"jobId\" is missing"),
            (notify, many.as_str(), "lists 65 entries; at most 64"),
            ("$aws/things/a/jobs/notify-next", r#"{"execution":{"jobId":"j"}}"#, "\"status\" is missing"),
        ] {
            let error = decode_job(topic, payload.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{topic} {payload:.80}: {error}");
        }
    }
}
