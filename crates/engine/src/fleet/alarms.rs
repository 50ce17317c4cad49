//! The alarms of the fleet: one book of all that are open and the newest that are over, with the orders and counts that windows ask
//! for kept as they change, so that none of them is a walk over the city.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::AlarmCounts;
use fleetlens_ipc::{ACKNOWLEDGED_MAX, Fault, FaultCode, Scope};
use fleetlens_model::alarm::{Acknowledgement, Alarm, COMMENT_MAX_CHARS, NotAcknowledged, Priority, Rule};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::record::Write;
use fleetlens_model::time::{Now, WallMs};

use super::conventions::is_told;
use super::{Effects, Fleet, Thing};

/// Alarms that are over, in memory for the history; the cache keeps more.
const ENDED_KEPT: usize = 2_000;

/// Worst first, then the newest: what just happened is what a person can still do something about.
type Rank = (Reverse<Priority>, Reverse<WallMs>, Reverse<AlarmId>);

/// Every alarm in memory.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    all: BTreeMap<AlarmId, Alarm>,
    open: BTreeSet<Rank>,
    /// The open ones that are active and that nobody has acknowledged.
    needing: BTreeSet<Rank>,
    /// Those that are over, with when they were.
    ended: BTreeSet<(WallMs, AlarmId)>,
    active: usize,
    unacknowledged: usize,
    critical: usize,
    /// The highest id ever given.
    last: u64,
}

impl Alarms {
    /// An alarm by its id.
    pub(crate) fn get(&self, id: AlarmId) -> Option<&Alarm> {
        self.all.get(&id)
    }

    /// How many there are.
    pub(crate) fn counts(&self) -> AlarmCounts {
        AlarmCounts {
            open: count(self.open.len()),
            active: count(self.active),
            unacknowledged: count(self.unacknowledged),
            critical: count(self.critical),
        }
    }

    /// How many need a person.
    pub(crate) fn needing_count(&self) -> u32 {
        count(self.needing.len())
    }

    /// Those that need a person, worst first.
    pub(crate) fn needing(&self) -> impl Iterator<Item = &Alarm> {
        self.needing.iter().filter_map(|(_, _, Reverse(id))| self.all.get(id))
    }

    /// Open ones worst first, then the newest; ended ones newest first.
    pub(crate) fn of(&self, scope: Scope) -> Box<dyn Iterator<Item = &Alarm> + '_> {
        match scope {
            Scope::Open => Box::new(self.open.iter().filter_map(|(_, _, Reverse(id))| self.all.get(id))),
            Scope::Ended => Box::new(self.ended.iter().rev().filter_map(|(_, id)| self.all.get(id))),
        }
    }

    fn next_id(&mut self) -> AlarmId {
        self.last += 1;
        AlarmId(self.last)
    }

    /// Takes an alarm as it is now, and gives the one that is forgotten for it.
    fn put(&mut self, alarm: Alarm) -> Option<AlarmId> {
        if let Some(before) = self.all.remove(&alarm.id) {
            self.uncount(&before);
        }
        self.last = self.last.max(alarm.id.0);
        match alarm.ended_ms() {
            Some(at) => {
                self.ended.insert((at, alarm.id));
            }
            None => self.count(&alarm),
        }
        self.all.insert(alarm.id, alarm);
        let (_, oldest) = (self.ended.len() > ENDED_KEPT).then(|| self.ended.pop_first()).flatten()?;
        self.all.remove(&oldest);
        Some(oldest)
    }

    fn count(&mut self, alarm: &Alarm) {
        self.open.insert(rank(alarm));
        self.active += usize::from(alarm.active);
        self.unacknowledged += usize::from(alarm.acknowledged.is_none());
        if alarm.needs_a_person() {
            self.needing.insert(rank(alarm));
            self.critical += usize::from(alarm.priority == Priority::Critical);
        }
    }

    fn uncount(&mut self, alarm: &Alarm) {
        if let Some(at) = alarm.ended_ms() {
            self.ended.remove(&(at, alarm.id));
            return;
        }
        self.open.remove(&rank(alarm));
        self.active -= usize::from(alarm.active);
        self.unacknowledged -= usize::from(alarm.acknowledged.is_none());
        if self.needing.remove(&rank(alarm)) {
            self.critical -= usize::from(alarm.priority == Priority::Critical);
        }
    }
}

fn rank(alarm: &Alarm) -> Rank {
    (Reverse(alarm.priority), Reverse(alarm.raised_ms), Reverse(alarm.id))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Fleet {
    /// Takes the alarms as they were: nothing is raised or cleared by a restart.
    pub(super) fn restore_alarms(&mut self, alarms: Vec<Alarm>, last: u64) {
        for alarm in alarms {
            if self.things.contains_key(&alarm.thing) {
                let (thing, id) = (alarm.thing, alarm.id);
                self.alarms.put(alarm);
                self.note_alarm(thing, id);
            }
        }
        self.alarms.last = self.alarms.last.max(last);
    }

    /// The thing's open alarm of a rule.
    pub(super) fn open_alarm(&self, thing: &Thing, rule: &str) -> Option<&Alarm> {
        thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).find(|alarm| alarm.rule == rule)
    }

    /// The thing's open alarms, worst first.
    pub(crate) fn alarms_of(&self, thing: &Thing) -> Vec<&Alarm> {
        let mut alarms: Vec<&Alarm> = thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).collect();
        alarms.sort_by_key(|alarm| (Reverse(alarm.active), rank(alarm)));
        alarms
    }

    /// A rule is broken: a new alarm, or the open one once more. One that is active already is left as it is.
    pub(super) fn raise(&mut self, key: ThingKey, rule: &Rule, sentence: String, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        match self.open_alarm(thing, &rule.id).cloned() {
            Some(open) if open.active => {}
            Some(open) => self.raise_again(open, rule, sentence, now, effects),
            None => {
                let alarm = Alarm::raise(self.alarms.next_id(), key, rule, sentence, now.wall);
                self.raised(alarm, effects);
            }
        }
    }

    /// The same alarm once more: what was acknowledged of it was something else.
    pub(super) fn raise_again(
        &mut self,
        mut alarm: Alarm,
        rule: &Rule,
        sentence: String,
        now: Now,
        effects: &mut Effects,
    ) {
        alarm.raise_again(rule, sentence, now.wall);
        self.raised(alarm, effects);
    }

    fn raised(&mut self, alarm: Alarm, effects: &mut Effects) {
        if alarm.priority == Priority::Critical {
            self.alerts.add(alarm.id);
        }
        self.keep_alarm(alarm, effects);
    }

    /// A rule is kept again.
    pub(super) fn clear(&mut self, key: ThingKey, rule: &str, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        if let Some(alarm) = self.open_alarm(thing, rule).filter(|alarm| alarm.active) {
            let mut alarm = alarm.clone();
            alarm.clear(now.wall);
            self.keep_alarm(alarm, effects);
        }
    }

    /// Clears what no rule of the profile says of the thing any more: nobody would ever say that it is over. What a thing raised itself
    /// it clears itself.
    pub(super) fn clear_unruled(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let open = thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).map(|alarm| &alarm.rule);
        let unruled = open.filter(|rule| !is_told(rule) && !self.rules.speaks_of(rule, thing.meta.common.kind));
        for rule in unruled.cloned().collect::<Vec<String>>() {
            self.clear(key, &rule, now, effects);
        }
    }

    /// An alarm is as it is now: on the disk, on the screen, and in the mark of its thing.
    pub(super) fn keep_alarm(&mut self, alarm: Alarm, effects: &mut Effects) {
        let (thing, id) = (alarm.thing, alarm.id);
        effects.writes.push(Write::Alarm(Box::new(alarm.clone())));
        if let Some(forgotten) = self.alarms.put(alarm) {
            self.dirty.alarms.insert(forgotten);
        }
        self.note_alarm(thing, id);
    }

    fn note_alarm(&mut self, key: ThingKey, id: AlarmId) {
        self.dirty.alarms.insert(id);
        let Some(thing) = self.things.get_mut(&key) else { return };
        if self.alarms.get(id).is_some_and(Alarm::is_open) {
            thing.alarms.insert(id);
        } else {
            thing.alarms.remove(&id);
        }
        let open = thing.alarms.iter().filter_map(|id| self.alarms.get(*id));
        thing.alarmed = open.filter(|alarm| alarm.active).map(|alarm| alarm.priority).max();
        self.dirty.things.insert(key);
    }

    /// A person has seen alarms as they stood on the screen. How many this covers; none of them is an error that says why.
    pub(super) fn acknowledge(
        &mut self,
        alarms: &[(AlarmId, WallMs)],
        comment: &str,
        now: Now,
        effects: &mut Effects,
    ) -> Result<u32, Fault> {
        let who = &self.config.who;
        if !who.role.may_acknowledge() {
            let message = format!("{}s of this profile watch and do not acknowledge", who.role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        // One line, whatever was pasted into it.
        let comment = comment.trim().replace(char::is_control, " ");
        if alarms.is_empty() || alarms.len() > ACKNOWLEDGED_MAX {
            let message =
                format!("an acknowledgement covers 1 to {ACKNOWLEDGED_MAX} alarms, this one {}", alarms.len());
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        let chars = comment.chars().count();
        if chars > COMMENT_MAX_CHARS {
            let message = format!("the comment has {chars} characters; at most {COMMENT_MAX_CHARS} are kept");
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        let seen = Acknowledgement { by: who.clone(), at_ms: now.wall, comment };
        let (mut covered, mut why) = (0u32, None);
        for (id, raised_ms) in alarms {
            let Some(mut alarm) = self.alarms.get(*id).cloned() else {
                why = why.or_else(|| Some(Fault::new(FaultCode::NotFound, "this alarm is not known here")));
                continue;
            };
            if let Err(fence) = self.check_fence(alarm.thing) {
                why = why.or(Some(fence));
                continue;
            }
            match alarm.acknowledge(*raised_ms, seen.clone()) {
                Ok(()) => {
                    covered += 1;
                    let (thing, name) = (alarm.thing, alarm.name.clone());
                    self.keep_alarm(alarm, effects);
                    self.audit_acknowledged(thing, &name, &seen.comment, now, effects);
                }
                // The same one named twice.
                Err(NotAcknowledged::Already(_)) if alarm.acknowledged.as_ref() == Some(&seen) => {}
                Err(not) => why = why.or_else(|| Some(Fault::new(FaultCode::TooLate, not.to_string()))),
            }
        }
        match why {
            Some(fault) if covered == 0 => Err(fault),
            Some(_) | None => Ok(covered),
        }
    }

    /// Since when nobody knows whether the thing's active alarms are still so: our link is down, or the thing was not heard since
    /// it is back.
    pub(crate) fn unknown_since(&self, thing: &Thing) -> Option<WallMs> {
        match (thing.silence.freshness(), self.up_since) {
            (Freshness::Unknown { since_ms }, _) => Some(since_ms),
            (Freshness::Never | Freshness::Live | Freshness::Silent { .. }, None) => Some(self.listened),
            (Freshness::Never | Freshness::Live | Freshness::Silent { .. }, Some(_)) => None,
        }
    }
}
