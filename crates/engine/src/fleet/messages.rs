//! The last messages of each thing as they came, for the person who looks for what a device really says. In memory only, since the
//! start of the program, bounded over all.
//!
//! **A log.** Every message is written behind the one before, into segments of which there are so many, and each says where the one
//! before it of its thing lies. So a message costs the copying of its bytes and nothing else, whoever said it, and memory stops to grow
//! when the last segment is begun: then the oldest is written anew. A thing that speaks seldom is not forgotten for those that speak
//! often: its last message moves to the front when its segment goes.

use std::collections::{BTreeMap, VecDeque};
use std::mem::take;
use std::num::NonZeroU64;

use fleetlens_ipc::rows::MessageProperties;
use fleetlens_model::heard::Heard;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;

use super::keyed::Keyed;

/// The most messages of one thing that are shown.
pub(crate) const KEPT_PER_THING: usize = 20;

/// Bytes of a payload that are kept.
pub(crate) const PAYLOAD_KEPT_BYTES: usize = 2048;

/// Bytes of a segment. No message is longer: the topic has at most 65 535, by MQTT.
const SEGMENT_BYTES: usize = 256 * 1024;

/// How many there are.
const SEGMENTS: usize = 48;

/// What all that few messages have may hold, in bytes.
const BESIDES_BYTES: usize = 2 * 1024 * 1024;

/// Of each segment that goes no more is moved to the front than this, in bytes: what was said since must not go for it.
const MOVED_MAX: usize = SEGMENT_BYTES / 2;

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawMessage {
    /// The topic.
    pub(crate) topic: String,
    /// The first [`PAYLOAD_KEPT_BYTES`] of the payload.
    pub(crate) payload: Vec<u8>,
    /// How many bytes the payload had.
    pub(crate) bytes: u32,
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

/// What is kept of a message beside the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    /// [`RawMessage::repeated`].
    pub(super) repeated: bool,
    /// [`RawMessage::refused`].
    pub(super) refused: Option<&'a str>,
    /// [`RawMessage::properties`].
    pub(super) properties: Option<&'a MessageProperties>,
    /// [`RawMessage::received_ms`].
    pub(super) received_ms: WallMs,
}

/// What few messages have; beside the log, by the message's number.
#[derive(Clone, Debug)]
struct Besides {
    properties: Option<Box<MessageProperties>>,
    refused: Option<String>,
}

impl Besides {
    /// About what it holds, in bytes.
    fn cost(&self) -> usize {
        let refused = self.refused.as_ref().map_or(0, String::capacity);
        size_of::<(u64, Besides)>() + refused + self.properties.as_deref().map_or(0, properties_cost)
    }
}

/// About what they hold, in bytes.
fn properties_cost(properties: &MessageProperties) -> usize {
    let MessageProperties { content_type, response_topic, user, expiry_s: _, left_out: _ } = properties;
    let texts = [content_type, response_topic].into_iter().flatten().map(String::capacity).sum::<usize>();
    let pairs = user.iter().map(|(name, value)| size_of::<(String, String)>() + name.capacity() + value.capacity());
    size_of::<MessageProperties>() + texts + pairs.sum::<usize>()
}

/// What stands before the topic and the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    thing: ThingKey,
    /// Rises with each message of any thing.
    number: u64,
    /// Where the message before of this thing lies, or lay.
    before: Option<Place>,
    received_ms: i64,
    bytes: u32,
    topic: u16,
    payload: u16,
    marks: u8,
}

/// A segment's number and a place in it; those of newer messages are higher.
type Place = NonZeroU64;

const HEAD_BYTES: usize = 37;
const RETAINED: u8 = 1;
const REPEATED: u8 = 2;
const QOS_1: u8 = 4;

impl Head {
    fn put(self, out: &mut Vec<u8>) {
        out.extend(self.thing.0.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.before.map_or(0, Place::get).to_le_bytes());
        out.extend(self.received_ms.to_le_bytes());
        out.extend(self.bytes.to_le_bytes());
        out.extend(self.topic.to_le_bytes());
        out.extend(self.payload.to_le_bytes());
        out.push(self.marks);
    }

    /// The head at the front of these bytes, and what is behind it.
    fn get(from: &[u8]) -> Option<(Head, &[u8])> {
        let (thing, from) = from.split_first_chunk()?;
        let (number, from) = from.split_first_chunk()?;
        let (before, from) = from.split_first_chunk()?;
        let (received_ms, from) = from.split_first_chunk()?;
        let (bytes, from) = from.split_first_chunk()?;
        let (topic, from) = from.split_first_chunk()?;
        let (payload, from) = from.split_first_chunk()?;
        let (marks, from) = from.split_first()?;
        let head = Head {
            thing: ThingKey(u32::from_le_bytes(*thing)),
            number: u64::from_le_bytes(*number),
            before: Place::new(u64::from_le_bytes(*before)),
            received_ms: i64::from_le_bytes(*received_ms),
            bytes: u32::from_le_bytes(*bytes),
            topic: u16::from_le_bytes(*topic),
            payload: u16::from_le_bytes(*payload),
            marks: *marks,
        };
        Some((head, from))
    }

    fn len(&self) -> usize {
        HEAD_BYTES + usize::from(self.topic) + usize::from(self.payload)
    }
}

/// The last messages of every thing.
#[derive(Debug)]
pub(crate) struct MessageLog {
    segments: VecDeque<Vec<u8>>,
    /// The number of the first segment; they begin with 1.
    first: u64,
    most: usize,
    /// Where the newest of each thing lies, or lay.
    newest: Keyed<ThingKey, Place>,
    besides: BTreeMap<u64, Besides>,
    besides_bytes: usize,
    last: u64,
}

impl Default for MessageLog {
    fn default() -> MessageLog {
        MessageLog::of(SEGMENTS)
    }
}

impl MessageLog {
    fn of(most: usize) -> MessageLog {
        MessageLog {
            segments: VecDeque::new(),
            first: 1,
            most,
            newest: Keyed::default(),
            besides: BTreeMap::new(),
            besides_bytes: 0,
            last: 0,
        }
    }

    /// Keeps a message of a thing.
    pub(super) fn add(&mut self, thing: ThingKey, heard: Heard<'_>, kept: Kept<'_>) {
        self.last += 1;
        let payload = heard.payload.get(..PAYLOAD_KEPT_BYTES).unwrap_or(heard.payload);
        let topic = heard.topic.as_bytes();
        let (Ok(topic_len), Ok(payload_len)) = (u16::try_from(topic.len()), u16::try_from(payload.len())) else {
            return;
        };
        let has_besides = kept.properties.is_some() || kept.refused.is_some();
        if has_besides {
            let properties = kept.properties.cloned().map(Box::new);
            let refused = kept.refused.map(str::to_owned);
            let besides = Besides { properties, refused };
            self.besides_bytes += besides.cost();
            self.besides.insert(self.last, besides);
            while self.besides_bytes > BESIDES_BYTES {
                let Some((_, oldest)) = self.besides.pop_first() else { break };
                self.besides_bytes = self.besides_bytes.saturating_sub(oldest.cost());
            }
        }
        let marks = [
            (heard.retained, RETAINED),
            (kept.repeated, REPEATED),
            // What needs no acknowledgement came at QoS 0.
            (heard.delivery.is_some(), QOS_1),
        ];
        self.make_room(HEAD_BYTES + topic.len() + payload.len());
        let head = Head {
            thing,
            number: self.last,
            // Only now: it may just have moved.
            before: self.newest.get(&thing).copied(),
            received_ms: kept.received_ms.0,
            bytes: u32::try_from(heard.payload.len()).unwrap_or(u32::MAX),
            topic: topic_len,
            payload: payload_len,
            marks: marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).sum(),
        };
        self.write(head, topic, payload);
    }

    /// Behind the last message; there is room.
    fn write(&mut self, head: Head, topic: &[u8], payload: &[u8]) {
        let number = self.first + self.segments.len() as u64 - 1;
        let Some(segment) = self.segments.back_mut() else { return };
        // The place of a first byte is never zero, since the numbers of segments begin with 1.
        let Some(place) = Place::new(number * SEGMENT_BYTES as u64 + segment.len() as u64) else { return };
        head.put(segment);
        segment.extend_from_slice(topic);
        segment.extend_from_slice(payload);
        match self.newest.get_mut(&head.thing) {
            Some(newest) => *newest = place,
            None => self.newest.insert(head.thing, place),
        }
    }

    /// Makes room for so many bytes in the last segment.
    fn make_room(&mut self, bytes: usize) {
        if self.segments.back().is_some_and(|last| last.len() + bytes <= SEGMENT_BYTES) {
            return;
        }
        if self.segments.len() < self.most {
            self.segments.push_back(Vec::with_capacity(SEGMENT_BYTES));
            return;
        }
        let Some(mut oldest) = self.segments.pop_front() else { return };
        let (number, mut moved) = (self.first, Vec::new());
        self.first += 1;
        let (mut rest, mut moved_bytes) = (oldest.as_slice(), 0);
        while let Some((head, behind)) = Head::get(rest) {
            let place = number * SEGMENT_BYTES as u64 + (oldest.len() - rest.len()) as u64;
            let is_newest = self.newest.get(&head.thing).is_some_and(|newest| newest.get() == place);
            let Some((words, next)) = behind.split_at_checked(head.len() - HEAD_BYTES) else { break };
            if is_newest && moved_bytes + head.len() + bytes <= MOVED_MAX {
                moved_bytes += head.len();
                moved.push((head, words.to_vec()));
            } else if let Some(gone) = self.besides.remove(&head.number) {
                self.besides_bytes = self.besides_bytes.saturating_sub(gone.cost());
            }
            rest = next;
        }
        oldest.clear();
        self.segments.push_back(oldest);
        for (head, words) in moved {
            let (topic, payload) = words.split_at(usize::from(head.topic).min(words.len()));
            // All before it lay in segments that are gone.
            self.write(Head { before: None, ..head }, topic, payload);
        }
    }

    /// What lies there, if it still does.
    fn at(&self, place: Place) -> Option<(Head, &[u8])> {
        let (number, at) = (place.get() / SEGMENT_BYTES as u64, place.get() % SEGMENT_BYTES as u64);
        let segment = self.segments.get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
        Head::get(segment.get(usize::try_from(at).ok()?..)?)
    }

    /// The number of a thing's newest message; 0 when none is kept.
    pub(crate) fn newest(&self, thing: ThingKey) -> u64 {
        let newest = self.newest.get(&thing).and_then(|place| self.at(*place));
        newest.map_or(0, |(head, _)| head.number)
    }

    /// A thing's last messages after a number, oldest first.
    pub(crate) fn after(&self, thing: ThingKey, number: u64) -> Vec<RawMessage> {
        let mut messages = Vec::new();
        let mut place = self.newest.get(&thing).copied();
        while let Some((head, words)) = place.and_then(|place| self.at(place)) {
            if head.number <= number || messages.len() == KEPT_PER_THING {
                break;
            }
            messages.push(self.message(head, words));
            place = head.before;
        }
        messages.reverse();
        messages
    }

    fn message(&self, head: Head, words: &[u8]) -> RawMessage {
        let (topic, payload) = words.split_at_checked(usize::from(head.topic)).unwrap_or_default();
        let mut besides = self.besides.get(&head.number).cloned();
        RawMessage {
            topic: String::from_utf8_lossy(topic).into_owned(),
            payload: payload.get(..usize::from(head.payload)).unwrap_or_default().to_vec(),
            bytes: head.bytes,
            received_ms: WallMs(head.received_ms),
            retained: head.marks & RETAINED > 0,
            repeated: head.marks & REPEATED > 0,
            qos: u8::from(head.marks & QOS_1 > 0),
            properties: besides.as_mut().and_then(|besides| take(&mut besides.properties)),
            refused: besides.and_then(|besides| besides.refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(log: &mut MessageLog, thing: u32, payload: &[u8], refused: Option<&str>) {
        let topic = format!("t/{thing}");
        let heard = Heard { topic: &topic, payload, retained: false, redelivered: false, packet_id: 0, delivery: None };
        log.add(ThingKey(thing), heard, Kept { repeated: false, refused, properties: None, received_ms: WallMs(1) });
    }

    fn payloads(log: &MessageLog, thing: u32) -> Vec<u8> {
        log.after(ThingKey(thing), 0).iter().map(|message| message.payload[0]).collect()
    }

    #[test]
    fn the_last_twenty_of_a_thing_are_told_and_what_came_after_some() {
        let mut log = MessageLog::default();
        add(&mut log, 2, &[7], None);
        (0..50_u8).for_each(|i| add(&mut log, 1, &[i], (i == 49).then_some("why")));
        assert_eq!(payloads(&log, 1), (30..50).collect::<Vec<u8>>());
        assert_eq!(payloads(&log, 2), [7]);
        assert_eq!(log.newest(ThingKey(1)), 51);
        let after = log.after(ThingKey(1), 49);
        assert_eq!(after.iter().map(|m| m.refused.as_deref()).collect::<Vec<_>>(), [None, Some("why")]);
        assert!(log.after(ThingKey(1), 51).is_empty() && log.after(ThingKey(3), 0).is_empty());
        add(&mut log, 3, &[b'x'; 3000], None);
        let long = &log.after(ThingKey(3), 0)[0];
        assert_eq!((long.topic.as_str(), long.payload.len(), long.bytes), ("t/3", PAYLOAD_KEPT_BYTES, 3000));
    }

    #[test]
    fn memory_is_bounded_and_who_speaks_seldom_is_remembered_for_it() {
        let mut log = MessageLog::of(4);
        add(&mut log, 1, &[1], None);
        add(&mut log, 1, &[2], Some("why"));
        let number = log.newest(ThingKey(1));
        for n in 0..10_000 {
            add(&mut log, 2 + n % 3, &[3; 1000], Some("often"));
        }
        assert_eq!(log.segments.iter().map(Vec::capacity).sum::<usize>(), 4 * SEGMENT_BYTES);
        assert_eq!(payloads(&log, 1), [2], "the last one has moved, and is no new one");
        assert_eq!(log.newest(ThingKey(1)), number);
        assert_eq!(log.after(ThingKey(1), 0)[0].refused.as_deref(), Some("why"));
        assert_eq!(payloads(&log, 2).len(), KEPT_PER_THING);
        assert!(log.besides.len() <= 4 * SEGMENT_BYTES / 1000 + 1, "{}", log.besides.len());
    }

    #[test]
    fn reasons_and_properties_are_bounded_in_bytes_too() {
        let (mut log, reason) = (MessageLog::default(), "x".repeat(10_000));
        (0..1_000).for_each(|_| add(&mut log, 1, &[1], Some(&reason)));
        assert_eq!(log.besides_bytes, log.besides.values().map(Besides::cost).sum::<usize>());
        assert!(log.besides_bytes <= BESIDES_BYTES, "{}", log.besides_bytes);
        assert_eq!(log.after(ThingKey(1), 999)[0].refused.as_deref(), Some(reason.as_str()));
    }

    #[test]
    fn when_all_speak_once_the_oldest_go() {
        let mut log = MessageLog::of(4);
        (1..=2_000).for_each(|thing| add(&mut log, thing, &[1; 2000], None));
        assert_eq!((log.newest(ThingKey(700)), payloads(&log, 700).len()), (0, 0));
        assert_eq!(payloads(&log, 2_000), [1]);
        let kept = (1..=2_000).filter(|thing| log.newest(ThingKey(*thing)) > 0).count();
        assert!((250..=510).contains(&kept), "{kept}");
    }
}
