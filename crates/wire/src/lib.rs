//! Topics and payloads, both ways, bounded and without I/O.
//!
//! One module a convention. What does not belong here: connections, clocks, and what a message *means* for the fleet, which
//! is the model's and the engine's.

mod about;
pub mod availability;
pub mod aws;
pub mod convention;
mod datex;
mod fiware;
pub mod home_assistant;
pub mod homie;
mod json;
pub mod meta;
mod parkapi;
pub mod pointer;
mod quote;
pub mod rebase;
pub mod registry;
mod room;
mod scalar;
mod senml;
mod settable;
pub mod shadow;
pub mod sparkplug;
pub mod telemetry;
pub mod template;
#[cfg(test)]
mod testing;
pub mod time;
mod xml;
pub mod zigbee2mqtt;

pub use quote::REFUSAL_MAX_CHARS;

/// Why a message is refused. The text stands on the diagnostics page beside the topic, so it says what was given; it quotes at most
/// the first 200 characters of anything and is never longer than [`REFUSAL_MAX_CHARS`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The topic is none of a shadow's.
    #[error(transparent)]
    Topic(#[from] shadow::TopicError),
    /// What only Sparkplug refuses.
    #[error(transparent)]
    Sparkplug(#[from] sparkplug::SparkplugError),
    /// What Home Assistant's discovery has no reading for.
    #[error(transparent)]
    HomeAssistant(#[from] home_assistant::HomeAssistantError),
    /// A request's topic where an answer was to be read.
    #[error("{topic} is where shadow requests go; answers come below it")]
    NotAnAnswer {
        /// The topic, or its beginning.
        topic: String,
    },
    /// A topic of AWS's that is none of the events read here.
    #[error("{topic} is none of the events that are read; those of presence, jobs and commands in JSON are")]
    NotAnEvent {
        /// The topic, or its beginning.
        topic: String,
    },
    /// Neither of the words by which a profile knows who is there.
    #[error("the payload says {given:?}; the profile knows {online:?} and {offline:?}")]
    NoAvailability {
        /// What it says, or its beginning.
        given: String,
        /// The word for who is there.
        online: String,
        /// The word for who is gone.
        offline: String,
    },
    /// More bytes than such a message can have.
    #[error("the payload has {given} bytes; at most {max} are read")]
    TooLarge {
        /// Bytes given.
        given: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// More brackets in each other than such a message can have.
    #[error("the payload nests deeper than {max} brackets")]
    TooDeep {
        /// Brackets allowed.
        max: usize,
    },
    /// Bytes that are no text.
    #[error("the payload is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Text that is no JSON.
    #[error("the payload is not JSON: {why}")]
    NotJson {
        /// In the parser's words, or their beginning, with line and column.
        why: String,
    },
    /// Text that is no XML, or more of it than is read.
    #[error("the payload is XML that cannot be read: {why}")]
    BadXml {
        /// In the parser's words or ours, or their beginning.
        why: String,
    },
    /// Something else than one value.
    #[error("the payload is {given} where a single value belongs, such as 23.5, true or ON")]
    NotScalar {
        /// "an object", "an array" or "no text".
        given: &'static str,
    },
    /// JSON of another shape.
    #[error("the payload is {given} where an object belongs")]
    NotAnObject {
        /// "an array" or "a single value".
        given: &'static str,
    },
    /// More values than one message may carry.
    #[error("the payload carries more than {max} values")]
    TooMany {
        /// Values allowed.
        max: usize,
    },
    /// More entries than one payload may list.
    #[error("the payload lists {given} entries; at most {max} are read")]
    TooLong {
        /// Entries given.
        given: usize,
        /// Entries allowed.
        max: usize,
    },
    /// Two values that go by one name.
    #[error("two values are called \"{pointer}\"; a message may say each once")]
    Twice {
        /// The beginning of the JSON pointer.
        pointer: String,
    },
    /// Several members, or none, where the profile says that there is one.
    #[error("the object at \"{pointer}\" has {given} members where * stands for the only one")]
    NotAlone {
        /// The beginning of its JSON pointer.
        pointer: String,
        /// Members it has.
        given: usize,
    },
    /// A name, with those of the objects around it, that is too long for a series.
    #[error("the name of a value, \"{pointer}\", has {given} bytes; at most {max} are allowed")]
    NameTooLong {
        /// The beginning of its JSON pointer.
        pointer: String,
        /// Bytes of the whole pointer.
        given: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A field that must be there.
    #[error("the field \"{field}\" is missing")]
    Missing {
        /// Its name, or the beginning of its pointer.
        field: String,
    },
    /// A field of the wrong type or out of range.
    #[error("the field \"{field}\" is {given}; it must be {wanted}")]
    WrongType {
        /// Its name, or the beginning of its pointer.
        field: String,
        /// The first 40 characters of what was given.
        given: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A topic that a convention has no use for.
    #[error("the topic ends in \"{topic}\", which this convention does not have; it has {wanted}")]
    ForeignTopic {
        /// The beginning of what follows the convention's own levels.
        topic: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A value that its thing's description does not have.
    #[error("the thing's description has no value \"{pointer}\", or says of it what is not understood")]
    NotDescribed {
        /// Its pointer, or the beginning.
        pointer: String,
    },
    /// More than is remembered.
    #[error("there is no room for it: at most {max} {what} are remembered")]
    Full {
        /// How many.
        max: usize,
        /// Of what.
        what: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;
    use serde_json::json;

    use super::convention::{Convention, Incoming};
    use super::homie::Homie;
    use super::pointer::Pointer;
    use super::shadow::{Op, ShadowTopic, ShadowTopicKind, decode_answer, decode_request};
    use super::sparkplug::edge::{Carried, Metric};
    use super::sparkplug::{Datatype, Sparkplug, SparkplugSetting};
    use super::telemetry::{Reading, Shape, Use, Whose};
    use super::template::Place;
    use super::zigbee2mqtt::Zigbee2Mqtt;
    use super::*;

    /// What a convention makes of the last of these messages.
    fn conversation(convention: &mut dyn Convention, messages: &[(&str, &str)]) -> Result<(), WireError> {
        let read = |(topic, payload): &(&str, &str)| {
            convention.read(Incoming { topic, payload: payload.as_bytes(), retained: false, at: WallMs(0) }).map(drop)
        };
        messages.iter().map(read).last().unwrap_or(Ok(()))
    }

    /// Every text of a stranger that a refusal may quote, as long as it can be and in characters that grow when they are escaped.
    #[test]
    fn a_refusal_is_never_long_whatever_it_quotes() {
        let reject = |kind| ShadowTopic::new("lamp-1", None, kind);
        let answer = |payload: &str| decode_answer(&reject(ShadowTopicKind::Delta), payload.as_bytes()).map(drop);
        let telemetry =
            |payload: &str, reading: &Reading| telemetry::decode(payload.as_bytes(), reading, WallMs(0)).map(drop);
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        let timed = Reading { time: Some(pointer("/t")), ..Reading::default() };
        let named = Reading { whose: Whose::Pointer(pointer("/t")), ..Reading::default() };
        let only = Reading { envelope: pointer("/t/*"), ..Reading::default() };
        let senml = Reading { shape: Shape::Senml, ..Reading::default() };
        let fiware = Reading { shape: Shape::Fiware, whose: Whose::Shape, ..Reading::default() };
        let sparkplug = |topic: &str, birth: &[Metric]| {
            let at = WallMs(0);
            let payload = sparkplug::edge::EdgeNode::new("g", "n", 0).birth(birth, at).payload;
            let mut host = Sparkplug::new(SparkplugSetting::default());
            host.read(Incoming { topic, payload: &payload, retained: false, at }).map(drop)
        };
        let metric = |name: &str, datatype| Metric { datatype, ..Metric::new(name, Datatype::Int8, Carried::Int(256)) };
        let birth = "spBv1.0/g/NBIRTH/n";
        let parkapi = Reading { shape: Shape::Parkapi, whose: Whose::Shape, ..Reading::default() };
        let datex2 = Reading { shape: Shape::Datex2, whose: Whose::Shape, ..Reading::default() };
        let home = |topic: &str, config: &serde_json::Value, state: &str| {
            let mut home = home_assistant::HomeAssistant::new("ha".to_owned());
            let hear = |home: &mut home_assistant::HomeAssistant, topic: &str, payload: &str| {
                home.read(Incoming { topic, payload: payload.as_bytes(), retained: false, at: WallMs(0) }).map(drop)
            };
            hear(&mut home, topic, &config.to_string())?;
            hear(&mut home, "s", state)
        };
        let sensor = "ha/sensor/x/config";
        let meta = |payload: &str| meta::decode(payload.as_bytes(), &Place::default()).map(drop);
        let z2m = |topic: &str, payload: &str, end: &str| {
            conversation(&mut Zigbee2Mqtt::new("zigbee2mqtt".into()), &[(&format!("{topic}{end}"), payload)])
        };
        let homie = |messages: &[(&str, &str)]| conversation(&mut Homie::new("homie".into()), messages);
        for c in ["x", "\n", "\"", "\\", "~", "Ħ", "\u{202e}", "\u{10ffff}"] {
            let long = c.repeat(3_000);
            let long_pointer = pointer(&fleetlens_model::shadow::pointer_of([long.as_str()]));
            let at = Reading { envelope: long_pointer.clone(), time: Some(long_pointer), ..Reading::default() };
            let twice = Use::As { pointer: format!("/{long}"), times: 1.0, least: None };
            let twice = [("/a".to_owned(), twice.clone()), ("/b".to_owned(), twice)].into();
            let twice = Reading { uses: twice, ..Reading::default() };
            let escaped = quick_xml::escape::escape(&long).into_owned();
            let count = format!(
                "<a><parkingRecord id=\"a\"><parkingNumberOfSpaces>{escaped}</parkingNumberOfSpaces></parkingRecord></a>"
            );
            let short = c.repeat(60);
            let twice_listed = json!([{ "friendly_name": short }, { "friendly_name": short }]).to_string();
            let refused = [
                ("a foreign topic", ShadowTopic::parse(&long).map(drop).map_err(WireError::from)),
                (
                    "an operation",
                    ShadowTopic::parse(&format!("$aws/things/a/shadow/{long}")).map(drop).map_err(Into::into),
                ),
                (
                    "a thing",
                    ShadowTopic::parse(&format!("$aws/things/{long}/shadow/get")).map(drop).map_err(Into::into),
                ),
                (
                    "a request where an answer belongs",
                    decode_answer(
                        &ShadowTopic { thing: long.clone(), ..reject(ShadowTopicKind::Request(Op::Get)) },
                        b"",
                    )
                    .map(drop),
                ),
                ("not JSON", answer(&long)),
                ("a field of another type", answer(&json!({ "state": long }).to_string())),
                (
                    "a token of another type",
                    answer(&json!({"state": {}, "version": 1, "timestamp": 1, "clientToken": [long]}).to_string()),
                ),
                ("a series' name", telemetry(&json!({ long.as_str(): 1 }).to_string(), &Reading::default())),
                ("a value", telemetry(&json!({ "a": long }).to_string(), &Reading::default())),
                ("the envelope", telemetry("{}", &at)),
                ("a time", telemetry(&json!({ "t": long }).to_string(), &timed)),
                ("a time of another type", telemetry(&json!({ "t": [long] }).to_string(), &timed)),
                ("a thing's name", telemetry(&json!({ "t": [long] }).to_string(), &named)),
                ("an entry of a list", telemetry(&json!([long]).to_string(), &named)),
                ("one member of several", telemetry(&json!({ "t": { long.as_str(): 1, "a": 2 } }).to_string(), &only)),
                ("two values of one name", telemetry(r#"{"a":1,"b":2}"#, &twice)),
                ("a SenML name", telemetry(&json!([{ "n": long, "v": 1 }]).to_string(), &senml)),
                ("a short SenML name", telemetry(&json!([{ "bn": "a", "n": c, "v": long }]).to_string(), &senml)),
                ("a SenML value", telemetry(&json!([{ "n": "a", "vs": long }]).to_string(), &senml)),
                ("a SenML field", telemetry(&json!([{ format!("{long}_"): long }]).to_string(), &senml)),
                ("an entity's id", telemetry(&json!({ "type": long, "id": [long] }).to_string(), &fiware)),
                (
                    "an entity's time",
                    telemetry(&json!({ "type": "T", "id": "a", "dateModified": long }).to_string(), &fiware),
                ),
                (
                    "an entity's attribute",
                    telemetry(&json!({ "type": "T", "id": "a", long.as_str(): 1 }).to_string(), &fiware),
                ),
                ("a Sparkplug topic", sparkplug(&format!("spBv1.0/{long}"), &[])),
                ("an edge node's name", sparkplug(&format!("spBv1.0/g/NBIRTH/{long}"), &[])),
                ("a metric's long name", sparkplug(birth, &[metric(&long, Some(1))])),
                ("a metric without a type", sparkplug(birth, &[metric(&long, None)])),
                ("a metric of no type", sparkplug(birth, &[metric(&long, Some(99))])),
                ("a metric's value", sparkplug(birth, &[metric(&c.repeat(60), Some(1))])),
                (
                    "two metrics of one name",
                    sparkplug(birth, &[metric(&c.repeat(60), Some(1)), metric(&c.repeat(60), Some(1))]),
                ),
                (
                    "a car park's count",
                    telemetry(&json!({ "uid": "a", "realtime_capacity": long }).to_string(), &parkapi),
                ),
                ("a car park's name", telemetry(&json!({ "uid": [long], "capacity": 1 }).to_string(), &parkapi)),
                ("what is no XML", telemetry(&long, &datex2)),
                ("an element", telemetry(&format!("<a{}>", "x".repeat(3_000)), &datex2)),
                ("a count that is none", telemetry(&count, &datex2)),
                ("a description's word", meta(&json!({ "lat": long }).to_string())),
                ("a discovery topic", home(&format!("ha/{long}/{long}/config"), &json!({}), "")),
                ("an announced topic", home(sensor, &json!({ "stat_t": format!("+{long}") }), "")),
                ("an announced word", home("ha/switch/x/config", &json!({ "stat_t": "s", "pl_on": [long] }), "")),
                ("an announced device", home(sensor, &json!({ "stat_t": "s", "dev": { "ids": [[long]] } }), "")),
                (
                    "an announced component",
                    home("ha/device/x/config", &json!({ "cmps": { long.as_str(): { "p": long, "stat_t": "+" } } }), ""),
                ),
                (
                    "a template that cannot be read",
                    home(sensor, &json!({ "stat_t": "s", "val_tpl": format!("{{{{ x | {long} }}}}") }), ""),
                ),
                (
                    "a template that fails",
                    home(sensor, &json!({ "stat_t": "s", "val_tpl": "{{ (value ~ 'x')[0:500] | float }}" }), &long),
                ),
                (
                    "a state",
                    home(
                        "ha/switch/x/config",
                        &json!({ "stat_t": "s", "stat_on": c.repeat(200), "stat_off": c.repeat(300) }),
                        &format!("a{long}b"),
                    ),
                ),
                (
                    "a description's unit",
                    meta(&json!({ "units": { long.as_str(): { long.as_str(): 1 } } }).to_string()),
                ),
                ("a topic of Homie", homie(&[(&format!("homie/5/{long}"), "")])),
                ("a state of Homie", homie(&[("homie/5/a/$state", &c.repeat(16))])),
                ("a version of Homie", homie(&[("homie/5/a/$description", &json!({ "homie": long }).to_string())])),
                ("a topic of Zigbee2MQTT", z2m("zigbee2mqtt/", "", &format!("a\u{7}{long}"))),
                ("a word for being there", z2m("zigbee2mqtt/bridge/state", &c.repeat(64), "")),
                ("a list that is none", z2m("zigbee2mqtt/bridge/devices", &json!({ "a": long }).to_string(), "")),
                ("a name on a list", z2m("zigbee2mqtt/bridge/devices", &json!([{ "friendly_name": long }]).to_string(), "")),
                (
                    "a value on a list",
                    z2m(
                        "zigbee2mqtt/bridge/devices",
                        &json!([{ "friendly_name": "a", "definition": { "exposes": [{ "type": "text", "property": long }] } }])
                            .to_string(),
                        "",
                    ),
                ),
                ("two devices of one name", z2m("zigbee2mqtt/bridge/devices", &twice_listed, "")),
                (
                    "a value that is not described",
                    homie(&[
                        ("homie/5/a/$state", "ready"),
                        ("homie/5/a/$description", r#"{"homie":"5.0"}"#),
                        (&format!("homie/5/a/{}/b", "n".repeat(240)), "1"),
                    ]),
                ),
            ];
            for (name, outcome) in refused {
                let refusal = outcome.expect_err(name).to_string();
                assert!(refusal.chars().count() <= REFUSAL_MAX_CHARS, "{name}: {refusal}");
            }

            let rejected = json!({"code": 400, "message": long}).to_string();
            let rejected = decode_answer(&reject(ShadowTopicKind::Rejected(Op::Update)), rejected.as_bytes()).unwrap();
            let shadow::Answer::Rejected { rejection, .. } = rejected else { panic!("{rejected:?}") };
            let ours =
                decode_request(Op::Update, json!({"state": { long.as_str(): 1 }}).to_string().as_bytes()).unwrap_err();
            for rejection in [rejection, ours] {
                let length = rejection.message.chars().count();
                assert!((1..=REFUSAL_MAX_CHARS).contains(&length), "{length} characters of {c:?}");
            }
        }
    }
}
