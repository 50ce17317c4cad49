//! Car parks and single spaces as ParkAPI tells them, version 3: sites of its public interface, and what its sources push.
//!
//! What begins with `realtime_` changes and is a value: `realtime_free_capacity` is `/free`, `…_disabled` `/free_accessible`,
//! `…_charging` `/free_charging`, `…_woman` and the like `/free_woman`. The rest describes the place; what it says beyond name,
//! address, position and capacities (prices, links, opening hours in prose) nobody here reads. Numbers may be written as texts.
//! Source: ParkenDD, parkapi-sources-v3, `models/parking_site_inputs.py`, `parking_spot_inputs.py` and its JSON schemas.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::{Object, pointer_of};
use fleetlens_model::telemetry::Value;
use serde_json::Value as Json;

use crate::telemetry::{Fact, Reading, Telemetry, Whose, add, collect_value, finish, named};
use crate::{WireError, json, time};

/// When the values were measured.
const TIME: &str = "realtime_data_updated_at";
pub(crate) const TIME_POINTER: &str = "/realtime_data_updated_at";

/// What a site or a space is called by: on its server, by its source, and by its source as the server keeps it.
const NAMES: [&str; 3] = ["id", "uid", "original_uid"];

/// What every site or space has at least one of; an object with none of them is of another shape.
const SIGNS: [&str; 5] = ["capacity", "original_uid", "uid", "has_realtime_data", "static_data_updated_at"];

/// Users for whom we have our own word.
const OURS: [(&str, &str, Fact); 2] =
    [("disabled", "accessible", Fact::Accessible), ("charging", "charging", Fact::Charging)];

/// Reads one site or one space.
pub(crate) fn decode(item: &Json, site: &Object, reading: &Reading) -> Result<Telemetry, WireError> {
    let live = |name: &String| name.starts_with("realtime_");
    if !site.keys().any(|name| live(name) || SIGNS.contains(&name.as_str())) {
        return Err(json::missing("realtime_free_capacity"));
    }
    let mut said = Telemetry::default();
    said.about.kind = Some(Kind::Parking);
    said.thing = match &reading.whose {
        Whose::Topic => None,
        Whose::Shape => {
            let given = NAMES.iter().find_map(|name| Some((name, site.get(*name).filter(|value| !value.is_null())?)));
            let (name, value) = given.ok_or_else(|| json::missing("id"))?;
            Some(named(value, &format!("/{name}"))?)
        }
        Whose::Pointer(pointer) => {
            let found = pointer.find(item)?.ok_or_else(|| json::missing(&pointer.to_string()))?;
            Some(named(found.value, &found.at)?)
        }
    };
    let (time, at) = match &reading.time {
        Some(pointer) => pointer.find(item)?.map_or((None, String::new()), |found| (Some(found.value), found.at)),
        None => (site.get(TIME), TIME_POINTER.to_owned()),
    };
    if let Some(time) = time {
        said.claimed = time::read(time, &at, reading.zone.as_ref())?;
    }
    for (name, value) in site.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            TIME => {}
            "name" => said.about.say(Fact::Title, text(name, value)?),
            "address" => said.about.say(Fact::Street, text(name, value)?),
            "lat" => said.about.count(Fact::Lat, number(name, value)?),
            "lon" => said.about.count(Fact::Lon, number(name, value)?),
            "realtime_status" => spot(&mut said, text(name, value)?)?,
            name => match name.strip_prefix("realtime_") {
                Some(live) => changing(&mut said, site, name, live, value)?,
                None => fixed(&mut said, site, name, value)?,
            },
        }
    }
    finish(said, reading)
}

/// A value that changes: spaces free by user, how many there are just now, or what else the source counts.
fn changing(said: &mut Telemetry, site: &Object, name: &str, live: &str, value: &Json) -> Result<(), WireError> {
    if let Some(user) = live.strip_prefix("free_capacity") {
        let free = number(name, value)?;
        // Fewer than none is no count.
        let pointer = match user.strip_prefix('_').map(|user| (user, OURS.iter().find(|(theirs, ..)| *theirs == user)))
        {
            None => "/free".to_owned(),
            Some((_, Some((_, ours, _)))) => format!("/free_{ours}"),
            Some((user, None)) => pointer_of([format!("free_{user}").as_str()]),
        };
        return if free >= 0.0 { add(pointer, Value::Number(free), &mut said.values) } else { Ok(()) };
    }
    if live.starts_with("capacity") {
        return fixed(said, site, name, value);
    }
    collect_value(value, pointer_of([live]), &[], &mut said.values)
}

/// How many spaces there are: today's count where there is one, else that of the plan. What else does not change is left out.
fn fixed(said: &mut Telemetry, site: &Object, name: &str, value: &Json) -> Result<(), WireError> {
    let (today, plan) = match name.strip_prefix("realtime_") {
        Some(plan) => (true, plan),
        None => (false, name),
    };
    let fact = match plan.strip_prefix("capacity") {
        Some("") => Some(Fact::Capacity),
        Some(user) => OURS.iter().find(|(theirs, ..)| user.strip_prefix('_') == Some(theirs)).map(|(.., fact)| *fact),
        None => None,
    };
    let better = !today && site.get(&format!("realtime_{plan}")).is_some_and(|today| !today.is_null());
    if let Some(fact) = fact.filter(|_| !better) {
        said.about.count(fact, number(name, value)?);
    }
    Ok(())
}

/// A single space is a car park of one.
fn spot(said: &mut Telemetry, status: &str) -> Result<(), WireError> {
    said.about.count(Fact::Capacity, 1.0);
    let free = match status {
        "AVAILABLE" => Some(1.0),
        "TAKEN" => Some(0.0),
        _ => None,
    };
    if let Some(free) = free {
        add("/free".into(), Value::Number(free), &mut said.values)?;
    }
    collect_value(&Json::from(status), "/status".into(), &[], &mut said.values)
}

fn text<'a>(name: &str, value: &'a Json) -> Result<&'a str, WireError> {
    value.as_str().ok_or_else(|| json::wrong(name, value, "a text"))
}

/// A number, or a text that is one: coordinates are decimal texts, and sources may write counts so.
fn number(name: &str, value: &Json) -> Result<f64, WireError> {
    let given = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    given.filter(|number| number.is_finite()).ok_or_else(|| json::wrong(name, value, "a number"))
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;
    use crate::telemetry::{About, Shape, decode};

    fn read(payload: &str, whose: Whose) -> Result<Vec<Telemetry>, WireError> {
        let reading = Reading { shape: Shape::Parkapi, whose, ..Reading::default() };
        decode(payload.as_bytes(), &reading, WallMs(1_750_000_000_000))
    }

    #[test]
    fn a_site_says_what_is_free_and_describes_itself() {
        let payload = r#"{"id":1,"source_id":1,"original_uid":"12717250","name":"Parkhaus Hofdiener","type":"CAR_PARK",
            "operator_name":"PBW","address":"Schellingstraße 2, 70174 Stuttgart","purpose":"CAR","has_realtime_data":true,
            "static_data_updated_at":"2023-12-12T12:27:54Z","realtime_data_updated_at":"2025-06-24T11:54:45Z",
            "realtime_opening_status":"OPEN","lat":"48.7791000","lon":"9.1732000","capacity":158,"realtime_capacity":150,
            "realtime_free_capacity":15,"capacity_disabled":11,"realtime_free_capacity_disabled":2,"capacity_charging":"4",
            "realtime_free_capacity_charging":"3","realtime_free_capacity_woman":1,"realtime_free_capacity_bus":-1,
            "capacity_woman":5,"opening_hours":"24/7","description":"beside the station","fee_description":null,
            "restrictions":[{"type":"DISABLED","capacity":11}],"tags":[]}"#;
        let n = Value::Number;
        let values = [
            ("/free", n(15.0)),
            ("/free_accessible", n(2.0)),
            ("/free_charging", n(3.0)),
            ("/free_woman", n(1.0)),
            ("/opening_status", Value::Text("OPEN".into())),
        ];
        let want = Telemetry {
            thing: Some("1".into()),
            claimed: Some(WallMs(1_750_766_085_000)),
            values: values.map(|(pointer, value)| (pointer.to_owned(), value)).to_vec(),
            about: About {
                kind: Some(Kind::Parking),
                title: Some("Parkhaus Hofdiener".into()),
                street: Some("Schellingstraße 2, 70174 Stuttgart".into()),
                lat_deg: Some(48.7791),
                lon_deg: Some(9.1732),
                capacity: Some(150),
                capacity_accessible: Some(11),
                capacity_charging: Some(4),
                ..About::default()
            },
            ..Telemetry::default()
        };
        assert_eq!(read(payload, Whose::Shape).unwrap(), [want]);
        assert_eq!(read(payload, Whose::Topic).unwrap()[0].thing, None);
    }

    #[test]
    fn what_sources_push_and_single_spaces_are_read() {
        for (name, payload, thing, free, capacity) in [
            ("a push", r#"{"uid":"p1","realtime_free_capacity":7,"realtime_capacity":9}"#, "p1", Some(7.0), Some(9)),
            ("no count", r#"{"uid":"p1","realtime_free_capacity":-1,"capacity":0}"#, "p1", None, None),
            ("not known now", r#"{"uid":"p1","realtime_free_capacity":null}"#, "p1", None, None),
            ("a plan", r#"{"original_uid":"p1","capacity":40,"realtime_capacity":null}"#, "p1", None, Some(40)),
            ("a free space", r#"{"id":7,"realtime_status":"AVAILABLE"}"#, "7", Some(1.0), Some(1)),
            ("a taken one", r#"{"id":7,"realtime_status":"TAKEN"}"#, "7", Some(0.0), Some(1)),
            ("one nobody knows of", r#"{"id":7,"realtime_status":"UNKNOWN"}"#, "7", None, Some(1)),
        ] {
            let said = read(payload, Whose::Shape).unwrap().remove(0);
            let found = said.values.iter().find(|(pointer, _)| pointer == "/free").and_then(|(_, v)| v.as_number());
            assert_eq!((said.thing.as_deref(), found, said.about.capacity), (Some(thing), free, capacity), "{name}");
        }
    }

    #[test]
    fn what_is_no_site_is_refused_with_the_reason() {
        for (payload, says) in [
            (r#"{"power_w":3}"#, "\"realtime_free_capacity\" is missing"),
            (r#"{"realtime_free_capacity":3}"#, "\"id\" is missing"),
            (r#"{"uid":"a","realtime_free_capacity":"many"}"#, "is \"many\"; it must be a number"),
            (r#"{"uid":"a","realtime_free_capacity":1,"lat":"NaN"}"#, "\"lat\" is \"NaN\""),
            (r#"{"uid":"a","realtime_free_capacity":1,"name":7}"#, "\"name\" is 7; it must be a text"),
            (
                r#"{"uid":"a","realtime_data_updated_at":"now","capacity":1}"#,
                "\"/realtime_data_updated_at\" is \"now\"",
            ),
            (r#"{"uid":"","capacity":1}"#, "the thing's name"),
            ("[7]", "\"/0\" is 7"),
        ] {
            let error = read(payload, Whose::Shape).unwrap_err().to_string();
            assert!(error.contains(says), "{payload}: {error}");
        }
    }
}
