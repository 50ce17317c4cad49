//! Times inside telemetry, moved: so that what was recorded once seems to happen while it is played. Everything else in a payload
//! stays as it is, to the byte, and a time stays written as it was.

mod place;
mod written;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use thiserror::Error;

use crate::telemetry::{NESTING_MAX, PAYLOAD_MAX_BYTES, Reading, Shape};
use crate::{datex, fiware, json, parkapi, senml};

/// Why a payload stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotMoved {
    /// Such messages have no time of their own.
    #[error("the profile names no time for the topic")]
    Untimed,
    /// There is none in this one, or none whose zone is known, or it cannot be read at all.
    #[error("there is no time where the profile says")]
    NoTime,
}

/// The payload with its times moved by `to`, which takes and gives microseconds since 1970: the times that date its values, of
/// all messages it lists. One that is counted from now on (RFC 8428, section 4.5.3) moves by itself.
pub fn moved(payload: &[u8], reading: &Reading, to: impl Fn(i64) -> i64) -> Result<Vec<u8>, NotMoved> {
    if reading.shape == Shape::Scalar || reading.shape == Shape::Json && reading.time.is_none() {
        return Err(NotMoved::Untimed);
    }
    replaced(payload, reading, to).ok_or(NotMoved::NoTime)
}

fn replaced(payload: &[u8], reading: &Reading, to: impl Fn(i64) -> i64) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(payload).ok()?;
    let is_xml = reading.shape == Shape::Datex2;
    let places = if is_xml {
        datex::times(payload)
    } else {
        let whole = json::document(payload, PAYLOAD_MAX_BYTES, NESTING_MAX).ok()?;
        place::find(text, &pointers(&whole, reading))?
    };
    let mut moved = String::with_capacity(text.len());
    let mut end = 0;
    for at in places {
        let given = text.get(at.clone())?;
        let time = match is_xml {
            true => written::moved_text(given.trim(), reading.zone.as_ref(), &to),
            false => written::moved(given, reading.zone.as_ref(), &to),
        };
        if let Some(time) = time {
            moved.push_str(text.get(end..at.start)?);
            moved.push_str(&time);
            end = at.end;
        }
    }
    moved.push_str(text.get(end..)?);
    (end > 0).then(|| moved.into_bytes())
}

/// Where the times of a payload stand, as plain pointers.
fn pointers(whole: &Json, reading: &Reading) -> BTreeSet<String> {
    let Ok(Some(list)) = reading.list.find(whole) else { return BTreeSet::new() };
    let items: Vec<(String, &Json)> = match list.value {
        Json::Array(items) => items.iter().enumerate().map(|(n, item)| (format!("{}/{n}", list.at), item)).collect(),
        Json::Object(_) => vec![(list.at, list.value)],
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    };
    let named = |item| reading.time.as_ref().and_then(|pointer| pointer.find(item).ok().flatten());
    let inside = |item| match reading.shape {
        Shape::Json | Shape::Datex2 | Shape::Scalar => named(item).map(|time| time.at).into_iter().collect(),
        Shape::Fiware if reading.time.is_some() => {
            named(item).map(|time| time.at + fiware::plain_at(time.value)).into_iter().collect()
        }
        Shape::Fiware => fiware::times(item),
        Shape::Senml => senml::times(item),
        Shape::Parkapi => named(item).map_or_else(|| vec![parkapi::TIME_POINTER.to_owned()], |time| vec![time.at]),
    };
    let of_item = |(at, item): (String, _)| inside(item).into_iter().map(move |time: String| format!("{at}{time}"));
    items.into_iter().flat_map(of_item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointer::Pointer;
    use crate::time::Zone;

    #[test]
    fn the_times_of_every_shape_move_and_nothing_else_does() {
        let at = |pointer: &str| Some(Pointer::parse(pointer).unwrap());
        let plain = |time: &str| Reading { time: at(time), ..Reading::default() };
        let list = Reading {
            list: at("/stops").unwrap(),
            zone: Some(Zone::parse("Europe/Madrid").unwrap()),
            ..plain("/when")
        };
        let fiware =
            |time: Option<&str>| Reading { shape: Shape::Fiware, time: time.and_then(at), ..Reading::default() };
        let senml = Reading { shape: Shape::Senml, ..Reading::default() };
        let datex2 = Reading { shape: Shape::Datex2, ..Reading::default() };
        let parkapi = Reading { shape: Shape::Parkapi, ..Reading::default() };
        for (name, reading, given, want) in [
            (
                "an envelope without a name, the rest to the byte",
                plain("/*/tst"),
                r#"{ "VP":{"spd":0.00,"tst":"2024-02-13T16:32:59.931Z","tsi":1707841979, "x":1e2}}"#,
                r#"{ "VP":{"spd":0.00,"tst":"2024-02-13T16:33:09.931Z","tsi":1707841979, "x":1e2}}"#,
            ),
            (
                "a list, in which one has no time",
                list,
                r#"{"stops":[{"when":"2023-03-01 00:08:30"},{"when":null},{"when":"2023-03-01 00:09:55"}]}"#,
                r#"{"stops":[{"when":"2023-03-01 00:08:40"},{"when":null},{"when":"2023-03-01 00:10:05"}]}"#,
            ),
            (
                "FIWARE, normalized",
                fiware(None),
                r#"{"id":"a","type":"OffStreetParking","availableSpotNumber":{"type":"Number","value":3,"observedAt":"2024-01-01T00:00:00Z","metadata":{"timestamp":{"type":"DateTime","value":"2024-01-01T00:00:01Z"}}},"observationDateTime":{"type":"DateTime","value":"2024-01-01T00:00:02Z"}}"#,
                r#"{"id":"a","type":"OffStreetParking","availableSpotNumber":{"type":"Number","value":3,"observedAt":"2024-01-01T00:00:10Z","metadata":{"timestamp":{"type":"DateTime","value":"2024-01-01T00:00:11Z"}}},"observationDateTime":{"type":"DateTime","value":"2024-01-01T00:00:12Z"}}"#,
            ),
            (
                "FIWARE, keyValues",
                fiware(None),
                r#"[{"id":"a","type":"X","dateObserved":"2024-01-01T00:00:02Z"}]"#,
                r#"[{"id":"a","type":"X","dateObserved":"2024-01-01T00:00:12Z"}]"#,
            ),
            (
                "FIWARE, where the profile says",
                fiware(Some("/seen")),
                r#"{"id":"a","type":"X","seen":{"type":"Property","value":{"@type":"DateTime","@value":"2024-01-01T00:00:02Z"}},"dateObserved":"2024-01-01T00:00:02Z"}"#,
                r#"{"id":"a","type":"X","seen":{"type":"Property","value":{"@type":"DateTime","@value":"2024-01-01T00:00:12Z"}},"dateObserved":"2024-01-01T00:00:02Z"}"#,
            ),
            (
                "ParkAPI",
                parkapi,
                r#"[{"uid":"a","realtime_data_updated_at":"2024-01-01T00:00:02Z","static_data_updated_at":"2023-01-01T00:00:00Z"}]"#,
                r#"[{"uid":"a","realtime_data_updated_at":"2024-01-01T00:00:12Z","static_data_updated_at":"2023-01-01T00:00:00Z"}]"#,
            ),
            (
                "DATEX II",
                datex2,
                r#"<d><publicationTime>2024-01-01T00:00:09Z</publicationTime><parkingRecordStatus><parkingRecordReference id="a"/><parkingStatusOriginTime>2024-01-01T01:00:02.5+01:00</parkingStatusOriginTime></parkingRecordStatus></d>"#,
                r#"<d><publicationTime>2024-01-01T00:00:09Z</publicationTime><parkingRecordStatus><parkingRecordReference id="a"/><parkingStatusOriginTime>2024-01-01T01:00:12.5+01:00</parkingStatusOriginTime></parkingRecordStatus></d>"#,
            ),
            (
                "SenML: the base, times of their own, and none that is counted from it",
                senml,
                r#"[{"bn":"a","bt":1.7e9,"n":"x","v":1},{"n":"y","t":-5,"v":2},{"bt":0,"n":"z","t":1700000000.5,"v":1}]"#,
                r#"[{"bn":"a","bt":1700000010,"n":"x","v":1},{"n":"y","t":-5,"v":2},{"bt":0,"n":"z","t":1700000010.5,"v":1}]"#,
            ),
        ] {
            let moved = moved(given.as_bytes(), &reading, |us| us + 10_000_000).unwrap();
            assert_eq!(std::str::from_utf8(&moved).unwrap(), want, "{name}");
        }
    }

    #[test]
    fn what_has_no_time_stays_and_says_why() {
        let timed = Reading { time: Some(Pointer::parse("/ts").unwrap()), ..Reading::default() };
        let senml = Reading { shape: Shape::Senml, ..Reading::default() };
        let scalar = Reading { shape: Shape::Scalar, ..Reading::default() };
        let deep = "[".repeat(10_000);
        for (reading, payload, want) in [
            (&Reading::default(), "{\"ts\":1}", NotMoved::Untimed),
            (&scalar, "1700000000", NotMoved::Untimed),
            (&timed, "{}", NotMoved::NoTime),
            (&timed, "{\"ts\":null}", NotMoved::NoTime),
            (&timed, "{\"ts\":\"2023-03-01 00:08:30\"}", NotMoved::NoTime),
            (&timed, "{\"ts\":1", NotMoved::NoTime),
            (&timed, &deep, NotMoved::NoTime),
            (&timed, "", NotMoved::NoTime),
            (&senml, r#"[{"n":"x","t":-5,"v":2}]"#, NotMoved::NoTime),
        ] {
            assert_eq!(moved(payload.as_bytes(), reading, |us| us), Err(want), "{payload:.30}");
        }
        assert_eq!(moved(b"{\"ts\":\"\xff\"}", &timed, |us| us), Err(NotMoved::NoTime));
    }
}
