//! What the link tells.

use fleetlens_model::heard::Heard;

use crate::properties::Properties;

/// What the link tells, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It tries, or waits before the next try.
    Connecting {
        /// What went wrong last and what to change, for a person; `None` at the first try.
        reason: Option<String>,
    },
    /// Connected, and every filter was answered. What a persistent session kept for us may arrive before this.
    Up {
        /// Whether the broker still knew our session, and so delivers what was published while we were away.
        session_present: bool,
        /// The lowest QoS the broker granted to any of our filters.
        granted: u8,
    },
    /// The connection that was up is gone; the link tries again by itself.
    Down {
        /// Why, for a person.
        reason: String,
    },
    /// A message.
    Received(Message),
    /// Live QoS 0 messages were left out because the inbox was full.
    Shed {
        /// How many since the last event of this kind, by topic, at least 1 each; under the empty topic those of all further ones.
        topics: Vec<(String, u64)>,
    },
    /// The broker has a message of ours (PUBACK) that was published with [`crate::Link::try_publish_told`].
    Acknowledged {
        /// What was given with it.
        receipt: u64,
    },
    /// Something of ours the broker refused, a filter it grants with less than was asked for, or a packet no message could be
    /// made of.
    Refused {
        /// The topic or the filter, as far as it can be shown; empty when it is not known.
        topic: String,
        /// Why.
        reason: String,
        /// To be acknowledged like a message, so that it does not come back for ever.
        delivery: Option<u64>,
    },
}

/// A message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic.
    pub topic: String,
    /// The payload, at most [`crate::LinkConfig::max_packet_bytes`].
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// Replayed by the broker on subscribe; may be old.
    pub retained: bool,
    /// The broker has sent it before (DUP).
    pub redelivered: bool,
    /// MQTT packet id; 0 at QoS 0.
    pub packet_id: u16,
    /// What it carried besides, with MQTT 5; `None` when nothing.
    pub properties: Option<Box<Properties>>,
    /// What to give to [`crate::Link::acknowledge`] once it is safe; `None` at QoS 0.
    pub delivery: Option<u64>,
}

/// Topics whose messages answer something and are never shed (invariant 2 of docs/ARCHITECTURE.md).
const ANSWERS: &str = "$aws/";

impl From<Heard<'_>> for Message {
    fn from(heard: Heard<'_>) -> Message {
        let Heard { topic, payload, retained, redelivered, packet_id, delivery } = heard;
        Message {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            // What needs no acknowledgement came at QoS 0.
            qos: u8::from(packet_id != 0),
            retained,
            redelivered,
            packet_id,
            properties: None,
            delivery,
        }
    }
}

/// Whether a later message of its topic may take the place of one: live QoS 0 telemetry. Retained ones are a finite replay whose
/// topics may stay silent for hours, so they wait like answers do.
pub(crate) fn may_be_shed(topic: &str, qos: u8, retained: bool) -> bool {
    qos == 0 && !retained && !topic.starts_with(ANSWERS)
}

impl Message {
    /// The message where it lies; its properties are left out.
    pub(crate) fn heard(&self) -> Heard<'_> {
        let Message { topic, payload, retained, redelivered, packet_id, delivery, .. } = self;
        let (retained, redelivered, packet_id, delivery) = (*retained, *redelivered, *packet_id, *delivery);
        Heard { topic, payload, retained, redelivered, packet_id, delivery }
    }
}
