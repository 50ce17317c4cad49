//! The last messages of each thing as they came, for the person who looks for what a device really says. In memory only, since the
//! start of the program, bounded per thing and over all.

use std::collections::{BTreeMap, HashMap, VecDeque};

use fleetlens_ipc::rows::MessageProperties;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;

use crate::port::Received;

/// Messages kept of one thing.
pub(crate) const KEPT_PER_THING: usize = 20;

/// What all of them may hold, in bytes.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of a payload that are kept.
pub(crate) const PAYLOAD_KEPT_BYTES: usize = 2048;

/// About what a message costs beyond its topic and payload, in bytes: the entry, its place in both orders.
const OVERHEAD_BYTES: usize = 192;

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawMessage {
    /// Whose it is.
    pub(crate) thing: ThingKey,
    /// The topic.
    pub(crate) topic: String,
    /// The first [`PAYLOAD_KEPT_BYTES`] of the payload.
    pub(crate) payload: Vec<u8>,
    /// How many bytes the payload had.
    pub(crate) bytes: usize,
    /// When it came.
    pub(crate) received_ms: WallMs,
    /// The broker replayed it on subscribe.
    pub(crate) retained: bool,
    /// It was delivered before and is stored already.
    pub(crate) repeated: bool,
    /// 0 or 1.
    pub(crate) qos: u8,
    /// What it carried besides.
    pub(crate) properties: Option<Box<MessageProperties>>,
    /// Why it was refused, if it was.
    pub(crate) refused: Option<String>,
}

impl RawMessage {
    /// Takes a received message over; nothing of it is copied unless it is long.
    pub(super) fn new(thing: ThingKey, message: Received, received_ms: WallMs, refused: Option<String>) -> RawMessage {
        let Received { topic, mut payload, retained, delivery, properties, .. } = message;
        let bytes = payload.len();
        if bytes > PAYLOAD_KEPT_BYTES {
            payload.truncate(PAYLOAD_KEPT_BYTES);
            payload.shrink_to_fit();
        }
        // What needs no acknowledgement came at QoS 0.
        let qos = u8::from(delivery.is_some());
        RawMessage { thing, topic, payload, bytes, received_ms, retained, repeated: false, qos, properties, refused }
    }

    fn cost(&self) -> usize {
        let refused = self.refused.as_ref().map_or(0, String::capacity);
        let properties = self.properties.as_deref().map_or(0, properties_cost);
        OVERHEAD_BYTES + self.topic.capacity() + self.payload.capacity() + properties + refused
    }
}

/// About what they hold, in bytes.
fn properties_cost(properties: &MessageProperties) -> usize {
    let MessageProperties { content_type, response_topic, user, expiry_s: _, left_out: _ } = properties;
    let texts = [content_type, response_topic].into_iter().flatten().map(String::capacity).sum::<usize>();
    let pairs = user.iter().map(|(name, value)| size_of::<(String, String)>() + name.capacity() + value.capacity());
    size_of::<MessageProperties>() + texts + pairs.sum::<usize>()
}

/// The last messages of every thing, by a number that rises with each.
#[derive(Debug, Default)]
pub(crate) struct MessageLog {
    kept: BTreeMap<u64, RawMessage>,
    of: HashMap<ThingKey, VecDeque<u64>>,
    last: u64,
    bytes: usize,
}

impl MessageLog {
    pub(super) fn add(&mut self, message: RawMessage) {
        self.last += 1;
        self.bytes += message.cost();
        let numbers = self.of.entry(message.thing).or_default();
        numbers.push_back(self.last);
        let oldest = if numbers.len() > KEPT_PER_THING { numbers.pop_front() } else { None };
        self.kept.insert(self.last, message);
        if let Some(left) = oldest.and_then(|number| self.kept.remove(&number)) {
            self.bytes = self.bytes.saturating_sub(left.cost());
        }
        while self.bytes > KEPT_BYTES && self.kept.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, left)) = self.kept.pop_first() else { return };
        self.bytes = self.bytes.saturating_sub(left.cost());
        // The oldest of all is the oldest of its thing.
        if let Some(numbers) = self.of.get_mut(&left.thing) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.of.remove(&left.thing);
            }
        }
    }

    /// The number of a thing's newest message; 0 when none is kept.
    pub(crate) fn newest(&self, thing: ThingKey) -> u64 {
        self.of.get(&thing).and_then(VecDeque::back).copied().unwrap_or(0)
    }

    /// A thing's messages after a number, oldest first.
    pub(crate) fn after(&self, thing: ThingKey, number: u64) -> impl Iterator<Item = &RawMessage> {
        let numbers = self.of.get(&thing).into_iter().flatten().filter(move |n| **n > number);
        numbers.filter_map(|n| self.kept.get(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(thing: u32, payload: Vec<u8>) -> RawMessage {
        let message = Received {
            topic: format!("t/{thing}"),
            payload,
            retained: false,
            redelivered: false,
            packet_id: 0,
            properties: None,
            delivery: None,
        };
        RawMessage::new(ThingKey(thing), message, WallMs(1), None)
    }

    #[test]
    fn a_thing_keeps_its_last_twenty_whatever_others_say() {
        let mut log = MessageLog::default();
        log.add(message(2, vec![7]));
        (0..50u8).for_each(|i| log.add(message(1, vec![i])));
        let kept: Vec<u8> = log.after(ThingKey(1), 0).map(|m| m.payload[0]).collect();
        assert_eq!(kept, (30..50).collect::<Vec<u8>>());
        assert_eq!(log.after(ThingKey(2), 0).count(), 1);
        assert_eq!(log.after(ThingKey(1), log.newest(ThingKey(1))).count(), 0, "nothing after the newest");
        assert_eq!(log.kept.len(), 21);
    }

    #[test]
    fn over_all_the_oldest_leave_first_and_the_bytes_add_up() {
        let mut log = MessageLog::default();
        let things = 20_000u32;
        (0..things).for_each(|thing| log.add(message(thing, vec![b'x'; 3000])));
        assert!(log.bytes <= KEPT_BYTES, "{}", log.bytes);
        assert_eq!(log.bytes, log.kept.values().map(RawMessage::cost).sum::<usize>());
        assert_eq!((log.newest(ThingKey(0)), log.after(ThingKey(0), 0).count()), (0, 0), "the oldest is forgotten");
        let last = log.after(ThingKey(things - 1), 0).next().unwrap();
        assert_eq!((last.payload.len(), last.bytes), (PAYLOAD_KEPT_BYTES, 3000));
        assert_eq!(log.of.values().map(VecDeque::len).sum::<usize>(), log.kept.len());
    }
}
