use fleetlens_model::geo::LonLat;
use fleetlens_model::record::Restored;

use super::things::big_fleet;
use super::*;
use crate::fleet::Input;

fn says(kind: &str, values: &str) -> Input {
    telemetry(&format!("city/x/{kind}/t-1/telemetry"), &format!(r#"{{"values":{{{values}}}}}"#))
}

fn dated(ts_s: u64, values: &str) -> Input {
    let payload = format!(r#"{{"ts":{},"values":{{{values}}}}}"#, at(ts_s).wall.0);
    telemetry("city/x/vehicle/t-1/telemetry", &payload)
}

fn there(kind: &str) -> Input {
    telemetry(&format!("city/x/{kind}/t-1/meta"), r#"{"name":"T","lat":35.0,"lon":14.0}"#)
}

fn place(fleet: &Fleet) -> Option<(f64, f64)> {
    fleet.things.get(&ThingKey(1)).and_then(|t| t.place()).map(|at| (at.lon_deg, at.lat_deg))
}

#[test]
fn a_thing_that_moves_is_where_it_last_said_and_any_other_where_it_is_described() {
    for (name, inputs, want) in [
        ("a vehicle", vec![there("vehicle"), says("vehicle", r#""lat":35.9,"lon":14.5"#)], Some((14.5, 35.9))),
        ("before it spoke", vec![there("vehicle")], Some((14.0, 35.0))),
        ("a bin stands still", vec![there("bin"), says("bin", r#""lat":35.9,"lon":14.5"#)], Some((14.0, 35.0))),
        ("described nowhere", vec![says("bin", r#""lat":35.9,"lon":14.5"#)], Some((14.5, 35.9))),
        ("nowhere on earth", vec![says("vehicle", r#""lat":135.9,"lon":14.5"#)], None),
        ("not numbers", vec![says("vehicle", r#""lat":true,"lon":14.5"#)], None),
        ("half a place", vec![says("vehicle", r#""lat":35.9"#)], None),
        (
            "halves of two messages",
            vec![says("vehicle", r#""lat":35.9,"lon":14.5"#), dated(3, r#""lat":36.9"#), dated(4, r#""lon":15.5"#)],
            Some((14.5, 35.9)),
        ),
        (
            "nonsense moves nothing",
            vec![says("vehicle", r#""lat":35.9,"lon":14.5"#), dated(3, r#""lat":0,"lon":0"#)],
            Some((14.5, 35.9)),
        ),
        (
            "a late message is no way back",
            vec![dated(3, r#""lat":35.9,"lon":14.5"#), dated(1, r#""lat":35.1,"lon":14.1"#)],
            Some((14.5, 35.9)),
        ),
    ] {
        let mut fleet = big_fleet();
        inputs.into_iter().enumerate().for_each(|(i, input)| drop(give(&mut fleet, input, at(2 + i as u64))));
        assert_eq!(place(&fleet), want, "{name}");
    }
}

#[test]
fn where_a_vehicle_was_is_known_after_a_restart() {
    let mut fleet = big_fleet();
    give(&mut fleet, there("vehicle"), at(1));
    give(&mut fleet, says("vehicle", r#""lat":35.9,"lon":14.5,"speed_kmh":30"#), at(2));
    let thing = &fleet.things[&ThingKey(1)];
    let restored = Restored {
        things: vec![(thing.key, thing.name.clone(), thing.meta.clone())],
        series: fleet.series.iter().map(|(key, s)| (key, s.thing, s.pointer.clone())).collect(),
        latest: fleet.series.iter().filter_map(|(key, s)| s.sample(key)).collect(),
        ..Restored::default()
    };
    let fleet = Fleet::new(crate::config::FleetConfig::default(), restored, at(100));
    assert_eq!(place(&fleet), Some((14.5, 35.9)));
}

#[test]
fn the_map_follows_what_moves_and_takes_it_away_where_it_leaves_the_box() {
    let mut fleet = big_fleet();
    give(&mut fleet, says("vehicle", r#""lat":35.9,"lon":14.5"#), at(1));
    let area = GeoBox { west_deg: 14.0, south_deg: 35.0, east_deg: 15.0, north_deg: 36.0 };
    let (mut windows, _) = looking(Look::Map { area }, &mut fleet);
    frames(&mut windows, &mut fleet, at(1));
    for (s, lon, gone) in [(2, 14.75, false), (3, 15.5, true), (4, 14.25, false)] {
        give(&mut fleet, says("vehicle", &format!(r#""lat":35.5,"lon":{lon}"#)), at(s));
        seen(&mut windows, &mut fleet, s);
        let told = frames(&mut windows, &mut fleet, at(s));
        let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
        let [Change::Map(bytes)] = &changes[..] else { panic!("{changes:?}") };
        let row = map::read(bytes).next().unwrap();
        assert_eq!(row.flags & map::FLAG_GONE != 0, gone, "{lon}");
        assert!(gone || row.at == LonLat { lon_deg: lon, lat_deg: 35.5 }, "{row:?}");
    }
}
