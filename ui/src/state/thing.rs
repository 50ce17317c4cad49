//! A thing as the window holds it: a signal for each row, so that a value that changes redraws itself and nothing else.

use std::sync::Arc;

use fleetlens_ipc::rows::{AlarmRow, CommandRow, ShadowTable, ThingHead, ThingJobRow, ThingPage, ValueRow};
use fleetlens_model::id::{AlarmId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::kind::{Control, DEFAULT_EXPIRY_MS};
use fleetlens_model::schema::Schema;
use leptos::prelude::*;

use super::alarms::stands_before;
use super::cells::{put, remove, replace};
use crate::clock::Aged;

pub use super::cells::{Cell, Cells};

/// What the drawer or the page shows.
#[derive(Clone)]
pub enum Slot {
    /// No thing is open.
    Closed,
    /// Asked for; nothing came yet.
    Loading(ThingKey),
    /// The host knows no such thing.
    Missing(ThingKey),
    /// Here it is.
    Here(Thing),
}

impl Slot {
    /// Which thing is open.
    pub fn key(&self) -> Option<ThingKey> {
        match self {
            Slot::Closed => None,
            Slot::Loading(key) | Slot::Missing(key) => Some(*key),
            Slot::Here(thing) => Some(thing.key),
        }
    }
}

/// A thing, whole.
#[derive(Clone)]
pub struct Thing {
    /// Which one.
    pub key: ThingKey,
    /// Name, place, freshness.
    pub head: ArcRwSignal<Aged<ThingHead>>,
    /// Values, in the order of the screen.
    pub values: Cells<SeriesKey, ValueRow>,
    /// Shadows, the classic one first.
    pub shadows: Cells<String, ShadowTable>,
    /// Commands, newest first.
    pub commands: Cells<CommandId, CommandRow>,
    /// Its jobs, newest first.
    pub jobs: Cells<String, ThingJobRow>,
    /// Its open alarms, worst first.
    pub alarms: Cells<AlarmId, AlarmRow>,
    /// Whether the person here may command it.
    pub may_command: bool,
    /// Why they may not although their role may; empty where nothing is in the way.
    pub fence: String,
    /// What its desired state may hold, in the classic shadow; `None` where nobody says.
    pub schema: ArcRwSignal<Option<Arc<Schema>>>,
    /// The profile's own expiries by pointer, in milliseconds.
    expiries: Vec<(String, u64)>,
}

impl Thing {
    /// Takes a page.
    pub fn new(page: ThingPage, at_ms: f64) -> Thing {
        let thing = Thing {
            key: page.head.thing,
            head: ArcRwSignal::new(Aged { row: page.head.clone(), at_ms }),
            values: ArcRwSignal::new(Vec::new()),
            shadows: ArcRwSignal::new(Vec::new()),
            commands: ArcRwSignal::new(Vec::new()),
            jobs: ArcRwSignal::new(Vec::new()),
            alarms: ArcRwSignal::new(Vec::new()),
            may_command: page.may_command,
            fence: page.fence.clone(),
            schema: ArcRwSignal::new(None),
            expiries: page.expiries.clone(),
        };
        thing.replace(page, at_ms);
        thing
    }

    /// Takes a page of the same thing in place of what is here, keeping the signals of rows that stay.
    pub fn replace(&self, page: ThingPage, at_ms: f64) {
        self.head.set(Aged { row: page.head, at_ms });
        // What cannot be read here is not shown as a form; the engine checks by it all the same.
        let schema = Some(&page.schema).filter(|text| !text.is_empty()).and_then(|text| Schema::parse(text).ok());
        if self.schema.with_untracked(|known| known.as_deref() != schema.as_ref()) {
            self.schema.set(schema.map(Arc::new));
        }
        replace(&self.values, page.values, at_ms, |row| row.series);
        replace(&self.shadows, page.shadows, at_ms, |table| table.name.clone());
        replace(&self.commands, page.commands, at_ms, |row| row.id);
        replace(&self.jobs, page.jobs, at_ms, |row| row.job.clone());
        replace(&self.alarms, page.alarms, at_ms, |row| row.id);
    }

    /// How long a command of a control may wait unless the person says otherwise: as the profile has it, else the control.
    pub fn expiry_ms(&self, control: &Control) -> u64 {
        let own = self.expiries.iter().find(|(pointer, _)| *pointer == control.pointer);
        own.map_or(control.expiry_ms, |(_, ms)| *ms)
    }

    /// How long a command for these leaves may wait unless the person says otherwise: the shortest of what is said of each.
    pub fn expiry_of(&self, pointers: &[String], schema: Option<&Schema>) -> u64 {
        let of = |pointer: &String| {
            let own = self.expiries.iter().find(|(known, _)| known == pointer).map(|(_, ms)| *ms);
            own.or_else(|| schema?.expiry_ms(pointer)).unwrap_or(DEFAULT_EXPIRY_MS)
        };
        pointers.iter().map(of).min().unwrap_or(DEFAULT_EXPIRY_MS)
    }

    /// A value as it is now, new or known.
    pub fn value(&self, row: ValueRow, at_ms: f64) {
        let rank = (row.rank, row.series);
        put(&self.values, row.series, Aged { row, at_ms }, |other| rank < (other.rank, other.series));
    }

    /// A shadow as it is now, new or known.
    pub fn shadow(&self, table: ShadowTable, at_ms: f64) {
        let name = table.name.clone();
        put(&self.shadows, name.clone(), Aged { row: table, at_ms }, |other| name < other.name);
    }

    /// A shadow that is no more.
    pub fn shadow_gone(&self, name: &str) {
        self.shadows.update(|cells| cells.retain(|cell| cell.key != name));
    }

    /// A command as it is now, new or known.
    pub fn command(&self, row: CommandRow, at_ms: f64) {
        let id = row.id;
        put(&self.commands, id, Aged { row, at_ms }, |other| id > other.id);
    }
    /// A command that left the list.
    pub fn command_gone(&self, id: CommandId) {
        remove(&self.commands, &id);
    }

    /// A job of it as it is now, new or known.
    pub fn job(&self, row: ThingJobRow, at_ms: f64) {
        put(&self.jobs, row.job.clone(), Aged { row, at_ms }, |_| true);
    }

    /// A job that it is no part of any more.
    pub fn job_gone(&self, job: &String) {
        remove(&self.jobs, job);
    }

    /// An alarm as it is now, new or known.
    pub fn alarm(&self, row: AlarmRow, at_ms: f64) {
        let new = row.clone();
        put(&self.alarms, row.id, Aged { row, at_ms }, |other| stands_before(&new, other));
    }

    /// An alarm that is over.
    pub fn alarm_gone(&self, id: AlarmId) {
        remove(&self.alarms, &id);
    }
}
