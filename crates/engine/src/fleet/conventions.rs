//! What things of a convention say: their messages, whether they are there, and the alarms they raise themselves.

use fleetlens_model::alarm::state::{Input, Judged, Terms};
use fleetlens_model::alarm::{Condition, Priority, Rule, Things};
use fleetlens_model::command::ANSWER_TIMEOUT_MS;
use fleetlens_model::freshness::Presence;
use fleetlens_model::heard::Heard;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::{Now, WallMs};
use fleetlens_wire::convention::{Incoming, Outgoing};
use fleetlens_wire::template::Place;

use super::{Effects, Fleet, Outward, Witness};
use crate::port::{Publish, Qos};

/// Open alarms that one thing may raise itself.
const TOLD_MAX: usize = 32;

/// What the rule of an alarm begins with that a thing raised itself; no rule of a profile has a colon in its name.
const TOLD: &str = "told:";

/// How long after a connect the retained alarms of things may take to come, in milliseconds; what is not among
/// them was taken back while nobody listened.
const RETOLD_WITHIN_MS: u64 = 30_000;

impl Fleet {
    /// The convention that reads a topic, by its place in the profile.
    pub(super) fn convention_of(&self, topic: &str) -> Option<usize> {
        self.conventions.iter().position(|convention| convention.reads(topic))
    }

    /// Takes a message of a convention, and says whose it was.
    pub(super) fn understood(
        &mut self,
        at: usize,
        message: &Heard<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Vec<ThingKey>, String> {
        let Some(convention) = self.conventions.get_mut(at) else { return Ok(Vec::new()) };
        let Heard { topic, payload, retained, .. } = *message;
        let incoming = Incoming { topic, payload, retained, at: now.wall };
        let understood = convention.read(incoming).map_err(|e| e.to_string())?;
        self.open.heard();
        for outgoing in understood.send {
            effects.outward.push(Outward::Publish(publish(outgoing, now)));
        }
        if let Some(refused) = understood.refused {
            return Err(refused.to_string());
        }
        let word = convention.word();
        let mut names = understood.said.iter().filter_map(|said| said.thing.as_deref());
        let may_be_taken = names
            .clone()
            .try_for_each(|name| self.may_speak_of(word, name))
            .and_then(|()| self.room_for(&Place::default(), &understood.said));
        // A message that is refused for the sake of one thing may name the topics of others that are known, such as a bridge's list,
        // and nobody says them again: without them these would be silent. Those of things that are all new are of no use, since what
        // comes there is refused too, and in this run there will be no more room than now.
        let is_known = |name: &str| self.by_name.contains_key(name) && self.may_speak_of(word, name).is_ok();
        if !understood.listen.is_empty() && (may_be_taken.is_ok() || names.any(is_known)) {
            effects.outward.push(Outward::Subscribe(understood.listen));
        }
        may_be_taken?;
        let mut things = Vec::new();
        for one in understood.said {
            let key = self.said(&Place::default(), one, message.retained, now, effects)?;
            self.is_spoken_of(key, Witness::Convention(word));
            things.push(key);
        }
        Ok(things)
    }

    /// Somebody spoke of a thing; the first to do so in a run decides whose it is.
    pub(super) fn is_spoken_of(&mut self, key: ThingKey, by: Witness) {
        if let Some(thing) = self.things.get_mut(&key) {
            thing.spoken_of.get_or_insert(by);
        }
    }

    /// Whoever announces something chooses its name: that must not take over, silence or command what others speak of. Whose a thing is
    /// is known once it was heard in this run, or by the shadow it has.
    fn may_speak_of(&self, convention: &'static str, name: &str) -> Result<(), String> {
        let Some(thing) = self.by_name.get(name).and_then(|key| self.things.get(key)) else { return Ok(()) };
        let has_shadow = self.config.shadows && thing.shadows.values().any(|shadow| shadow.document.is_some());
        let by = match thing.spoken_of {
            Some(by) => by,
            None if has_shadow => Witness::Template,
            None => return Ok(()),
        };
        if by == Witness::Convention(convention) {
            return Ok(());
        }
        let name: String = name.chars().take(64).collect();
        Err(format!("{name:?} is known here from elsewhere, and {convention} may not speak of it"))
    }

    /// Tells conventions what they knew in an earlier run.
    pub(super) fn expect_things(&mut self) {
        for thing in self.things.values().filter(|thing| !thing.meta.common.convention.is_empty()) {
            let known =
                self.conventions.iter_mut().filter(|convention| convention.word() == thing.meta.common.convention);
            known.for_each(|convention| convention.expect(thing.name.as_str()));
        }
    }

    /// What conventions want sent by themselves.
    pub(super) fn conventions_ask(&mut self, now: Now, effects: &mut Effects) {
        if self.up_since.is_some() {
            let wanted = self.conventions.iter_mut().flat_map(|convention| convention.ask(now.wall));
            effects.outward.extend(wanted.map(|outgoing| Outward::Publish(publish(outgoing, now))));
        }
    }

    /// Somebody says whether a thing is there. Of one that is, what it last said is so still, also where that was only replayed.
    pub(super) fn is_present(&mut self, key: ThingKey, presence: Presence, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let said: Option<WallMs> = thing.series.iter().filter_map(|series| self.series.get(&series)?.device_ms()).max();
        let Some(thing) = self.things.get_mut(&key) else { return };
        if thing.silence.told(presence, said, now) {
            self.speaks_again(key, now, effects);
        }
        self.dirty.things.insert(key);
    }

    /// An alarm that the thing raises itself or, without a sentence, clears.
    pub(super) fn alerted(
        &mut self,
        key: ThingKey,
        id: &str,
        sentence: Option<String>,
        now: Now,
        effects: &mut Effects,
    ) {
        let rule = told_rule(id);
        let Some(sentence) = sentence else { return self.clear(key, &rule, now, effects) };
        self.watch.retold.insert((key, rule.id.clone()));
        let Some(thing) = self.things.get(&key) else { return };
        let open = thing.alarms.iter().filter_map(|id| self.alarms.get(*id)).filter(|alarm| is_told(&alarm.rule));
        if self.open_alarm(thing, &rule.id).is_some() || open.count() < TOLD_MAX {
            self.raise(key, &rule, sentence, now, effects);
        }
    }

    /// After a connect: alarms of things that were not said again are over, once those that are had time to come.
    pub(super) fn forget_untold(&mut self, now: Now, effects: &mut Effects) {
        let is_time = self.watch.retell_by.is_some_and(|by| now.mono >= by);
        if !is_time {
            return;
        }
        self.watch.retell_by = None;
        let retold = std::mem::take(&mut self.watch.retold);
        let told = self.things.values().flat_map(|thing| thing.alarms.iter().map(|id| (thing.key, *id)));
        let of_rules = told.filter_map(|(key, id)| Some((id, (key, self.alarms.get(id)?.rule.clone()))));
        let over = of_rules.filter(|(_, told)| is_told(&told.1) && !retold.contains(told)).map(|(id, _)| id);
        for id in over.collect::<Vec<_>>() {
            self.fold_alarm(id, Input::Judged(Judged::NotSo), now, effects);
        }
    }

    /// Our link is up. The broker says again what is retained, some of it has been said already.
    pub(super) fn expect_told(&mut self, now: Now) {
        self.watch.retell_by = Some(now.mono.plus(RETOLD_WITHIN_MS));
    }
}

/// Whether a thing raised an alarm itself, by the alarm's rule.
pub(super) fn is_told(rule: &str) -> bool {
    rule.starts_with(TOLD)
}

fn told_rule(id: &str) -> Rule {
    Rule {
        id: format!("{TOLD}{id}"),
        name: format!("reports {id}"),
        things: Things::default(),
        condition: Condition::Told,
        unless: None,
        terms: Terms::default(),
        priority: Priority::Warning,
        time_available_ms: None,
        cause: String::new(),
        consequence: String::new(),
        what_to_do: "the thing raised it and takes it back itself; look at the thing".into(),
    }
}

fn publish(outgoing: Outgoing, now: Now) -> Publish {
    let Outgoing { topic, payload } = outgoing;
    let until = now.mono.plus(ANSWER_TIMEOUT_MS);
    Publish { topic, payload, qos: Qos::AtLeastOnce, retain: false, until, command: None }
}
