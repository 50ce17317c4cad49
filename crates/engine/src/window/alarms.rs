//! Alarms as windows see them: the list, and the short one of what needs a person.
//!
//! A row carries no age, so it changes only when its alarm does, when its thing is described or moves, and when it becomes unknown
//! or known again whether it is still so.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::map::Status;
use fleetlens_ipc::rows::{AlarmCounts, AlarmList, AlarmRow, Attention, AttentionRow, Change, Hidden, Rows};
use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::id::{AlarmId, ThingKey};

use super::Told;
use super::list::place_words;
use crate::fleet::{Dirty, Fleet, Thing};

/// Rows an alarm list has at most.
const ROWS_MAX: u32 = 2_000;

#[derive(Debug)]
pub(super) struct AlarmsView {
    scope: AlarmScope,
    limit: usize,
    counts: AlarmCounts,
    shown: BTreeMap<AlarmId, AlarmRow>,
    /// Things of the rows shown.
    things: BTreeSet<ThingKey>,
}

impl AlarmsView {
    pub(super) fn new(scope: AlarmScope, limit: u32) -> AlarmsView {
        let limit = limit.clamp(1, ROWS_MAX) as usize;
        AlarmsView { scope, limit, counts: AlarmCounts::default(), shown: BTreeMap::new(), things: BTreeSet::new() }
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        let common = if self.things.len() < dirty.things.len() {
            self.things.iter().any(|thing| dirty.things.contains(thing))
        } else {
            dirty.things.iter().any(|thing| self.things.contains(thing))
        };
        dirty.everything || !dirty.alarms.is_empty() || common
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let counts = fleet.alarms.counts();
        let listed = fleet.alarms.of(self.scope).take(self.limit);
        let rows: Vec<AlarmRow> = listed.filter_map(|alarm| alarm_row(alarm, fleet)).collect();
        if first {
            self.remember(counts, rows.iter().cloned());
            return Told::All(Rows::Alarms(AlarmList { counts, rows }));
        }
        let mut gone = std::mem::take(&mut self.shown);
        let mut changes = Vec::new();
        for row in &rows {
            if gone.remove(&row.id).as_ref() != Some(row) {
                changes.push(Change::Alarm(row.clone()));
            }
        }
        changes.extend(gone.into_keys().map(Change::AlarmGone));
        if counts != self.counts {
            changes.push(Change::AlarmCounts(counts));
        }
        self.remember(counts, rows.into_iter());
        Told::Some(changes)
    }

    fn remember(&mut self, counts: AlarmCounts, rows: impl Iterator<Item = AlarmRow>) {
        self.counts = counts;
        self.shown = rows.map(|row| (row.id, row)).collect();
        self.things = self.shown.values().map(|row| row.thing).collect();
    }
}

/// The open alarms of a thing as rows, worst first.
pub(super) fn rows_of(thing: &Thing, fleet: &Fleet) -> Vec<AlarmRow> {
    fleet.alarms_of(thing).into_iter().filter_map(|alarm| alarm_row(alarm, fleet)).collect()
}

/// The worst open alarm of a thing in a word or two; empty for none.
pub(super) fn worst_words(thing: &Thing, fleet: &Fleet) -> String {
    let alarms = fleet.alarms_of(thing);
    alarms.iter().find(|alarm| !alarm.state.is_hidden()).map_or_else(String::new, |alarm| alarm.name.clone())
}

pub(super) fn alarm_row(alarm: &Alarm, fleet: &Fleet) -> Option<AlarmRow> {
    let thing = fleet.things.get(&alarm.thing)?;
    let rule = fleet.rules.named(&alarm.rule);
    let mutes = if alarm.is_active() && fleet.is_about_silence(&alarm.rule) { fleet.mutes(thing) } else { 0 };
    Some(AlarmRow {
        id: alarm.id,
        thing: thing.key,
        thing_title: thing.title().to_string(),
        kind: thing.meta.common.kind,
        place: place_words(thing),
        at: thing.place(),
        priority: alarm.priority,
        title: title(thing, alarm),
        sentence: alarm.sentence.clone(),
        cause: rule.map_or_else(String::new, |rule| rule.cause.clone()),
        consequence: rule.map_or_else(String::new, |rule| rule.consequence.clone()),
        what_to_do: alarm.what_to_do.clone(),
        active: alarm.is_active(),
        unknown_since_ms: if alarm.is_active() { fleet.unknown_since(thing) } else { None },
        raised_ms: alarm.raised_ms(),
        cleared_ms: alarm.state.cleared_ms.filter(|_| !alarm.is_active()),
        times: alarm.state.times,
        acknowledged: alarm.seen().cloned(),
        standing: alarm.state.standing(),
        hidden: hidden(&alarm.state),
        suppressed: alarm.state.suppressed.clone().unwrap_or_default(),
        assigned: alarm.assigned.clone(),
        time_available_ms: rule.and_then(|rule| rule.time_available_ms),
        mutes,
    })
}

/// Why people are not told of it, and until when.
fn hidden(state: &State) -> Option<Hidden> {
    match state {
        State { out_of_service: Some(by), .. } => Some(Hidden { by: by.clone(), until_ms: None }),
        State { shelved: Some(shelving), .. } => {
            Some(Hidden { by: shelving.by.clone(), until_ms: Some(shelving.until_ms) })
        }
        State { .. } => None,
    }
}

/// What is wrong: `Bin 0012 nearly full`.
pub(super) fn title(thing: &Thing, alarm: &Alarm) -> String {
    format!("{} {}", thing.title(), alarm.name)
}

#[derive(Debug)]
pub(super) struct AttentionView {
    limit: usize,
    shown: Attention,
}

impl AttentionView {
    pub(super) fn new(limit: u32) -> AttentionView {
        AttentionView { limit: limit.clamp(1, 200) as usize, shown: Attention::default() }
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let rows = fleet.alarms.needing().take(self.limit).filter_map(|alarm| attention_row(alarm, fleet)).collect();
        let attention = Attention { count: fleet.alarms.needing_count(), rows };
        if first {
            self.shown.clone_from(&attention);
            Told::All(Rows::Attention(attention))
        } else if attention != self.shown {
            self.shown.clone_from(&attention);
            Told::Some(vec![Change::Attention(attention)])
        } else {
            Told::Nothing
        }
    }
}

fn attention_row(alarm: &Alarm, fleet: &Fleet) -> Option<AttentionRow> {
    let thing = fleet.things.get(&alarm.thing)?;
    Some(AttentionRow {
        alarm: alarm.id,
        thing: thing.key,
        title: title(thing, alarm),
        sentence: alarm.sentence.clone(),
        what_to_do: alarm.what_to_do.clone(),
        status: status_for(alarm.priority).unwrap_or(Status::Normal).code(),
        since_ms: alarm.raised_ms(),
    })
}

/// The mark of a thing with an active alarm; `None` where it has the one it would have without.
pub(super) fn status_for(priority: Priority) -> Option<Status> {
    match priority {
        Priority::Advisory => None,
        Priority::Warning => Some(Status::Warning),
        Priority::Critical => Some(Status::Critical),
    }
}
