//! Retained descriptions of things: `{"kind":"lamp","name":"Lamp 0417","lat":35.89,"lon":14.51,"area":…,"street":…,
//! "interval_s":10,"capacity":…,"capacity_accessible":…,"capacity_charging":…,
//! "gateway":"gateway-0003","units":{"power_w":"W"},"synthetic":["name"]}`. Every field may be missing.

use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::pointer_of;
use fleetlens_model::text::is_hidden;
use fleetlens_model::thing::{DEFAULT_INTERVAL_S, Meta};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::template::Place;
use crate::{WireError, json};

/// The largest description, in bytes.
pub const META_MAX_BYTES: usize = 16 * 1024;

/// The longest name, street or area that is kept, in characters; longer ones are cut, since they are for people to read.
const WORDS_MAX_CHARS: usize = 120;

#[derive(Deserialize)]
struct Given {
    kind: Option<String>,
    #[serde(default)]
    name: String,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(default)]
    area: String,
    #[serde(default)]
    street: String,
    interval_s: Option<u32>,
    capacity: Option<u32>,
    capacity_accessible: Option<u32>,
    capacity_charging: Option<u32>,
    #[serde(default)]
    gateway: String,
    #[serde(default)]
    synthetic: Vec<String>,
    #[serde(default)]
    units: std::collections::BTreeMap<String, String>,
}

/// Reads a description; what the payload leaves out comes from the topic or stays empty. An empty payload describes nothing: the
/// retained message was taken back.
pub fn decode(payload: &[u8], place: &Place<'_>) -> Result<Meta, WireError> {
    if payload.is_empty() {
        return Ok(from_place(place));
    }
    let object = json::object(payload, META_MAX_BYTES, 4)?;
    let given: Given = serde_json::from_value(Json::Object(object)).map_err(|error| json::not_json(&error))?;
    let at = match (given.lon, given.lat) {
        (Some(lon), Some(lat)) => LonLat::new(lon, lat),
        (Some(_) | None, Some(_) | None) => None,
    };
    let bare = from_place(place);
    Ok(Meta {
        kind: given.kind.as_deref().map_or(bare.kind, Kind::from_word),
        title: words(&given.name),
        at,
        area: if given.area.is_empty() { bare.area } else { words(&given.area) },
        street: words(&given.street),
        interval_s: given.interval_s.unwrap_or(DEFAULT_INTERVAL_S).clamp(1, 86_400 * 7),
        capacity: given.capacity,
        capacity_accessible: given.capacity_accessible,
        capacity_charging: given.capacity_charging,
        gateway: words(&given.gateway),
        synthetic: given.synthetic.iter().take(16).map(|w| words(w)).collect(),
        units: given.units.iter().take(64).map(|(name, unit)| (pointer_of([name.as_str()]), words(unit))).collect(),
        ..Meta::default()
    })
}

/// What a topic alone says of a thing.
pub fn from_place(place: &Place<'_>) -> Meta {
    Meta {
        kind: place.kind.map(Kind::from_word).unwrap_or_default(),
        area: words(place.area.unwrap_or_default()),
        interval_s: DEFAULT_INTERVAL_S,
        ..Meta::default()
    }
}

/// Text for people: no hidden characters, not too long.
pub(crate) fn words(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).take(WORDS_MAX_CHARS).collect::<String>().trim().to_string()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const PLACE: Place<'static> =
        Place { thing: Cow::Borrowed("lamp-1"), kind: Some("lamp"), area: Some("valletta"), value: String::new() };

    #[test]
    fn a_description_fills_what_the_topic_leaves_open() {
        let payload = r#"{"name":"Lamp 1\u202e","lat":35.9,"lon":14.5,"street":"Triq","interval_s":0,"units":{"power_w":"W"},"synthetic":["name"],"more":1}"#;
        let meta = decode(payload.as_bytes(), &PLACE).unwrap();
        assert_eq!(meta.kind, Kind::Lamp);
        assert_eq!(meta.title, "Lamp 1", "nothing that turns the reading direction");
        assert_eq!(meta.area, "valletta");
        assert_eq!(meta.at, LonLat::new(14.5, 35.9));
        assert_eq!(meta.interval_s, 1);
        assert_eq!(meta.unit("/power_w"), "W");
        assert_eq!(meta.synthetic, ["name"]);
    }

    #[test]
    fn a_description_without_a_place_on_earth_has_none() {
        for payload in [r#"{"lat":0,"lon":0}"#, r#"{"lat":35.9}"#, r#"{"lat":135.9,"lon":14}"#] {
            assert_eq!(decode(payload.as_bytes(), &PLACE).unwrap().at, None, "{payload}");
        }
        assert!(decode(br#"{"lat":"north"}"#, &PLACE).is_err());
        assert_eq!(decode(b"", &PLACE).unwrap(), from_place(&PLACE));
    }
}
