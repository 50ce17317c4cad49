//! Messages on their way from a broker to the fleet, many at a time: the bytes of all of them lie in two pieces of memory, so that a
//! message costs no allocation of its own and another thread frees a whole batch at once.

use std::ops::Range;

/// A message as it came, looked at where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// Replayed by the broker on subscribe; may be old.
    pub retained: bool,
    /// The broker has sent it before (DUP).
    pub redelivered: bool,
    /// MQTT packet id; 0 at QoS 0.
    pub packet_id: u16,
    /// What the link calls it when it is acknowledged; `None` at QoS 0.
    pub delivery: Option<u64>,
}

/// Messages that came together, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    topics: String,
    payloads: Vec<u8>,
    heads: Vec<Head>,
}

/// Where a message lies, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    topic: Range<usize>,
    payload: Range<usize>,
    retained: bool,
    redelivered: bool,
    packet_id: u16,
    delivery: Option<u64>,
}

impl Batch {
    /// Adds a message behind the others.
    pub fn push(&mut self, message: Heard<'_>) {
        let Heard { topic, payload, retained, redelivered, packet_id, delivery } = message;
        let (topic_at, payload_at) = (self.topics.len(), self.payloads.len());
        self.topics.push_str(topic);
        self.payloads.extend_from_slice(payload);
        let (topic, payload) = (topic_at..self.topics.len(), payload_at..self.payloads.len());
        self.heads.push(Head { topic, payload, retained, redelivered, packet_id, delivery });
    }

    /// The messages.
    pub fn iter(&self) -> impl Iterator<Item = Heard<'_>> {
        (0..self.len()).filter_map(|n| self.get(n))
    }

    /// The nth message.
    pub fn get(&self, n: usize) -> Option<Heard<'_>> {
        let head = self.heads.get(n)?;
        Some(Heard {
            topic: self.topics.get(head.topic.clone())?,
            payload: self.payloads.get(head.payload.clone())?,
            retained: head.retained,
            redelivered: head.redelivered,
            packet_id: head.packet_id,
            delivery: head.delivery,
        })
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes of all topics and payloads.
    pub fn bytes(&self) -> usize {
        self.topics.len() + self.payloads.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_its_order() {
        let first = Heard {
            topic: "città/lamp-1",
            payload: b"{}",
            retained: true,
            redelivered: false,
            packet_id: 7,
            delivery: Some(65_543),
        };
        let second = Heard { topic: "", payload: &[0xff], redelivered: true, delivery: None, ..first };
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        batch.push(first);
        batch.push(second);
        assert_eq!(batch.iter().collect::<Vec<_>>(), [first, second]);
        assert_eq!((batch.len(), batch.bytes(), batch.get(2)), (2, "città/lamp-1".len() + 3, None));
    }
}
