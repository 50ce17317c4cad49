//! Commands to things without a shadow: sent once in the way of their convention, settled by what the thing then says.
//!
//! The outbox, its order, its expiry and its words are those of every command (docs/adr/0004-commands.md). What a shadow would
//! remember nobody does here: what was sent and not obeyed cannot be looked into, so it is never sent again by itself, and cannot be
//! taken back.

use fleetlens_model::audit::Event;
use fleetlens_model::command::{Command, Input, Phase};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::telemetry::{Source, Value};
use fleetlens_model::time::{MonoMs, Now};
use fleetlens_wire::convention::{NoCommand, Outgoing};
use serde_json::Value as Json;

use super::{Effects, Fleet, Latest, Outward, Series};
use crate::port::{Publish, Qos};

impl Fleet {
    /// Whether a thing's commands go by a convention.
    pub(super) fn is_direct(&self, key: ThingKey) -> bool {
        self.things.get(&key).is_some_and(|thing| !thing.meta.common.convention.is_empty())
    }

    /// Sends what waits for the thing, oldest first, as soon as its convention knows how.
    pub(super) fn drive_directly(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        for id in self.open_of(key) {
            let Some(command) = self.commands.get(&id) else { continue };
            match &command.phase {
                Phase::Pending => {}
                Phase::Expired { .. } | Phase::Cancelled { .. } => {
                    self.apply(id, Input::NoWayBack, now, effects);
                    continue;
                }
                Phase::Sent
                | Phase::Accepted { .. }
                | Phase::Rejected { .. }
                | Phase::Settled
                | Phase::Overtaken { .. } => continue,
            }
            match self.how_to_send(command, now) {
                Ok(messages) => self.send_directly(id, messages, now, effects),
                Err(NoCommand::NotKnownYet) => self.open.is_unknown(key),
                Err(NoCommand::Impossible(why)) => self.apply(id, Input::Unsendable(why), now, effects),
            }
        }
    }

    fn how_to_send(&self, command: &Command, now: Now) -> Result<Vec<Outgoing>, NoCommand> {
        let thing = self.things.get(&command.thing).ok_or(NoCommand::NotKnownYet)?;
        let known = self.conventions.iter().find(|convention| convention.word() == thing.meta.common.convention);
        let convention = known.ok_or_else(|| {
            let word = &thing.meta.common.convention;
            NoCommand::Impossible(format!(
                "the profile no longer names the convention {word}, by which it is commanded"
            ))
        })?;
        let wants: Vec<(&str, &Json)> = command.wants.iter().map(|want| (want.pointer.as_str(), &want.value)).collect();
        convention.command(thing.name.as_str(), &wants, now.wall)
    }

    fn send_directly(&mut self, id: CommandId, messages: Vec<Outgoing>, now: Now, effects: &mut Effects) {
        let (last_seq, sent) = (self.last_seq, now.mono);
        let Some(command) = self.commands.get_mut(&id) else { return };
        let is_sent = command.send_once(now);
        if is_sent {
            self.sent.insert(id, Sending { last_seq, sent });
        }
        let after = command.clone();
        self.changed(&after, now, effects);
        if !is_sent {
            return;
        }
        // What the thing has not obeyed yet and is to do otherwise now.
        self.overtake(&after, Phase::is_waiting, now, effects);
        let until = now.mono.plus(after.left_ms(now));
        for Outgoing { topic, payload } in messages {
            let publish = Publish { topic, payload, qos: Qos::AtLeastOnce, retain: false, until, command: Some(id) };
            effects.outward.push(Outward::Publish(publish));
        }
    }

    /// What was to be sent did not leave: it waits again. A shadow is looked into when the time-out is over.
    pub(super) fn not_sent(&mut self, id: CommandId, now: Now, effects: &mut Effects) {
        self.audit_of(id, Event::NotPublished, now, effects);
        if self.commands.get(&id).is_some_and(|command| self.is_direct(command.thing)) {
            self.apply(id, Input::NotSent, now, effects);
        }
    }

    /// The thing said something: commands that were sent may be obeyed by it, and those that wait may be sent.
    pub(super) fn commands_may_go_on(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        if !self.is_direct(key) {
            return;
        }
        for id in self.open_of(key) {
            let Some(command) = self.commands.get(&id).filter(|command| command.phase == Phase::Sent) else { continue };
            if self.is_obeyed_since_sent(command) {
                self.apply(id, Input::Obeyed, now, effects);
            }
        }
        if self.up_since.is_some() {
            self.drive_directly(key, now, effects);
        }
    }

    /// Whether the thing has said everything that was wanted since it was sent: live, or replayed on a connection that began after.
    /// What was said before may be from before it obeyed something else. Of what an earlier run sent everything heard in this one
    /// was said since, or is replayed now.
    fn is_obeyed_since_sent(&self, command: &Command) -> bool {
        let Some(thing) = self.things.get(&command.thing) else { return false };
        let sending = self.sent.get(&command.id);
        let is_since = |series: &Series, sample: &Latest| match sending {
            None => series.received().is_some(),
            Some(Sending { last_seq, sent }) => {
                let is_live = sample.source == Source::Live;
                sample.seq > *last_seq && (is_live || self.lost.is_some_and(|lost| lost > *sent))
            }
        };
        command.wants.iter().all(|want| {
            let series = self.series_at(thing, &want.pointer);
            let latest = series.and_then(|series| Some((series, series.latest()?)));
            latest.is_some_and(|(series, sample)| is_since(series, &sample) && want.is_met_by(&json(&sample.value)))
        })
    }
}

/// When a command left, in this run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    /// The last sample before it.
    last_seq: u64,
    sent: MonoMs,
}

pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Number(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
        Value::Text(text) => Json::from(text.as_str()),
    }
}
