//! What is chosen of the list of alarms, where the keys are in it, and what is done with it.

use fleetlens_ipc::rows::{AlarmLine, ShownAlarm};
use fleetlens_ipc::{ACKNOWLEDGED_MAX, AlarmScope, Fault, ShownPart};
use leptos::prelude::*;

use super::acknowledge::Desk;
use super::picked::{Picked, shown};
use super::steps::{Ask, Steps};
use crate::state::Store;
use crate::state::alarm_table::{AlarmTable, Mark};

/// What the rows of the list share.
#[derive(Clone, Copy)]
pub struct Board {
    /// What the window knows.
    pub store: Store,
    /// The table.
    pub table: AlarmTable,
    /// What is chosen.
    pub picked: RwSignal<Picked>,
    /// The line the keys are on; see [`Board::go_to`].
    pub at: RwSignal<Option<u32>>,
    /// What stands on that line.
    at_what: StoredValue<Option<Mark>>,
    /// The line that was chosen last, from which Shift goes on.
    last: StoredValue<Option<Mark>>,
    /// How many answers are on their way that say what is chosen.
    coming: StoredValue<u32>,
    /// Whether what is chosen is to be acknowledged as soon as they are here.
    then_acknowledge: StoredValue<bool>,
    /// Where alarms are acknowledged.
    pub desk: Desk,
    /// Where something else is done with them.
    pub steps: Steps,
}

impl Board {
    /// Nothing is chosen.
    pub fn new(store: Store) -> Board {
        Board {
            store,
            table: store.alarm_table,
            picked: RwSignal::new(Picked::default()),
            at: RwSignal::new(None),
            at_what: StoredValue::new(None),
            last: StoredValue::new(None),
            coming: StoredValue::new(0),
            then_acknowledge: StoredValue::new(false),
            desk: Desk::new(),
            steps: Steps::new(),
        }
    }

    /// Which alarms; tracked.
    pub fn scope(self) -> AlarmScope {
        self.table.query.with(|query| query.scope)
    }

    /// Turns the choice of a line over; with Shift, chooses everything from the last one to it.
    pub fn choose(self, place: u32, shift: bool) {
        let last = self.last.get_value().filter(|_| shift);
        let from = last.and_then(|last| self.table.find(&last));
        self.last.set_value(self.table.mark(place));
        if let Some(from) = from {
            return self.add(ShownPart::Lines { from, to: place });
        }
        match self.table.at(place) {
            Some(AlarmLine::Alarm(listed)) if !listed.gone => {
                self.picked.update(|picked| picked.turn(shown(&listed.row)));
            }
            Some(AlarmLine::Group(group)) => self.choose_group(group.key),
            Some(AlarmLine::Alarm(_)) | None => {}
        }
    }

    fn choose_group(self, key: String) {
        if self.picked.with_untracked(|picked| picked.has_group(&key)) {
            return self.picked.update(|picked| picked.remove_group(&key));
        }
        let group = key.clone();
        self.shown(ShownPart::Group(key), move |alarms| self.picked.update(|picked| picked.add_group(group, alarms)));
    }

    /// Chooses a part of the table as well.
    pub fn add(self, part: ShownPart) {
        self.shown(part, move |alarms| self.picked.update(|picked| picked.add(alarms)));
    }

    fn shown(self, part: ShownPart, then: impl FnOnce(Vec<ShownAlarm>) + 'static) {
        self.coming.update_value(|coming| *coming += 1);
        self.store.ask_shown(part, move |outcome: Result<Vec<ShownAlarm>, Fault>| {
            let left = self.coming.try_update_value(|coming| {
                *coming = coming.saturating_sub(1);
                *coming
            });
            match outcome {
                // The view was left meanwhile.
                Ok(_) if left.is_none() => {}
                Ok(alarms) => then(alarms),
                Err(fault) => {
                    // What was to be acknowledged is not known.
                    self.then_acknowledge.try_set_value(false);
                    self.store.notify(fault.message);
                }
            }
            if left == Some(0) && self.then_acknowledge.try_update_value(std::mem::take) == Some(true) {
                self.acknowledge_chosen();
            }
        });
    }

    /// Nothing is chosen any more.
    pub fn choose_none(self) {
        self.picked.set(Picked::default());
        self.last.set_value(None);
    }

    /// Leaves out of the choice what stands in the table no more; the host knows, of what is out of sight as well.
    pub fn leave_out_what_left(self) {
        if self.picked.with_untracked(Picked::is_empty) {
            return;
        }
        self.store.ask_shown(ShownPart::All, move |outcome| {
            // Of more than are told it is not known which left.
            if let Ok(alarms) = outcome
                && alarms.len() < ACKNOWLEDGED_MAX
            {
                let standing = alarms.into_iter().map(|alarm| alarm.id).collect();
                self.picked.try_update(|picked| picked.keep(&standing));
            }
        });
    }

    /// The keys go to a line; to none.
    pub fn go_to(self, place: Option<u32>) {
        self.at.set(place);
        self.at_what.set_value(place.and_then(|place| self.table.mark(place)));
    }

    /// After lines came: the keys stay on what they were on, wherever it stands now, and leave what is not there any more.
    pub fn keep_keys(self) {
        let Some(place) = self.at.get_untracked() else { return };
        match self.at_what.get_value() {
            // It had not come yet when the keys went there.
            None => self.at_what.set_value(self.table.mark(place)),
            Some(what) => {
                let now = self.table.find(&what);
                if now != Some(place) {
                    self.go_to(now);
                }
            }
        }
    }

    /// Asks what is to become of what is chosen.
    pub fn steer_chosen(self, ask: Ask) {
        self.steps.ask(ask, self.picked.with_untracked(Picked::titles));
    }

    /// Asks to acknowledge what is chosen, as it stood on the screen; where nothing is, the line the keys are on.
    pub fn acknowledge_chosen(self) {
        if self.coming.get_value() != 0 {
            return self.then_acknowledge.set_value(true);
        }
        if !self.picked.with_untracked(Picked::is_empty) {
            return self.desk.ask(self.picked.with_untracked(Picked::unseen));
        }
        let Some(place) = self.at.get_untracked() else { return };
        // What stands on the screen is what is meant, and not what may stand at the host by now.
        match self.table.at(place) {
            Some(AlarmLine::Alarm(listed)) => {
                let row = Some(shown(&listed.row)).filter(|row| !listed.gone && row.unseen);
                let mut picked = Picked::default();
                picked.add(row);
                self.desk.ask(picked.unseen());
            }
            Some(AlarmLine::Group(group)) if !group.open => self.acknowledge_group(group.key),
            Some(AlarmLine::Group(_)) | None => {}
        }
    }

    fn acknowledge_group(self, key: String) {
        self.shown(ShownPart::Group(key), move |alarms| {
            let mut picked = Picked::default();
            picked.add(alarms);
            self.desk.ask(picked.unseen());
        });
    }

    /// Folds a group, or unfolds it.
    pub fn turn_group(self, key: &str) {
        self.table.folds.update(|folds| {
            if folds.except.iter().any(|known| known == key) {
                folds.except.retain(|known| known != key);
            } else {
                folds.except.push(key.to_owned());
            }
        });
        self.store.refold_alarms();
    }
}
