//! What is told of alarms to people who are not before any window: raised, told again, cleared, and that somebody looks after it.
//! Whom that goes to, and when, is not decided here.

use fleetlens_ipc::AlarmScope;
use fleetlens_model::alarm::state::{Effect, State};
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::time::{Now, WallMs};

use super::{Effects, Fleet, Outward};
use crate::port::{AlarmEvent, Happened, News};

/// Alarms that are told of once more at a start, worst first.
const STANDING_MAX: usize = 500;

/// How an alarm stood before something happened to it, as far as that matters for whom it is told to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stood {
    was_told: bool,
    was_seen: bool,
    was_hidden: bool,
}

impl Stood {
    pub(super) fn of(state: &State) -> Stood {
        Stood {
            was_told: state.told_ms.is_some(),
            was_seen: state.acknowledged.is_some(),
            was_hidden: state.is_hidden(),
        }
    }
}

impl Fleet {
    /// What follows from what has happened to an alarm that stands as it is given now, whoever did it: the desktop's notice, the audit
    /// log of a shelf whose time was up, and those who are not before any window.
    pub(super) fn follow(&mut self, stood: Stood, alarm: &Alarm, happened: &[Effect], now: Now, effects: &mut Effects) {
        if happened.contains(&Effect::Unshelved { by_itself: true }) {
            self.audit_shelf_over(alarm, now, effects);
        }
        for effect in happened {
            if let Effect::Told { again } = effect {
                self.alarms.note_told(alarm.priority, *again, now);
            }
        }
        let is_told = happened.iter().any(|effect| matches!(effect, Effect::Told { .. }));
        if is_told && alarm.priority == Priority::Critical {
            self.alerts.add(alarm.id);
        }
        self.tell_of(stood, alarm, happened, effects);
    }

    /// Tells what has happened to an alarm that stands as it is given now. That one is over hears who was told that it was so.
    fn tell_of(&self, stood: Stood, alarm: &Alarm, happened: &[Effect], effects: &mut Effects) {
        if !self.is_for_people(alarm) {
            return;
        }
        for effect in happened {
            let news = match effect {
                Effect::Told { again: false } => Some((AlarmEvent::Raised, alarm.raised_ms())),
                Effect::Told { again: true } => Some((AlarmEvent::ToldAgain, alarm.raised_ms())),
                Effect::Cleared if stood.was_told => {
                    Some((AlarmEvent::Cleared, alarm.state.cleared_ms.unwrap_or_else(|| alarm.raised_ms())))
                }
                Effect::Cleared | Effect::Raised | Effect::Unshelved { .. } | Effect::Over | Effect::Refused(_) => None,
            };
            let news = news.and_then(|(event, at_ms)| self.news(event, alarm, at_ms));
            effects.outward.extend(news.map(|news| Outward::Happened(Happened::News(Box::new(news)))));
        }
        let is_seen = !stood.was_seen && alarm.seen().is_some();
        // What a person took off the list does not go on to the next one.
        let is_put_away = !stood.was_hidden && alarm.state.is_hidden();
        if is_seen || is_put_away {
            effects.outward.push(Outward::Happened(Happened::Settled(alarm.id)));
        }
    }

    /// Tells of what stands, once, at the start: between the commit and the port a program may have ended. Whoever was told knows
    /// it by its time, which is that of its beginning.
    pub(super) fn tell_what_stands(&self, effects: &mut Effects) {
        let told = |alarm: &&Alarm| self.is_for_people(alarm) && alarm.is_active() && alarm.state.told_ms.is_some();
        for alarm in self.alarms.of(AlarmScope::Open).filter(told).take(STANDING_MAX) {
            let happened = match alarm.seen() {
                Some(_) => Some(Happened::Settled(alarm.id)),
                None => {
                    let at_ms = alarm.state.since_ms.unwrap_or_else(|| alarm.raised_ms());
                    self.news(AlarmEvent::Raised, alarm, at_ms).map(|news| Happened::News(Box::new(news)))
                }
            };
            effects.outward.extend(happened.map(Outward::Happened));
        }
    }

    fn is_for_people(&self, alarm: &Alarm) -> bool {
        self.config.told_from.is_some_and(|from| alarm.priority >= from)
    }

    fn news(&self, event: AlarmEvent, alarm: &Alarm, at_ms: WallMs) -> Option<News> {
        let thing = self.things.get(&alarm.thing)?;
        let rule = self.rule_of(alarm);
        Some(News {
            event,
            alarm: alarm.id,
            fleet: self.config.profile.clone(),
            thing: thing.name.to_string(),
            title: thing.title().to_owned(),
            rule: alarm.rule.clone(),
            name: alarm.name.clone(),
            priority: alarm.priority,
            sentence: alarm.sentence.clone(),
            cause: rule.cause.clone(),
            consequence: rule.consequence.clone(),
            what_to_do: alarm.what_to_do.clone(),
            at_ms,
            place: thing.place(),
        })
    }
}
