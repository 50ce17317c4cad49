//! What is told outside the windows: each critical alarm once, and a flood of them as one.

use std::collections::{BTreeSet, VecDeque};

use fleetlens_model::alarm::Alarm;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{MonoMs, Now};

use super::{Effects, Fleet, Outward};
use crate::port::{Alert, AlertPlace};

/// So many within [`FLOOD_MS`] are told one by one.
const ONE_BY_ONE: usize = 5;

/// Over how long alarms are counted for a flood, and how long nothing is told after one, in milliseconds.
const FLOOD_MS: u64 = 10_000;

/// Alarms that a flood's one message names.
const NAMED: usize = 3;

/// Places that a flood's one message carries: more on a small map would be one blot.
pub const ALERT_PLACES_MAX: usize = 50;

/// What was told lately, and what is still to be told.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    /// In the order in which they were raised, each once.
    waiting: Vec<AlarmId>,
    /// The same ones: in a city of 100 000 things all may be raised at once.
    is_waiting: BTreeSet<AlarmId>,
    told: VecDeque<MonoMs>,
    quiet_until: Option<MonoMs>,
}

impl Alerts {
    /// A critical alarm was raised.
    pub(super) fn add(&mut self, alarm: AlarmId) {
        if self.is_waiting.insert(alarm) {
            self.waiting.push(alarm);
        }
    }
}

impl Fleet {
    /// Tells what was raised since the last time and still needs a person.
    pub(super) fn tell_alerts(&mut self, now: Now, effects: &mut Effects) {
        let alerts = &mut self.alerts;
        if alerts.waiting.is_empty() || alerts.quiet_until.is_some_and(|end| now.mono < end) {
            return;
        }
        alerts.quiet_until = None;
        while alerts.told.front().is_some_and(|at| now.mono.since(*at) >= FLOOD_MS) {
            alerts.told.pop_front();
        }
        let told = alerts.told.len();
        let waiting = std::mem::take(&mut alerts.waiting);
        alerts.is_waiting.clear();
        let raised: Vec<Alert> = waiting
            .iter()
            .filter_map(|id| self.alarms.get(*id))
            .filter(|alarm| alarm.needs_a_person())
            .filter_map(|alarm| self.alert(alarm))
            .collect();
        if told + raised.len() <= ONE_BY_ONE {
            self.alerts.told.extend(raised.iter().map(|_| now.mono));
            effects.outward.extend(raised.into_iter().map(Outward::Alert));
        } else if let Some(one) = flood(&raised) {
            self.alerts.quiet_until = Some(now.mono.plus(FLOOD_MS));
            effects.outward.push(Outward::Alert(one));
        }
    }

    fn alert(&self, alarm: &Alarm) -> Option<Alert> {
        let thing = self.things.get(&alarm.thing)?;
        Some(Alert {
            alarm: alarm.id,
            thing: alarm.thing,
            title: format!("{} {}", thing.title(), alarm.name),
            body: with_what_to_do(alarm),
            places: thing.place().map(|at| AlertPlace { at, priority: alarm.priority }).into_iter().collect(),
        })
    }
}

/// What was seen, and what to do about it.
fn with_what_to_do(alarm: &Alarm) -> String {
    let parts = [alarm.sentence.as_str(), alarm.what_to_do.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Many as one; it leads to the first.
fn flood(raised: &[Alert]) -> Option<Alert> {
    let first = raised.first()?;
    if raised.len() == 1 {
        return Some(first.clone());
    }
    let mut body = raised.iter().take(NAMED).map(|alert| alert.title.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(more) = raised.len().checked_sub(NAMED).filter(|more| *more > 0) {
        body.push_str(&format!(" and {more} more"));
    }
    let places = raised.iter().flat_map(|alert| &alert.places).take(ALERT_PLACES_MAX).copied().collect();
    Some(Alert { title: format!("{} critical alarms", raised.len()), body, places, ..first.clone() })
}
