//! How what the host says changes what the window knows.

use std::time::Duration;

use fleetlens_ipc::boards::Shown;
use fleetlens_ipc::replay::PARCELS_FROM;
use fleetlens_ipc::rows::{Attention, Change, Chart, Rows, Status};
use fleetlens_ipc::{Call, Fault, FaultCode, Frame, Parcel, decode};
use fleetlens_model::query::Vocabulary;
use leptos::leptos_dom::helpers::{AnimationFrameRequestHandle, TimeoutHandle};
use leptos::prelude::*;
use tr::tr;

use super::chart::{self, Traced};
use super::thing::{Slot, Thing};
use super::views::{Take, Target};
use super::{About, Store};
use crate::clock::{Aged, mono_ms, shown_ms};
use crate::lang::said;

/// A parcel counts as seen after this long even when the page draws nothing, because it is hidden.
const SEEN_AT_LATEST: Duration = Duration::from_secs(1);

/// What the host is told to be seen next, and what makes the window say so.
pub(super) struct Unseen {
    parcel: u64,
    drawn: Option<AnimationFrameRequestHandle>,
    late: Option<TimeoutHandle>,
}

fn tells_of_cache(status: &Aged<Status>) -> bool {
    status.row.cache_fault.is_some()
}

impl Store {
    pub(super) fn take(self, bytes: &[u8]) {
        let parcel: Parcel = match decode(bytes) {
            Ok(parcel) => parcel,
            Err(error) => return self.notify(tr!("{}; reinstall Fleetlens so that its parts match", error)),
        };
        let at_ms = shown_ms();
        for frame in parcel.frames {
            self.frame(frame, at_ms);
        }
        self.seen(parcel.number);
    }

    /// Says that a parcel was seen: after the next picture was drawn, or a second later when none is drawn because nobody looks.
    /// One word for all that come meanwhile.
    fn seen(self, parcel: u64) {
        // Parcels of the past are numbered apart: a word for one of them says nothing of the others.
        let is_apart = |one: u64| (one > PARCELS_FROM) != (parcel > PARCELS_FROM);
        if self.inner.with_value(|inner| inner.unseen.as_ref().is_some_and(|unseen| is_apart(unseen.parcel))) {
            self.say_seen();
        }
        let waits = self.inner.try_update_value(|inner| match &mut inner.unseen {
            Some(unseen) => {
                unseen.parcel = parcel;
                true
            }
            None => false,
        });
        if waits == Some(true) {
            return;
        }
        let drawn = request_animation_frame_with_handle(move || self.say_seen()).ok();
        let late = set_timeout_with_handle(move || self.say_seen(), SEEN_AT_LATEST).ok();
        self.inner.update_value(|inner| inner.unseen = Some(Unseen { parcel, drawn, late }));
    }

    fn say_seen(self) {
        let unseen = self.inner.try_update_value(|inner| inner.unseen.take()).flatten();
        if let Some(Unseen { parcel, drawn, late }) = unseen {
            // Whichever came first; the other one must not wait on, a hidden page would gather them.
            drawn.inspect(AnimationFrameRequestHandle::cancel);
            late.inspect(TimeoutHandle::clear);
            self.say([Call::Seen { parcel }]);
        }
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
                let waiting = self.inner.try_update_value(|inner| inner.answers.remove(&request)).flatten();
                if let Some(waiting) = waiting {
                    (waiting.then)(outcome);
                }
            }
            Frame::Notice(fault) => {
                let is_told = || self.status.with_untracked(|status| status.as_ref().is_some_and(tells_of_cache));
                if fault.code == FaultCode::Contract {
                    self.stranded.set(Some(fault.message));
                } else if fault.code != FaultCode::Store {
                    self.notify(fault.message);
                } else if !is_told() {
                    self.put_notice(fault.message, About::Cache);
                }
            }
            Frame::Begin => self.begin_anew(),
            Frame::Open(thing) => self.open(thing),
            Frame::Trial(trial) => self.trial.set(Some(*trial)),
            Frame::Past(moment) => self.take_moment(moment),
        }
    }

    /// The host began anew with another fleet: nothing of the old one stays, and everything still on the screen is asked for again.
    fn begin_anew(self) {
        self.close();
        self.forget_whereabouts();
        self.hover(None);
        self.find("");
        self.seek("", false);
        self.palette.clear();
        self.words.set(Vocabulary::default());
        self.look_away_from_messages();
        self.held.set(None);
        self.status.set(None);
        self.attention.update(|attention| attention.row = Attention::default());
        self.ground.set(None);
        self.map_known.set(false);
        self.map_drawn.set(None);
        self.map_shown.set(None);
        self.mark(|marks| marks.replace(&[]));
        self.alarms.clear();
        self.alarm_table.clear();
        self.commands.clear();
        self.things.clear();
        self.small.clear();
        self.chosen.clear();
        self.map_tool.set(None);
        self.look_away_from_bulk();
        self.bulks.clear();
        self.boards.clear();
        self.not_converged.clear();
        self.shut_job();
        self.jobs.clear();
        self.parking.clear();
        self.settings.set(None);
        let stranded = self.inner.try_update_value(|inner| {
            inner.behind.clear();
            let (of_host, of_fleet) =
                std::mem::take(&mut inner.answers).into_iter().partition(|(_, waiting)| waiting.of_host);
            inner.answers = of_host;
            of_fleet
        });
        for (_, waiting) in stranded.unwrap_or_default() {
            let message = said("another profile was chosen before this was answered; look whether it was done");
            (waiting.then)(Err(Fault::new(FaultCode::TooLate, message)));
        }
        self.hello();
        if self.inner.with_value(|inner| inner.views.is_open(Target::Things)) {
            // From its top: another fleet has other rows.
            self.order_things(false);
        }
        if self.inner.with_value(|inner| inner.views.is_open(Target::AlarmTable)) {
            self.order_alarms();
        }
        self.begun.update(|times| *times += 1);
    }

    /// While the status tells that the cache cannot be written, notices of it would say the same again.
    fn take_status(self, row: Status, at_ms: f64) {
        if self.is_another_profile(&row.profile) {
            self.forget_rule_of_alarms();
            // One that was begun there is not saved here.
            self.areas.forget();
        }
        let status = Aged { row, at_ms };
        if tells_of_cache(&status) {
            self.notices.update(|notices| notices.retain(|notice| notice.about != About::Cache));
        }
        self.status.set(Some(status));
    }

    /// Whether it is not the one that was told of before; from then on it is.
    fn is_another_profile(self, profile: &str) -> bool {
        let told = self.inner.try_update_value(|inner| {
            if inner.profile.as_deref() == Some(profile) {
                return false;
            }
            inner.profile.replace(profile.to_owned()).is_some()
        });
        told == Some(true)
    }

    fn snapshot(self, target: Target, rows: Rows, at_ms: f64) {
        match rows {
            Rows::Status(status) => self.take_status(*status, at_ms),
            Rows::Map(packed) => {
                self.map_known.set(true);
                self.mark(|marks| {
                    marks.tell_time(mono_ms());
                    marks.replace(&packed);
                });
            }
            Rows::Ground(ground) => self.ground.set(Some(*ground)),
            Rows::Thing(page) if target == Target::Hover => self.hovered.set(Some(Aged { row: page.head, at_ms })),
            Rows::Thing(page) if target == Target::OtherThing => self.other.set(Some((page.head.title, page.values))),
            Rows::Thing(page) => {
                let here = self.thing.with_untracked(|slot| match slot {
                    Slot::Here(thing)
                        if thing.key == page.head.thing
                            && thing.may_command == page.may_command
                            && thing.fence == page.fence =>
                    {
                        Some(thing.clone())
                    }
                    Slot::Here(_) | Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
                });
                match here {
                    Some(thing) => thing.replace(*page, at_ms),
                    None => self.thing.set(Slot::Here(Thing::new(*page, at_ms))),
                }
            }
            Rows::Chart(chart) => {
                if let Target::Chart(traced) = target {
                    self.charts.replace(traced, chart);
                } else if let Target::BoardLine(_, series) = target {
                    let traced = Traced { series, is_before: false };
                    self.boards.with_line(target, |lines| {
                        lines.insert(traced, chart);
                    });
                }
            }
            Rows::Found(rows) if target == Target::Other => self.others.set(Some(rows)),
            Rows::Found(rows) if target == Target::Palette => self.palette.take(rows),
            Rows::Found(rows) if target == Target::Named => self.found_named(&rows),
            Rows::Found(rows) => {
                self.found.set(Some(rows));
                self.found_for.set(self.sought.get_value());
            }
            Rows::Attention(rows) => self.attention.set(Aged { row: rows, at_ms }),
            Rows::Things(page) => {
                self.things.replace(page, at_ms);
                self.ask_for_things();
            }
            Rows::Alarms(list) => {
                if let Target::SoughtAlarm(scope) = target {
                    self.sought_alarms(scope, &list.rows);
                } else if let Target::Alarms(scope) = target {
                    self.alarms.replace(scope, list, at_ms);
                }
            }
            Rows::AlarmTable(table) => {
                self.alarm_table.replace(*table, at_ms);
                self.ask_for_alarms();
            }
            Rows::Commands(rows) => {
                if let Target::Commands(scope) = target {
                    self.commands.replace(scope, rows, at_ms);
                }
            }
            Rows::Bulks(rows) => self.bulks.all.replace(rows, at_ms, |row| row.id),
            Rows::Bulk(page) => self.bulks.replace_page(*page, at_ms),
            Rows::NotConverged(rows) => self.not_converged.replace(rows, at_ms, |row| row.leaf.clone()),
            Rows::Jobs(rows) => self.jobs.all.replace(rows, at_ms, |row| row.id.clone()),
            Rows::Job(page) => self.jobs.put_page(*page, at_ms),
            Rows::Firmware(rows) => self.jobs.firmware.set(Some(rows)),
            Rows::Parking(rows) => self.parking.replace(rows, at_ms, |row| row.thing),
            Rows::Messages(rows) => self.messages.replace(rows),
            Rows::Board(shown) => self.boards.take_all(shown, at_ms),
            Rows::Settings(settings) => self.settings.set(Some(*settings)),
            Rows::Missing if target == Target::Thing => {
                if let Some(key) = self.selected.get_untracked() {
                    self.thing.set(Slot::Missing(key));
                }
            }
            Rows::Missing if target == Target::Job => self.shut_job(),
            Rows::Missing => {
                if let Target::Chart(traced) = target {
                    self.charts.missing(traced);
                }
            }
        }
    }

    fn change_chart(self, target: Target, change: impl FnOnce(&mut Chart)) {
        if let Target::BoardLine(_, series) = target {
            let traced = Traced { series, is_before: false };
            return self.boards.with_line(target, |lines| {
                lines.get_mut(&traced).map(change);
            });
        }
        self.charts.change(target, change);
    }

    fn change(self, target: Target, change: Change, at_ms: f64) {
        if self.held.get_untracked().is_some() && is_held(&change) {
            self.inner.update_value(|inner| {
                inner.behind.insert(target);
            });
            return;
        }
        match change {
            Change::Status(status) => self.take_status(*status, at_ms),
            Change::Map(packed) => self.mark(|marks| {
                marks.tell_time(mono_ms());
                marks.apply(&packed);
            }),
            Change::Ground(ground) => self.ground.set(Some(*ground)),
            Change::Head(_) if target == Target::OtherThing => {}
            Change::Head(head) if target == Target::Hover => self.hovered.set(Some(Aged { row: head, at_ms })),
            Change::Head(head) => self.with_thing(target, |thing| thing.head.set(Aged { row: head, at_ms })),
            Change::Value(row) => self.with_thing(target, |thing| thing.value(row, at_ms)),
            Change::Shadow(table) => self.with_thing(target, |thing| thing.shadow(table, at_ms)),
            Change::ShadowGone(name) => self.with_thing(target, |thing| thing.shadow_gone(&name)),
            Change::Command(row) => {
                if let Target::Commands(scope) = target {
                    self.commands.put(scope, row, at_ms);
                } else {
                    self.with_thing(target, |thing| thing.command(row, at_ms));
                }
            }
            Change::CommandGone(id) => {
                if let Target::Commands(scope) = target {
                    self.commands.gone(scope, id);
                } else {
                    self.with_thing(target, |thing| thing.command_gone(id));
                }
            }
            Change::Alarm(row) => {
                if let Target::Alarms(scope) = target {
                    self.alarms.put(scope, row, at_ms);
                } else {
                    self.with_thing(target, |thing| thing.alarm(row, at_ms));
                }
            }
            Change::AlarmGone(id) => {
                if let Target::Alarms(scope) = target {
                    self.alarms.gone(scope, id);
                } else {
                    self.with_thing(target, |thing| thing.alarm_gone(id));
                }
            }
            Change::AlarmCounts(counts) => self.alarms.counts.set(counts),
            Change::AlarmTable(table) => {
                self.alarm_table.replace(*table, at_ms);
                self.ask_for_alarms();
            }
            Change::AlarmTableHead(head) => self.alarm_table.take_head(*head),
            Change::AlarmLine { at, line } => self.alarm_table.put(at, line, at_ms),
            Change::Bucket(bucket) => self.change_chart(target, |chart| chart::take_bucket(chart, bucket)),
            Change::Mark(mark) => self.change_chart(target, |chart| chart::take_mark(chart, mark)),
            Change::ChartAlarm(alarm) => self.change_chart(target, |chart| chart::take_alarm(chart, alarm)),
            Change::Found(rows) if target == Target::Other => self.others.set(Some(rows)),
            Change::Found(rows) if target == Target::Palette => self.palette.change(rows),
            // Answered by the snapshot.
            Change::Found(_) if target == Target::Named => {}
            Change::Found(rows) => self.found.set(Some(rows)),
            Change::Attention(rows) => self.attention.set(Aged { row: rows, at_ms }),
            Change::Things(page) => self.things.replace(page, at_ms),
            Change::ThingRow { at, row } => self.things.put(at, row, at_ms),
            Change::ThingsMoved(moved) => self.things.moved.set(moved),
            Change::Bulk(row) if target == Target::Bulk => self.bulks.head.set(Some(*row)),
            Change::Bulk(row) => self.bulks.put(*row, at_ms),
            Change::BulkGone(id) => self.bulks.all.remove(&id),
            Change::BulkPage(page) => self.bulks.replace_page(*page, at_ms),
            Change::BulkThing { row, .. } => self.bulks.put_row(row, at_ms),
            Change::NotConverged(row) => self.put_not_converged(row, at_ms),
            Change::NotConvergedGone(leaf) => self.not_converged.remove(&leaf),
            Change::Job(row) if target == Target::Job => self.jobs.head.set(Some(row)),
            Change::Job(row) => self.jobs.put(row, at_ms),
            Change::JobGone(_) if target == Target::Job => self.shut_job(),
            Change::JobGone(id) => self.jobs.all.remove(&id),
            Change::JobPage(page) => self.jobs.put_page(*page, at_ms),
            Change::ThingJob(row) if target == Target::Job => self.jobs.put_row(row, at_ms),
            Change::ThingJob(row) => self.with_thing(target, |thing| thing.job(row, at_ms)),
            Change::ThingJobGone(job) => self.with_thing(target, |thing| thing.job_gone(&job)),
            Change::Firmware(rows) => self.jobs.firmware.set(Some(rows)),
            Change::Parking(rows) => self.parking.replace(rows, at_ms, |row| row.thing),
            Change::Message(row) => self.messages.push(row),
            Change::Board { at, shown } => self.boards.take(at, *shown, at_ms),
            Change::Settings(settings) => self.settings.set(Some(*settings)),
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
}

/// Whether a change waits while the person holds live values still. Alarms, commands and the link never wait.
fn is_held(change: &Change) -> bool {
    match change {
        Change::Map(_)
        | Change::Head(_)
        | Change::Value(_)
        | Change::Bucket(_)
        | Change::Mark(_)
        | Change::Found(_)
        | Change::Things(_)
        | Change::ThingRow { .. }
        | Change::ThingsMoved(_)
        | Change::Parking(_)
        | Change::Message(_) => true,
        Change::Board { shown, .. } => !matches!(**shown, Shown::Alarms { .. }),
        Change::Status(_)
        | Change::Ground(_)
        | Change::Shadow(_)
        | Change::ShadowGone(_)
        | Change::Command(_)
        | Change::CommandGone(_)
        | Change::Bulk(_)
        | Change::BulkGone(_)
        | Change::BulkPage(_)
        | Change::BulkThing { .. }
        | Change::NotConverged(_)
        | Change::NotConvergedGone(_)
        | Change::Job(_)
        | Change::JobGone(_)
        | Change::JobPage(_)
        | Change::ThingJob(_)
        | Change::ThingJobGone(_)
        | Change::Firmware(_)
        | Change::Attention(_)
        | Change::Alarm(_)
        | Change::AlarmGone(_)
        | Change::ChartAlarm(_)
        | Change::AlarmCounts(_)
        | Change::AlarmTable(_)
        | Change::AlarmTableHead(_)
        | Change::AlarmLine { .. }
        | Change::Settings(_) => false,
    }
}
