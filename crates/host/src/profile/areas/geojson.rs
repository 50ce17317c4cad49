//! One area out of a GeoJSON file (RFC 7946).

use fleetlens_model::geo::LonLat;
use fleetlens_model::text::shown;
use serde_json::Value as Json;

use super::no_place;

/// Names of features that a message lists.
const NAMES_SHOWN: usize = 12;

/// A file's JSON, or where it is none.
pub(super) fn read(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        format!("line {}, column {}: {why}", error.line(), error.column())
    })
}

/// The corners of the polygon of this name: of the only feature, of the one whose `name` or id it is, or of a polygon alone. The first
/// stands at the end once more.
pub(super) fn corners(json: &Json, name: &str) -> Result<Vec<LonLat>, String> {
    match kind(json) {
        "FeatureCollection" => of_feature(named(json, name)?),
        "Feature" => of_feature(json),
        _ => of_geometry(json),
    }
}

fn kind(json: &Json) -> &str {
    json.get("type").and_then(Json::as_str).unwrap_or_default()
}

fn named<'j>(collection: &'j Json, name: &str) -> Result<&'j Json, String> {
    let features = collection.get("features").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if let [only] = features {
        return Ok(only);
    }
    let mut called = features.iter().filter(|feature| names(feature).any(|known| known == name));
    match (called.next(), called.next()) {
        (Some(feature), None) => Ok(feature),
        (Some(_), Some(_)) => Err(format!("two features are called {name:?}")),
        (None, _) => {
            let known: Vec<&str> = features.iter().filter_map(|feature| names(feature).next()).collect();
            let more = if known.len() > NAMES_SHOWN { " and others" } else { "" };
            let known: Vec<_> = known.into_iter().take(NAMES_SHOWN).map(shown).collect();
            let there = if known.is_empty() {
                "none has a name".to_owned()
            } else {
                format!("there are: {}{more}", known.join(", "))
            };
            Err(format!("no feature is called {name:?}; {there}"))
        }
    }
}

fn names(feature: &Json) -> impl Iterator<Item = &str> {
    let name = feature.get("properties").and_then(|properties| properties.get("name"));
    name.into_iter().chain(feature.get("id")).filter_map(Json::as_str)
}

fn of_feature(feature: &Json) -> Result<Vec<LonLat>, String> {
    of_geometry(feature.get("geometry").unwrap_or(&Json::Null))
}

fn of_geometry(geometry: &Json) -> Result<Vec<LonLat>, String> {
    let coordinates = geometry.get("coordinates").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let polygon = match (kind(geometry), coordinates) {
        ("Polygon", rings) => rings,
        ("MultiPolygon", [only]) => only.as_array().map_or(&[][..], Vec::as_slice),
        ("MultiPolygon", parts) => {
            let why = "write each as an area of its own, and join them with or: inside('a') or inside('b')";
            return Err(format!("the area has {} parts; {why}", parts.len()));
        }
        ("", _) => return Err("it holds no Polygon".to_owned()),
        (other, _) => return Err(format!("a {} is no area; a Polygon is", shown(other))),
    };
    match polygon {
        [ring] => ring.as_array().map_or(&[][..], Vec::as_slice).iter().map(place).collect(),
        [] => Err("the Polygon has no corners".to_owned()),
        [_, holes @ ..] => {
            let why = "write the hole as an area of its own: inside('a') and not inside('hole')";
            Err(format!("the area has {} holes; {why}", holes.len()))
        }
    }
}

/// West to east comes first (RFC 7946, section 3.1.1); a height is left out.
fn place(position: &Json) -> Result<LonLat, String> {
    let numbers: Vec<f64> = position.as_array().into_iter().flatten().filter_map(Json::as_f64).collect();
    let [lon, lat, ..] = numbers[..] else {
        return Err("a corner is written [degrees east, degrees north]".to_owned());
    };
    LonLat::new(lon, lat).ok_or_else(|| no_place(lon, lat))
}
