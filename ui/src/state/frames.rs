//! How what the host says changes what the window knows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use fleetlens_ipc::rows::{Change, Chart, Rows};
use fleetlens_ipc::{Call, FaultCode, Frame, Parcel, decode};
use leptos::prelude::*;

use super::Store;
use super::chart;
use super::thing::{Slot, Thing};
use super::views::{Take, Target};
use crate::clock::{Aged, mono_ms};

/// A parcel counts as seen after this long even when the page draws nothing, because it is hidden.
const SEEN_AT_LATEST: Duration = Duration::from_secs(1);

impl Store {
    pub(super) fn take(self, bytes: &[u8]) {
        let parcel: Parcel = match decode(bytes) {
            Ok(parcel) => parcel,
            Err(error) => return self.notify(format!("{error}; reinstall Fleetlens so that its parts match")),
        };
        let at_ms = mono_ms();
        for frame in parcel.frames {
            self.frame(frame, at_ms);
        }
        self.seen(parcel.number);
    }

    /// Says that a parcel was seen: after the next picture was drawn, or a second later when none is drawn because nobody looks.
    fn seen(self, parcel: u64) {
        let said = Rc::new(Cell::new(false));
        let say = move || {
            if !said.replace(true) {
                self.say([Call::Seen { parcel }]);
            }
        };
        request_animation_frame(say.clone());
        set_timeout(say, SEEN_AT_LATEST);
    }

    pub(super) fn frame(self, frame: Frame, at_ms: f64) {
        match frame {
            Frame::Snapshot { view, rows } => {
                let target = self.inner.try_update_value(|inner| inner.views.snapshot(view)).flatten();
                if let Some(target) = target {
                    self.snapshot(target, rows, at_ms);
                }
            }
            Frame::Patch { view, rev, changes } => {
                let take = self.inner.try_update_value(|inner| inner.views.patch(view, rev)).unwrap_or(Take::Leave);
                match take {
                    Take::Apply(target) => changes.into_iter().for_each(|change| self.change(target, change, at_ms)),
                    Take::Behind(call) => self.say([call]),
                    Take::Leave => {}
                }
            }
            Frame::Answer { request, outcome } => {
                let then = self.inner.try_update_value(|inner| inner.answers.remove(&request)).flatten();
                if let Some(then) = then {
                    then(outcome);
                }
            }
            Frame::Notice(fault) => {
                if fault.code == FaultCode::Contract {
                    self.stranded.set(Some(fault.message));
                } else {
                    self.notify(fault.message);
                }
            }
        }
    }

    fn snapshot(self, target: Target, rows: Rows, at_ms: f64) {
        match rows {
            Rows::Status(status) => self.status.set(Some(Aged { row: *status, at_ms })),
            Rows::Map(packed) => {
                self.map_known.set(true);
                self.mark(|marks| marks.replace(&packed));
            }
            Rows::Thing(page) if target == Target::Hover => self.hovered.set(Some(Aged { row: page.head, at_ms })),
            Rows::Thing(page) => {
                let here = self.thing.with_untracked(|slot| match slot {
                    Slot::Here(thing) if thing.key == page.head.thing && thing.may_command == page.may_command => {
                        Some(thing.clone())
                    }
                    Slot::Here(_) | Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
                });
                match here {
                    Some(thing) => thing.replace(*page, at_ms),
                    None => self.thing.set(Slot::Here(Thing::new(*page, at_ms))),
                }
            }
            Rows::Chart(chart) => self.chart.set(Some(Aged { row: chart, at_ms })),
            Rows::Found(rows) => {
                self.found.set(Some(rows));
                self.found_for.set(self.sought.get_value());
            }
            Rows::Attention(rows) => self.attention.set(Aged { row: rows, at_ms }),
            Rows::Missing if target == Target::Thing => {
                if let Some(key) = self.selected.get_untracked() {
                    self.thing.set(Slot::Missing(key));
                }
            }
            Rows::Missing => {}
        }
    }

    fn change(self, target: Target, change: Change, at_ms: f64) {
        if self.held.get_untracked().is_some() && is_held(&change) {
            self.inner.update_value(|inner| {
                inner.behind.insert(target);
            });
            return;
        }
        match change {
            Change::Status(status) => self.status.set(Some(Aged { row: *status, at_ms })),
            Change::Map(packed) => self.mark(|marks| marks.apply(&packed)),
            Change::Head(head) if target == Target::Hover => self.hovered.set(Some(Aged { row: head, at_ms })),
            Change::Head(head) => self.with_thing(target, |thing| thing.head.set(Aged { row: head, at_ms })),
            Change::Value(row) => self.with_thing(target, |thing| thing.value(row, at_ms)),
            Change::Shadow(table) => self.with_thing(target, |thing| thing.shadow(table, at_ms)),
            Change::ShadowGone(name) => self.with_thing(target, |thing| thing.shadow_gone(&name)),
            Change::Command(row) => self.with_thing(target, |thing| thing.command(row, at_ms)),
            Change::Bucket(bucket) => self.with_chart(|chart| chart::take_bucket(chart, bucket)),
            Change::Mark(mark) => self.with_chart(|chart| chart::take_mark(chart, mark)),
            Change::Found(rows) => self.found.set(Some(rows)),
            Change::Attention(rows) => self.attention.set(Aged { row: rows, at_ms }),
        }
    }

    fn with_thing(self, target: Target, change: impl FnOnce(&Thing)) {
        if target != Target::Thing {
            return;
        }
        let here = self.thing.with_untracked(|slot| match slot {
            Slot::Here(thing) => Some(thing.clone()),
            Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
        });
        if let Some(thing) = here {
            change(&thing);
        }
    }

    fn with_chart(self, change: impl FnOnce(&mut Chart)) {
        self.chart.update(|chart| {
            if let Some(chart) = chart {
                change(&mut chart.row);
            }
        });
    }
}

/// Whether a change waits while the person holds live values still.
fn is_held(change: &Change) -> bool {
    match change {
        Change::Map(_)
        | Change::Head(_)
        | Change::Value(_)
        | Change::Bucket(_)
        | Change::Mark(_)
        | Change::Found(_)
        | Change::Attention(_) => true,
        Change::Status(_) | Change::Shadow(_) | Change::ShadowGone(_) | Change::Command(_) => false,
    }
}
