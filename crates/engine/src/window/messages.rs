//! The last messages of a thing as they came; after the snapshot each new one.

use fleetlens_ipc::rows::{Change, MessageRow, Rows};
use fleetlens_model::id::ThingKey;
use fleetlens_model::text::{shown, shown_in_lines};

use super::Told;
use crate::fleet::{Fleet, RawMessage};

#[derive(Debug)]
pub(super) struct MessagesView {
    thing: ThingKey,
    /// The number of the newest message that was told.
    told: u64,
}

impl MessagesView {
    pub(super) fn new(thing: ThingKey) -> MessagesView {
        MessagesView { thing, told: 0 }
    }

    pub(super) fn soil(&mut self, fleet: &Fleet) -> bool {
        fleet.messages.newest(self.thing) > self.told
    }

    /// Of a thing no more are kept than one frame may carry, so a burst is told by its last ones.
    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        if !fleet.things.contains_key(&self.thing) {
            return if first { Told::All(Rows::Missing) } else { Told::Nothing };
        }
        let new = fleet.messages.after(self.thing, self.told).into_iter().map(row);
        let told = if first {
            Told::All(Rows::Messages(new.collect()))
        } else {
            Told::Some(new.map(Change::Message).collect())
        };
        self.told = self.told.max(fleet.messages.newest(self.thing));
        told
    }
}

fn row(message: RawMessage) -> MessageRow {
    MessageRow {
        topic: shown(&message.topic).into_owned(),
        payload: shown_in_lines(&String::from_utf8_lossy(&message.payload)).into_owned(),
        bytes: message.bytes,
        received_ms: message.received_ms,
        retained: message.retained,
        repeated: message.repeated,
        qos: message.qos,
        properties: message.properties,
        refused: message.refused.as_deref().map(|reason| shown(reason).into_owned()),
    }
}
