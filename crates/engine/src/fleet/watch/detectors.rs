//! State machines as conditions ([`fleetlens_model::alarm::detector`]): where each thing is in each, stepped by what it says and by its
//! timers, and written down whenever that changes.

use fleetlens_model::alarm::Rule;
use fleetlens_model::alarm::detector::{Happened, Inputs, Step};
use fleetlens_model::alarm::state;
use fleetlens_model::expression::{Said, Word};
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::{Placed, Write};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::{Now, WallMs};

use super::{Asked, Due};
use crate::fleet::rules::{RuleAt, detected};
use crate::fleet::{Effects, Fleet, Thing};

/// The most troubles of state machines that are told apart; each is told once a run.
const TROUBLES_MAX: usize = 200;

/// What a thing said, as a state machine reads it: the thing is its one input, whatever the document calls that.
struct OfThing<'a> {
    fleet: &'a Fleet,
    thing: &'a Thing,
}

impl Inputs for OfThing<'_> {
    fn word(&self, _input: &str, pointer: &str) -> Word<'_> {
        let Some(series) = self.thing.series.get(pointer, &self.fleet.series) else { return Word::Never };
        match self.fleet.heard_or_coming(series) {
            Some(Value::Number(number)) => Word::Said(Said::Number(number)),
            Some(Value::Flag(flag)) => Word::Said(Said::Flag(flag)),
            Some(Value::Text(text)) => Word::Said(Said::Text(text.into())),
            None => Word::Unheard,
        }
    }
}

/// What makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Word,
    /// A word that came before our link counts as up.
    EarlyWord,
    /// Our link is up, after such words.
    Up,
    Time,
    LostLink,
}

impl Fleet {
    /// Where things were when the program ended. What no rule has any more is forgotten.
    pub(in crate::fleet) fn restore_positions(&mut self, placed: Vec<Placed>, listened: WallMs) {
        for Placed { thing, rule, position, running_ms } in placed {
            let at = self.rules.place(&rule).filter(|at| self.is_detected(*at));
            match at.filter(|_| self.things.contains_key(&thing)) {
                Some(at) => {
                    let ran_ms = running_ms.map_or(0, |since| listened.since(since));
                    let position = position.ran_on(ran_ms);
                    if running_ms.is_some() {
                        // Its timers stand still from now on: a next start must not let them run for the same time once more.
                        let placed = Placed { thing, rule, position: position.clone(), running_ms: None };
                        self.watch.positions_owed.insert((thing, at), Some(placed));
                    }
                    self.watch.positions.insert((thing, at), position);
                }
                None => self.watch.positions_gone.push((thing, rule)),
            }
        }
    }

    fn is_detected(&self, at: RuleAt) -> bool {
        self.rules.at(at).is_some_and(|rule| detected(rule).is_some())
    }

    /// A thing spoke, and this rule's state machine looks at these values of it: it hears a message that carries one of them, and each
    /// message where it looks at none. `since_seq` is the last sample before the message.
    pub(super) fn hear_detector(
        &mut self,
        key: ThingKey,
        asked: &[Asked],
        since_seq: u64,
        now: Now,
        effects: &mut Effects,
    ) {
        if let Some(at) = asked.first().map(|asked| asked.rule).filter(|_| self.says_news(asked, since_seq)) {
            self.step_detector((key, at), By::Word, now, effects);
        }
    }

    /// Whether a message carries one of the values that a state machine looks at.
    fn says_news(&self, asked: &[Asked], since_seq: u64) -> bool {
        let is_new = |asked: &Asked| {
            asked.is_none() || self.series.get(&asked.series).is_some_and(|series| series.seq() > since_seq)
        };
        asked.iter().any(is_new)
    }

    /// A thing's word came before our link counts as up, such as one that the broker kept for our session: it will not come again, so
    /// each is a step at once, in their order. Timers stand still meanwhile, and no alarm is told: that is done once we are up.
    pub(super) fn hear_detectors_early(&mut self, key: ThingKey, since_seq: u64, now: Now, effects: &mut Effects) {
        if !self.rules.have_detectors() || self.connecting.is_none() {
            return;
        }
        let asked = self.asked_of(key, now);
        for asked in asked.chunk_by(|one, next| one.rule == next.rule) {
            let at = asked.first().map(|asked| asked.rule).filter(|at| self.is_detected(*at));
            if let Some(at) = at.filter(|_| self.says_news(asked, since_seq)) {
                self.step_detector((key, at), By::EarlyWord, now, effects);
                self.watch.stepped_early.insert((key, at));
            }
        }
    }

    /// Our link is up: where early words have led the state machines of a thing counts, and what is timed goes on.
    pub(super) fn go_on_from_early(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let of_thing = (key, RuleAt::MIN)..=(key, RuleAt::MAX);
        let stepped: Vec<(ThingKey, RuleAt)> = self.watch.stepped_early.extract_if(of_thing, |_| true).collect();
        for of in stepped {
            self.step_detector(of, By::Up, now, effects);
        }
    }

    /// A timer of a state machine is due.
    pub(super) fn time_detector(&mut self, of: (ThingKey, RuleAt), now: Now, effects: &mut Effects) {
        self.step_detector(of, By::Time, now, effects);
    }

    /// We do not listen any more: every timer stands still.
    pub(super) fn pause_detectors(&mut self, now: Now, effects: &mut Effects) {
        for of in self.watch.positions.keys().copied().collect::<Vec<_>>() {
            self.step_detector(of, By::LostLink, now, effects);
        }
    }

    /// Rules that name these are those that speak of a thing: of others it is in no state any more.
    pub(super) fn leave_detectors(&mut self, key: ThingKey, asked: &[Asked]) {
        let of_thing = (key, RuleAt::MIN)..=(key, RuleAt::MAX);
        let left = self.watch.positions.range(of_thing).map(|((_, at), _)| *at);
        let left: Vec<RuleAt> = left.filter(|at| asked.iter().all(|asked| asked.rule != *at)).collect();
        for at in left {
            self.watch.positions.remove(&(key, at));
            self.watch.set_due(Due::Detector(key, at), None, Now::default());
            self.watch.positions_owed.insert((key, at), None);
        }
    }

    /// With each tick: what is forgotten goes from the cache, and what stands still is written so.
    pub(in crate::fleet) fn write_gone_positions(&mut self, effects: &mut Effects) {
        for ((thing, at), placed) in std::mem::take(&mut self.watch.positions_owed) {
            let gone = || Some(Write::PositionGone { thing, rule: self.rules.at(at)?.id.clone() });
            effects.writes.extend(placed.map(|placed| Write::Position(Box::new(placed))).or_else(gone));
        }
        let gone = self.watch.positions_gone.drain(..);
        effects.writes.extend(gone.map(|(thing, rule)| Write::PositionGone { thing, rule }));
    }

    fn step_detector(&mut self, (key, at): (ThingKey, RuleAt), by: By, now: Now, effects: &mut Effects) {
        let Some(rule) = self.rules.at(at).cloned() else { return };
        let speaks = |thing: &Thing| self.rules.speaks_of(&rule.id, thing.ruled);
        // A timer of a rule that is not for the thing any more, or an early word that was judged by it.
        if matches!(by, By::Time | By::Up) && !self.things.get(&key).is_some_and(speaks) {
            return;
        }
        let position = self.watch.positions.get_mut(&(key, at)).map(std::mem::take).unwrap_or_default();
        let (Some(thing), Some(detected)) = (self.things.get(&key), detected(&rule)) else { return };
        let said = OfThing { fleet: self, thing };
        let happened = match by {
            By::Word | By::EarlyWord => Happened::Heard(&said),
            By::Up => Happened::WentOn(&said),
            By::Time => Happened::TimePassed(&said),
            By::LostLink => Happened::LinkLost,
        };
        let Step { mut position, judged, trouble, is_news } = detected.detector().step(position, happened, now);
        if by == By::EarlyWord {
            position = detected.detector().step(position, Happened::<OfThing<'_>>::LinkLost, now).position;
        }
        let listens = !matches!(by, By::EarlyWord | By::LostLink);
        if let Some(trouble) = trouble {
            self.tell_trouble(&rule, trouble);
        }
        if listens {
            self.watch.set_due(Due::Detector(key, at), position.due_in_ms(now), now);
        }
        // What is written later would be older.
        if is_news | self.watch.positions_owed.remove(&(key, at)).is_some() {
            let running_ms = listens.then_some(now.wall);
            let placed = Placed { thing: key, rule: rule.id.clone(), position: position.clone(), running_ms };
            effects.writes.push(Write::Position(Box::new(placed)));
        }
        self.watch.positions.insert((key, at), position);
        if listens {
            self.fold((key, &rule), state::Input::Judged(judged), |fleet| fleet.seen(key, &rule, now), now, effects);
        }
    }

    /// What was seen of a thing whose state machine is in a state that is an alarm.
    pub(super) fn detector_sentence(&self, thing: &Thing, rule: &Rule) -> Option<String> {
        let detected = detected(rule)?;
        let position = self.watch.positions.get(&(thing.key, self.rules.place(&rule.id)?))?;
        let said = detected.pointers().iter().filter_map(|pointer| self.said_in_words(thing, pointer));
        Some(detected.sentence(position, said))
    }

    /// What cannot be worked out counts as not so; whoever wrote the document should know.
    fn tell_trouble(&mut self, rule: &Rule, trouble: String) {
        let troubles = &mut self.watch.troubles;
        let of = (rule.id.clone(), trouble);
        if troubles.len() < TROUBLES_MAX && !troubles.contains(&of) {
            tracing::warn!(
                "the state machine of the alarm {:?} could not work something out, which counts as not so: {}",
                of.0,
                of.1
            );
            troubles.insert(of);
        }
    }
}
