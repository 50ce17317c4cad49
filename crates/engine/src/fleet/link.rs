//! What the link tells: that it comes and goes, what it heard, and what it could not take.

use fleetlens_ipc::rows::{LinkState, RefusalRow, ShedRow};
use fleetlens_model::audit::Event;
use fleetlens_model::record::Write;
use fleetlens_model::time::Now;

use super::{Effects, Fleet, Outward, beginning, interval_ms};
use crate::port::LinkEvent;

/// Refusals kept for the screen; the cache keeps more.
const REFUSALS_SHOWN: usize = 20;

/// The longest reason of a refusal that is kept, in characters.
const REASON_MAX_CHARS: usize = 512;

/// The longest topic that is kept of one that was refused or shed, in characters.
const TOPIC_MAX_CHARS: usize = 256;

impl Fleet {
    pub(super) fn link_event(&mut self, event: LinkEvent, now: Now, effects: &mut Effects) {
        match event {
            LinkEvent::Connecting { reason } => {
                let since_ms = match &self.link {
                    LinkState::Connecting { since_ms, .. } => *since_ms,
                    LinkState::Starting | LinkState::Up { .. } => now.wall,
                };
                self.link_lost(now, effects);
                self.begin_connection(now);
                self.link = LinkState::Connecting { reason, since_ms };
            }
            LinkEvent::Up { resumed, granted } => {
                self.granted = Some(granted);
                self.link_up(resumed, now, effects);
            }
            LinkEvent::Down { reason } => {
                self.link_lost(now, effects);
                self.connecting = None;
                self.link = LinkState::Connecting { reason: Some(reason), since_ms: now.wall };
            }
            LinkEvent::Received(message) => {
                self.received(message.heard(), message.properties.as_deref(), now, effects);
            }
            LinkEvent::Messages(batch) => {
                batch.iter().for_each(|message| self.received(message, None, now, effects));
            }
            LinkEvent::Shed { topics } => self.shed(topics, now),
            LinkEvent::Acknowledged { command } => self.audit_of(command, Event::Acknowledged, now, effects),
            LinkEvent::Refused { topic, reason, delivery } => {
                self.refuse(&topic, reason.clone(), now, effects);
                self.remember_refused(topic, reason, delivery, now);
                effects.outward.extend(delivery.map(Outward::Acknowledge));
            }
        }
    }

    fn link_up(&mut self, resumed: bool, now: Now, effects: &mut Effects) {
        self.link = LinkState::Up { since_ms: now.wall };
        self.up_since = Some(now.mono);
        if !resumed {
            // It counts its packets anew: an old id with DUP would be somebody else's.
            effects.writes.push(Write::NewSession);
            let of_it = self.unacked.begin_session();
            effects.writes.extend(of_it.map(|(packet_id, digest)| Write::Unacked { packet_id, digest }));
        }
        self.link_seen = Some(now.mono);
        effects.writes.push(Write::LinkSeen { at_ms: now.wall });
        for thing in self.things.values_mut() {
            thing.silence.link_up(interval_ms(&thing.meta.common), now);
        }
        self.dirty.everything = true;
        self.watch_again(now, effects);
        self.shadows_after_connect(now, effects);
    }

    /// The broker may replay before it has answered every filter: what is forgotten with the old connection is forgotten now, and not
    /// when the new one counts as up.
    fn begin_connection(&mut self, now: Now) {
        self.connecting = Some(now.mono);
        self.watch.forget_early();
        self.unacked.connecting();
        self.conventions.iter_mut().for_each(|convention| convention.connecting());
        self.watch.retold.clear();
        self.forget_leaving();
        self.things.values_mut().for_each(|thing| thing.silence.forget_presence());
    }

    fn link_lost(&mut self, now: Now, effects: &mut Effects) {
        if self.up_since.take().is_none() {
            return;
        }
        self.lost = Some(now.mono);
        self.forget_leaving();
        effects.writes.push(Write::LinkSeen { at_ms: now.wall });
        for thing in self.things.values_mut() {
            thing.silence.link_down(now);
            thing.silence.forget_presence();
        }
        self.listened = now.wall;
        self.dirty.everything = true;
        self.stop_watching(now, effects);
        self.shadows_after_loss(now, effects);
    }

    fn shed(&mut self, topics: Vec<(String, u64)>, now: Now) {
        for (topic, count) in topics {
            self.counters.shed += count;
            let topic = beginning(&topic, TOPIC_MAX_CHARS);
            let known = self.sheds.iter().position(|row| row.topic == topic);
            let before = known.and_then(|i| self.sheds.remove(i)).map_or(0, |row| row.count);
            self.sheds.push_front(ShedRow { topic, count: before + count, last_ms: now.wall });
            self.sheds.truncate(REFUSALS_SHOWN);
        }
    }

    pub(super) fn refuse(&mut self, topic: &str, reason: String, now: Now, effects: &mut Effects) {
        let topic = beginning(topic, TOPIC_MAX_CHARS);
        let reason = beginning(&reason, REASON_MAX_CHARS);
        self.counters.refused += 1;
        let known = self.refusals.iter().position(|r| r.topic == topic && r.reason == reason);
        let count = known.and_then(|i| self.refusals.remove(i)).map_or(1, |r| r.count + 1);
        self.refusals.push_front(RefusalRow { topic: topic.clone(), reason: reason.clone(), count, last_ms: now.wall });
        self.refusals.truncate(REFUSALS_SHOWN);
        effects.writes.push(Write::Refused { topic, reason, at_ms: now.wall });
    }
}
