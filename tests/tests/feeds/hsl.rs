//! Helsinki's buses, as HSL recorded them: most messages carry no position, and the driver may be on another operator's line.

use std::collections::BTreeMap;

use fleetlens_ipc::Look;
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Timed, Value};
use fleetlens_tests::place;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::listener::Listener;

/// The recordings, each a case somebody wanted to remember.
const FOLDER: &str = "fleet/hsl-mqtt";

/// One line: when it came, its topic and its payload.
fn messages() -> Option<Vec<(String, String)>> {
    let mut folders: Vec<_> = place::data(FOLDER)?.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut messages = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for line in std::fs::read_to_string(folder.join("hfp.dump")).unwrap().lines() {
            // A topic holds the place a bus is bound for, and with it spaces.
            let (_, rest) = line.split_once(' ').unwrap();
            let (topic, payload) = rest.split_once(" {").unwrap();
            messages.push((topic.to_owned(), format!("{{{payload}")));
        }
    }
    Some(messages)
}

/// What the recordings say last, read without a line of ours: by vehicle and name, the time and the value.
fn said_last(messages: &[(String, String)]) -> BTreeMap<(String, String), (i64, Json)> {
    let mut last: BTreeMap<(String, String), (i64, Json)> = BTreeMap::new();
    for (topic, payload) in messages {
        let levels: Vec<&str> = topic.split('/').collect();
        let thing = format!("{}/{}", levels[7], levels[8]);
        let payload: Json = serde_json::from_str(payload).unwrap();
        let values = payload.as_object().unwrap().values().next().unwrap().as_object().unwrap();
        let at: Timestamp = values["tst"].as_str().unwrap().parse().unwrap();
        // A speed below 0 is that of a bus that does not know.
        let says = |name: &str, value: &Json| !value.is_null() && (name != "spd" || value.as_f64() >= Some(0.0));
        for (name, value) in values.iter().filter(|(name, value)| *name != "tst" && says(name, value)) {
            let newest = last.entry((thing.clone(), name.clone())).or_insert((i64::MIN, Json::Null));
            if at.as_millisecond() >= newest.0 {
                *newest = (at.as_millisecond(), value.clone());
            }
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helsinkis_buses_are_read_with_nothing_but_a_profile() {
    let Some(messages) = messages() else { return };
    let Some(mut listener) = Listener::start_shipped("hsl").await else { return };
    let map = listener.desk.look_at_map().await;
    for (topic, payload) in &messages {
        listener.feed.publish(topic, payload.as_str()).await;
    }
    let odd = [
        ("/hfp/v2/journey/ongoing/vp/bus/0018/01029", r#"{"VP":{},"DUE":{}}"#, "has 2 members where * stands"),
        (
            "/hfp/v2/journey/ongoing/vp/bus/0018/01029",
            r#"{"VP":{"tst":"soon","spd":1}}"#,
            "is \"soon\"; it must be a time",
        ),
        ("/hfp/v2/journey/ongoing/vp/bus//", r#"{"VP":{"spd":1,"tst":"2024-02-13T16:33:00Z"}}"#, "name"),
    ];
    for (topic, payload, _) in odd {
        listener.feed.publish(topic, payload).await;
    }
    listener.wait_for_all((messages.len() + odd.len()) as u64).await;

    let last = said_last(&messages);
    let number = |thing: &str, name: &str| last.get(&(thing.to_owned(), name.to_owned()))?.1.as_f64();
    let vehicles = ["0012/01211", "0012/01913", "0018/00678", "0018/00679", "0018/01029"];
    for name in vehicles {
        let (Some(lat_deg), Some(lon_deg)) = (number(name, "lat"), number(name, "long")) else {
            panic!("the recordings place every vehicle, and not {name}");
        };
        let thing = listener.desk.find(name).await.unwrap().thing;
        let desk = &mut listener.desk;
        let what = format!("{name} to be where it was last");
        let there = desk.wait_for(&what, super::SOON, |desk| {
            let row = desk.map(map).get(&thing).ok_or_else(|| format!("{} things", desk.map(map).len()))?;
            let off_m = row.at.distance_m(LonLat { lon_deg, lat_deg });
            if off_m < 2.0 { Ok(row.kind) } else { Err(format!("it is {off_m} m off")) }
        });
        assert_eq!(there.await, Kind::Vehicle, "{name}");
        let page = desk.look(Look::Thing { thing }).await;
        assert_eq!(desk.page(page).head.at, LonLat::new(lon_deg, lat_deg), "{name}");
        desk.look_away(page).await;
    }

    let cached = listener.end().await;
    assert_eq!(cached.things.keys().collect::<Vec<_>>(), vehicles);
    assert!(cached.things.values().all(|meta| meta.kind == Kind::Vehicle && meta.interval_s == 5));
    let mut compared = 0;
    for ((thing, name), (at_ms, value)) in &last {
        let (pointer, times) = match name.as_str() {
            "spd" => ("/speed_kmh".to_owned(), 3.6),
            "odo" => ("/odometer_km".to_owned(), 0.001),
            "hdg" => ("/heading_deg".to_owned(), 1.0),
            "long" => ("/lon".to_owned(), 1.0),
            "tsi" | "veh" | "oper" | "line" | "jrn" => continue,
            name => (format!("/{name}"), 1.0),
        };
        let sample = &cached.latest[&(thing.clone(), pointer)];
        let want = match value {
            Json::Number(n) => Value::Number(n.as_f64().unwrap() * times),
            Json::String(text) => Value::Text(text.clone()),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => panic!("{thing} {name}: {value}"),
        };
        assert_eq!((&sample.value, sample.timed), (&want, Timed::ByDevice), "{thing} {name}");
        assert_eq!(sample.device_ms.0, *at_ms, "{thing} {name}");
        compared += 1;
    }
    assert_eq!(compared, cached.latest.len(), "and nothing else is in the cache");
    assert_eq!(cached.refused.values().sum::<u64>(), 3, "{:?}", cached.refused);
    for (_, _, reason) in odd {
        assert!(cached.refused.keys().any(|refused| refused.contains(reason)), "{reason}: {:?}", cached.refused);
    }
}
