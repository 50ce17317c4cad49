//! What is left of live QoS 0 messages while the inbox is full: the latest of each topic, and the counts of the others.

use std::collections::{BTreeMap, HashMap, VecDeque};

use fleetlens_model::heard::Heard;

use crate::event::{Event, Message};
use crate::properties::Properties;

/// No more topics than this wait; a message of one more is shed.
pub(crate) const TOPICS_MAX: usize = 65_536;

/// Nor more bytes than this, payloads and topics.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// No more topics than this are counted one by one between two reports; the rest share the empty topic.
const COUNTED_MAX: usize = 64;

/// The latest message of each topic, in the order in which the topics first had to wait.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    latest: HashMap<String, Message>,
    turns: VecDeque<String>,
    bytes: usize,
    shed: BTreeMap<String, u64>,
}

impl Overflow {
    /// Keeps the message in its topic's place; whatever it takes the place of, or itself when there is no place, counts as shed.
    pub fn put(&mut self, message: Heard<'_>, properties: Option<Box<Properties>>) {
        if let Some(waiting) = self.latest.get_mut(message.topic) {
            let others = self.bytes.saturating_sub(size(waiting));
            if waiting.payload.capacity() < message.payload.len() {
                // The old one is worth nothing any more: never both at once.
                waiting.payload = Vec::new();
                if others + 3 * message.topic.len() + message.payload.len() > BYTES_MAX {
                    self.latest.remove(message.topic);
                    self.bytes = others;
                    // Its turn finds nothing, and both are shed.
                    self.count(message.topic);
                    self.count(message.topic);
                    return;
                }
            }
            // Into the memory that is there: under a flood this is all that happens.
            waiting.payload.clear();
            waiting.payload.extend_from_slice(message.payload);
            waiting.properties = properties;
            waiting.redelivered = message.redelivered;
            self.bytes = others + size(waiting);
            self.count(message.topic);
        } else if self.turns.len() < TOPICS_MAX
            && self.bytes + 3 * message.topic.len() + message.payload.len() <= BYTES_MAX
        {
            let message = Message { properties, ..message.into() };
            self.bytes += size(&message);
            self.turns.push_back(message.topic.clone());
            self.latest.insert(message.topic.clone(), message);
        } else {
            self.count(message.topic);
        }
    }

    fn count(&mut self, topic: &str) {
        if let Some(count) = self.shed.get_mut(topic) {
            *count += 1;
            return;
        }
        let topic = if self.shed.len() < COUNTED_MAX { topic } else { "" };
        *self.shed.entry(topic.to_owned()).or_default() += 1;
    }

    /// Whether nothing waits to be told.
    pub fn is_empty(&self) -> bool {
        self.shed.is_empty() && self.turns.is_empty()
    }

    /// What is to be told next: first the count, so that the loss is known before the values that survived it.
    pub fn take(&mut self) -> Option<Event> {
        if !self.shed.is_empty() {
            return Some(Event::Shed { topics: std::mem::take(&mut self.shed).into_iter().collect() });
        }
        while let Some(topic) = self.turns.pop_front() {
            if let Some(latest) = self.latest.remove(&topic) {
                self.bytes = self.bytes.saturating_sub(size(&latest));
                return Some(Event::Received(latest));
            }
        }
        None
    }
}

/// Bytes of a message that waits: its topic lies here three times.
fn size(message: &Message) -> usize {
    3 * message.topic.len() + message.payload.capacity()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: u8) -> Message {
        Message {
            topic: topic.to_owned(),
            payload: vec![payload],
            qos: 0,
            retained: false,
            redelivered: false,
            packet_id: 0,
            properties: None,
            delivery: None,
        }
    }

    #[test]
    fn the_latest_of_each_topic_survives_in_the_order_of_the_topics() {
        let mut overflow = Overflow::default();
        assert!(overflow.is_empty());
        for (topic, payload) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)] {
            overflow.put(message(topic, payload).heard(), None);
        }
        let told: Vec<Event> = std::iter::from_fn(|| overflow.take()).collect();
        let survivors = [message("a", 5), message("b", 2), message("c", 4)].map(Event::Received);
        assert_eq!(told, [vec![Event::Shed { topics: vec![("a".into(), 2)] }], survivors.to_vec()].concat());
        assert!(overflow.is_empty());
    }

    #[test]
    fn large_ones_in_the_place_of_small_ones_do_not_take_it_over_its_bytes() {
        let mut overflow = Overflow::default();
        let large = vec![7; BYTES_MAX / 4];
        for topic in ["a", "b", "c", "d", "e"] {
            overflow.put(message(topic, 1).heard(), None);
        }
        for topic in ["a", "b", "c", "d", "e"] {
            overflow.put(Message { payload: large.clone(), ..message(topic, 0) }.heard(), None);
            assert!(overflow.bytes <= BYTES_MAX, "{topic}: {}", overflow.bytes);
        }
        overflow.put(message("e", 2).heard(), None);
        let told: Vec<Event> = std::iter::from_fn(|| overflow.take()).collect();
        let Some((Event::Shed { topics }, rest)) = told.split_first() else { panic!("{told:?}") };
        let topics: Vec<(&str, u64)> = topics.iter().map(|(topic, count)| (topic.as_str(), *count)).collect();
        assert_eq!(topics, [("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2)], "of d and e both were shed");
        let kept =
            |event: &Event| if let Event::Received(m) = event { (m.topic.clone(), m.payload.len()) } else { panic!() };
        let kept: Vec<(String, usize)> = rest.iter().map(kept).collect();
        let large = large.len();
        assert_eq!(kept, [("a".into(), large), ("b".into(), large), ("c".into(), large), ("e".into(), 1)]);
        assert_eq!(overflow.bytes, 0);
    }

    #[test]
    fn it_never_holds_more_than_its_limit_and_counts_the_rest() {
        let mut overflow = Overflow::default();
        let over = COUNTED_MAX + 7;
        (0..TOPICS_MAX + over).for_each(|n| overflow.put(message(&n.to_string(), 0).heard(), None));
        let Some(Event::Shed { topics }) = overflow.take() else { panic!("first the counts") };
        assert_eq!(topics.len(), COUNTED_MAX + 1);
        assert_eq!(topics.iter().map(|(_, n)| n).sum::<u64>(), u64::try_from(over).unwrap());
        assert_eq!(topics.first(), Some(&(String::new(), 7)), "those beyond the counted topics");
        assert_eq!(std::iter::from_fn(|| overflow.take()).count(), TOPICS_MAX);
    }
}
