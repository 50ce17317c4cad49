//! Entities of FIWARE's smart data models: keyValues or normalized, NGSI v2 or NGSI-LD, told apart attribute by attribute.
//!
//! What the models call by fixed names goes by ours: an OffStreetParking's `availableSpotNumber` is `/free`, its
//! `totalSpotNumber` the capacity. Everything else is a value by its own name. Source: smart-data-models, dataModel.Parking,
//! .WasteManagement, .Streetlighting and .Transportation.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::{Object, pointer_of};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::telemetry::{Fact, Reading, Telemetry, Whose, add, collect_value, finish, named, scaled};
use crate::{WireError, json, time};

/// A model we have words for.
struct Model {
    /// Its type.
    entity: &'static str,
    kind: Kind,
    /// Attributes that are known to us by another pointer, and the factor to our unit.
    values: &'static [(&'static str, &'static str, f64)],
}

const MODELS: &[Model] = &[
    Model { entity: "OffStreetParking", kind: Kind::Parking, values: PARKING },
    Model { entity: "OnStreetParking", kind: Kind::Parking, values: PARKING },
    Model { entity: "ParkingGroup", kind: Kind::Parking, values: PARKING },
    Model { entity: "ParkingSpot", kind: Kind::Parking, values: &[] },
    Model {
        entity: "WasteContainer",
        kind: Kind::Bin,
        values: &[("fillingLevel", "/fill_pct", 100.0), ("temperature", "/temp_c", 1.0)],
    },
    Model { entity: "Streetlight", kind: Kind::Lamp, values: &[("powerConsumption", "/power_w", 1.0)] },
    Model { entity: "EVChargingStation", kind: Kind::Charger, values: &[] },
    Model {
        entity: "Vehicle",
        kind: Kind::Vehicle,
        values: &[
            ("battery", "/battery_pct", 100.0),
            ("speed", "/speed_kmh", 1.0),
            ("heading", "/heading_deg", 1.0),
            ("bearing", "/heading_deg", 1.0),
        ],
    },
];

const PARKING: &[(&str, &str, f64)] = &[("availableSpotNumber", "/free", 1.0)];

/// When the values were measured, the best first.
const TIMES: [&str; 5] = ["observationDateTime", "dateObserved", "TimeInstant", "dateModified", "modifiedAt"];

/// What people wrote about it: no value, and longer than one may be.
const PROSE: [&str; 6] = ["@context", "description", "dataProvider", "owner", "seeAlso", "source"];

/// Reads one entity.
pub(crate) fn decode(item: &Json, entity: &Object, reading: &Reading) -> Result<Telemetry, WireError> {
    let mut said = Telemetry::default();
    let type_word = entity.get("type").and_then(Json::as_str).ok_or_else(|| json::missing("type"))?;
    // NGSI-LD may write it as an address.
    let type_word = type_word.rsplit(['/', '#']).next().unwrap_or(type_word);
    if type_word == "Feature" {
        return Err(json::wrong(
            "type",
            &Json::from(type_word),
            "an entity's; ask the context broker for keyValues, not GeoJSON",
        ));
    }
    let model = MODELS.iter().find(|model| model.entity == type_word);
    said.about.kind = model.map(|model| model.kind);
    let id = match &reading.whose {
        Whose::Topic => None,
        Whose::Shape => Some(entity.get("id").ok_or_else(|| json::missing("id")).and_then(|id| named(id, "/id"))?),
        Whose::Pointer(pointer) => {
            let found = pointer.find(item)?.ok_or_else(|| json::missing(&pointer.to_string()))?;
            Some(named(plain(found.value), &found.at)?)
        }
    };
    said.thing = id;
    let time_name = match &reading.time {
        Some(pointer) => {
            let found = pointer.find(item)?;
            if let Some(found) = &found {
                said.claimed = moment(plain(found.value), &found.at, reading)?;
            }
            found.map(|found| found.at)
        }
        None => {
            let given = TIMES.iter().find_map(|name| Some((name, entity.get(*name).map(plain)?)));
            if let Some((name, value)) = given {
                said.claimed = moment(value, name, reading)?;
            } else {
                said.claimed = last_observed(entity, reading)?;
            }
            None
        }
    };
    for (name, attribute) in entity {
        let pointer = pointer_of([name.as_str()]);
        if time_name.as_ref() != Some(&pointer) {
            take(&mut said, model, name, pointer, plain(attribute))?;
        }
    }
    finish(said, reading)
}

/// A time, or the end of an interval, as `dateObserved` may be (ISO 8601, section 5.5.2).
fn moment(value: &Json, at: &str, reading: &Reading) -> Result<Option<WallMs>, WireError> {
    let end = value.as_str().and_then(|text| text.split_once('/')).map(|(_, end)| Json::from(end));
    time::read(end.as_ref().unwrap_or(value), at, reading.zone.as_ref())
}

/// The latest time that stands beside a value, where the entity has none of its own: `observedAt` of NGSI-LD, `timestamp` or
/// `TimeInstant` among the metadata of NGSI v2.
fn last_observed(entity: &Object, reading: &Reading) -> Result<Option<WallMs>, WireError> {
    let mut last = None;
    for (name, attribute) in entity {
        let metadata =
            attribute.get("metadata").and_then(|all| all.get("timestamp").or_else(|| all.get("TimeInstant")));
        if let Some(time) = attribute.get("observedAt").or(metadata.map(plain)) {
            last = last.max(moment(time, name, reading)?);
        }
    }
    Ok(last)
}

/// Where an entity may have its times: its own, and those beside its values.
pub(crate) fn times(entity: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let Json::Object(entity) = entity else { return found };
    for (name, attribute) in entity {
        let at = pointer_of([name.as_str()]);
        found.push(format!("{at}/observedAt"));
        for beside in ["timestamp", "TimeInstant"] {
            if let Some(time) = attribute.get("metadata").and_then(|all| all.get(beside)) {
                found.push(format!("{at}/metadata/{beside}{}", plain_at(time)));
            }
        }
        if TIMES.contains(&name.as_str()) {
            found.push(at + plain_at(attribute));
        }
    }
    found
}

/// Puts one attribute where it belongs.
fn take(
    said: &mut Telemetry,
    model: Option<&Model>,
    name: &str,
    pointer: String,
    value: &Json,
) -> Result<(), WireError> {
    let is = |kind| model.is_some_and(|model| model.kind == kind);
    // Of two attributes for one value, such as heading and bearing, the second keeps its own name.
    let said_already = |ours: &str| said.values.iter().any(|(pointer, _)| pointer == ours);
    let known = model.into_iter().flat_map(|model| model.values);
    let known = known.into_iter().find(|(theirs, ours, _)| *theirs == name && !said_already(ours));
    match (name, value) {
        ("id" | "type", _) => {}
        (name, _) if TIMES.contains(&name) || PROSE.contains(&name) => {}
        ("name", Json::String(title)) => said.about.say(Fact::Title, title),
        ("address", Json::Object(address)) => {
            let word = |name: &str| address.get(name).and_then(Json::as_str).unwrap_or_default();
            said.about.say(Fact::Street, word("streetAddress"));
            said.about.say(Fact::Area, word("addressLocality"));
        }
        ("location", Json::Object(location)) => place(said, location)?,
        ("availableSpotNumber", Json::Number(spaces)) if is(Kind::Parking) && spaces.as_f64() < Some(0.0) => {}
        ("totalSpotNumber", Json::Number(spaces)) if is(Kind::Parking) => {
            said.about.count(Fact::Capacity, spaces.as_f64().unwrap_or(-1.0))
        }
        ("powerState", Json::String(state)) if is(Kind::Lamp) && matches!(state.as_str(), "on" | "off") => {
            add("/on".into(), Value::Flag(state == "on"), &mut said.values)?;
        }
        ("status", Json::String(status)) if model.is_some_and(|model| model.entity == "ParkingSpot") => {
            spot(said, status)?;
        }
        (_, value) => match (known, value.as_f64()) {
            (Some((_, ours, times)), Some(n)) => {
                add((*ours).to_owned(), scaled(Value::Number(n), *times, &pointer)?, &mut said.values)?;
            }
            (Some(_) | None, Some(_) | None) => collect_value(value, pointer, &[], &mut said.values)?,
        },
    }
    Ok(())
}

/// The point of a GeoJSON geometry; of other geometries nothing, since a thing stands in one place. Where a thing of a kind that
/// does not move stands describes it; where any other is, is a value.
fn place(said: &mut Telemetry, location: &Object) -> Result<(), WireError> {
    let is_point = location.get("type").and_then(Json::as_str) == Some("Point");
    let at = location.get("coordinates").and_then(Json::as_array).filter(|_| is_point);
    // West to east comes first (RFC 7946, section 3.1.1).
    if let Some([lon, lat, ..]) = at.map(Vec::as_slice)
        && let (Some(lon_deg), Some(lat_deg)) = (lon.as_f64(), lat.as_f64())
    {
        if said.about.kind.is_some_and(|kind| !kind.moves()) {
            said.about.count(Fact::Lat, lat_deg);
            said.about.count(Fact::Lon, lon_deg);
        } else {
            add("/lat".into(), Value::Number(lat_deg), &mut said.values)?;
            add("/lon".into(), Value::Number(lon_deg), &mut said.values)?;
        }
    }
    Ok(())
}

/// A single space is a car park of one; whether a closed one is empty nobody can use.
fn spot(said: &mut Telemetry, status: &str) -> Result<(), WireError> {
    said.about.count(Fact::Capacity, 1.0);
    let free = match status {
        "free" => Some(1.0),
        "occupied" | "closed" => Some(0.0),
        _ => None,
    };
    if let Some(free) = free {
        add("/free".into(), Value::Number(free), &mut said.values)?;
    }
    collect_value(&Json::from(status), "/status".into(), &[], &mut said.values)
}

/// Where [`plain`] finds the value of an attribute, as a pointer from there.
pub(crate) fn plain_at(attribute: &Json) -> &'static str {
    let value = plain(attribute);
    let is = |pointer: &str| attribute.pointer(pointer).is_some_and(|there| std::ptr::eq(there, value));
    ["/@value", "/value/@value", "/object/@value", "/value", "/object"]
        .into_iter()
        .find(|pointer| is(pointer))
        .unwrap_or("")
}

/// The value of an attribute: in the normalized form the member `value`, or `object` of a relationship, beside its `type`; of a
/// JSON-LD value the member `@value`.
fn plain(attribute: &Json) -> &Json {
    let Json::Object(object) = attribute else { return attribute };
    if let Some(value) = object.get("@value") {
        return value;
    }
    if !object.contains_key("type") {
        return attribute;
    }
    match object.get("value").or_else(|| object.get("object")) {
        Some(Json::Object(inner)) => inner.get("@value").or_else(|| object.get("value")).unwrap_or(attribute),
        Some(value) => value,
        None => attribute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{About, Shape, decode};

    const NOW: WallMs = WallMs(1_700_000_000_000);

    fn read(payload: &str, whose: Whose) -> Result<Vec<Telemetry>, WireError> {
        let reading = Reading { shape: Shape::Fiware, whose, ..Reading::default() };
        decode(payload.as_bytes(), &reading, NOW)
    }

    /// The same car park as the models' own examples write it three times.
    #[test]
    fn an_entity_says_the_same_in_every_form() {
        let key_values = r#"{"id":"porto-23889","type":"OffStreetParking","name":"Trindade","category":["public"],
            "location":{"type":"Point","coordinates":[-8.6096,41.1507]},"totalSpotNumber":414,"availableSpotNumber":132,
            "address":{"streetAddress":"Rua de Fernandes","addressLocality":"Porto"},"description":"near the metro",
            "observationDateTime":"2021-03-11T15:51:02Z","dateModified":"2018-09-21T12:00:05Z"}"#;
        let v2 = r#"{"id":"porto-23889","type":"OffStreetParking","name":{"type":"Text","value":"Trindade"},
            "category":{"type":"StructuredValue","value":["public"]},
            "location":{"type":"geo:json","value":{"type":"Point","coordinates":[-8.6096,41.1507]}},
            "totalSpotNumber":{"type":"Number","value":414},"availableSpotNumber":{"type":"Number","value":132,
            "metadata":{"timestamp":{"type":"DateTime","value":"2021-03-11T15:51:02Z"}}},
            "address":{"type":"StructuredValue","value":{"streetAddress":"Rua de Fernandes","addressLocality":"Porto"}}}"#;
        let ld = r#"{"id":"porto-23889","type":"https://smartdatamodels.org/dataModel.Parking/OffStreetParking",
            "name":{"type":"Property","value":"Trindade"},"category":{"type":"Property","value":["public"]},
            "location":{"type":"GeoProperty","value":{"type":"Point","coordinates":[-8.6096,41.1507]}},
            "totalSpotNumber":{"type":"Property","value":414},"availableSpotNumber":{"type":"Property","value":132},
            "address":{"type":"Property","value":{"streetAddress":"Rua de Fernandes","addressLocality":"Porto"}},
            "observationDateTime":{"type":"Property","value":{"@type":"DateTime","@value":"2021-03-11T15:51:02Z"}},
            "@context":["https://smartdatamodels.org/context.jsonld"]}"#;
        let n = Value::Number;
        let values = [("/category/0", Value::Text("public".into())), ("/free", n(132.0))];
        let want = Telemetry {
            thing: Some("porto-23889".into()),
            claimed: Some(WallMs(1_615_477_862_000)),
            values: values.map(|(pointer, value)| (pointer.to_owned(), value)).to_vec(),
            about: About {
                kind: Some(Kind::Parking),
                title: Some("Trindade".into()),
                street: Some("Rua de Fernandes".into()),
                area: Some("Porto".into()),
                lat_deg: Some(41.1507),
                lon_deg: Some(-8.6096),
                capacity: Some(414),
                ..About::default()
            },
            ..Telemetry::default()
        };
        for (name, payload) in [("keyValues", key_values), ("NGSI v2", v2), ("NGSI-LD", ld)] {
            assert_eq!(read(payload, Whose::Shape).unwrap(), std::slice::from_ref(&want), "{name}");
        }
        assert_eq!(read(key_values, Whose::Topic).unwrap()[0].thing, None);
    }

    #[test]
    fn other_models_are_known_by_their_words_and_unknown_ones_by_their_own() {
        for (payload, kind, values) in [
            (r#"{"id":"a","type":"WasteContainer","fillingLevel":0.4}"#, Some(Kind::Bin), vec![("/fill_pct", 40.0)]),
            (
                r#"{"id":"a","type":"Vehicle","bearing":43,"heading":44,"location":{"type":"Point","coordinates":[2,1]}}"#,
                Some(Kind::Vehicle),
                vec![("/heading", 44.0), ("/heading_deg", 43.0), ("/lat", 1.0), ("/lon", 2.0)],
            ),
            (r#"{"id":"a","type":"Streetlight","powerState":"off"}"#, Some(Kind::Lamp), vec![("/on", 0.0)]),
            (r#"{"id":"a","type":"ParkingSpot","status":"free"}"#, Some(Kind::Parking), vec![("/free", 1.0)]),
            (r#"{"id":"a","type":"ParkingSpot","status":"closed"}"#, Some(Kind::Parking), vec![("/free", 0.0)]),
            (r#"{"id":"a","type":"ParkingSpot","status":"unknown"}"#, Some(Kind::Parking), vec![]),
            (r#"{"id":"a","type":"Tree","height":7,"location":{"type":"LineString"}}"#, None, vec![("/height", 7.0)]),
        ] {
            let said = read(payload, Whose::Shape).unwrap().remove(0);
            assert_eq!(said.about.kind, kind, "{payload}");
            let numbers =
                said.values.iter().filter_map(|(pointer, value)| Some((pointer.as_str(), value.as_number()?)));
            assert_eq!(numbers.collect::<Vec<_>>(), values, "{payload}");
        }
    }

    #[test]
    fn odd_entities_are_harmless_or_refused_with_the_reason() {
        let odd = r#"{"id":"m-138","type":"OffStreetParking","totalSpotNumber":-1,"availableSpotNumber":-1,"name":"\u202e",
            "location":{"type":"Point","coordinates":[0,0]},"observationDateTime":null}"#;
        let said = read(odd, Whose::Shape).unwrap().remove(0);
        assert_eq!((said.about.capacity, &said.about.title, said.claimed, said.values.len()), (None, &None, None, 0));
        for (payload, says) in [
            (r#"{"id":"a"}"#, "\"type\" is missing"),
            (r#"{"type":"Tree"}"#, "\"id\" is missing"),
            (r#"{"id":{},"type":"Tree"}"#, "the thing's name"),
            (r#"{"id":"a","type":"Feature"}"#, "keyValues, not GeoJSON"),
            (r#"{"id":"a","type":"Tree","dateObserved":"None"}"#, "\"dateObserved\" is \"None\""),
            (r#"{"id":"a","type":"WasteContainer","fillingLevel":1e308}"#, "64-bit floating point"),
            (r#"[{"id":"a","type":"Tree"},7]"#, "\"/1\" is 7"),
        ] {
            let error = read(payload, Whose::Shape).unwrap_err().to_string();
            assert!(error.contains(says), "{payload}: {error}");
        }
    }
}
