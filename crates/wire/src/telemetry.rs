//! JSON telemetry: values with, beside them, a time, the thing's name and what is said of the thing.
//!
//! `{"ts":1700000000000,"values":{"power_w":61.8,"door":{"open":false}}}` with the envelope `/values` and the time `/ts` gives
//! `/power_w` = 61.8 and `/door/open` = false at that time. Nested objects become longer pointers, array elements `…/0`.
//! `null` says nothing. Numbers beyond `f64` are not JSON numbers to us and refuse the message. A payload that is a list is
//! several messages; one that cannot be read refuses them all. SenML and FIWARE have shapes of their own.

mod flat;
mod values;

use std::collections::BTreeMap;

use fleetlens_model::freshness::Presence;
use fleetlens_model::shadow::Object;
use fleetlens_model::telemetry::{Quality, Value};
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

pub use crate::about::{About, Fact, Steering};
use crate::pointer::Pointer;
use crate::template::Place;
use crate::time::{self, Zone};
use crate::{WireError, datex, fiware, json, parkapi, scalar, senml};

pub use flat::{Flat, Scalar};
pub(crate) use values::{add, check_length, collect_value, finish, named, scaled};

/// The largest telemetry payload, in bytes (what a 256-KiB document needs; AWS allows 128 KiB).
pub const PAYLOAD_MAX_BYTES: usize = 256 * 1024;

/// Values one message may carry.
pub const VALUES_MAX: usize = 512;

/// Messages one payload may list.
pub const MESSAGES_MAX: usize = 512;

/// Values all messages of one payload may carry together.
pub const PAYLOAD_VALUES_MAX: usize = 4_096;

/// The longest JSON pointer of a value, in bytes; each becomes a series with a row, an index entry and a place on the screen.
pub const POINTER_MAX_BYTES: usize = 256;

/// Brackets within each other.
pub(crate) const NESTING_MAX: usize = 8;

/// How payloads of one rule are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What they look like.
    pub shape: Shape,
    /// Where the list of messages stands, if the payload is not one message or a list itself.
    pub list: Pointer,
    /// Where in a message the object of values stands; empty for the whole message.
    pub envelope: Pointer,
    /// Where in a message its time stands; `None` when there is none. Inside the values it is taken out of them.
    pub time: Option<Pointer>,
    /// The zone of times that are written without an offset.
    pub zone: Option<Zone>,
    /// Who says whose a message is.
    pub whose: Whose,
    /// The pointer of a scalar; empty where the topic names it.
    pub value: String,
    /// What becomes of values, by their pointers after the envelope; all others are taken as they are.
    pub uses: BTreeMap<String, Use>,
}

/// What the payloads of a rule look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// An object of values, in an envelope or not.
    #[default]
    Json,
    /// Sensor Measurement Lists (RFC 8428) as JSON.
    Senml,
    /// Entities of FIWARE's smart data models, as keyValues or normalized, NGSI v2 or NGSI-LD.
    Fiware,
    /// Car parks and single spaces as ParkAPI (version 3) tells them.
    Parkapi,
    /// Publications of DATEX II about parking, as XML.
    Datex2,
    /// One value and nothing around it: `23.5`, `true`, `"open"`, `ON`. A profile that names the value means this.
    #[serde(skip)]
    Scalar,
}

/// Who says whose a message is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// The topic.
    #[default]
    Topic,
    /// The message, at this place.
    Pointer(Pointer),
    /// The shape: an entity's `id`, a SenML pack's base name.
    Shape,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Use {
    /// It goes by another name, and a number is multiplied, such as 3.6 from m/s to km/h.
    As {
        /// The pointer it goes by.
        pointer: String,
        /// The factor.
        times: f64,
        /// A number below this, before it is multiplied, says nothing: the −1 of a feed that does not know.
        least: Option<f64>,
    },
    /// It is left out.
    Nothing,
    /// It describes the thing and is no value.
    Says(Fact),
}

/// What a telemetry message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// The thing's name where the message says it, not checked yet.
    pub thing: Option<String>,
    /// The device's time, not judged yet.
    pub claimed: Option<WallMs>,
    /// Pointer (after the envelope) and value, sorted by pointer, none twice.
    pub values: Vec<(String, Value)>,
    /// Whether the sender itself calls these values old.
    pub quality: Quality,
    /// What it says of the thing itself.
    pub about: About,
    /// Whether the thing is there, where this says so.
    pub presence: Option<Presence>,
    /// Alarms the thing itself raises or, without a sentence, clears: by the thing's own id of them.
    pub alerts: Vec<(String, Option<String>)>,
}

/// Reads a telemetry payload received at `now`, or says why not. All or nothing: with one bad value the payload is refused as
/// a whole, so that nobody takes half of it for all of it. The messages are in the payload's order, those of a SenML pack by thing and time.
pub fn decode(payload: &[u8], reading: &Reading, now: WallMs) -> Result<Vec<Telemetry>, WireError> {
    decode_at(payload, reading, &Place::default(), now)
}

/// [`decode`] where the topic may have named the value.
pub fn decode_at(
    payload: &[u8],
    reading: &Reading,
    place: &Place<'_>,
    now: WallMs,
) -> Result<Vec<Telemetry>, WireError> {
    match reading.shape {
        Shape::Datex2 => return datex::decode(payload, reading),
        Shape::Scalar => return scalar::decode(payload, reading, place),
        Shape::Json | Shape::Senml | Shape::Fiware | Shape::Parkapi => {}
    }
    let whole = json::document(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?;
    let list = reading.list.find(&whole)?.ok_or_else(|| json::missing(&reading.list.to_string()))?;
    let items = match list.value {
        Json::Array(items) => items.as_slice(),
        Json::Object(_) => std::slice::from_ref(list.value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            return Err(WireError::NotAnObject { given: "a single value" });
        }
    };
    // A record of SenML is one value.
    let max = if reading.shape == Shape::Senml { PAYLOAD_VALUES_MAX } else { MESSAGES_MAX };
    if items.len() > max {
        return Err(WireError::TooLong { given: items.len(), max });
    }
    let read = match reading.shape {
        Shape::Json | Shape::Datex2 | Shape::Scalar => message,
        Shape::Fiware => fiware::decode,
        Shape::Parkapi => parkapi::decode,
        Shape::Senml => return senml::decode(items, reading, now),
    };
    let mut said = Vec::with_capacity(items.len());
    let mut values = 0;
    for (index, item) in items.iter().enumerate() {
        let Json::Object(object) = item else {
            return Err(json::wrong(&format!("{}/{index}", list.at), item, "an object, as in a list of messages"));
        };
        let one = read(item, object, reading)?;
        values += one.values.len();
        if values > PAYLOAD_VALUES_MAX {
            return Err(WireError::TooMany { max: PAYLOAD_VALUES_MAX });
        }
        said.push(one);
    }
    Ok(said)
}

/// A message of plain JSON.
fn message(item: &Json, _: &Object, reading: &Reading) -> Result<Telemetry, WireError> {
    let mut said = Telemetry::default();
    let Some(values) = reading.envelope.find(item)? else {
        return Err(json::missing(&reading.envelope.to_string()));
    };
    let Json::Object(object) = values.value else {
        return Err(json::wrong(&values.at, values.value, "an object of values"));
    };
    let time = reading.time.as_ref().map(|pointer| pointer.find(item)).transpose()?.flatten();
    if let Some(time) = &time {
        said.claimed = time::read(time.value, &time.at, reading.zone.as_ref())?;
    }
    let name = match &reading.whose {
        Whose::Topic => None,
        Whose::Pointer(pointer) => {
            let found = pointer.find(item)?.ok_or_else(|| json::missing(&pointer.to_string()))?;
            said.thing = Some(named(found.value, &found.at)?);
            Some(found.at)
        }
        // Plain JSON has no place for a name of its own; a profile that leaves it open is refused where it is read.
        Whose::Shape => return Err(json::missing("thing")),
    };
    let inside = [time.map(|time| time.at), name];
    let inside: Vec<&str> = inside.iter().flatten().filter_map(|at| at.strip_prefix(values.at.as_str())).collect();
    values::collect(object, "", &inside, &mut said.values)?;
    finish(said, reading)
}

#[cfg(test)]
mod tests;
