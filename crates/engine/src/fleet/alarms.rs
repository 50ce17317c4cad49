//! The alarms of the fleet: one book of all that are open and the newest that are over, with the orders and counts that windows ask
//! for kept as they change, so that none of them is a walk over the city.

mod flood;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::AlarmCounts;
use fleetlens_model::alarm::flood::Flood;
use fleetlens_model::alarm::state::{Effect, Input, Judged, State, Terms};
use fleetlens_model::alarm::{Alarm, Condition, Priority, Rule, Things};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::record::Write;
use fleetlens_model::time::{Now, WallMs};

use super::conventions::is_told;
use super::happened::Stood;
use super::watch::Due;
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
    /// The open ones that are active and that nobody has acknowledged, but for those that are only worth knowing.
    needing: BTreeSet<Rank>,
    /// Those that people are not told of, open or not.
    hidden: BTreeSet<Rank>,
    /// Those that are over, with when they were.
    ended: BTreeSet<(WallMs, AlarmId)>,
    active: usize,
    unacknowledged: usize,
    critical: usize,
    advisory: usize,
    /// The highest id ever given.
    last: u64,
    flood: Flood,
    /// How often people were told since the start, by priority, the lowest first.
    told: [u32; Priority::FROM_LOWEST.len()],
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
            hidden: count(self.hidden.len()),
            advisory: count(self.advisory),
        }
    }

    /// How many there are of a scope.
    pub(crate) fn count_of(&self, scope: AlarmScope) -> u32 {
        count(match scope {
            AlarmScope::Open => self.open.len(),
            AlarmScope::Hidden => self.hidden.len(),
            AlarmScope::Ended => self.ended.len(),
        })
    }

    /// Whether an alarm stands in a scope.
    pub(crate) fn is_of(alarm: &Alarm, scope: AlarmScope) -> bool {
        match scope {
            AlarmScope::Open => alarm.ended_ms().is_none() && !alarm.state.is_hidden(),
            AlarmScope::Hidden => alarm.state.is_hidden() && alarm.ended_ms().is_none(),
            AlarmScope::Ended => alarm.ended_ms().is_some(),
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

    /// Open and hidden ones worst first, then the newest; ended ones newest first.
    pub(crate) fn of(&self, scope: AlarmScope) -> Box<dyn Iterator<Item = &Alarm> + '_> {
        match scope {
            AlarmScope::Open => Box::new(self.open.iter().filter_map(|(_, _, Reverse(id))| self.all.get(id))),
            AlarmScope::Hidden => Box::new(self.hidden.iter().filter_map(|(_, _, Reverse(id))| self.all.get(id))),
            AlarmScope::Ended => Box::new(self.ended.iter().rev().filter_map(|(_, id)| self.all.get(id))),
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
        if alarm.state.is_hidden() {
            self.hidden.insert(rank(alarm));
            return;
        }
        self.open.insert(rank(alarm));
        self.active += usize::from(alarm.is_active());
        self.unacknowledged += usize::from(alarm.seen().is_none());
        self.advisory += usize::from(is_unseen_advisory(alarm));
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
        if self.hidden.remove(&rank(alarm)) {
            return;
        }
        self.open.remove(&rank(alarm));
        self.active -= usize::from(alarm.is_active());
        self.unacknowledged -= usize::from(alarm.seen().is_none());
        self.advisory -= usize::from(is_unseen_advisory(alarm));
        if self.needing.remove(&rank(alarm)) {
            self.critical -= usize::from(alarm.priority == Priority::Critical);
        }
    }

    /// Those that are not over.
    fn standing(&self) -> impl Iterator<Item = AlarmId> {
        self.open.iter().chain(&self.hidden).map(|(_, _, Reverse(id))| *id)
    }
}

fn is_unseen_advisory(alarm: &Alarm) -> bool {
    alarm.priority == Priority::Advisory && alarm.is_active() && alarm.seen().is_none()
}

fn rank(alarm: &Alarm) -> Rank {
    (Reverse(alarm.priority), Reverse(alarm.raised_ms()), Reverse(alarm.id))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Fleet {
    /// Takes the alarms as they were: nothing is raised or cleared by a restart, which is a lost link and nothing else.
    pub(super) fn restore_alarms(&mut self, alarms: Vec<Alarm>, last: u64, now: Now) {
        for mut alarm in alarms {
            if self.things.contains_key(&alarm.thing) {
                if alarm.ended_ms().is_none() {
                    alarm.state = alarm.state.as_written();
                    alarm.state = alarm.state.step(Input::LinkLost(self.listened), &Terms::default(), now).0;
                }
                let (thing, id) = (alarm.thing, alarm.id);
                self.alarms.put(alarm);
                self.note_alarm(thing, id);
            }
        }
        self.alarms.last = self.alarms.last.max(last);
        self.alarms.restore_flood(now);
    }

    /// An alarm of the past is as it is given from now on.
    pub(crate) fn stood(&mut self, alarm: Alarm) {
        if self.things.contains_key(&alarm.thing) {
            let (thing, id) = (alarm.thing, alarm.id);
            self.dirty.alarms.extend(self.alarms.put(alarm));
            self.note_alarm(thing, id);
        }
    }

    /// Whether there was a flood then.
    pub(super) fn stood_in_flood(&mut self, now: Now) {
        self.alarms.restore_flood(now);
    }

    /// We listen again: what was doubted is as the cache says.
    pub(super) fn believe_alarms(&mut self) {
        for id in self.alarms.standing().collect::<Vec<_>>() {
            if let Some(alarm) = self.alarms.get(id).cloned() {
                self.alarms.put(Alarm { state: alarm.state.clone().as_written(), ..alarm });
            }
        }
    }

    /// The thing's alarm of a rule, as long as it is not over.
    pub(super) fn open_alarm(&self, thing: &Thing, rule: &str) -> Option<&Alarm> {
        thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).find(|alarm| alarm.rule == rule)
    }

    /// The thing's open alarms, worst first.
    pub(crate) fn alarms_of(&self, thing: &Thing) -> Vec<&Alarm> {
        let mut alarms: Vec<&Alarm> = thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).collect();
        alarms.sort_by_key(|alarm| (Reverse(alarm.is_active()), rank(alarm)));
        alarms
    }

    /// A rule is broken: a new alarm, or the open one once more. One that is active already is left as it is.
    pub(super) fn raise(&mut self, key: ThingKey, rule: &Rule, sentence: String, now: Now, effects: &mut Effects) {
        self.fold((key, rule), Input::Judged(Judged::So), |_| sentence, now, effects);
    }

    /// The same alarm once more: what was acknowledged of it was something else.
    pub(super) fn raise_again(
        &mut self,
        key: ThingKey,
        rule: &Rule,
        sentence: String,
        now: Now,
        effects: &mut Effects,
    ) {
        self.fold((key, rule), Input::HappenedAgain, |_| sentence, now, effects);
    }

    /// A rule is kept again.
    pub(super) fn clear(&mut self, key: ThingKey, rule: &Rule, now: Now, effects: &mut Effects) {
        self.fold((key, rule), Input::Judged(Judged::NotSo), |_| String::new(), now, effects);
    }

    /// Something happens to what a rule says of a thing, whether there is an alarm of it yet or not. `sentence` is what was seen, asked
    /// for when it is raised.
    pub(super) fn fold(
        &mut self,
        (key, rule): (ThingKey, &Rule),
        input: Input,
        sentence: impl FnOnce(&Fleet) -> String,
        now: Now,
        effects: &mut Effects,
    ) {
        // What became of alarms is in the cache, and nothing else does.
        let Some(thing) = self.things.get(&key).filter(|_| !self.is_past) else { return };
        let known = self.open_alarm(thing, &rule.id);
        let at = if known.is_none() { self.rules.place(&rule.id) } else { None };
        let before = match (known, at.and_then(|at| self.watch.pending(key, at))) {
            (Some(alarm), _) => &alarm.state,
            (None, Some(state)) => state,
            (None, None) => &State::default(),
        };
        if let Input::Judged(judged) = input
            && before.is_as(judged, &rule.terms)
        {
            return;
        }
        let stood = Stood::of(before);
        let (by_design, mut happened) = self.by_design(thing, rule, before, &input, now);
        let (mut state, more) = by_design.step(input, &rule.terms, now);
        happened.extend(more);
        let is_raised = happened.contains(&Effect::Raised);
        let alarm = match known {
            Some(alarm) if is_raised => {
                let raised = Alarm::raised(alarm.id, key, rule, sentence(self), state);
                Some((Alarm { assigned: alarm.assigned.clone(), ..raised }, true))
            }
            Some(alarm) => {
                let is_news = !alarm.state.stands_like(&state);
                Some((Alarm { state, ..alarm.clone() }, is_news))
            }
            None if is_raised => {
                let sentence = sentence(self);
                Some((Alarm::raised(self.alarms.next_id(), key, rule, sentence, state), true))
            }
            None => {
                // What suppresses it is looked at when there is something to suppress.
                state.suppressed = None;
                if let Some(at) = at {
                    self.watch.await_it((key, at), state, &rule.terms, now);
                }
                None
            }
        };
        let Some((alarm, is_news)) = alarm else { return };
        if let Some(at) = at {
            self.watch.forget_pending(key, at);
        }
        self.watch.set_due(Due::Alarm(alarm.id), alarm.state.due_in_ms(&rule.terms, now), now);
        self.follow(stood, &alarm, &happened, now, effects);
        if is_news {
            self.keep_alarm(alarm, effects);
        } else {
            self.alarms.put(alarm);
        }
    }

    /// The rule of an alarm: the profile's, or one that stands for what the thing raised itself, or for one that is gone.
    pub(super) fn rule_of(&self, alarm: &Alarm) -> Arc<Rule> {
        let stands_for = || {
            Arc::new(Rule {
                id: alarm.rule.clone(),
                name: alarm.name.clone(),
                things: Things::default(),
                condition: Condition::Told,
                unless: None,
                terms: Terms::default(),
                priority: alarm.priority,
                time_available_ms: None,
                cause: String::new(),
                consequence: String::new(),
                what_to_do: alarm.what_to_do.clone(),
            })
        };
        self.rules.named(&alarm.rule).cloned().unwrap_or_else(stands_for)
    }

    /// Something happens to an alarm that there is.
    pub(super) fn fold_alarm(&mut self, id: AlarmId, input: Input, now: Now, effects: &mut Effects) {
        let Some(alarm) = self.alarms.get(id) else { return };
        let (key, rule) = (alarm.thing, self.rule_of(alarm));
        let sentence = alarm.sentence.clone();
        self.fold((key, &rule), input, |_| sentence, now, effects);
    }

    /// We do not listen any more: nobody knows of any alarm whether it is still so.
    pub(super) fn doubt_alarms(&mut self, now: Now) {
        for id in self.alarms.standing().collect::<Vec<_>>() {
            let Some(alarm) = self.alarms.get(id).cloned() else { continue };
            let state = alarm.state.step(Input::LinkLost(now.wall), &Terms::default(), now).0;
            self.alarms.put(Alarm { state, ..alarm });
        }
    }

    /// Our link is up: what time alone may change of alarms goes on.
    pub(super) fn await_alarms(&mut self, now: Now) {
        for id in self.alarms.standing().collect::<Vec<_>>() {
            let Some(alarm) = self.alarms.get(id) else { continue };
            let due_in_ms = alarm.state.due_in_ms(&self.rule_of(alarm).terms, now);
            self.watch.set_due(Due::Alarm(id), due_in_ms, now);
        }
    }

    /// Clears what no rule of the profile says of the thing any more: nobody would ever say that it is over. What a thing raised itself
    /// it clears itself.
    pub(super) fn clear_unruled(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let open = thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).map(|alarm| &alarm.rule);
        let unruled = open.filter(|rule| !is_told(rule) && !self.rules.speaks_of(rule, thing.ruled));
        for rule in unruled.cloned().collect::<Vec<String>>() {
            if self.rules.named(&rule).is_some_and(|rule| rule.condition == Condition::CommandFailed) {
                // A rule that takes its place has told nothing yet.
                self.forget_told(key);
            }
            let alarm = self.things.get(&key).and_then(|thing| self.open_alarm(thing, &rule)).map(|alarm| alarm.id);
            if let Some(id) = alarm {
                self.fold_alarm(id, Input::RuleGone, now, effects);
            }
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
        if self.alarms.get(id).is_some_and(|alarm| alarm.ended_ms().is_none()) {
            thing.alarms.insert(id);
        } else {
            thing.alarms.remove(&id);
        }
        let open = thing.alarms.iter().filter_map(|id| self.alarms.get(*id));
        let told = open.filter(|alarm| alarm.is_active() && !alarm.state.is_hidden());
        thing.alarmed = told.map(|alarm| alarm.priority).max();
        self.dirty.things.insert(key);
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
