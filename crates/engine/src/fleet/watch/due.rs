//! What time alone may change: delays, shelves, telling again; and what runs towards an alarm that there is not yet.

use std::collections::{BTreeSet, HashMap};

use fleetlens_model::alarm::state::{Input, Judged, State, Terms};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::time::{MonoMs, Now};

use super::Watch;
use crate::fleet::rules::RuleAt;
use crate::fleet::{Effects, Fleet};

/// What time changed nothing of though it was due is looked at again after this long, in milliseconds: the wall clock may have been set.
const AGAIN_MS: u64 = 1_000;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::fleet) enum Due {
    /// An alarm.
    Alarm(AlarmId),
    /// What a rule may become of a thing.
    Pending(ThingKey, RuleAt),
    /// A timer of a thing in a rule's state machine.
    Detector(ThingKey, RuleAt),
}

/// When each is due, by time.
#[derive(Debug, Default)]
pub(super) struct Dues {
    by_time: BTreeSet<(MonoMs, Due)>,
    when: HashMap<Due, MonoMs>,
}

impl Dues {
    pub(super) fn clear(&mut self) {
        *self = Dues::default();
    }

    fn set(&mut self, of: Due, at: Option<MonoMs>) {
        let before = match at {
            Some(at) => self.when.insert(of, at),
            None => self.when.remove(&of),
        };
        if let Some(before) = before {
            self.by_time.remove(&(before, of));
        }
        if let Some(at) = at {
            self.by_time.insert((at, of));
        }
    }

    fn pop(&mut self, now: MonoMs) -> Option<Due> {
        let (_, of) = *self.by_time.first().filter(|(at, _)| *at <= now)?;
        self.set(of, None);
        Some(of)
    }
}

impl Watch {
    /// When time alone may change something next, as far as that is known.
    pub(in crate::fleet) fn next_due(&self) -> Option<MonoMs> {
        self.due.by_time.first().map(|(at, _)| *at)
    }

    /// What runs towards an alarm of a thing that there is not yet.
    pub(in crate::fleet) fn pending(&self, key: ThingKey, at: RuleAt) -> Option<&State> {
        // Most of the time nothing is pending of anything.
        if self.pending.is_empty() { None } else { self.pending.get(&(key, at)) }
    }

    /// Keeps what runs towards an alarm, as long as there is anything to keep.
    pub(in crate::fleet) fn await_it(&mut self, (key, at): (ThingKey, RuleAt), state: State, terms: &Terms, now: Now) {
        if state.is_idle() {
            self.forget_pending(key, at);
        } else {
            self.set_due(Due::Pending(key, at), state.due_in_ms(terms, now), now);
            self.pending.insert((key, at), state);
        }
    }

    pub(in crate::fleet) fn forget_pending(&mut self, key: ThingKey, at: RuleAt) {
        self.pending.remove(&(key, at));
        self.due.set(Due::Pending(key, at), None);
    }

    /// Time alone may change it so many milliseconds from now; never, where there are none.
    pub(in crate::fleet) fn set_due(&mut self, of: Due, in_ms: Option<u64>, now: Now) {
        self.due.set(of, in_ms.map(|in_ms| now.mono.plus(in_ms)));
    }
}

impl Fleet {
    /// Lets time change what is due.
    pub(super) fn end_delays(&mut self, now: Now, effects: &mut Effects) {
        while let Some(due) = self.watch.due.pop(now.mono) {
            let of = match due {
                Due::Alarm(id) => self.alarms.get(id).map(|alarm| (alarm.thing, self.rule_of(alarm))),
                Due::Pending(key, at) => self.rules.at(at).map(|rule| (key, rule.clone())),
                Due::Detector(key, at) => {
                    self.time_detector((key, at), now, effects);
                    None
                }
            };
            let Some((key, rule)) = of else { continue };
            self.fold((key, &rule), Input::TimePassed, |fleet| fleet.seen(key, &rule, now), now, effects);
            if self.watch.due.when.get(&due).is_some_and(|at| *at <= now.mono) {
                self.watch.set_due(due, Some(AGAIN_MS), now);
            }
        }
    }

    /// The thing is something else now: what runs towards alarms of it is of what it was.
    pub(super) fn forget_pending_of(&mut self, key: ThingKey) {
        let gone: Vec<RuleAt> = self.pending_of(key).collect();
        gone.into_iter().for_each(|at| self.watch.forget_pending(key, at));
    }

    fn pending_of(&self, key: ThingKey) -> impl Iterator<Item = RuleAt> + '_ {
        let of_thing = (key, RuleAt::MIN)..=(key, RuleAt::MAX);
        self.watch.pending.range(of_thing).map(|((_, at), _)| *at)
    }

    /// The thing fell silent: what it said last is no longer known to be so without a break.
    pub(super) fn forget_delays(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let gone: Vec<RuleAt> = self.pending_of(key).filter(|at| !self.outlasts_silence(*at)).collect();
        gone.into_iter().for_each(|at| self.watch.forget_pending(key, at));
        let alarms = self.things.get(&key).map(|thing| thing.alarms.iter().copied().collect::<Vec<_>>());
        for id in alarms.unwrap_or_default() {
            let place = self.alarms.get(id).and_then(|alarm| self.rules.place(&alarm.rule));
            if place.is_some_and(|at| !self.outlasts_silence(at)) {
                self.fold_alarm(id, Input::Judged(Judged::Unheard), now, effects);
            }
        }
    }

    /// Our link fell: what runs towards alarms stands still.
    pub(super) fn pause_pending(&mut self, now: Now) {
        let terms = Terms::default();
        for state in self.watch.pending.values_mut() {
            *state = std::mem::take(state).step(Input::LinkLost(now.wall), &terms, now).0;
        }
    }
}
