//! The alarms as the window holds them: the open ones, the history, and how many there are.

use fleetlens_ipc::rows::{AlarmCounts, AlarmList, AlarmRow};
use fleetlens_ipc::{AlarmScope, AlarmStep, Done, Fault, Intent, Look};
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use super::Store;
use super::cells::List;
use super::views::Target;
use crate::clock::Aged;

/// The most alarms a view asks for.
const LIMIT: u32 = 2000;

/// The alarms. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Alarms {
    /// Open ones: worst first, then the newest. One that is raised again stays where it stands until the list is asked for anew.
    pub open: List<AlarmId, AlarmRow>,
    /// Those that people are not told of: shelved, or out of service.
    pub hidden: List<AlarmId, AlarmRow>,
    /// Those that are over, newest first.
    pub ended: List<AlarmId, AlarmRow>,
    /// How many there are, as of the open list; before it came, zero. The rail goes by the status instead.
    pub counts: RwSignal<AlarmCounts>,
}

impl Alarms {
    pub(super) fn new() -> Alarms {
        Alarms {
            open: List::new(),
            hidden: List::new(),
            ended: List::new(),
            counts: RwSignal::new(AlarmCounts::default()),
        }
    }

    pub(super) fn replace(self, scope: AlarmScope, list: AlarmList, at_ms: f64) {
        self.counts.set(list.counts);
        self.list(scope).replace(list.rows, at_ms, |row| row.id);
    }

    pub(super) fn put(self, scope: AlarmScope, row: AlarmRow, at_ms: f64) {
        let new = row.clone();
        let list = self.list(scope);
        match scope {
            AlarmScope::Open | AlarmScope::Hidden => {
                list.put(row.id, Aged { row, at_ms }, |other| stands_before(&new, other));
            }
            AlarmScope::Ended => list.put(row.id, Aged { row, at_ms }, |other| ended_before(&new, other)),
        }
    }

    pub(super) fn gone(self, scope: AlarmScope, id: AlarmId) {
        self.list(scope).remove(&id);
    }

    pub(super) fn clear(self) {
        self.open.clear();
        self.hidden.clear();
        self.ended.clear();
        self.counts.set(AlarmCounts::default());
    }

    /// Those of a tab.
    pub fn list(self, scope: AlarmScope) -> List<AlarmId, AlarmRow> {
        match scope {
            AlarmScope::Open => self.open,
            AlarmScope::Hidden => self.hidden,
            AlarmScope::Ended => self.ended,
        }
    }
}

/// The order of open alarms: worst first, then the newest.
pub fn stands_before(a: &AlarmRow, b: &AlarmRow) -> bool {
    (b.priority, b.raised_ms, b.id) < (a.priority, a.raised_ms, a.id)
}

fn ended_before(a: &AlarmRow, b: &AlarmRow) -> bool {
    let ended_ms = |row: &AlarmRow| row.cleared_ms.unwrap_or(row.raised_ms);
    (ended_ms(b), b.id) < (ended_ms(a), a.id)
}

impl Store {
    /// Looks at the alarms for as long as the owner lives: [`Store::alarms`] holds them.
    pub fn follow_alarms(self, scope: AlarmScope) {
        self.follow(Target::Alarms(scope), Look::Alarms { scope, limit: LIMIT });
    }

    /// I have seen these, each as it was raised when it stood on the screen; `then` is called once with what came of it.
    pub fn acknowledge(
        self,
        alarms: Vec<(AlarmId, WallMs)>,
        comment: String,
        then: impl FnOnce(Result<Done, Fault>) + 'static,
    ) {
        self.ask(Intent::Acknowledge { alarms, comment }, then);
    }

    /// Does something else with alarms; `then` is called once with what came of it.
    pub fn steer_alarms(self, alarms: Vec<AlarmId>, to: AlarmStep, then: impl FnOnce(Result<Done, Fault>) + 'static) {
        self.ask(Intent::Alarms { alarms, to }, then);
    }
}
