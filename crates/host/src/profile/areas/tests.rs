use super::*;
use crate::profile::{Profile, ProfileError};

const TEXT: &str = r#"name = "x"
broker.url = "mqtt://h"
shadows.enabled = true

[[area]]
name = "harbour"
corners = [[14.50, 35.88], [14.54, 35.88], [14.54, 35.91]]
margin_m = 50

[[area]]
name = "depot"
middle = [14.49, 35.87]
radius_m = 200.0

[[area]]
name = "Low emission zone"
file = "areas.geojson"

[[alarm]]
id = "in-harbour"
when = "not silent and (inside('harbour') or inside('Low emission zone'))"
what_to_do = "call it back"
"#;

const FILE: &str = r#"{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"name": "Low emission zone"},
 "geometry": {"type": "Polygon", "coordinates": [[[14.50, 35.89], [14.52, 35.89, 3.0], [14.52, 35.90], [14.50, 35.89]]]}},
{"type": "Feature", "id": "other", "properties": null, "geometry": {"type": "Point", "coordinates": [14.5, 35.9]}}
]}"#;

fn parse(text: &str, file: &str) -> Result<Profile, ProfileError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("areas.geojson"), file).unwrap();
    Profile::parse_in(folder.path(), text, "x.toml")
}

#[test]
fn a_profile_says_where_its_areas_are() {
    let areas = parse(TEXT, FILE).unwrap().fleet_config(String::new()).areas;
    let holds = |lon_deg, lat_deg, was_inside| -> Vec<&str> {
        let at = LonLat { lon_deg, lat_deg };
        areas.iter().filter(|area| area.fence.holds(at, was_inside)).map(|area| area.name.as_str()).collect()
    };
    assert_eq!(holds(14.535, 35.885, false), ["harbour"]);
    // 0.0005° of longitude are 45 m here, 0.002° of latitude 222 m.
    assert_eq!(holds(14.5405, 35.9, true), ["harbour"]);
    assert_eq!((holds(14.49, 35.871, false), holds(14.49, 35.8719, true)), (vec!["depot"], vec!["depot"]));
    assert_eq!((holds(14.49, 35.8719, false), holds(14.49, 35.872, true)), (vec![], vec![]));
    assert_eq!(holds(14.515, 35.893, false), ["Low emission zone"]);
    let alone = r#"{"type": "Polygon", "coordinates": [[[14.50, 35.89], [14.52, 35.89], [14.52, 35.90]]]}"#;
    for file in [
        alone.to_owned(),
        format!(r#"{{"type": "Feature", "properties": {{}}, "geometry": {alone}}}"#),
        format!(r#"{{"type": "FeatureCollection", "features": [{{"geometry": {alone}}}]}}"#),
        alone.replace("\"Polygon\"", "\"MultiPolygon\"").replace("[[[", "[[[[").replace("]]]", "]]]]"),
    ] {
        assert_eq!(parse(TEXT, &file).unwrap().areas, areas, "{file}");
    }
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let corners = "[[14.50, 35.88], [14.54, 35.88], [14.54, 35.91]]";
    for (given, instead, line, column, want) in [
        ("\"harbour\"\n", "\" \"\n", 6, 8, "0 characters; 1 to 64"),
        ("\"harbour\"\n", "'a \"port\"'\n", 6, 8, "no \" in it"),
        ("\"depot\"", "\"harbour\"", 11, 8, "there are two areas \"harbour\""),
        ("margin_m", "margin", 8, 1, "unknown field `margin`"),
        ("margin_m = 50", "margin_m = -1", 8, 12, "a margin of -1 m makes no sense"),
        (corners, "[[14.50, 35.88], [14.54, 35.88]]", 7, 11, "3 to 256 corners, this one 2"),
        (
            corners,
            "[[14.5, 35.8], [14.6, 35.9], [14.6, 35.8], [14.5, 35.9]]",
            7,
            11,
            "crosses or touches the one behind corner 3",
        ),
        (corners, "[[14.50, 35.88], [14.54, 95.88], [14.54, 35.91]]", 7, 28, "[14.54, 95.88] is no place on the earth"),
        (corners, "[[14.50], [14.54, 35.88], [14.54, 35.91]]", 7, 12, "length"),
        ("corners", "middle = [14.5, 35.9]\ncorners", 6, 8, "said twice where the area is"),
        ("radius_m = 200.0", "", 12, 10, "a circle needs a radius_m"),
        ("middle = [14.49, 35.87]", "", 13, 12, "a circle needs a middle"),
        ("radius_m = 200.0", "radius_m = 0.0", 13, 12, "a radius of 0 m makes no sense"),
        ("file = \"areas.geojson\"", "", 16, 8, "not said where the area is; write corners"),
        ("areas.geojson", "../areas.geojson", 17, 8, "no GeoJSON file beside the profile"),
        ("areas.geojson", "areas.toml", 17, 8, "no GeoJSON file beside the profile"),
        ("areas.geojson", "none.geojson", 17, 8, "none.geojson cannot be read"),
        (
            "inside('harbour')",
            "inside('port')",
            21,
            8,
            "column 24: no area is called \"port\"; there are: harbour, depot, Low",
        ),
    ] {
        let error = parse(&TEXT.replacen(given, instead, 1), FILE).unwrap_err();
        let ProfileError::Wrong { line: at, column: nth, ref why, .. } = error else { panic!("{instead}: {error}") };
        assert!(why.contains(want) && (at, nth) == (line, column), "{instead}: {error}, {at}:{nth}");
    }
    let none = "name = \"x\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n[[alarm]]\nid = \"a\"\nwhen = \"inside('x')\"\nwhat_to_do = \"b\"";
    assert!(parse(none, "").unwrap_err().to_string().contains("there is no [[area]]"));
}

#[test]
fn every_mistake_in_a_file_is_told_with_its_place() {
    let ring = "[[14.50, 35.89], [14.52, 35.89, 3.0], [14.52, 35.90], [14.50, 35.89]]";
    for (given, instead, want) in [
        ("\"Point\",", "\"Point\"", "areas.geojson, line 4, column 85: expected `,` or `}`"),
        (
            "\"name\": \"Low",
            "\"name\": \"High",
            "no feature is called \"Low emission zone\"; there are: High emission zone, other",
        ),
        ("\"id\": \"other\"", "\"id\": \"Low emission zone\"", "two features are called"),
        ("\"Polygon\"", "\"LineString\"", "a LineString is no area; a Polygon is"),
        (ring, &format!("{ring}, {ring}"), "the area has 1 holes; write the hole"),
        (ring, "", "the Polygon has no corners"),
        (ring, "[[14.5, 35.8], [14.6, 35.9], [14.6, 35.8], [14.5, 35.9]]", "areas.geojson: the edge behind corner 1"),
        (ring, "[[14.5], [14.6, 35.9], [14.6, 35.8]]", "a corner is written"),
        (ring, "[[14.5, 100], [14.6, 35.9], [14.6, 35.8]]", "[14.5, 100] is no place"),
    ] {
        let error = parse(TEXT, &FILE.replacen(given, instead, 1)).unwrap_err().to_string();
        assert!(error.contains(want) && error.starts_with("x.toml, line 17: areas.geojson"), "{instead}: {error}");
    }
    let parts = r#"{"type": "MultiPolygon", "coordinates": [[[]], [[]]]}"#;
    assert!(parse(TEXT, parts).unwrap_err().to_string().contains("the area has 2 parts"));
    let long = parse(TEXT, &" ".repeat(5_000_000)).unwrap_err().to_string();
    assert!(long.contains("areas.geojson cannot be read: it has more than 4194304 bytes"), "{long}");
}
