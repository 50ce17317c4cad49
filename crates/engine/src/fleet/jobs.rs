//! The jobs of a service, as one who looks on hears of them. What a message says is a report (`model::job`); here is who is kept.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::heard::Heard;
use fleetlens_model::id::{ThingKey, ThingName};
use fleetlens_model::job::{
    EXECUTIONS_MAX, Execution, JOBS_MAX, Job, JobCounts, JobStanding, JobStatus, Report, Said, ThingJob, believed,
};
use fleetlens_model::record::Write;
use fleetlens_model::shared::SharedText;
use fleetlens_model::time::{Now, WallMs};
use fleetlens_wire::aws::{JobChange, JobTold, JobWaiting, decode_job};

use super::{Effects, Fleet};

/// How the service calls what it counts of a job that is over.
const COUNTED: [(&str, JobStatus); 8] = [
    ("numberOfQueuedThings", JobStatus::Queued),
    ("numberOfInProgressThings", JobStatus::InProgress),
    ("numberOfSucceededThings", JobStatus::Succeeded),
    ("numberOfFailedThings", JobStatus::Failed),
    ("numberOfTimedOutThings", JobStatus::TimedOut),
    ("numberOfRejectedThings", JobStatus::Rejected),
    ("numberOfCanceledThings", JobStatus::Canceled),
    ("numberOfRemovedThings", JobStatus::Removed),
];

/// A job with all its things.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownJob {
    pub job: Job,
    /// How far each thing is, by its name.
    pub executions: BTreeMap<SharedText, Execution>,
    /// How many of them are where.
    pub heard: JobCounts,
}

impl KnownJob {
    fn new(job: Job) -> KnownJob {
        KnownJob { job, executions: BTreeMap::new(), heard: JobCounts::default() }
    }

    fn put(&mut self, thing: SharedText, execution: Execution) {
        let after = execution.status();
        if let Some(before) = self.executions.insert(thing, execution) {
            let place = self.heard.place(before.status());
            *place = place.saturating_sub(1);
        }
        let place = self.heard.place(after);
        *place = place.saturating_add(1);
    }

    /// How many things are where: as the service counts them where it said, who knows also those of which we did not hear.
    pub fn counts(&self) -> JobCounts {
        self.job.counts().unwrap_or(self.heard)
    }
}

/// Every job that is kept, by its id.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    all: BTreeMap<String, KnownJob>,
    /// Executions of all of them.
    executions: usize,
}

impl Jobs {
    /// Of the cache; we last listened at that time.
    pub(super) fn restored(jobs: Vec<Job>, parts: Vec<ThingJob>, now: WallMs, listened: WallMs) -> Jobs {
        let jobs = jobs.into_iter().map(|job| job.restored(now, listened));
        let all = jobs.map(|job| (job.id.clone(), KnownJob::new(job))).collect();
        let mut jobs = Jobs { all, executions: 0 };
        for ThingJob { job, thing, execution } in parts {
            if let Some(known) = jobs.all.get_mut(&job) {
                known.put(thing, execution.restored(now, listened));
                jobs.executions += 1;
            }
        }
        jobs
    }

    pub fn get(&self, id: &str) -> Option<&KnownJob> {
        self.all.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &KnownJob> {
        self.all.values()
    }

    fn has(&self, id: &str, thing: &str) -> bool {
        self.get(id).is_some_and(|known| known.executions.contains_key(thing))
    }

    /// What a message needs that speaks of these jobs as of these moments, and of this thing's part of each. Nothing is done yet. The
    /// newest are kept: an older one makes room, unless what is told is older still. Further executions find room likewise, or the
    /// message is refused: one job that alone has so many takes no more.
    fn room_for(&self, told: &BTreeMap<String, WallMs>, thing: Option<&str>) -> Result<Room, String> {
        let is_part_new = |id: &str| thing.is_some_and(|thing| !self.has(id, thing));
        let unknown = told.keys().filter(|id| !self.all.contains_key(*id)).count();
        let parts = told.keys().filter(|id| is_part_new(id)).count();
        if self.all.len() + unknown <= JOBS_MAX && self.executions + parts <= EXECUTIONS_MAX {
            return Ok(Room::default());
        }
        let mut oldest: Vec<&KnownJob> = self.all.values().filter(|known| !told.contains_key(&known.job.id)).collect();
        oldest.sort_by_key(|known| (known.job.changed_ms, &known.job.id));
        let mut oldest = oldest.into_iter().peekable();
        let mut room = Room::default();
        let (mut places, mut executions) = (self.all.len(), self.executions);
        let mut newest = WallMs::default();
        for (id, at) in told {
            if !self.all.contains_key(id) {
                if places < JOBS_MAX {
                    places += 1;
                } else if let Some(gone) = oldest.next_if(|known| known.job.changed_ms < *at) {
                    executions -= gone.executions.len();
                    room.gone.push(gone.job.id.clone());
                } else {
                    room.without.insert(id.clone());
                    continue;
                }
            }
            executions += usize::from(is_part_new(id));
            newest = newest.max(*at);
        }
        while executions > EXECUTIONS_MAX {
            let Some(gone) = oldest.next_if(|known| known.job.changed_ms < newest) else {
                return Err(format!("more than {EXECUTIONS_MAX} executions of jobs would be kept with this message"));
            };
            executions -= gone.executions.len();
            room.gone.push(gone.job.id.clone());
        }
        Ok(room)
    }

    fn forget(&mut self, id: &str) {
        if let Some(gone) = self.all.remove(id) {
            self.executions -= gone.executions.len();
        }
    }
}

/// What has to go for a message, and what of it finds no place.
#[derive(Debug, Default)]
struct Room {
    /// Jobs that are not kept any more.
    gone: Vec<String>,
    /// Jobs of the message that are older than everything kept.
    without: BTreeSet<String>,
}

impl Room {
    /// Why something of the message is not taken.
    fn refusal(&self) -> Option<String> {
        let ids = self.without.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        (!ids.is_empty()).then(|| format!("{JOBS_MAX} jobs that changed later are kept already; no room for {ids}"))
    }
}

/// What one message says: of a job as a whole, or of some things' parts.
enum Told {
    Job(String, WallMs, JobStanding, Option<JobCounts>),
    Things(String, Vec<(String, Report)>),
    Nothing(String),
}

impl Fleet {
    /// Takes a message about jobs, whole or not at all. Only of jobs so old that they have no place the rest is taken without them: a
    /// thing tells of everything that waits for it, and one that waits for very long must not make it mute.
    pub(super) fn told_of_job(
        &mut self,
        message: &Heard<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Option<ThingKey>, String> {
        let told = decode_job(message.topic, message.payload).map_err(|e| e.to_string())?;
        match read(told, now.wall)? {
            Told::Job(id, at, standing, counts) => {
                let room = self.jobs.room_for(&BTreeMap::from([(id.clone(), at)]), None)?;
                if let Some(why) = room.refusal() {
                    return Err(why);
                }
                room.gone.iter().for_each(|gone| self.forget_job(gone, effects));
                let known = self.jobs.all.entry(id.clone()).or_insert_with(|| KnownJob::new(Job::new(&id)));
                let before = known.job.clone();
                known.job.told(at, standing, counts);
                if known.job != before {
                    effects.writes.push(Write::Job(Box::new(known.job.clone())));
                    self.dirty.jobs.insert(id);
                }
                Ok(None)
            }
            Told::Things(thing, reports) => {
                let thing = ThingName::new(thing).map_err(|e| e.to_string())?;
                let mut told: BTreeMap<String, WallMs> = BTreeMap::new();
                for (id, report) in &reports {
                    let newest = told.entry(id.clone()).or_insert(report.at);
                    *newest = report.at.max(*newest);
                }
                let room = self.jobs.room_for(&told, Some(thing.as_str()))?;
                if let Some(why) = room.refusal() {
                    if room.without.len() == told.len() {
                        return Err(why);
                    }
                    self.refuse(message.topic, why, now, effects);
                }
                room.gone.iter().for_each(|gone| self.forget_job(gone, effects));
                for (id, report) in reports.iter().filter(|(id, _)| !room.without.contains(id)) {
                    self.reported_of_job(&thing, id, report, effects);
                }
                Ok(self.by_name.get(thing.as_str()).copied())
            }
            Told::Nothing(thing) => Ok(self.by_name.get(thing.as_str()).copied()),
        }
    }

    fn reported_of_job(&mut self, thing: &ThingName, id: &str, report: &Report, effects: &mut Effects) {
        let known = self.jobs.all.entry(id.to_owned()).or_insert_with(|| KnownJob::new(Job::new(id)));
        let job_before = known.job.clone();
        known.job.touched(report);
        let before = known.executions.get(thing.as_str());
        let mut execution = before.cloned().unwrap_or_default();
        execution.take(report);
        let is_new = before.is_none();
        let has_changed = before != Some(&execution);
        if known.job != job_before || job_before == Job::new(id) {
            effects.writes.push(Write::Job(Box::new(known.job.clone())));
            self.dirty.jobs.insert(id.to_owned());
        }
        if !has_changed {
            return;
        }
        // A name that is in memory already is not there twice.
        let name = self.by_name.get_key_value(thing.as_str()).map_or_else(|| thing.shared(), |(name, _)| name.clone());
        let part = ThingJob { job: id.to_owned(), thing: name.clone(), execution: execution.clone() };
        known.put(name, execution);
        self.jobs.executions += usize::from(is_new);
        effects.writes.push(Write::ThingJob(Box::new(part)));
        self.dirty.jobs.insert(id.to_owned());
        if let Some(key) = self.by_name.get(thing.as_str()).copied() {
            self.soil_thing(key);
        }
    }

    fn forget_job(&mut self, id: &str, effects: &mut Effects) {
        let gone = self.jobs.get(id).into_iter().flat_map(|gone| gone.executions.keys());
        let things: Vec<ThingKey> = gone.filter_map(|thing| self.by_name.get(thing).copied()).collect();
        things.into_iter().for_each(|thing| self.soil_thing(thing));
        self.jobs.forget(id);
        effects.writes.push(Write::JobGone(id.to_owned()));
        self.dirty.jobs.insert(id.to_owned());
    }
}

/// What a message says, in the model's words. One without a time is as of its receipt, and so is one with a time that cannot be.
fn read(told: JobTold, received: WallMs) -> Result<Told, String> {
    Ok(match told {
        JobTold::Job { job, change, at, counts } => {
            let standing = match change {
                JobChange::Completed => JobStanding::Completed,
                JobChange::Canceled => JobStanding::Canceled,
                JobChange::Deleted => JobStanding::Deleted,
                JobChange::CancellationInProgress => JobStanding::Canceling,
                JobChange::DeletionInProgress => JobStanding::Deleting,
                JobChange::Succeeded
                | JobChange::Failed
                | JobChange::Rejected
                | JobChange::TimedOut
                | JobChange::Removed => JobStanding::Going,
            };
            Told::Job(job, believed(at, received), standing, counted(&counts))
        }
        JobTold::Execution { job, thing, change, at, details } => {
            let status = match change {
                JobChange::Succeeded | JobChange::Completed => JobStatus::Succeeded,
                JobChange::Failed => JobStatus::Failed,
                JobChange::Rejected => JobStatus::Rejected,
                JobChange::TimedOut => JobStatus::TimedOut,
                JobChange::Canceled | JobChange::CancellationInProgress => JobStatus::Canceled,
                JobChange::Removed | JobChange::Deleted | JobChange::DeletionInProgress => JobStatus::Removed,
            };
            let said = (!details.is_empty()).then(|| Said::of(&details));
            let report = Report { said, ..report(status, believed(at, received)) };
            Told::Things(thing, vec![(job, report)])
        }
        JobTold::Waiting { thing, at, executions } => {
            let reports = executions.into_iter().map(|one| waiting(one, at, received));
            Told::Things(thing, reports.collect::<Result<_, String>>()?)
        }
        JobTold::Next { thing, execution: None, .. } | JobTold::Updated { thing, state: None, .. } => {
            Told::Nothing(thing)
        }
        JobTold::Next { thing, at, execution: Some(one) } => Told::Things(thing, vec![waiting(one, at, received)?]),
        JobTold::Updated { thing, job, at, state: Some(state) } => {
            let report = Report {
                // An answer to an update does not say which time the thing does the job; nearly always it is the first.
                version: Some((1, state.version)),
                said: Some(Said::of(&state.details)),
                ..report(status(&state.status)?, believed(at, received))
            };
            Told::Things(thing, vec![(job, report)])
        }
    })
}

fn report(status: JobStatus, at: WallMs) -> Report {
    Report { status, at, version: None, said: None, queued_ms: None, started_ms: None, what: None }
}

fn waiting(one: JobWaiting, at: Option<WallMs>, received: WallMs) -> Result<(String, Report), String> {
    let JobWaiting { job, status: word, queued_at, started_at, updated_at, version, number, details, what } = one;
    let report = Report {
        version: Some((number, version)),
        said: details.as_ref().map(Said::of),
        queued_ms: queued_at.map(|at| believed(Some(at), received)),
        started_ms: started_at.map(|at| believed(Some(at), received)),
        what,
        ..report(status(&word)?, believed(updated_at.or(at), received))
    };
    Ok((job, report))
}

fn status(word: &str) -> Result<JobStatus, String> {
    let cut: String = word.chars().take(40).collect();
    JobStatus::of_word(word).ok_or_else(|| format!("{cut:?} is no status of an execution; QUEUED is one"))
}

fn counted(counts: &BTreeMap<String, u64>) -> Option<JobCounts> {
    let mut read = JobCounts::default();
    for (name, status) in COUNTED {
        *read.place(status) = counts.get(name).map_or(0, |count| u32::try_from(*count).unwrap_or(u32::MAX));
    }
    (read != JobCounts::default()).then_some(read)
}
