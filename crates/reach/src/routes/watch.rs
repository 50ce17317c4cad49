//! The alarms that are active, as far as we were told: whom they were told to, and when they escalate.

use std::collections::BTreeMap;

use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{MonoMs, Now};

use super::{Effects, Route, fresh};
use crate::notice::{Event, Notice};
use crate::outbox::{Kept, Record, Watched};
use crate::since::Since;

/// Alarms that are watched. Of one more the least is not watched any more: one that was acknowledged, else the oldest of the lowest
/// priority.
pub(super) const WATCHED_MAX: usize = 5_000;

/// Occurrences of one alarm that its row remembers.
const OCCURRENCES_MAX: usize = 16;

/// The alarms that are active.
#[derive(Debug, Default)]
pub(super) struct Watch {
    alarms: BTreeMap<AlarmId, (u64, Watched)>,
    /// Nothing escalates before this moment.
    next: Option<MonoMs>,
    left_out: u64,
}

impl Watch {
    /// Takes a row out of the journal.
    pub fn resume(&mut self, key: u64, watched: Watched, now: Now) {
        let watched = Watched { since: watched.since.resumed(now), ..watched };
        self.alarms.insert(watched.notice.alarm, (key, watched));
        self.next = Some(now.mono);
    }

    /// An alarm was raised or told again; who else is to hear of it, because it went to them before. What was acknowledged waits
    /// anew; what was told again without ever having been goes on waiting.
    /// `soonest_ms` is the shortest time after which anything escalates.
    pub fn begin(
        &mut self,
        notice: &Notice,
        next_key: &mut u64,
        soonest_ms: Option<u64>,
        now: Now,
        effects: &mut Effects,
    ) -> Vec<String> {
        let anew = soonest_ms.map(|soonest_ms| now.mono.plus(soonest_ms));
        self.next = [self.next, anew].into_iter().flatten().min();
        let occurrence = notice.occurrence();
        let goes_on = notice.event != Event::Raised;
        match self.alarms.get_mut(&notice.alarm) {
            Some((_, watched)) => {
                if !goes_on || watched.acknowledged {
                    watched.since = Since::new(now);
                    watched.acknowledged = false;
                    watched.told.clear();
                } else {
                    // It may have become worse, and so be for others.
                    self.next = soonest_ms.map(|_| now.mono);
                }
                watched.notice = notice.clone();
                watched.occurrences.push(occurrence);
                if watched.occurrences.len() > OCCURRENCES_MAX {
                    watched.occurrences.remove(0);
                }
                watched.told.clone()
            }
            None => {
                let watched = Watched {
                    notice: notice.clone(),
                    since: Since::new(now),
                    acknowledged: false,
                    told: Vec::new(),
                    occurrences: vec![occurrence],
                };
                self.alarms.insert(notice.alarm, (fresh(next_key), watched));
                self.shed(effects);
                Vec::new()
            }
        }
    }

    fn shed(&mut self, effects: &mut Effects) {
        if self.alarms.len() <= WATCHED_MAX {
            return;
        }
        let least =
            |(_, (key, watched)): &(&AlarmId, &(u64, Watched))| (!watched.acknowledged, watched.notice.priority, *key);
        if let Some(alarm) = self.alarms.iter().min_by_key(least).map(|(alarm, _)| *alarm)
            && let Some((key, _)) = self.alarms.remove(&alarm)
        {
            effects.removed.push(key);
            self.left_out += 1;
        }
    }

    /// These routes were told of it; its row.
    pub fn has_told(&mut self, alarm: AlarmId, names: Vec<String>) -> Option<Record> {
        let (key, watched) = self.alarms.get_mut(&alarm)?;
        for name in names {
            if !watched.told.contains(&name) {
                watched.told.push(name);
            }
        }
        Some(record(*key, watched))
    }

    /// It does not escalate until it is raised or told again; whether that changes anything.
    pub fn acknowledge(&mut self, alarm: AlarmId) -> bool {
        match self.alarms.get_mut(&alarm) {
            Some((_, watched)) => !std::mem::replace(&mut watched.acknowledged, true),
            None => false,
        }
    }

    /// What should have told these routes was called off; its row.
    pub fn has_not_told(&mut self, alarm: AlarmId, names: &[String]) -> Option<Record> {
        let (key, watched) = self.alarms.get_mut(&alarm)?;
        watched.told.retain(|name| !names.contains(name));
        Some(record(*key, watched))
    }

    /// It is over; its row's key and what was known of it, if it was watched.
    pub fn end(&mut self, alarm: AlarmId) -> Option<(u64, Watched)> {
        self.alarms.remove(&alarm)
    }

    /// Whether something may escalate.
    pub fn is_due(&self, now: Now) -> bool {
        self.next.is_some_and(|next| next <= now.mono)
    }

    /// What escalates now, to which routes, with its row.
    pub fn escalated(&mut self, steps: &[&Route], now: Now) -> Vec<(Notice, Vec<String>, Record)> {
        let mut escalated = Vec::new();
        for (key, watched) in self.alarms.values_mut().filter(|(_, watched)| !watched.acknowledged) {
            let due = open_steps(steps, watched).filter(|route| watched.since.left_ms(route.after_ms, now) == 0);
            let names: Vec<String> = due.map(|route| route.name.clone()).collect();
            if !names.is_empty() {
                watched.told.extend(names.iter().cloned());
                let notice = Notice { event: Event::Escalated, at: now.wall, ..watched.notice.clone() };
                escalated.push((notice, names, record(*key, watched)));
            }
        }
        escalated
    }

    /// Works out when to look next.
    pub fn look_again(&mut self, steps: &[&Route], now: Now) {
        let open = self.alarms.values().map(|(_, watched)| watched).filter(|watched| !watched.acknowledged);
        let left =
            open.flat_map(|watched| open_steps(steps, watched).map(|route| watched.since.left_ms(route.after_ms, now)));
        self.next = left.min().map(|left_ms| now.mono.plus(left_ms.max(1)));
    }

    /// How long nothing escalates, in milliseconds.
    pub fn idle_ms(&self, now: Now) -> Option<u64> {
        self.next.map(|next| next.since(now.mono))
    }

    /// How many were no longer watched, because there were too many.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// The steps that an alarm can still be sent on to.
fn open_steps<'a>(steps: &'a [&'a Route], watched: &'a Watched) -> impl Iterator<Item = &'a Route> {
    let is_open = |route: &&Route| route.from <= watched.notice.priority && !watched.told.contains(&route.name);
    steps.iter().copied().filter(is_open)
}

fn record(key: u64, watched: &Watched) -> Record {
    Record { key, kept: Kept::Watched(watched.clone()) }
}
