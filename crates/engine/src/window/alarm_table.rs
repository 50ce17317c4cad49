//! A stretch of the table of alarms: sorted, filtered and grouped here, so that a window has no more than it shows, however many there
//! are.
//!
//! **Nothing moves under anybody's hand.** While somebody is in the list (`hold`) the order is kept as it was told: what is new waits and
//! is counted, what has left stands where it stood and says so. Otherwise it is made anew when an alarm changes, twice a second at most.

mod made;

use std::collections::BTreeSet;

use fleetlens_ipc::rows::{
    AlarmGroupRow, AlarmLine, AlarmTable, AlarmTableHead, Change, FloodRow, ListedAlarm, Rows, ShownAlarm,
};
use fleetlens_ipc::{ACKNOWLEDGED_MAX, AlarmGrouping, AlarmsQuery, FOLDS_MAX, Folds, ShownPart};
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::time::WallMs;

use super::Told;
use super::alarms::{alarm_row, title};
use crate::fleet::{Dirty, Fleet};
use made::{Group, Made, is_of, is_unseen};

#[derive(Debug)]
pub(super) struct AlarmTableView {
    query: AlarmsQuery,
    folds: Folds,
    first: usize,
    count: usize,
    hold: bool,
    /// `None` before it was made, and where it is to be made anew whoever is in the list.
    made: Option<Made>,
    fresh: usize,
    /// Alarms changed since it was last told.
    is_stale: bool,
    /// Alarms changed since it was made.
    is_behind: bool,
    shown: AlarmTable,
    /// Things of the lines shown.
    things: BTreeSet<ThingKey>,
    flood: Option<FloodRow>,
}

impl AlarmTableView {
    pub(super) fn new(query: AlarmsQuery) -> AlarmTableView {
        AlarmTableView {
            query,
            folds: Folds::default(),
            first: 0,
            count: 1,
            hold: false,
            made: None,
            fresh: 0,
            is_stale: true,
            is_behind: false,
            shown: AlarmTable::default(),
            things: BTreeSet::new(),
            flood: None,
        }
    }

    /// The same table, looked at otherwise.
    pub(super) fn at(self, mut folds: Folds, (first, count): (u32, u32), hold: bool, again: bool) -> AlarmTableView {
        let many = folds.except.len().saturating_sub(FOLDS_MAX);
        folds.except.drain(..many);
        let made = self.made.filter(|_| !again);
        AlarmTableView { folds, first: first as usize, count: count.clamp(1, 500) as usize, hold, made, ..self }
    }

    pub(super) fn is_of(&self, query: &AlarmsQuery) -> bool {
        self.query == *query
    }

    pub(super) fn soil(&mut self, dirty: &Dirty, fleet: &Fleet) -> bool {
        self.is_stale |= dirty.everything || !dirty.alarms.is_empty() || self.flood != fleet.alarms.flood();
        self.is_stale || self.things.iter().any(|thing| dirty.things.contains(thing))
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        self.is_behind |= self.is_stale;
        match self.made.take().filter(|_| self.hold || !self.is_behind) {
            Some(mut held) => {
                if self.is_stale {
                    held.prune(fleet);
                    self.fresh = held.fresh(&self.query, fleet);
                }
                self.made = Some(held);
            }
            None => {
                self.made = Some(Made::of(&self.query, fleet));
                (self.fresh, self.is_behind) = (0, false);
            }
        }
        (self.is_stale, self.flood) = (false, fleet.alarms.flood());
        let table = self.table(fleet);
        self.retell(&table.lines, fleet);
        let before = std::mem::replace(&mut self.shown, table.clone());
        let thing = |line: &AlarmLine| match line {
            AlarmLine::Alarm(listed) => Some(listed.row.thing),
            AlarmLine::Group(_) => None,
        };
        self.things = table.lines.iter().filter_map(thing).collect();
        if first {
            return Told::All(Rows::AlarmTable(Box::new(table)));
        }
        let place = |line: &AlarmLine| match line {
            AlarmLine::Alarm(listed) => (Some(listed.row.id), String::new()),
            AlarmLine::Group(group) => (None, group.key.clone()),
        };
        let is_same = before.first == table.first
            && before.head.lines == table.head.lines
            && before.lines.iter().map(place).eq(table.lines.iter().map(place));
        if !is_same {
            return Told::Some(vec![Change::AlarmTable(Box::new(table))]);
        }
        let mut changes = Vec::new();
        if before.head != table.head {
            changes.push(Change::AlarmTableHead(Box::new(table.head)));
        }
        for (at, (was, line)) in (table.first..).zip(before.lines.into_iter().zip(table.lines)) {
            if was != line {
                changes.push(Change::AlarmLine { at, line });
            }
        }
        Told::Some(changes)
    }

    /// From now on what stands in these lines counts as raised when they say so; a folded heading speaks for all of its group. What is
    /// not in sight stays as it was told before.
    fn retell(&mut self, lines: &[AlarmLine], fleet: &Fleet) {
        let Some(made) = &mut self.made else { return };
        let (mut alarms, mut folded) = (BTreeSet::new(), BTreeSet::new());
        for line in lines {
            match line {
                AlarmLine::Alarm(listed) => _ = alarms.insert(listed.row.id),
                AlarmLine::Group(group) if group.open => {}
                AlarmLine::Group(group) => _ = folded.insert(group.key.as_str()),
            }
        }
        for group in &mut made.groups {
            let is_folded = folded.contains(group.key.as_str());
            for (id, raised_ms) in &mut group.alarms {
                if is_folded || alarms.contains(id) {
                    *raised_ms = fleet.alarms.get(*id).map_or(*raised_ms, Alarm::raised_ms);
                }
            }
        }
    }

    /// Alarms of the table, as they were told last.
    pub(super) fn shown(&self, what: &ShownPart, fleet: &Fleet) -> Vec<ShownAlarm> {
        let Some(made) = &self.made else { return Vec::new() };
        let mut found: Vec<(AlarmId, WallMs)> = Vec::new();
        match what {
            ShownPart::All => found.extend(made.groups.iter().flat_map(|group| &group.alarms)),
            ShownPart::Group(key) => {
                let named = made.groups.iter().filter(|group| group.key == *key);
                found.extend(named.flat_map(|group| &group.alarms));
            }
            ShownPart::Lines { from, to } => {
                let (from, to) = (*from.min(to) as usize, *from.max(to) as usize);
                let mut place = 0_usize;
                for group in &made.groups {
                    let is_open = self.is_open(group);
                    if made.group != AlarmGrouping::Nothing {
                        if !is_open && (from..=to).contains(&place) {
                            found.extend(&group.alarms);
                        }
                        place += 1;
                    }
                    if is_open {
                        let within = group.alarms.iter().enumerate();
                        found.extend(within.filter(|(n, _)| (from..=to).contains(&(place + n))).map(|(_, one)| *one));
                        place += group.alarms.len();
                    }
                }
            }
        }
        let stands = |(id, raised_ms): (AlarmId, WallMs)| {
            let alarm = fleet.alarms.get(id).filter(|alarm| is_of(alarm, self.query.scope))?;
            let thing = fleet.things.get(&alarm.thing)?;
            Some(ShownAlarm { id, raised_ms, unseen: is_unseen(&alarm.state), title: title(thing, alarm) })
        };
        found.into_iter().filter_map(stands).take(ACKNOWLEDGED_MAX).collect()
    }

    fn is_folded(&self) -> bool {
        self.folds.folded.unwrap_or(self.made.as_ref().is_some_and(|made| made.by_itself))
    }

    fn is_open(&self, group: &Group) -> bool {
        let is_grouped = self.made.as_ref().is_some_and(|made| made.group != AlarmGrouping::Nothing);
        !is_grouped || self.is_folded() == self.folds.except.contains(&group.key)
    }

    fn table(&self, fleet: &Fleet) -> AlarmTable {
        let Some(made) = &self.made else { return AlarmTable::default() };
        let heading = usize::from(made.group != AlarmGrouping::Nothing);
        let lines_of = |group: &Group| heading + if self.is_open(group) { group.alarms.len() } else { 0 };
        let total: usize = made.groups.iter().map(lines_of).sum();
        // A table that became shorter is shown from where it still has lines.
        let first = self.first.min(total.saturating_sub(1));
        let stretch = first..first.saturating_add(self.count);
        let mut lines = Vec::new();
        let mut place = 0_usize;
        for group in &made.groups {
            let (begins, is_open) = (place, self.is_open(group));
            place += lines_of(group);
            if place <= stretch.start || begins >= stretch.end {
                continue;
            }
            if heading == 1 && stretch.contains(&begins) {
                lines.push(AlarmLine::Group(group_row(group, made.group, is_open, fleet)));
            }
            if is_open {
                let from = stretch.start.saturating_sub(begins + heading);
                let to = stretch.end.saturating_sub(begins + heading).min(group.alarms.len());
                let seen = group.alarms.get(from.min(to)..to).unwrap_or_default();
                lines.extend(seen.iter().filter_map(|(id, _)| self.line(*id, made, fleet)));
            }
        }
        let head = AlarmTableHead {
            lines: number(total),
            alarms: number(made.alarms()),
            groups: if heading == 1 { number(made.groups.len()) } else { 0 },
            fresh: number(self.fresh),
            of: fleet.alarms.count_of(self.query.scope),
            group: made.group,
            folded: self.is_folded(),
            by_itself: made.by_itself,
            causes: made.causes.clone(),
        };
        AlarmTable { head, first: number(first), lines }
    }

    fn line(&self, id: AlarmId, made: &Made, fleet: &Fleet) -> Option<AlarmLine> {
        let alarm = fleet.alarms.get(id)?;
        let row = alarm_row(alarm, fleet)?;
        let gone = !is_of(alarm, self.query.scope);
        Some(AlarmLine::Alarm(Box::new(ListedAlarm { row, first: made.firsts.contains(&id), gone })))
    }
}

fn group_row(group: &Group, by: AlarmGrouping, open: bool, fleet: &Fleet) -> AlarmGroupRow {
    let alarms = || group.alarms.iter().filter_map(|(id, _)| fleet.alarms.get(*id));
    let first = alarms().next();
    // What is to be done is common to what one rule says.
    let common = first.filter(|_| by == AlarmGrouping::Cause).map(|alarm| alarm.what_to_do.clone());
    AlarmGroupRow {
        key: group.key.clone(),
        title: group.title.clone(),
        what_to_do: common.unwrap_or_default(),
        count: number(group.alarms.len()),
        unseen: number(alarms().filter(|alarm| is_unseen(&alarm.state)).count()),
        worst: alarms().map(|alarm| alarm.priority).max().unwrap_or(Priority::Warning),
        newest_ms: alarms().map(Alarm::raised_ms).max().unwrap_or_default(),
        open,
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
