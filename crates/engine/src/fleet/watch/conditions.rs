//! The conditions of rules: judged when a thing speaks and, where they turn by themselves, with time.

use std::ops::Bound;
use std::sync::Arc;

use fleetlens_model::alarm::Rule;
use fleetlens_model::alarm::detected::Detected;
use fleetlens_model::alarm::state::{Input, Judged, State};
use fleetlens_model::expression::{Memory, Name};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_model::time::Now;

use super::facts::{Look, level_pct};
use crate::fleet::rules::{RuleAt, detected, turns_unspoken, when};
use crate::fleet::{Effects, Fleet, Thing};

/// Things that one tick judges because of the time: a hundred thousand have their turn within twenty seconds.
const JUDGED_A_TICK: usize = 5_000;

/// The name of a rule that has none, or of whose names the thing has none.
const NONE: u8 = u8::MAX;

/// A value of a thing that a rule names.
#[derive(Clone, Copy, Debug)]
pub(in crate::fleet) struct Asked {
    pub rule: RuleAt,
    /// Which of the rule's names it is; [`NONE`] where the thing has none of them and the rule speaks of it all the same.
    pub nth: u8,
    pub series: SeriesKey,
}

impl Asked {
    /// Whether the rule names none of the thing's values and speaks of it all the same.
    pub(super) fn is_none(&self) -> bool {
        self.nth == NONE
    }
}

impl Fleet {
    /// A thing said something: what the rules make of it. `since_seq` is the last sample before its message; `None` of what is replayed,
    /// which no state machine hears.
    pub(in crate::fleet) fn judge_conditions(
        &mut self,
        key: ThingKey,
        since_seq: Option<u64>,
        now: Now,
        effects: &mut Effects,
    ) {
        if self.up_since.is_none() {
            // Nothing is raised and nothing is over before our link is up: it is judged then.
            self.note_unjudged(key);
            if let Some(since_seq) = since_seq {
                self.hear_detectors_early(key, since_seq, now, effects);
            }
            return;
        }
        let asked = self.asked_of(key, now);
        for asked in asked.chunk_by(|one, next| one.rule == next.rule) {
            let is_judged = self.judge_rule(key, asked, true, now, effects);
            if let (false, Some(since_seq)) = (is_judged, since_seq) {
                self.hear_detector(key, asked, since_seq, now, effects);
            }
        }
        if self.rules.have_unless() {
            self.follow_design(key, now, effects);
        }
    }

    /// All that is known of a thing, though it says nothing just now: what its rules make of it.
    pub(super) fn judge_unsaid(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let asked = self.asked_of(key, now);
        for asked in asked.chunk_by(|one, next| one.rule == next.rule) {
            self.judge_rule(key, asked, false, now, effects);
        }
        if self.rules.have_unless() {
            self.follow_design(key, now, effects);
        }
    }

    /// Something else happened than a word of the thing: what those conditions make of it that may turn without one.
    pub(super) fn judge_unspoken(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let asked = self.asked_of(key, now);
        for asked in asked.chunk_by(|one, next| one.rule == next.rule) {
            if asked.first().is_some_and(|asked| self.turns_unspoken(asked.rule)) {
                self.judge_rule(key, asked, false, now, effects);
            }
        }
        if self.rules.have_unless() {
            self.follow_design(key, now, effects);
        }
    }

    /// Whether a rule may turn without a word of the thing.
    pub(super) fn turns_unspoken(&self, at: RuleAt) -> bool {
        self.rules.at(at).and_then(|rule| when(rule)).is_some_and(turns_unspoken)
    }

    /// Whether what a rule says of a thing goes on while that is silent: it turns without a word, by itself or by its timers.
    pub(super) fn outlasts_silence(&self, at: RuleAt) -> bool {
        self.turns_unspoken(at) || self.rules.at(at).is_some_and(|rule| detected(rule).is_some())
    }

    /// With each tick while we listen: the next of the things of which a condition may turn without their word, in turn.
    pub(super) fn judge_timed(&mut self, now: Now, effects: &mut Effects) {
        let (timed, last) = (&self.watch.timed, self.watch.timed_at);
        let from_the_start = timed.range(..=last);
        let next = timed.range((Bound::Excluded(last), Bound::Unbounded)).chain(from_the_start);
        for key in next.take(JUDGED_A_TICK).copied().collect::<Vec<_>>() {
            self.watch.timed_at = key;
            self.judge_unspoken(key, now, effects);
        }
    }

    /// Our link is up: which things have to be judged in turn. One that has been silent for long says nothing that would tell.
    pub(super) fn ask_all(&mut self, now: Now) {
        if self.rules.turn_unspoken() {
            for key in self.things.values().map(|thing| thing.key).collect::<Vec<_>>() {
                self.asked_of(key, now);
            }
        }
    }

    /// A value came, in whatever order: what windows keep of it.
    pub(in crate::fleet) fn remember_for_windows(&mut self, sample: &Sample, now: Now) {
        if !self.rules.have_windows() {
            return;
        }
        let Some(key) = self.series.get(&sample.series).map(|series| series.thing) else { return };
        let asked = self.asked_of(key, now);
        for asked in asked.iter().filter(|asked| asked.series == sample.series && asked.nth != NONE) {
            let (Some(thing), Some(rule)) = (self.things.get(&key), self.rules.at(asked.rule)) else { continue };
            let Some(when) = when(rule) else { continue };
            let nth = usize::from(asked.nth);
            let is_level = when.expression.needs().names.get(nth) == Some(&Name::Level);
            let level = if is_level { sample.value.as_number().and_then(|said| level_pct(thing, said)) } else { None };
            let value = level.map_or_else(|| sample.value.clone(), Value::Number);
            let memories = self.watch.memories.get_mut(&key);
            let memory = memories.and_then(|all| all.iter_mut().find(|(at, _)| *at == asked.rule));
            if let Some((_, memory)) = memory {
                when.expression.hear(memory, nth, &value, sample.device_ms, now);
            }
        }
    }

    /// We did not listen for a while: windows in which that leaves a hole begin anew.
    pub(super) fn remember_gap(&mut self, now: Now) {
        let gap_ms = self.lost.map_or(0, |lost| now.mono.since(lost));
        for memories in self.watch.memories.values_mut() {
            for (at, memory) in memories {
                if let Some(when) = self.rules.at(*at).and_then(|rule| when(rule)) {
                    when.expression.missed(memory, gap_ms, now);
                }
            }
        }
    }

    /// What the windows of a rule keep of a thing.
    pub(super) fn memory(&self, key: ThingKey, at: RuleAt) -> Option<&Memory> {
        let memories = self.watch.memories.get(&key)?;
        memories.iter().find(|(of, _)| *of == at).map(|(_, memory)| memory)
    }

    /// The values that rules name of a thing: worked out once for each way in which it is described and for its series.
    pub(in crate::fleet) fn asked_of(&mut self, key: ThingKey, now: Now) -> Arc<[Asked]> {
        let Some(thing) = self.things.get(&key) else { return Arc::default() };
        let (described, series) = (thing.described, u32::try_from(thing.series.len()).unwrap_or(u32::MAX));
        if (thing.judged.0, thing.judged.1) == (described, series) {
            return Arc::clone(&thing.judged.2);
        }
        let rules = self.rules.conditions(thing.ruled);
        let asked: Vec<Asked> = rules.iter().flat_map(|at| self.asked_by(*at, thing)).collect();
        let timed = asked.iter().any(|asked| self.turns_unspoken(asked.rule));
        let mut memories = self.watch.memories.remove(&key).unwrap_or_default();
        memories.retain(|(at, _)| asked.iter().any(|asked| asked.rule == *at));
        for Asked { rule: at, .. } in &asked {
            let remembers = self.rules.at(*at).and_then(|rule| when(rule)).filter(|when| when.expression.remembers());
            if let Some(when) = remembers.filter(|_| memories.iter().all(|(of, _)| of != at)) {
                memories.push((*at, when.expression.memory(now)));
            }
        }
        if !memories.is_empty() {
            self.watch.memories.insert(key, memories);
        }
        if timed {
            self.watch.timed.insert(key);
        } else {
            self.watch.timed.remove(&key);
        }
        // None is no memory, and most have none.
        let asked: Arc<[Asked]> = if asked.is_empty() { Arc::default() } else { asked.into() };
        self.learn_asked(key, &asked);
        self.leave_detectors(key, &asked);
        if let Some(thing) = self.things.get_mut(&key) {
            thing.judged = (described, series, Arc::clone(&asked));
        }
        if self.rules.have_fences() {
            self.place(key);
        }
        asked
    }

    /// What one rule names of a thing.
    fn asked_by(&self, at: RuleAt, thing: &Thing) -> Vec<Asked> {
        if let Some(detected) = self.rules.at(at).and_then(|rule| detected(rule)) {
            return asked_by_detector(at, detected, |pointer| thing.series.get(pointer, &self.series));
        }
        let Some(when) = self.rules.at(at).and_then(|rule| when(rule)) else { return Vec::new() };
        let named = (0u8..).zip(when.expression.needs().names).filter_map(|(nth, name)| {
            let series = thing.series.get(pointer(name, thing)?, &self.series)?;
            Some(Asked { rule: at, nth, series })
        });
        let mut asked: Vec<Asked> = named.collect();
        let speaks = |rule: &Arc<Rule>| when.expression.speaks_without_values() || rule.terms.raises(Judged::NoData);
        // Who names what the thing does not say any more has the last word about the alarm that there is.
        let is_open = |rule: &Arc<Rule>| self.open_alarm(thing, &rule.id).is_some();
        if asked.is_empty() && self.rules.at(at).is_some_and(|rule| speaks(rule) || is_open(rule)) {
            asked.push(Asked { rule: at, nth: NONE, series: SeriesKey(0) });
        }
        asked
    }

    /// One rule, of whose names the thing has these; false where its condition is none of the language.
    fn judge_rule(&mut self, key: ThingKey, asked: &[Asked], spoke: bool, now: Now, effects: &mut Effects) -> bool {
        let Some(at) = asked.first().map(|asked| asked.rule) else { return true };
        if self.rules.have_fences() {
            self.decide_sides(key, at, asked, now);
        }
        let (Some(thing), Some(rule)) = (self.things.get(&key), self.rules.at(at)) else { return true };
        let Some(when) = when(rule) else { return false };
        let known = if thing.alarms.is_empty() { None } else { self.open_alarm(thing, &rule.id) };
        let state = known.map(|alarm| &alarm.state).or_else(|| self.watch.pending(key, at));
        let deadband = state.map_or(0.0, |state| state.deadband(when.deadband));
        let none = Memory::none();
        let memory = self.memory(key, at).unwrap_or(&none);
        let look = Look { fleet: self, thing, names: when.expression.needs().names, asked, memory, now };
        let judged = Judged::from(when.expression.is_so(memory, &look, deadband, now));
        let is_as = match state {
            Some(state) => state.is_as(judged, &rule.terms),
            None => matches!(judged, Judged::NotSo | Judged::Unheard) || !rule.terms.raises(judged),
        };
        // That it is missing is counted by what the thing says, not by how often it is looked at.
        let is_no_word = !spoke && judged == Judged::NoData && !state.is_some_and(State::is_missing);
        if is_as || is_no_word {
            return true;
        }
        let rule = rule.clone();
        self.fold((key, &rule), Input::Judged(judged), |fleet| fleet.seen(key, &rule, now), now, effects);
        true
    }
}

/// What a state machine looks at of a thing: nothing of one that has none of its values.
fn asked_by_detector(rule: RuleAt, of: &Detected, series: impl Fn(&str) -> Option<SeriesKey>) -> Vec<Asked> {
    if of.pointers().is_empty() {
        return vec![Asked { rule, nth: NONE, series: SeriesKey(0) }];
    }
    let named = (0u8..NONE).zip(of.pointers());
    named.filter_map(|(nth, pointer)| Some(Asked { rule, nth, series: series(pointer)? })).collect()
}

/// Where the value stands that a name leads to, of a thing of this kind.
pub(super) fn pointer<'a>(name: &'a Name, thing: &Thing) -> Option<&'a str> {
    match name {
        Name::Value(pointer) => Some(pointer),
        Name::Level => match thing.meta.common.kind {
            Kind::Parking => Some("/free"),
            Kind::Bin => Some("/fill_pct"),
            Kind::Lamp | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => None,
        },
        Name::Input(..) | Name::Variable(_) => None,
    }
}
