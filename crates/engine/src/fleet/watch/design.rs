//! Suppression by design (ISA-18.2): what a rule says of a thing means nothing while its `unless` is so, e.g. while a charger is being
//! repaired. It goes on being judged; people are not told of it, and it is listed apart until that is over.
//!
//! It is looked at when there is something to suppress: with whatever may raise an alarm, and with each word of a thing that has one. Where
//! nobody knows, it stays as it was.

use fleetlens_model::alarm::Rule;
use fleetlens_model::alarm::state::{Effect, Input, Judged, State};
use fleetlens_model::expression::{Expression, Memory};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::time::Now;

use super::Asked;
use super::conditions::pointer;
use super::facts::Look;
use crate::fleet::{Effects, Fleet, Thing};

impl Fleet {
    /// How an alarm stands before something happens to it that may raise it, with what suppresses it then.
    pub(in crate::fleet) fn by_design(
        &self,
        thing: &Thing,
        rule: &Rule,
        before: &State,
        input: &Input,
        now: Now,
    ) -> (State, Vec<Effect>) {
        let may_raise = match input {
            Input::Judged(judged) => rule.terms.raises(*judged),
            Input::TimePassed | Input::HappenedAgain => true,
            Input::LinkLost(_)
            | Input::Acknowledge { .. }
            | Input::Reset
            | Input::Shelve(_)
            | Input::Unshelve
            | Input::Suppress(_)
            | Input::OutOfService(_)
            | Input::RuleGone => false,
        };
        let by = if may_raise { self.suppressed_by(thing, rule, before, now) } else { None };
        match by {
            // The words it began with stay: numbers in them change with each message.
            Some(by) if by.is_some() != before.suppressed.is_some() => {
                before.clone().step(Input::Suppress(by), &rule.terms, now)
            }
            Some(_) | None => (before.clone(), Vec::new()),
        }
    }

    /// The alarms of a thing that said something: what suppresses them may have begun, or be over.
    pub(super) fn follow_design(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key).filter(|thing| !thing.alarms.is_empty()) else { return };
        let alarms = thing.alarms.iter().filter_map(|id| self.alarms.get(*id));
        let changed = alarms.filter_map(|alarm| {
            // Nobody named it, and nothing suppresses it: most are like that.
            let rule = self.rules.named(&alarm.rule);
            let by = match rule.filter(|rule| rule.unless.is_some()) {
                Some(rule) => self.suppressed_by(thing, rule, &alarm.state, now)?,
                None => None,
            };
            (by.is_some() != alarm.state.suppressed.is_some()).then_some((alarm.id, by))
        });
        for (id, by) in changed.collect::<Vec<(AlarmId, Option<String>)>>() {
            self.fold_alarm(id, Input::Suppress(by), now, effects);
        }
    }

    /// What suppresses a rule's alarm of a thing now, in words; `None` where nobody knows.
    fn suppressed_by(&self, thing: &Thing, rule: &Rule, state: &State, now: Now) -> Option<Option<String>> {
        let unless = rule.unless.as_ref()?;
        let names = unless.needs().names;
        let named = (0u8..).zip(names).filter_map(|(nth, name)| {
            let series = thing.series.get(pointer(name, thing)?, &self.series)?;
            Some(Asked { rule: 0, nth, series })
        });
        let asked: Vec<Asked> = named.collect();
        let judged_by = |memory: &Memory| {
            let look = Look { fleet: self, thing, names, asked: &asked, memory, now };
            Judged::from(unless.is_so(memory, &look, 0.0, now))
        };
        let memory = self.design_memory(thing, unless, state, judged_by);
        match judged_by(&memory) {
            Judged::NotSo => Some(None),
            Judged::So => {
                let look = Look { fleet: self, thing, names, asked: &asked, memory: &memory, now };
                let words: Vec<_> = names.iter().map(|name| self.words(thing, name)).collect();
                Some(Some(unless.sentence(&memory, &look, &words, 0, now)))
            }
            Judged::NoData | Judged::Error | Judged::Unheard => None,
        }
    }

    /// Where the thing is, of the areas that are named. At an edge it is on the side on which all is as it was.
    fn design_memory(
        &self,
        thing: &Thing,
        unless: &Expression,
        state: &State,
        judged_by: impl Fn(&Memory) -> Judged,
    ) -> Memory {
        let mut memory = Memory::none();
        let fences = unless.needs().fences;
        let Some(at) = thing.place().filter(|_| !fences.is_empty()) else { return memory };
        let fence = |name: &String| self.config.areas.iter().find(|area| area.name == *name).map(|area| &area.fence);
        memory.move_to(at, fences.iter().map(fence));
        for nth in memory.undecided() {
            let judged_if = |inside: bool| {
                let mut memory = memory.clone();
                memory.decide(nth, inside);
                judged_by(&memory)
            };
            match (judged_if(true), judged_if(false)) {
                (Judged::So, Judged::NotSo) => memory.decide(nth, state.suppressed.is_some()),
                (Judged::NotSo, Judged::So) => memory.decide(nth, state.suppressed.is_none()),
                // It does not matter, or nobody can say.
                (Judged::So | Judged::NotSo | Judged::NoData | Judged::Error | Judged::Unheard, _) => {}
            }
        }
        memory
    }
}
