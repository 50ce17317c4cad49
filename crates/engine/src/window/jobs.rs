//! The jobs of a service, one of them with its things, and the versions in the field. After the snapshot only what differs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::{Change, FirmwareRow, JobPage, JobRow, Rows, ThingJobRow};
use fleetlens_model::job::{Execution, JobStatus};
use fleetlens_model::kind::Kind;
use fleetlens_model::text::shown;

use super::Told;
use super::list::place_words;
use crate::fleet::{Dirty, Fleet, KnownJob, Thing, Versions};

/// Jobs on a thing's page.
const JOBS_OF_THING: usize = 20;

/// Versions of a kind that are told one by one.
const VERSIONS_TOLD: usize = 12;

/// Rows of a stretch at most.
const COUNT_MAX: u32 = 500;

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct JobsView {
    shown: BTreeSet<String>,
    changed: BTreeSet<String>,
}

impl JobsView {
    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        self.changed.extend(dirty.jobs.iter().cloned());
        !self.changed.is_empty()
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let changed = std::mem::take(&mut self.changed);
        if first {
            let mut rows: Vec<JobRow> = fleet.jobs.iter().map(job_row).collect();
            rows.sort_by(|a, b| (Reverse(a.since_ms), &a.id).cmp(&(Reverse(b.since_ms), &b.id)));
            self.shown = rows.iter().map(|row| row.id.clone()).collect();
            return Told::All(Rows::Jobs(rows));
        }
        let mut changes = Vec::new();
        for id in changed {
            match fleet.jobs.get(&id) {
                Some(job) => {
                    changes.push(Change::Job(job_row(job)));
                    self.shown.insert(id);
                }
                None if self.shown.remove(&id) => changes.push(Change::JobGone(id)),
                None => {}
            }
        }
        Told::Some(changes)
    }
}

/// One job.
#[derive(Debug)]
pub(super) struct JobView {
    id: String,
    only: Option<JobStatus>,
    first: u32,
    count: u32,
    shown: Option<JobPage>,
}

impl JobView {
    pub(super) fn new(id: String, only: Option<JobStatus>, first: u32, count: u32) -> JobView {
        JobView { id, only, first, count: count.clamp(1, COUNT_MAX), shown: None }
    }

    pub(super) fn soil(&self, dirty: &Dirty) -> bool {
        // A thing that is described otherwise has another title.
        let mut things = self.shown.iter().flat_map(|page| &page.rows).filter_map(|row| row.thing);
        dirty.everything || dirty.jobs.contains(&self.id) || things.any(|key| dirty.things.contains(&key))
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let Some(job) = fleet.jobs.get(&self.id) else {
            let was_shown = self.shown.take().is_some();
            return match first {
                true => Told::All(Rows::Missing),
                false if was_shown => Told::Some(vec![Change::JobGone(self.id.clone())]),
                false => Told::Nothing,
            };
        };
        let page = self.page(job, fleet);
        let told = match self.shown.as_ref().filter(|_| !first) {
            None if first => Told::All(Rows::Job(Box::new(page.clone()))),
            None => Told::Some(vec![Change::JobPage(Box::new(page.clone()))]),
            Some(before) => Told::Some(changes(before, &page)),
        };
        self.shown = Some(page);
        told
    }

    fn page(&self, job: &KnownJob, fleet: &Fleet) -> JobPage {
        let asked = |execution: &Execution| self.only.is_none_or(|only| execution.status() == only);
        let total = match self.only {
            Some(only) => job.heard.of(only),
            None => u32::try_from(job.executions.len()).unwrap_or(u32::MAX),
        };
        let stretch = job.executions.iter().filter(|(_, execution)| asked(execution));
        let stretch = stretch.skip(self.first as usize).take(self.count as usize);
        let rows = stretch.map(|(name, execution)| thing_job_row(job, name, execution, fleet)).collect();
        JobPage { job: job_row(job), total, first: self.first, rows }
    }
}

fn changes(before: &JobPage, page: &JobPage) -> Vec<Change> {
    let names = |page: &JobPage| page.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    if before.total != page.total || names(before) != names(page) {
        return vec![Change::JobPage(Box::new(page.clone()))];
    }
    let head = (before.job != page.job).then(|| Change::Job(page.job.clone()));
    let pairs = before.rows.iter().zip(&page.rows).filter(|(old, new)| old != new);
    head.into_iter().chain(pairs.map(|(_, new)| Change::ThingJob(new.clone()))).collect()
}

/// Which firmware is in the field.
#[derive(Debug, Default)]
pub(super) struct FirmwareView {
    shown: Vec<FirmwareRow>,
}

impl FirmwareView {
    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let rows: Vec<FirmwareRow> =
            fleet.firmware().into_iter().filter_map(|(kind, versions)| firmware_row(kind, versions)).collect();
        let told = match first {
            true => Told::All(Rows::Firmware(rows.clone())),
            false if rows != self.shown => Told::Some(vec![Change::Firmware(rows.clone())]),
            false => Told::Nothing,
        };
        self.shown = rows;
        told
    }
}

/// A kind of which no thing says its firmware has none to tell of.
fn firmware_row(kind: Kind, mut of_kind: Versions) -> Option<FirmwareRow> {
    let sum = |counts: &mut dyn Iterator<Item = u32>| counts.fold(0_u32, u32::saturating_add);
    let things = sum(&mut of_kind.values().copied());
    let unknown = of_kind.remove(&None).unwrap_or(0);
    let mut versions: Vec<(String, u32)> =
        of_kind.into_iter().filter_map(|(version, count)| Some((version?, count))).collect();
    versions.sort_by(|(a, many), (b, more)| (more, a).cmp(&(many, b)));
    let others = sum(&mut versions.iter().skip(VERSIONS_TOLD).map(|(_, count)| *count));
    versions.truncate(VERSIONS_TOLD);
    (!versions.is_empty()).then_some(FirmwareRow { kind, things, versions, others, unknown })
}

/// The jobs that a thing is part of, newest first.
pub(super) fn jobs_of(thing: &Thing, fleet: &Fleet) -> Vec<ThingJobRow> {
    let name = thing.name.as_str();
    let jobs = fleet.jobs.iter().filter_map(|job| {
        let (name, execution) = job.executions.get_key_value(name)?;
        Some((job.job.since_ms, thing_job_row(job, name, execution, fleet)))
    });
    let newest: BTreeMap<_, _> = jobs.map(|(since, row)| ((Reverse(since), row.job.clone()), row)).collect();
    newest.into_values().take(JOBS_OF_THING).collect()
}

fn job_row(known: &KnownJob) -> JobRow {
    let job = &known.job;
    JobRow {
        id: job.id.clone(),
        what: shown(&job.what).into_owned(),
        standing: job.standing(),
        counts: known.counts(),
        since_ms: job.since_ms,
        changed_ms: job.changed_ms,
    }
}

fn thing_job_row(job: &KnownJob, name: &str, execution: &Execution, fleet: &Fleet) -> ThingJobRow {
    let thing = fleet.by_name.get(name).and_then(|key| fleet.things.get(key));
    let said = execution.said();
    ThingJobRow {
        job: job.job.id.clone(),
        what: shown(&job.job.what).into_owned(),
        name: name.to_owned(),
        thing: thing.map(|thing| thing.key),
        title: thing.map_or_else(|| name.to_owned(), |thing| thing.title().to_string()),
        kind: thing.map(|thing| thing.meta.common.kind),
        place: thing.map(place_words).unwrap_or_default(),
        status: execution.status(),
        progress_pct: said.progress_pct,
        details: shown(&said.text).into_owned(),
        since_ms: execution.since_ms(),
    }
}
