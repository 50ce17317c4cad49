//! Where a thing is, for rules that name areas.
//!
//! What is remembered is on which side of an edge it was ([`Memory`]); it is worked out when it says where it is, and when it is looked at
//! for the first time. A thing at an edge of which nobody remembers anything, after a start, is where its alarm says.

use fleetlens_model::alarm::state::Judged;
use fleetlens_model::expression::{Memory, Whereabouts};
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::Now;

use super::Asked;
use super::facts::Look;
use crate::fleet::ingest::LAT;
use crate::fleet::rules::{RuleAt, when};
use crate::fleet::{Fleet, Thing};

impl Fleet {
    /// A thing said where it is.
    pub(in crate::fleet) fn remember_place(&mut self, key: ThingKey, now: Now) {
        if self.rules.have_fences() {
            // What is looked at for the first time is placed with it.
            self.asked_of(key, now);
            self.place(key);
        }
    }

    /// What its memories make of the place where a thing is.
    pub(super) fn place(&mut self, key: ThingKey) {
        let Some(at) = self.things.get(&key).and_then(Thing::place) else { return };
        for (rule, memory) in self.watch.memories.get_mut(&key).into_iter().flatten() {
            memory.move_to(at, self.rules.fences(*rule));
        }
    }

    /// Whether the thing is in the nth of a rule's areas. Where one that moves was before our link came up is no news of it.
    pub(super) fn whereabouts(&self, thing: &Thing, memory: &Memory, nth: usize) -> Whereabouts {
        let Some(place) = thing.place() else {
            return if self.has_spoken(thing) { Whereabouts::Nowhere } else { Whereabouts::Unheard };
        };
        let is_said = thing.said_at.as_deref() == Some(&place) && thing.meta.at != Some(place);
        let is_heard = || self.series_at(thing, LAT).is_some_and(|series| self.is_heard(series));
        let is_known = !is_said || is_heard() && self.said_place(thing) == Some(place);
        match memory.inside(nth) {
            Some(true) if is_known => Whereabouts::Inside,
            Some(false) if is_known => Whereabouts::Outside,
            Some(_) | None => Whereabouts::Unheard,
        }
    }

    /// A thing is at an edge and nobody remembers on which side of it it was: where a rule is so on one side and not on the other, it was
    /// on that on which its alarm is as it is.
    pub(super) fn decide_sides(&mut self, key: ThingKey, at: RuleAt, asked: &[Asked], now: Now) {
        let undecided: Vec<usize> = self.memory(key, at).into_iter().flat_map(Memory::undecided).collect();
        for nth in undecided {
            let (inside, outside) = (
                self.judged_if(key, (at, asked), (nth, true), now),
                self.judged_if(key, (at, asked), (nth, false), now),
            );
            let is_active =
                self.things.get(&key).zip(self.rules.at(at)).is_some_and(|(thing, rule)| {
                    self.open_alarm(thing, &rule.id).is_some_and(|alarm| alarm.is_active())
                });
            let was_inside = match (inside, outside) {
                (Some(Judged::So), Some(Judged::NotSo)) => is_active,
                (Some(Judged::NotSo), Some(Judged::So)) => !is_active,
                // It does not matter now, or nobody can say.
                (Some(_) | None, _) => continue,
            };
            let memories = self.watch.memories.get_mut(&key).into_iter().flatten();
            for (_, memory) in memories.filter(|(of, _)| *of == at) {
                memory.decide(nth, was_inside);
            }
        }
    }

    /// What a rule would be judged to be if the thing were in the nth of its areas, or were not.
    fn judged_if(
        &self,
        key: ThingKey,
        (at, asked): (RuleAt, &[Asked]),
        (nth, inside): (usize, bool),
        now: Now,
    ) -> Option<Judged> {
        let thing = self.things.get(&key)?;
        let when = self.rules.at(at).and_then(|rule| when(rule))?;
        let mut memory = self.memory(key, at)?.clone();
        memory.decide(nth, inside);
        let look = Look { fleet: self, thing, names: when.expression.needs().names, asked, memory: &memory, now };
        Some(Judged::from(when.expression.is_so(&memory, &look, 0.0, now)))
    }
}
