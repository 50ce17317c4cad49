//! Jobs as the window holds them: all of them, the one that is open with a page of its things, and the firmware in the field.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{FirmwareRow, JobPage, JobRow, ThingJobRow};
use fleetlens_model::job::JobStatus;
use leptos::prelude::*;

use super::Store;
use super::cells::List;
use super::views::Target;
use crate::clock::Aged;

/// Things on one page of a job.
pub const PAGE: u32 = 100;

/// Which page of which job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenJob {
    /// The job's id.
    pub id: String,
    /// Only things with this status; `None` for all.
    pub only: Option<JobStatus>,
    /// The first row of the page, from 0.
    pub first: u32,
}

/// Jobs. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Jobs {
    /// All of them, newest first; there while somebody follows them ([`Store::follow_jobs`]).
    pub all: List<String, JobRow>,
    /// The one that is open.
    pub open: RwSignal<Option<OpenJob>>,
    /// The open one as a whole; `None` until it came.
    pub head: RwSignal<Option<JobRow>>,
    /// How many things its pages are of.
    pub total: RwSignal<u32>,
    /// The things of the open page, by their names.
    pub rows: List<String, ThingJobRow>,
    /// The versions in the field; `None` until they came.
    pub firmware: RwSignal<Option<Vec<FirmwareRow>>>,
}

impl Jobs {
    pub(super) fn new() -> Jobs {
        Jobs {
            all: List::new(),
            open: RwSignal::new(None),
            head: RwSignal::new(None),
            total: RwSignal::new(0),
            rows: List::new(),
            firmware: RwSignal::new(None),
        }
    }

    pub(super) fn put(self, row: JobRow, at_ms: f64) {
        let new = row.clone();
        self.all.put(row.id.clone(), Aged { row, at_ms }, |other| stands_before(&new, other));
    }

    pub(super) fn put_page(self, page: JobPage, at_ms: f64) {
        self.head.set(Some(page.job));
        self.total.set(page.total);
        self.rows.replace(page.rows, at_ms, |row| row.name.clone());
    }

    /// Whole pages come when rows come or go, so a row that is told alone is here.
    pub(super) fn put_row(self, row: ThingJobRow, at_ms: f64) {
        let name = row.name.clone();
        self.rows.put(name.clone(), Aged { row, at_ms }, |other| name < other.name);
    }

    /// No job is open.
    fn shut(self) {
        self.open.set(None);
        self.head.set(None);
        self.total.set(0);
        self.rows.clear();
    }

    pub(super) fn clear(self) {
        self.all.clear();
        self.firmware.set(None);
        self.shut();
    }
}

/// The newest first.
fn stands_before(one: &JobRow, other: &JobRow) -> bool {
    (other.since_ms, &one.id) < (one.since_ms, &other.id)
}

impl Store {
    /// Looks at all jobs and at the firmware for as long as the owner lives: [`Store::jobs`] holds them.
    pub fn follow_jobs(self) {
        self.follow(Target::Jobs, Look::Jobs);
        self.follow(Target::Firmware, Look::Firmware);
        on_cleanup(move || self.shut_job());
    }

    /// Opens a page of a job.
    pub fn open_job(self, open: OpenJob) {
        if self.jobs.open.with_untracked(|before| before.as_ref().is_none_or(|before| before.id != open.id)) {
            self.jobs.shut();
        }
        let OpenJob { id, only, first } = open.clone();
        self.jobs.open.set(Some(open));
        self.look(Target::Job, Look::Job { id, only, first, count: PAGE });
    }

    /// Back to all jobs.
    pub fn shut_job(self) {
        self.away(Target::Job);
        self.jobs.shut();
    }
}
