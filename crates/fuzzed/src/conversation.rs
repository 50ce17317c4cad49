//! Conventions have a memory, so what is tried on them is a conversation: messages one after the other.
//!
//! A message is an octet of flags, an octet with the length of its topic, the topic, two octets with the length of its payload
//! (the lower first), the payload. What is cut off ends the conversation.

use fleetlens_model::time::WallMs;
use fleetlens_wire::convention::{Convention, Incoming};
use fleetlens_wire::home_assistant::{DEFAULT_PREFIX, HomeAssistant};
use fleetlens_wire::homie::Homie;
use fleetlens_wire::sparkplug::{Sparkplug, SparkplugSetting};
use fleetlens_wire::zigbee2mqtt::Zigbee2Mqtt;
use serde_json::Value as Json;

use crate::{NOW, check_refusal, check_said};

/// The broker replays it.
const RETAINED: u8 = 1;
/// The link was down before it.
const AFTER_LOSS: u8 = 2;

/// Messages of a conversation; more say nothing new.
const MESSAGES_MAX: usize = 64;

/// What is commanded: controls of the first cases.
const POINTERS: [&str; 9] = [
    "/Outputs/Pump",
    "/Pump",
    "/light/level",
    "/light/power",
    "/light/mode",
    "/light",
    "/light/brightness",
    "/state",
    "",
];

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Replayed by the broker.
    pub retained: bool,
    /// The link was down before it.
    pub after_loss: bool,
    /// The topic.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
}

/// A conversation as it is read.
pub fn written(messages: &[Message<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        let flags = u8::from(message.retained) * RETAINED + u8::from(message.after_loss) * AFTER_LOSS;
        let topic = u8::try_from(message.topic.len()).expect("topics of conversations are short");
        let payload = u16::try_from(message.payload.len()).expect("payloads of conversations are short");
        bytes.extend([flags, topic]);
        bytes.extend(message.topic.as_bytes());
        bytes.extend(payload.to_le_bytes());
        bytes.extend(message.payload);
    }
    bytes
}

/// Sparkplug B: edge nodes and devices.
pub fn sparkplug(data: &[u8]) {
    let setting = SparkplugSetting {
        group: None,
        host: Some("city".to_owned()),
        rebirth: true,
        writable: vec!["Outputs/".to_owned(), "Pump".to_owned()],
    };
    converse(Box::new(Sparkplug::new(setting)), data);
}

/// Homie 5.
pub fn homie(data: &[u8]) {
    converse(Box::new(Homie::new("homie".to_owned())), data);
}

/// Home Assistant's discovery.
pub fn home_assistant(data: &[u8]) {
    converse(Box::new(HomeAssistant::new(DEFAULT_PREFIX.to_owned())), data);
}

/// Zigbee2MQTT.
pub fn zigbee2mqtt(data: &[u8]) {
    converse(Box::new(Zigbee2Mqtt::new("zigbee2mqtt".to_owned())), data);
}

/// Has a conversation and looks at every answer; at the end everything that spoke is commanded.
fn converse(mut convention: Box<dyn Convention>, mut data: &[u8]) {
    convention.filters().iter().for_each(|filter| check_filter(filter));
    let mut things = Vec::new();
    for n in 0..MESSAGES_MAX {
        let Some((flags, topic, payload)) = next(&mut data) else { break };
        if flags & AFTER_LOSS != 0 {
            convention.connecting();
        }
        let topic = String::from_utf8_lossy(topic);
        if !convention.reads(&topic) {
            continue;
        }
        let at = WallMs(NOW.0 + n as i64 * 5_000);
        match convention.read(Incoming { topic: &topic, payload, retained: flags & RETAINED != 0, at }) {
            Ok(understood) => {
                understood.said.iter().for_each(check_said);
                understood.listen.iter().for_each(|filter| check_filter(filter));
                understood.send.iter().for_each(|message| check_topic(&message.topic));
                understood.refused.iter().for_each(check_refusal);
                things.extend(understood.said.into_iter().filter_map(|said| said.thing));
                things.dedup();
            }
            Err(error) => check_refusal(&error),
        }
    }
    for thing in things.iter().rev().take(8) {
        for wanted in [Json::from(1), Json::from(true), Json::from("on"), Json::from(1e300), Json::Null] {
            for pointer in POINTERS {
                if let Ok(messages) = convention.command(thing, &[(pointer, &wanted)], NOW) {
                    messages.iter().for_each(|message| check_topic(&message.topic));
                }
            }
        }
    }
}

/// Flags, topic and payload of the next message.
fn next<'a>(data: &mut &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
    let flags = *data.split_off_first()?;
    let length = usize::from(*data.split_off_first()?);
    let topic = data.split_off(..length.min(data.len()))?;
    let lower = usize::from(*data.split_off_first()?);
    let upper = usize::from(*data.split_off_first()?);
    let payload = data.split_off(..(upper * 256 + lower).min(data.len()))?;
    Some((flags, topic, payload))
}

/// Nothing may make us listen to everything.
fn check_filter(filter: &str) {
    let first = filter.split('/').next().unwrap_or_default();
    assert!(!filter.is_empty() && filter.len() <= 65_535 && !["+", "#", "$SYS"].contains(&first), "{filter:?}");
    assert!(!filter.contains('\0'), "{filter:?}");
}

/// One can publish there.
fn check_topic(topic: &str) {
    assert!(!topic.is_empty() && topic.len() <= 65_535 && !topic.contains(['+', '#', '\0']), "{topic:?}");
}
