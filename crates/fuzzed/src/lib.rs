//! What is fuzzed, one function a target: bytes of a stranger into a decoder, and what has to hold whatever they are.
//!
//! No decoder may panic, take long, or say more than a refusal may say; what it takes keeps the bounds that the rest of the program
//! relies on. `fuzz/` gives these functions to libFuzzer; they are here, so that every build compiles them and every run of the tests
//! goes through the corpus (`tests/corpus.rs`). What does not belong here: cases. Those that a run has found worth keeping lie in
//! `fuzz/corpus`, a case that broke something becomes a test beside the code it broke.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "to panic is how a target says that something does not hold"
)]

mod boards;
mod conversation;
mod queries;
mod readings;
mod rules;

use std::fmt::Display;

use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use fleetlens_wire::REFUSAL_MAX_CHARS;
use fleetlens_wire::aws::{decode_command, decode_job, decode_presence, is_job, is_presence};
use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::registry::{Columns, read_csv, read_geojson};
use fleetlens_wire::shadow::{Op, ShadowTopic, client_token_of, decode_answer, decode_request};
use fleetlens_wire::telemetry::{
    MESSAGES_MAX, PAYLOAD_VALUES_MAX, POINTER_MAX_BYTES, Reading, Shape, Telemetry, VALUES_MAX, Whose,
};
use fleetlens_wire::template::{Place, Template};
use fleetlens_wire::time::Zone;

pub use boards::board;
pub use conversation::{Message, home_assistant, homie, sparkplug, written, zigbee2mqtt};
pub use queries::query;
pub use readings::{COUNT, NAMES};
pub use rules::{detector, expression};

/// A target: bytes of a stranger, and a panic where something does not hold.
pub type Target = fn(&[u8]);

/// All of them by their names; each has a program in `fuzz/fuzz_targets` and a folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 17] = [
    ("aws", aws),
    ("board", board),
    ("detector", detector),
    ("expression", expression),
    ("home_assistant", home_assistant),
    ("homie", homie),
    ("meta", meta),
    ("pointer", pointer),
    ("query", query),
    ("rebase", rebase),
    ("registry", registry),
    ("shadow", shadow),
    ("sparkplug", sparkplug),
    ("telemetry", telemetry),
    ("template", template),
    ("time", time),
    ("zigbee2mqtt", zigbee2mqtt),
];

/// When everything is received: in November 2023.
pub const NOW: WallMs = WallMs(1_700_000_000_000);

/// A telemetry payload after the number of its reading.
pub fn telemetry(data: &[u8]) {
    let Some((number, payload)) = data.split_first() else { return };
    match fleetlens_wire::telemetry::decode(payload, &readings::reading(*number), NOW) {
        Ok(said) => {
            assert!(said.len() <= MESSAGES_MAX.max(PAYLOAD_VALUES_MAX), "{} messages", said.len());
            assert!(said.iter().map(|one| one.values.len()).sum::<usize>() <= PAYLOAD_VALUES_MAX);
            said.iter().for_each(check_said);
        }
        Err(error) => check_refusal(&error),
    }
}

/// A retained description.
pub fn meta(data: &[u8]) {
    let place = Place { thing: "lamp-1".into(), kind: Some("lamp"), area: Some("valletta"), ..Place::default() };
    match fleetlens_wire::meta::decode(data, &place) {
        Ok(meta) => {
            assert!((1..=604_800).contains(&meta.interval_s));
            assert!(meta.title.chars().count() <= 120 && !meta.title.contains(char::is_control), "{:?}", meta.title);
            assert!(meta.units.len() <= 64 && meta.synthetic.len() <= 16);
        }
        Err(error) => check_refusal(&error),
    }
}

/// A shadow's topic, a line's end, and a payload.
pub fn shadow(data: &[u8]) {
    let (topic, payload) = parted(data);
    match ShadowTopic::parse(&topic) {
        Ok(read) => {
            assert_eq!(read.to_string(), topic);
            if let Err(error) = decode_answer(&read, payload) {
                check_refusal(&error);
            }
        }
        Err(error) => check_refusal(&error),
    }
    for op in [Op::Get, Op::Update, Op::Delete] {
        if let Err(rejection) = decode_request(op, payload) {
            check_refusal(&rejection.message);
        }
    }
    let _ = client_token_of(payload);
}

/// A template, a line's end, and a topic.
pub fn template(data: &[u8]) {
    let (text, rest) = parted(data);
    let topic = String::from_utf8_lossy(rest);
    for parsed in [Template::parse(&text), Template::parse_nameless(&text)] {
        let Ok(template) = parsed else { continue };
        let filter = template.filter();
        assert!(!filter.starts_with(['#', '+']) && !filter.starts_with("$SYS/"), "{filter}");
        let found = template.find(&topic);
        // What a broker would deliver under the filter is what the template finds, and nothing else (MQTT 5, section 4.7).
        assert_eq!(found.is_some(), matches(&filter, &topic), "{filter} and {topic}");
    }
}

/// A pointer, a line's end, and a document.
pub fn pointer(data: &[u8]) {
    let (text, rest) = parted(data);
    let Ok(pointer) = Pointer::parse(&text) else { return };
    assert_eq!(pointer.to_string(), text);
    for reading in [
        Reading { envelope: pointer.clone(), ..Reading::default() },
        Reading { list: pointer.clone(), ..Reading::default() },
        Reading { time: Some(pointer.clone()), whose: Whose::Pointer(pointer), ..Reading::default() },
    ] {
        match fleetlens_wire::telemetry::decode(rest, &reading, NOW) {
            Ok(said) => said.iter().for_each(check_said),
            Err(error) => check_refusal(&error),
        }
    }
}

/// A zone's name, a line's end, and a time as a device writes it.
pub fn time(data: &[u8]) {
    let (name, rest) = parted(data);
    let text = String::from_utf8_lossy(rest);
    let zone = Zone::parse(&name).ok();
    for time in [text.to_string(), serde_json::Value::from(text.as_ref()).to_string()] {
        let payload = format!("{{\"t\":{time},\"v\":1}}");
        let reading = readings::timed(zone.clone());
        match fleetlens_wire::telemetry::decode(payload.as_bytes(), &reading, NOW) {
            Ok(said) => said.iter().for_each(check_said),
            Err(error) => check_refusal(&error),
        }
    }
}

/// A telemetry payload after the number of its reading, whose times are moved.
pub fn rebase(data: &[u8]) {
    let Some((number, payload)) = data.split_first() else { return };
    let reading = readings::reading(*number);
    let before = fleetlens_wire::telemetry::decode(payload, &reading, NOW);
    let Ok(moved) = fleetlens_wire::rebase::moved(payload, &reading, |us| us.saturating_add(3_600_000_000)) else {
        return;
    };
    let text = std::str::from_utf8(&moved).expect("what was text stays text");
    if reading.shape != Shape::Datex2 {
        serde_json::from_str::<serde_json::Value>(text).expect("what was JSON stays JSON");
    }
    let after = fleetlens_wire::telemetry::decode(&moved, &reading, NOW);
    if let (Ok(before), Ok(after)) = (before, after) {
        // SenML is sorted by thing and time, and both may change their order when some of the times move by themselves.
        if reading.shape != Shape::Senml {
            let values = |said: &[Telemetry]| said.iter().map(|one| one.values.len()).collect::<Vec<_>>();
            assert_eq!(values(&before), values(&after), "{text}");
        }
    }
}

/// A topic of AWS's services beside shadows, a line's end, and a payload.
pub fn aws(data: &[u8]) {
    let (topic, payload) = parted(data);
    match decode_presence(&topic, payload) {
        Ok(presence) => {
            assert!(is_presence(&topic) && !presence.follows(&presence), "{presence:?}");
        }
        Err(error) => check_refusal(&error),
    }
    match decode_job(&topic, payload) {
        Ok(_) => assert!(is_job(&topic), "{topic}"),
        Err(error) => check_refusal(&error),
    }
    if let Err(error) = decode_command(&topic, payload) {
        check_refusal(&error);
    }
}

/// A registry after an octet: CSV where it is even, else GeoJSON.
pub fn registry(data: &[u8]) {
    let Some((form, file)) = data.split_first() else { return };
    let columns = Columns::new();
    let read = if form % 2 == 0 { read_csv(file, &columns) } else { read_geojson(file, &columns) };
    match read {
        Ok(registry) => {
            for (name, about) in registry.things() {
                assert_eq!(registry.get(name), Some(about));
                let place = [(about.lat_deg, 90.0), (about.lon_deg, 180.0)];
                assert!(place.iter().all(|(deg, most)| deg.is_none_or(|deg: f64| deg.abs() <= *most)), "{about:?}");
            }
            registry.mistakes().for_each(|mistake| assert!(mistake.chars().count() <= 1_024, "{mistake}"));
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.chars().count() <= 2_048, "{text}");
        }
    }
}

/// What the rest of the program relies on.
fn check_said(said: &Telemetry) {
    assert!(said.values.len() <= VALUES_MAX, "{} values", said.values.len());
    for (pointer, value) in &said.values {
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer:?}");
        assert!(pointer.len() <= POINTER_MAX_BYTES, "{} bytes of a name", pointer.len());
        match value {
            Value::Number(number) => assert!(number.is_finite(), "{pointer}: {number}"),
            Value::Text(text) => assert!(text.len() <= 1_024, "{pointer}: {} bytes", text.len()),
            Value::Flag(_) => {}
        }
    }
    let mut pairs = said.values.iter().zip(said.values.iter().skip(1));
    assert!(pairs.all(|((a, _), (b, _))| a < b), "sorted, and none twice: {:?}", said.values);
    assert!(said.claimed.is_none_or(|at| at.0 >= 0), "{:?}", said.claimed);
}

fn check_refusal(refusal: &impl Display) {
    let text = refusal.to_string();
    let chars = text.chars().count();
    assert!((1..=REFUSAL_MAX_CHARS).contains(&chars), "a refusal of {chars} characters: {text}");
}

/// A first line, and what follows it.
fn parted(data: &[u8]) -> (String, &[u8]) {
    let (line, rest) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    (String::from_utf8_lossy(line).into_owned(), rest)
}

/// Whether a broker would deliver a topic under a filter (MQTT 5, section 4.7.1).
fn matches(filter: &str, topic: &str) -> bool {
    let (mut wanted, mut given) = (filter.split('/'), topic.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(word), Some(level)) if word == level => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}
