//! What is left of live QoS 0 messages while the inbox is full: the latest of each topic, and the counts of the others.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::event::{Event, Message};

/// No more topics than this wait; a message of one more is shed.
pub(crate) const TOPICS_MAX: usize = 4096;

/// No more topics than this are counted one by one between two reports; the rest share the empty topic.
const COUNTED_MAX: usize = 64;

/// The latest message of each topic, in the order in which the topics first had to wait.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    latest: HashMap<String, Message>,
    turns: VecDeque<String>,
    shed: BTreeMap<String, u64>,
}

impl Overflow {
    /// Keeps the message in its topic's place; whatever it takes the place of, or itself when there is no place, counts as shed.
    pub fn put(&mut self, message: Message) {
        if let Some(waiting) = self.latest.get_mut(&message.topic) {
            let lost = std::mem::replace(waiting, message);
            self.count(lost.topic);
        } else if self.turns.len() < TOPICS_MAX {
            self.turns.push_back(message.topic.clone());
            self.latest.insert(message.topic.clone(), message);
        } else {
            self.count(message.topic);
        }
    }

    fn count(&mut self, topic: String) {
        let one_by_one = self.shed.len() < COUNTED_MAX || self.shed.contains_key(&topic);
        *self.shed.entry(if one_by_one { topic } else { String::new() }).or_default() += 1;
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
        let topic = self.turns.pop_front()?;
        self.latest.remove(&topic).map(Event::Received)
    }
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
            overflow.put(message(topic, payload));
        }
        let told: Vec<Event> = std::iter::from_fn(|| overflow.take()).collect();
        let survivors = [message("a", 5), message("b", 2), message("c", 4)].map(Event::Received);
        assert_eq!(told, [vec![Event::Shed { topics: vec![("a".into(), 2)] }], survivors.to_vec()].concat());
        assert!(overflow.is_empty());
    }

    #[test]
    fn it_never_holds_more_than_its_limit_and_counts_the_rest() {
        let mut overflow = Overflow::default();
        let over = COUNTED_MAX + 7;
        (0..TOPICS_MAX + over).for_each(|n| overflow.put(message(&n.to_string(), 0)));
        let Some(Event::Shed { topics }) = overflow.take() else { panic!("first the counts") };
        assert_eq!(topics.len(), COUNTED_MAX + 1);
        assert_eq!(topics.iter().map(|(_, n)| n).sum::<u64>(), u64::try_from(over).unwrap());
        assert_eq!(topics.first(), Some(&(String::new(), 7)), "those beyond the counted topics");
        assert_eq!(std::iter::from_fn(|| overflow.take()).count(), TOPICS_MAX);
    }
}
