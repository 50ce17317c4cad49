//! A week of Málaga's car parks, in which the clocks were put forward: as plain JSON with the city's own words, and as FIWARE.
//! Four lots have no place, and where nobody counts them −1 spaces free; some have no capacity: as found.

use std::collections::BTreeMap;

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{ParkingRow, Rows};
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_tests::place;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::listener::{Cached, Listener};

/// The clocks went from 02:00 to 03:00 on 26 March.
const WEEK: std::ops::Range<&str> = "2023-03-24T00:00".."2023-03-31T00:00";
const PUT_FORWARD: &str = "2023-03-26T02:00";

/// Lots of which nobody says where they are and how many spaces are free.
const NOWHERE: [&str; 4] = ["138", "139", "140", "142"];

struct Recording {
    lots: Vec<Lot>,
    /// When, by the clocks of the city; which lot; how many spaces are free.
    rows: Vec<(String, String, i64)>,
}

struct Lot {
    id: String,
    name: String,
    street: String,
    at: (f64, f64),
    /// As it is written: a number, -1 or None.
    capacity: String,
}

fn columns<const N: usize>(line: &str) -> [String; N] {
    let columns: Vec<String> = line.split(',').map(str::to_owned).collect();
    columns.try_into().unwrap_or_else(|columns| panic!("{columns:?}"))
}

fn recording() -> Option<Recording> {
    let (lots, rows) = (
        place::data_text("parking/malaga/malaga_lots_2023.csv")?,
        place::data_text("parking/malaga/malaga_free_long_2023-03_04.csv")?,
    );
    let lot = |line: &str| {
        let [id, name, street, lat, lon, capacity] = columns(line);
        Lot { id, name, street, at: (lat.parse().unwrap(), lon.parse().unwrap()), capacity }
    };
    let row = |line: &str| {
        let [at, id, free, _] = columns(line);
        WEEK.contains(&at.as_str()).then(|| (at, id, free.parse().unwrap()))
    };
    let recording = Recording {
        lots: lots.lines().skip(1).map(lot).collect(),
        rows: rows.lines().skip(1).filter_map(row).collect(),
    };
    assert_eq!(recording.lots.len(), 14);
    assert!(recording.rows.len() > 14_000, "{}", recording.rows.len());
    Some(recording)
}

impl Recording {
    /// Snapshots in the order of time: when, and every lot's free spaces.
    fn snapshots(&self) -> BTreeMap<&str, Vec<(&Lot, i64)>> {
        let mut snapshots: BTreeMap<&str, Vec<(&Lot, i64)>> = BTreeMap::new();
        for (at, id, free) in &self.rows {
            let lot = self.lots.iter().find(|lot| lot.id == *id).unwrap();
            snapshots.entry(at).or_default().push((lot, *free));
        }
        snapshots
    }

    /// What a lot said, and when, in milliseconds since 1970; nothing where nobody counts.
    fn of(&self, id: &str) -> Vec<(i64, Option<f64>)> {
        let of = self.rows.iter().filter(|(_, of, free)| of == id && *free >= 0);
        of.map(|(at, _, free)| (moment_ms(at), Some(*free as f64))).collect()
    }
}

/// A local time as the clocks of that week went, without asking any library which zone that is.
fn moment_ms(local: &str) -> i64 {
    let ahead_h = if local < PUT_FORWARD { 1 } else { 2 };
    let utc: DateTime = local.parse().unwrap();
    utc.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond() - ahead_h * 3_600_000
}

/// A number as one, anything else as the text that it is.
fn verbatim(text: &str) -> Json {
    text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from)
}

/// What the window shows of car parks near the station, once all of them are as the week ended.
async fn wait_for_parking(listener: &mut Listener) -> BTreeMap<String, ParkingRow> {
    let from = LonLat { lon_deg: -4.4318, lat_deg: 36.7117 };
    let view = listener.desk.look(Look::Parking { from, limit: 50 }).await;
    let rows = listener.desk.wait_for("the car parks", super::SOON, |desk| match desk.rows(view) {
        Some(Rows::Parking(rows)) if rows.len() == 10 => Ok(rows.clone()),
        other => Err(format!("{other:?}")),
    });
    rows.await.into_iter().map(|row| (row.title.clone(), row)).collect()
}

/// The end of the week, however it was told.
fn check(week: &Recording, cached: &Cached, parking: &BTreeMap<String, ParkingRow>, id: impl Fn(&str) -> String) {
    assert_eq!(cached.things.len(), 14);
    for lot in &week.lots {
        let name = id(&lot.id);
        let meta = &cached.things[&name];
        assert_eq!((meta.kind, &meta.title, meta.interval_s), (Kind::Parking, &lot.name, 900), "{name}");
        assert_eq!(meta.capacity, lot.capacity.parse().ok().filter(|spaces: &u32| *spaces > 0), "{name}");
        let row = parking.get(&lot.name);
        assert_eq!(row.is_none(), NOWHERE.contains(&lot.id.as_str()), "{name}");
        let said = week.of(&lot.id);
        let key = (name.clone(), "/free".to_owned());
        let Some((at_ms, free)) = said.last().copied() else {
            assert!(row.is_none() && !cached.latest.contains_key(&key), "{name}: −1 is no count");
            continue;
        };
        assert_eq!(cached.samples(&name, "/free"), said, "{name}");
        let latest = &cached.latest[&key];
        assert_eq!((latest.device_ms.0, latest.value.clone()), (at_ms, Value::Number(free.unwrap())), "{name}");
        if let Some(row) = row {
            assert_eq!((row.at.lat_deg, row.at.lon_deg), lot.at, "{name}");
            let shown = row.all.free.as_ref().unwrap();
            let most = meta.capacity.map_or(f64::MAX, f64::from);
            assert_eq!((f64::from(shown.count), shown.device_ms.0), (free.unwrap().min(most), at_ms), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malagas_car_parks_are_read_in_the_citys_own_words() {
    let Some(week) = recording() else { return };
    let Some(mut listener) = Listener::start_shipped("malaga").await else { return };
    let lots: Vec<Json> = week
        .lots
        .iter()
        .map(|lot| {
            let (latitude, longitude) = lot.at;
            json!({"poiID": lot.id.parse::<u32>().unwrap(), "nombre": lot.name, "direccion": lot.street,
                "latitude": latitude, "longitude": longitude, "capacidad": verbatim(&lot.capacity)})
        })
        .collect();
    listener.feed.publish_retained("malaga/parking/lots", Json::from(lots).to_string()).await;
    for (at, id, free) in &week.rows {
        let row = json!({"snapshot_time_local": at, "poiID": verbatim(id), "libres": free,
            "fechahora_ultima_actualizacion": "None"});
        listener.feed.publish("malaga/parking/free", row.to_string()).await;
    }
    let odd = [
        (
            r#"{"poiID":1,"libres":7,"snapshot_time_local":"None"}"#,
            "\"/snapshot_time_local\" is \"None\"; it must be a time",
        ),
        (r#"{"poiID":"","libres":7}"#, "the thing's name, a text or a whole number"),
        (r#"{"libres":7}"#, "\"/poiID\" is missing"),
        (r#"[{"poiID":77,"libres":1},{"poiID":1,"libres":1e999}]"#, "not JSON: number out of range"),
        (r#"[{"poiID":77,"libres":1},{"poiID":"\u0007","libres":1}]"#, "hidden character"),
    ];
    for (payload, _) in odd {
        listener.feed.publish("malaga/parking/free", payload).await;
    }
    listener.wait_for_all((1 + week.rows.len() + odd.len()) as u64).await;
    let parking = wait_for_parking(&mut listener).await;
    let cached = listener.end().await;
    check(&week, &cached, &parking, str::to_owned);
    assert_eq!(cached.things["1"].street, "Calle SalitreMálaga");
    assert_eq!(cached.refused.values().sum::<u64>(), odd.len() as u64, "{:?}", cached.refused);
    for (_, reason) in odd {
        assert!(cached.refused.keys().any(|refused| refused.contains(reason)), "{reason}: {:?}", cached.refused);
    }
}

/// An entity of a lot, by turns as keyValues, normalized for NGSI v2, and as NGSI-LD has it.
fn entity(lot: &Lot, at: &str, free: i64, form: usize) -> Json {
    let (lat, lon) = lot.at;
    let location = json!({"type": "Point", "coordinates": [lon, lat]});
    let address = json!({"streetAddress": lot.street, "addressLocality": "Málaga"});
    // A data model has no word for a number nobody knows.
    let total = lot.capacity.parse::<i64>().map_or(Json::Null, Json::from);
    let mut entity = json!({"id": format!("malaga-{}", lot.id), "type": "OffStreetParking"});
    for (name, of_v2, of_ld, value) in [
        ("name", "Text", "Property", json!(lot.name)),
        ("location", "geo:json", "GeoProperty", location),
        ("address", "StructuredValue", "Property", address),
        ("totalSpotNumber", "Number", "Property", total),
        ("availableSpotNumber", "Number", "Property", json!(free)),
        ("observationDateTime", "DateTime", "Property", json!(at)),
    ] {
        entity[name] = match form % 3 {
            0 => value,
            1 => json!({"type": of_v2, "value": value, "metadata": {}}),
            _ => json!({"type": of_ld, "value": value}),
        };
    }
    entity
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_week_as_fiware_ends_in_the_same_state() {
    let Some(week) = recording() else { return };
    let Some(mut listener) = Listener::start_shipped("malaga-fiware").await else { return };
    let snapshots = week.snapshots();
    let mut sent = 0;
    for (turn, (at, lots)) in snapshots.iter().enumerate() {
        let entities: Vec<Json> =
            lots.iter().enumerate().map(|(i, (lot, free))| entity(lot, at, *free, turn + i)).collect();
        // A subscription's notification, a list, or each entity by itself.
        match turn % 3 {
            0 => {
                let notification = json!({"subscriptionId": "5aeb0ee97d4ef10a12a0262f", "data": entities});
                listener.feed.publish("malaga/notifications", notification.to_string()).await;
                sent += 1;
            }
            1 => {
                listener.feed.publish("malaga/ngsi", Json::from(entities).to_string()).await;
                sent += 1;
            }
            _ => {
                for entity in &entities {
                    listener.feed.publish("malaga/ngsi", entity.to_string()).await;
                }
                sent += entities.len();
            }
        }
    }
    for payload in [r#"{"id":"a"}"#, r#"{"id":"a","type":"Feature","properties":{}}"#] {
        listener.feed.publish("malaga/ngsi", payload).await;
    }
    listener.wait_for_all(sent as u64 + 2).await;
    let parking = wait_for_parking(&mut listener).await;
    let cached = listener.end().await;
    check(&week, &cached, &parking, |id| format!("malaga-{id}"));
    assert_eq!(
        (cached.things["malaga-1"].street.as_str(), cached.things["malaga-1"].area.as_str()),
        ("Calle SalitreMálaga", "Málaga")
    );
    let pointers: std::collections::BTreeSet<&str> =
        cached.latest.keys().map(|(_, pointer)| pointer.as_str()).collect();
    assert_eq!(Vec::from_iter(pointers), ["/free"], "the rest describes them");
    assert_eq!(cached.refused.len(), 2, "{:?}", cached.refused);
}
