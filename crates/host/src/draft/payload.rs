//! What payloads of one make look like: their shape, the envelope, the time, the position.

use std::collections::BTreeSet;
use std::fmt::Write;

use fleetlens_engine::wire::telemetry::Shape;
use serde_json::{Map, Value};

use super::topics::Group;
use super::{LOOKS_MAX, Sample, quoted};

/// The largest payload that is looked at, in bytes.
const PAYLOAD_MAX_BYTES: usize = 256 * 1024;

/// Names of objects that hold the values.
const ENVELOPES: [&str; 6] = ["values", "data", "telemetry", "payload", "readings", "measurements"];

/// Names of times, the surest first.
const TIMES: [&str; 12] = [
    "ts",
    "timestamp",
    "time",
    "tst",
    "tsi",
    "observed_at",
    "observedAt",
    "observationDateTime",
    "dateObserved",
    "datetime",
    "updated_at",
    "t",
];

/// Names of latitude and longitude that are not ours already.
const LATITUDES: [&str; 3] = ["latitude", "lati", "y"];
const LONGITUDES: [&str; 5] = ["longitude", "lng", "long", "longi", "x"];

/// What a description of a thing has, and telemetry has not.
const DESCRIBES: [&str; 4] = ["name", "interval_s", "units", "capacity"];

/// How the payloads of a group are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Looks {
    shape: Shape,
    envelope: Option<String>,
    time: Option<String>,
    lat: Option<&'static str>,
    lon: Option<&'static str>,
}

impl Looks {
    /// Judges by all of these payloads that are JSON; fails where too few are.
    pub fn of<'a>(payloads: impl Iterator<Item = &'a [u8]>) -> Result<Looks, String> {
        let (mut objects, mut others, mut senml, mut why) = (Vec::new(), 0, 0, String::new());
        for payload in payloads {
            match read(payload) {
                Ok(Value::Object(object)) => objects.push(object),
                Ok(Value::Array(items)) => {
                    let first = items.into_iter().next();
                    if first.as_ref().is_some_and(is_senml) {
                        senml += 1;
                    } else if let Some(Value::Object(object)) = first {
                        objects.push(object);
                    }
                }
                Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                    others += 1;
                    "a single value a message; name it in a rule of your own, with value = \"/name\" or {value}"
                        .clone_into(&mut why);
                }
                Err(error) => {
                    others += 1;
                    why = error;
                }
            }
        }
        if senml > objects.len() {
            return Ok(Looks { shape: Shape::Senml, ..Looks::default() });
        }
        if objects.is_empty() || others > objects.len() {
            return Err(if why.is_empty() { "empty messages".to_owned() } else { why });
        }
        if objects.iter().all(is_car_park) {
            return Ok(Looks { shape: Shape::Parkapi, ..Looks::default() });
        }
        if objects.iter().all(is_entity) {
            return Ok(Looks { shape: Shape::Fiware, ..Looks::default() });
        }
        let envelope = envelope(&objects);
        let values: Vec<&Map<String, Value>> =
            objects.iter().filter_map(|object| inside(object, envelope.as_deref())).collect();
        let has = |name: &&&str| values.iter().any(|values| values.get(**name).is_some_and(Value::is_number));
        Ok(Looks {
            time: time(&objects, envelope.as_deref()),
            lat: LATITUDES.iter().find(has).copied(),
            lon: LONGITUDES.iter().find(has).copied(),
            envelope,
            shape: Shape::Json,
        })
    }

    /// Whether the payload says whose it is.
    pub fn names_thing(&self) -> bool {
        self.shape != Shape::Json
    }

    /// Its lines in the profile.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match self.shape {
            Shape::Json | Shape::Scalar => {}
            Shape::Senml => text += "shape = \"senml\"\n",
            Shape::Fiware => text += "shape = \"fiware\"\n",
            Shape::Datex2 => text += "shape = \"datex2\"\n",
            Shape::Parkapi => text += "shape = \"parkapi\"\n",
        }
        let lines = [("envelope", &self.envelope), ("time", &self.time)];
        for (key, pointer) in lines.into_iter().filter_map(|(key, pointer)| Some((key, pointer.as_ref()?))) {
            _ = writeln!(text, "{key} = {}", quoted(pointer));
        }
        for (key, name) in [("lat", self.lat), ("lon", self.lon)].into_iter().filter_map(|(k, n)| Some((k, n?))) {
            _ = writeln!(text, "{key} = {}", quoted(&format!("/{name}")));
        }
        text
    }
}

/// Whether a group says what things are: most of its messages are objects with what only descriptions have, and no time.
pub(super) fn is_description(sample: &Sample, group: &Group<'_>) -> bool {
    let payloads = group.topics.iter().flat_map(|topic| sample.payloads(topic.text())).take(LOOKS_MAX);
    let (mut descriptions, mut all) = (0, 0);
    for payload in payloads {
        all += 1;
        if let Ok(Value::Object(object)) = read(payload) {
            let says = DESCRIBES.iter().any(|name| object.contains_key(*name));
            let placed = object.contains_key("lat") && object.contains_key("lon");
            let timed = TIMES.iter().any(|name| object.contains_key(*name));
            descriptions += usize::from(says && placed && !timed);
        }
    }
    descriptions * 2 > all
}

fn read(payload: &[u8]) -> Result<Value, String> {
    if payload.len() > PAYLOAD_MAX_BYTES {
        return Err(format!("messages of more than {PAYLOAD_MAX_BYTES} bytes"));
    }
    serde_json::from_slice(payload).map_err(|_| "messages that are not JSON".to_owned())
}

/// A record of RFC 8428: a name and a value, one of which the base may hold.
fn is_senml(record: &Value) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
    has(&["bn", "n"]) && has(&["v", "vs", "vb", "vd", "bv"])
}

/// An entity of NGSI: an id and a type, in words.
fn is_entity(object: &Map<String, Value>) -> bool {
    let word = |name: &str| object.get(name).is_some_and(Value::is_string);
    word("id") && word("type")
}

/// A site or a space of ParkAPI that says whose it is.
fn is_car_park(object: &Map<String, Value>) -> bool {
    let named = ["id", "uid", "original_uid"].iter().any(|name| object.contains_key(*name));
    named && object.keys().any(|name| name.starts_with("realtime_free_capacity") || name == "realtime_status")
}

/// The pointer of the object that holds the values; `None` where it is the whole message.
fn envelope(objects: &[Map<String, Value>]) -> Option<String> {
    let only = |object: &Map<String, Value>| {
        let mut members = object.iter();
        match (members.next(), members.next()) {
            (Some((name, Value::Object(_))), None) => Some(name.clone()),
            _ => None,
        }
    };
    let names: Option<BTreeSet<String>> = objects.iter().map(only).collect();
    if let Some(names) = names {
        return match (names.first(), names.len()) {
            (Some(name), 1) => Some(pointer(name)),
            _ => Some("/*".to_owned()),
        };
    }
    let holds = |name: &&&str| objects.iter().all(|object| object.get(**name).is_some_and(Value::is_object));
    ENVELOPES.iter().find(holds).map(|name| pointer(name))
}

fn inside<'a>(object: &'a Map<String, Value>, envelope: Option<&str>) -> Option<&'a Map<String, Value>> {
    match envelope {
        None => Some(object),
        Some("/*") => object.values().next()?.as_object(),
        Some(pointer) => object.get(pointer.trim_start_matches('/'))?.as_object(),
    }
}

/// The first member, of the message or of its values, that is called like a time and is one in every message that has it.
fn time(objects: &[Map<String, Value>], envelope: Option<&str>) -> Option<String> {
    for (around, beside) in [(None, String::new()), (envelope, envelope.unwrap_or_default().to_owned())] {
        for name in TIMES {
            let found: Vec<&Value> = objects
                .iter()
                .filter_map(|object| inside(object, around)?.get(name))
                .filter(|v| !v.is_null())
                .collect();
            if !found.is_empty() && found.into_iter().all(is_time) {
                return Some(format!("{beside}{}", pointer(name)));
            }
        }
    }
    None
}

/// Seconds or milliseconds since 1970 of this century, or a date with a time.
fn is_time(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|n| n >= 946_684_800.0),
        Value::String(text) => {
            let bytes = text.as_bytes();
            bytes.len() >= 16 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') && text.contains(':')
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
