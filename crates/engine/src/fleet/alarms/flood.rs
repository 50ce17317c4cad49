//! What people are told of alarms, counted: how often, and whether it is a flood.

use fleetlens_ipc::rows::FloodRow;
use fleetlens_model::alarm::flood::Flood;
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::time::{Now, WallMs};

use super::Alarms;

impl Alarms {
    /// The flood, while there is one.
    pub(crate) fn flood(&self) -> Option<FloodRow> {
        self.flood.since().map(|since_ms| FloodRow { since_ms, count: self.flood.count() })
    }

    /// How often people were told since the start, by priority, the lowest first.
    pub(crate) fn told(&self) -> &[u32] {
        &self.told
    }

    /// People were told of an alarm, for the first time since it became so or once more: only what is new makes a flood.
    pub(in crate::fleet) fn note_told(&mut self, priority: Priority, again: bool, now: Now) {
        let at = Priority::FROM_LOWEST.iter().position(|one| *one == priority);
        if let Some(told) = at.and_then(|at| self.told.get_mut(at)) {
            *told = told.saturating_add(1);
        }
        if !again {
            self.flood.told(now.wall, now.wall);
        }
    }

    /// Time alone ends a flood.
    pub(in crate::fleet) fn time_passed(&mut self, now: Now) {
        self.flood.time_passed(now.wall);
    }

    /// Whether there was a flood when the program ended, and since when, follows from when people were told of what is in memory.
    pub(super) fn restore_flood(&mut self, now: Now) {
        let told = self.all.values().filter(|alarm| alarm.state.told_ms.is_some()).map(Alarm::raised_ms);
        let mut told: Vec<WallMs> = told.filter(|at| *at <= now.wall).collect();
        told.sort_unstable();
        self.flood = Flood::default();
        for at in told {
            self.flood.told(at, at);
        }
        self.flood.time_passed(now.wall);
    }
}
