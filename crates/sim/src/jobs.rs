//! The jobs service as a function: a request or a moment in, its messages out. Knows nothing of brokers, clocks and threads.
//!
//! Source: AWS IoT Core developer guide, "Jobs device MQTT API" and "Jobs events". Other than AWS it gives its answers to everybody who
//! subscribes to them, since a broker does not know who asked.

use std::collections::{BTreeMap, HashMap, VecDeque};

use fleetlens_model::job::{JobCounts, JobStatus};
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

/// How long an execution may be under way, in seconds.
const IN_PROGRESS_MAX_S: i64 = 300;

/// What a thing may tell of an execution: so many details (AWS IoT Jobs, quotas).
const DETAILS_MAX: usize = 10;

/// The largest request, in bytes.
const REQUEST_MAX_BYTES: usize = 32 * 1024;

/// A message out: topic and payload.
type Out = (String, Vec<u8>);

/// A job that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: String,
    /// What its things are given.
    pub document: Value,
    /// The things, in the order in which they are given it.
    pub targets: Vec<String>,
    /// How many of them a minute are given it, at least 1.
    pub per_minute: u32,
    /// After how long the first is, in milliseconds since the service began.
    pub begins_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Execution {
    status: JobStatus,
    details: BTreeMap<String, String>,
    queued_s: i64,
    started_s: Option<i64>,
    updated_s: i64,
    version: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Job {
    document: Value,
    /// Things that are not yet given it.
    waiting: VecDeque<String>,
    per_minute: u32,
    begins_ms: u64,
    given: u64,
    executions: HashMap<String, Execution>,
    completed: bool,
}

/// Every job of a city, in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    jobs: BTreeMap<String, Job>,
    /// What each thing has to do, in the order in which it was given it.
    queues: HashMap<String, Vec<String>>,
}

/// Why a request is refused: the service's word and a sentence.
type Refusal = (&'static str, &'static str);

impl Jobs {
    /// These jobs, of which no thing knows yet.
    pub fn of(jobs: Vec<NewJob>) -> Jobs {
        let job = |new: NewJob| {
            let NewJob { id, document, targets, per_minute, begins_ms } = new;
            let (waiting, executions) = (targets.into(), HashMap::new());
            (id, Job { document, waiting, per_minute, begins_ms, given: 0, executions, completed: false })
        };
        Jobs { jobs: jobs.into_iter().map(job).collect(), queues: HashMap::new() }
    }

    /// Every thing that is to do one of them.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.jobs.values().flat_map(|job| &job.waiting).map(String::as_str)
    }

    /// What is due: things that are given a job, and those that took too long over one. `elapsed_ms` since the service began, `now_s`
    /// epoch seconds.
    pub fn work(&mut self, elapsed_ms: u64, now_s: i64) -> Vec<Out> {
        let mut out = Vec::new();
        let ids: Vec<String> = self.jobs.keys().cloned().collect();
        for id in &ids {
            for thing in self.due(id, elapsed_ms) {
                let job = self.jobs.get_mut(id);
                let execution = Execution {
                    status: JobStatus::Queued,
                    details: BTreeMap::new(),
                    queued_s: now_s,
                    started_s: None,
                    updated_s: now_s,
                    version: 1,
                };
                job.map(|job| job.executions.insert(thing.clone(), execution));
                let queue = self.queues.entry(thing.clone()).or_default();
                queue.push(id.clone());
                let is_next = queue.len() == 1;
                out.push(self.list(&thing, now_s));
                if is_next {
                    out.push(self.next(&thing, now_s));
                }
            }
            let is_late = |one: &Execution| {
                one.status == JobStatus::InProgress && one.started_s.is_some_and(|s| now_s - s > IN_PROGRESS_MAX_S)
            };
            let executions = self.jobs.get(id).into_iter().flat_map(|job| &job.executions);
            let late: Vec<String> =
                executions.filter(|(_, one)| is_late(one)).map(|(thing, _)| thing.clone()).collect();
            for thing in late {
                self.change(id, &thing, JobStatus::TimedOut, None, now_s);
                out.extend(self.ended(id, &thing, now_s));
            }
        }
        out
    }

    /// The answers to one message, to be published in this order; `now_s` is epoch seconds. Empty for what is no request.
    pub fn handle(&mut self, topic: &str, payload: &[u8], now_s: i64) -> Vec<Out> {
        let parts = topic.strip_prefix("$aws/things/").and_then(|rest| rest.split_once("/jobs/"));
        let Some((thing, asked)) = parts.filter(|(thing, _)| !thing.contains('/')) else { return Vec::new() };
        let job = asked.rsplit_once('/').filter(|(job, _)| !job.contains('/'));
        if !matches!((asked, job), ("get" | "start-next", _) | (_, Some((_, "get" | "update")))) {
            return Vec::new();
        }
        let request = match payload {
            [] => Ok(Object::new()),
            _ if payload.len() > REQUEST_MAX_BYTES => Err(()),
            _ => serde_json::from_slice::<Object>(payload).map_err(|_| ()),
        };
        let token = request.as_ref().ok().and_then(|request| request.get("clientToken").cloned());
        let answered = match (request, asked, job) {
            (Err(()), ..) => Err(("InvalidJson", "the request is no JSON object, or too large")),
            (Ok(_), "get", _) => Ok((self.pending(thing), Vec::new())),
            (Ok(request), "start-next", _) => self.start_next(thing, &request, now_s),
            (Ok(_), _, Some((job, "get"))) => self.describe(thing, job),
            (Ok(request), _, Some((job, _))) => self.update(thing, job, &request, now_s),
            (Ok(_), _, None) => return Vec::new(),
        };
        let (verdict, mut answer, after) = match answered {
            Ok((answer, after)) => ("accepted", answer, after),
            Err((code, message)) => {
                ("rejected", fields([("code", code.into()), ("message", message.into())]), Vec::new())
            }
        };
        answer.insert("timestamp".into(), now_s.into());
        if let Some(token) = token {
            answer.insert("clientToken".into(), token);
        }
        let answer = (format!("{topic}/{verdict}"), Value::Object(answer).to_string().into_bytes());
        std::iter::once(answer).chain(after).collect()
    }

    /// How many things of a job are where; those that are not yet given it are none of it.
    pub fn counts(&self, id: &str) -> JobCounts {
        let mut counts = JobCounts::default();
        for execution in self.jobs.get(id).into_iter().flat_map(|job| job.executions.values()) {
            *counts.place(execution.status) += 1;
        }
        counts
    }

    fn due(&mut self, id: &str, elapsed_ms: u64) -> Vec<String> {
        let Some(job) = self.jobs.get_mut(id) else { return Vec::new() };
        let since_ms = elapsed_ms.checked_sub(job.begins_ms);
        let due = since_ms.map_or(0, |ms| 1 + ms * u64::from(job.per_minute.max(1)) / 60_000);
        let new = usize::try_from(due.saturating_sub(job.given)).unwrap_or(usize::MAX).min(job.waiting.len());
        job.given += new as u64;
        job.waiting.drain(..new).collect()
    }

    fn execution(&self, id: &str, thing: &str) -> Option<&Execution> {
        self.jobs.get(id)?.executions.get(thing)
    }

    /// The job a thing is at, or is to begin: one that is under way before those that wait.
    fn next_of(&self, thing: &str) -> Option<&String> {
        let queue = || self.queues.get(thing).into_iter().flatten();
        let runs = |id: &&String| self.execution(id, thing).is_some_and(|one| one.status == JobStatus::InProgress);
        queue().find(runs).or_else(|| queue().next())
    }

    fn pending(&self, thing: &str) -> Object {
        let of = |status| self.summaries(thing, status);
        fields([("inProgressJobs", of(JobStatus::InProgress)), ("queuedJobs", of(JobStatus::Queued))])
    }

    fn summaries(&self, thing: &str, status: JobStatus) -> Value {
        let queue = self.queues.get(thing).into_iter().flatten();
        let of_status = queue.filter_map(|id| Some((id, self.execution(id, thing)?)));
        of_status.filter(|(_, one)| one.status == status).map(|(id, one)| Value::Object(summary(id, one))).collect()
    }

    /// Everything of an execution.
    fn whole(&self, id: &str, thing: &str) -> Option<Value> {
        let (job, execution) = (self.jobs.get(id)?, self.execution(id, thing)?);
        let mut whole = summary(id, execution);
        whole.insert("thingName".into(), thing.into());
        whole.insert("status".into(), execution.status.word().into());
        whole.insert("statusDetails".into(), json!(execution.details));
        whole.insert("jobDocument".into(), job.document.clone());
        Some(Value::Object(whole))
    }

    fn describe(&self, thing: &str, id: &str) -> Result<(Object, Vec<Out>), Refusal> {
        let id = if id == "$next" { self.next_of(thing).map_or("", String::as_str) } else { id };
        let execution = self.whole(id, thing).ok_or(NOT_FOUND)?;
        Ok((fields([("execution", execution)]), Vec::new()))
    }

    fn start_next(&mut self, thing: &str, request: &Object, now_s: i64) -> Result<(Object, Vec<Out>), Refusal> {
        let details = details(request)?;
        let Some(id) = self.next_of(thing).cloned() else { return Ok((Object::new(), Vec::new())) };
        let begins = self.execution(&id, thing).is_some_and(|one| one.status == JobStatus::Queued);
        let mut after = Vec::new();
        if begins {
            self.change(&id, thing, JobStatus::InProgress, details, now_s);
            after.push(self.list(thing, now_s));
        }
        Ok((fields([("execution", self.whole(&id, thing).ok_or(NOT_FOUND)?)]), after))
    }

    fn update(&mut self, thing: &str, id: &str, request: &Object, now_s: i64) -> Result<(Object, Vec<Out>), Refusal> {
        let before = self.execution(id, thing).ok_or(NOT_FOUND)?;
        let expected = request.get("expectedVersion");
        // The SDKs write it as a number, the guide as a text.
        let expected = expected.and_then(|given| given.as_u64().or_else(|| given.as_str()?.parse().ok()));
        if expected.is_some_and(|expected| expected != before.version) {
            return Err(("VersionMismatch", "the execution has another version by now"));
        }
        let status = request.get("status").and_then(Value::as_str).and_then(JobStatus::of_word);
        let status = status.filter(|status| {
            use JobStatus::{Canceled, Queued, Removed, TimedOut};
            !matches!(status, Queued | TimedOut | Canceled | Removed)
        });
        let status = status.ok_or(("InvalidRequest", "status is IN_PROGRESS, SUCCEEDED, FAILED or REJECTED"))?;
        if before.status.is_over() {
            return Err(("InvalidStateTransition", "the execution is over"));
        }
        let was_queued = before.status == JobStatus::Queued;
        self.change(id, thing, status, details(request)?, now_s);
        let mut answer = Object::new();
        let is_wanted = |field| request.get(field).and_then(Value::as_bool) == Some(true);
        if let Some(execution) = self.execution(id, thing).filter(|_| is_wanted("includeJobExecutionState")) {
            let Execution { status, details, version, .. } = execution;
            let state = json!({ "status": status.word(), "statusDetails": details, "versionNumber": version });
            answer.insert("executionState".into(), state);
        }
        let after = match status.is_over() {
            true => self.ended(id, thing, now_s),
            false if was_queued => vec![self.list(thing, now_s)],
            false => Vec::new(),
        };
        Ok((answer, after))
    }

    fn change(
        &mut self,
        id: &str,
        thing: &str,
        status: JobStatus,
        details: Option<BTreeMap<String, String>>,
        now_s: i64,
    ) {
        let execution = self.jobs.get_mut(id).and_then(|job| job.executions.get_mut(thing));
        let Some(execution) = execution else { return };
        execution.status = status;
        execution.details = details.unwrap_or_else(|| std::mem::take(&mut execution.details));
        execution.started_s = execution.started_s.or(Some(now_s));
        execution.updated_s = now_s;
        execution.version += 1;
    }

    /// What is told when an execution is over: its event, what the thing has still to do, and perhaps that the job is completed.
    fn ended(&mut self, id: &str, thing: &str, now_s: i64) -> Vec<Out> {
        let Some(execution) = self.execution(id, thing).cloned() else { return Vec::new() };
        if let Some(queue) = self.queues.get_mut(thing) {
            queue.retain(|job| job != id);
        }
        let word = execution.status.word().to_lowercase();
        let event = json!({
            "eventType": "JOB_EXECUTION", "eventId": format!("{id}-{thing}-{}", execution.version), "timestamp": now_s,
            "operation": word, "jobId": id, "thingArn": format!("arn:aws:iot:eu-south-1:000000000000:thing/{thing}"),
            "status": execution.status.word(), "statusDetails": execution.details,
        });
        let mut out = vec![(format!("$aws/events/jobExecution/{id}/{word}"), event.to_string().into_bytes())];
        out.push(self.list(thing, now_s));
        out.push(self.next(thing, now_s));
        out.extend(self.completed(id, now_s));
        out
    }

    fn completed(&mut self, id: &str, now_s: i64) -> Option<Out> {
        let counts = self.counts(id);
        let job = self.jobs.get_mut(id).filter(|job| !job.completed && job.waiting.is_empty())?;
        if counts.over() < counts.total() {
            return None;
        }
        job.completed = true;
        let event = json!({
            "eventType": "JOB", "eventId": format!("{id}-completed"), "timestamp": now_s, "operation": "completed", "jobId": id,
            "status": "COMPLETED", "targetSelection": "SNAPSHOT", "completedAt": now_s,
            "jobProcessDetails": {
                "numberOfSucceededThings": counts.succeeded, "numberOfFailedThings": counts.failed,
                "numberOfTimedOutThings": counts.timed_out, "numberOfRejectedThings": counts.rejected,
                "numberOfCanceledThings": counts.canceled, "numberOfRemovedThings": counts.removed,
                "numberOfQueuedThings": counts.queued, "numberOfInProgressThings": counts.in_progress,
            },
        });
        Some((format!("$aws/events/job/{id}/completed"), event.to_string().into_bytes()))
    }

    /// All that a thing has to do, for whoever subscribes to it.
    fn list(&self, thing: &str, now_s: i64) -> Out {
        let mut jobs = Object::new();
        for status in [JobStatus::InProgress, JobStatus::Queued] {
            let list = self.summaries(thing, status);
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                jobs.insert(status.word().into(), list);
            }
        }
        let payload = json!({ "timestamp": now_s, "jobs": jobs });
        (format!("$aws/things/{thing}/jobs/notify"), payload.to_string().into_bytes())
    }

    /// What a thing is to do next, nothing where nothing is left.
    fn next(&self, thing: &str, now_s: i64) -> Out {
        let execution = self.next_of(thing).and_then(|id| self.whole(id, thing));
        let payload = json!({ "timestamp": now_s, "execution": execution.unwrap_or_else(|| json!({})) });
        (format!("$aws/things/{thing}/jobs/notify-next"), payload.to_string().into_bytes())
    }
}

const NOT_FOUND: Refusal = ("ResourceNotFound", "the thing has no such execution");

fn summary(id: &str, execution: &Execution) -> Object {
    let Execution { queued_s, started_s, updated_s, version, .. } = execution;
    let mut summary = fields([
        ("jobId", id.into()),
        ("queuedAt", (*queued_s).into()),
        ("lastUpdatedAt", (*updated_s).into()),
        ("executionNumber", 1.into()),
        ("versionNumber", (*version).into()),
    ]);
    if let Some(started_s) = started_s {
        summary.insert("startedAt".into(), (*started_s).into());
    }
    summary
}

/// What a thing tells; `None` where it leaves it as it was.
fn details(request: &Object) -> Result<Option<BTreeMap<String, String>>, Refusal> {
    let Some(given) = request.get("statusDetails").filter(|given| !given.is_null()) else { return Ok(None) };
    let read = serde_json::from_value::<BTreeMap<String, String>>(given.clone()).ok();
    let read = read.filter(|details| details.len() <= DETAILS_MAX);
    read.map(Some).ok_or(("InvalidRequest", "statusDetails are at most 10 texts by name"))
}

fn fields<const N: usize>(of: [(&str, Value); N]) -> Object {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests;
