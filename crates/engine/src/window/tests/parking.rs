use fleetlens_ipc::rows::{FreeCount, ParkingRow};
use fleetlens_model::geo::LonLat;

use super::things::big_fleet;
use super::*;
use crate::fleet::Input;

const HERE: LonLat = LonLat { lon_deg: 14.5, lat_deg: 35.9 };

fn described(name: &str, lon: f64, more: &str) -> Input {
    let payload = format!(r#"{{"name":"{name}","lat":35.9,"lon":{lon},"interval_s":60{more}}}"#);
    telemetry(&format!("city/x/parking/{name}/meta"), &payload)
}

fn says(name: &str, values: &str) -> Input {
    telemetry(&format!("city/x/parking/{name}/telemetry"), &format!(r#"{{"values":{{{values}}}}}"#))
}

fn parks() -> Fleet {
    let mut fleet = big_fleet();
    give(&mut fleet, described("far", 14.6, r#","capacity":100"#), at(1));
    give(
        &mut fleet,
        described("near", 14.501, r#","capacity":50,"capacity_accessible":4,"capacity_charging":0"#),
        at(1),
    );
    give(&mut fleet, telemetry("city/x/parking/nowhere/telemetry", r#"{"values":{"free":9}}"#), at(1));
    give(&mut fleet, telemetry("city/x/lamp/lamp/meta", r#"{"name":"Lamp","lat":35.9,"lon":14.5}"#), at(1));
    fleet
}

fn rows(fleet: &mut Fleet, limit: u32, now: Now) -> Vec<ParkingRow> {
    let (mut windows, _) = looking(Look::Parking { from: HERE, limit }, fleet);
    let told = frames(&mut windows, fleet, now);
    let [Frame::Snapshot { rows: Rows::Parking(rows), .. }] = &told[..] else { panic!("{told:?}") };
    rows.clone()
}

#[test]
fn car_parks_with_a_place_come_nearest_first() {
    let mut fleet = parks();
    let told = rows(&mut fleet, 10, at(2));
    assert_eq!(told.iter().map(|r| r.title.as_str()).collect::<Vec<_>>(), ["near", "far"]);
    let near_m = told[0].distance_m;
    assert!((89.0..92.0).contains(&near_m), "{near_m} m for a thousandth of a degree of longitude at 35.9° north");
    assert_eq!(rows(&mut fleet, 1, at(2)).len(), 1);
}

#[test]
fn a_count_is_never_more_than_there_are_nor_without_its_age() {
    for (name, values, want) in [
        ("as it is", r#""free":20,"free_accessible":1"#, (Some(20), Some(1), None)),
        ("full", r#""free":0"#, (Some(0), None, None)),
        ("more than there are", r#""free":900,"free_accessible":5"#, (Some(50), Some(4), None)),
        ("less than none", r#""free":-1,"free_accessible":2"#, (None, Some(2), None)),
        ("no number", r#""free":true"#, (None, None, None)),
        ("a space that is not there", r#""free":3,"free_charging":3"#, (Some(3), None, Some(0))),
    ] {
        let mut fleet = parks();
        give(&mut fleet, says("near", values), at(10));
        let told = rows(&mut fleet, 10, at(40));
        let near = &told[0];
        let count = |free: &Option<FreeCount>| free.as_ref().map(|free| free.count);
        assert_eq!((count(&near.all.free), count(&near.accessible.free), count(&near.charging.free)), want, "{name}");
        let counts = [&near.all, &near.accessible, &near.charging].into_iter().filter_map(|s| s.free.as_ref());
        assert!(counts.clone().all(|free| (free.age_ms, free.old_after_ms) == (30_000, 180_000)), "{name}");
        assert_eq!(near.charging.capacity, Some(0), "said to be none");
    }
    let mut fleet = parks();
    let never = rows(&mut fleet, 10, at(2)).remove(1);
    assert_eq!((never.all.capacity, never.accessible.capacity), (Some(100), None), "never spoken of");
    assert_eq!((never.all.free, never.freshness), (None, fleetlens_model::freshness::Freshness::Never));
}

#[test]
fn each_class_has_an_age_of_its_own_and_only_news_are_told() {
    let mut fleet = parks();
    give(&mut fleet, says("near", r#""free":20,"free_accessible":1"#), at(10));
    let (mut windows, _) = looking(Look::Parking { from: HERE, limit: 10 }, &mut fleet);
    frames(&mut windows, &mut fleet, at(10));
    give(&mut fleet, telemetry("city/x/lamp/lamp/telemetry", r#"{"values":{"dim_pct":3}}"#), at(11));
    assert_eq!(frames(&mut windows, &mut fleet, at(11)), [], "a lamp is no car park");
    give(&mut fleet, says("near", r#""free":19"#), at(20));
    let told = frames(&mut windows, &mut fleet, at(21));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::Parking(rows)] = &changes[..] else { panic!("{changes:?}") };
    let age_s = |free: &Option<FreeCount>| free.as_ref().map(|free| free.age_ms / 1000);
    assert_eq!((age_s(&rows[0].all.free), age_s(&rows[0].accessible.free)), (Some(1), Some(11)));
    assert_eq!(frames(&mut windows, &mut fleet, at(30)), [], "ages grow in the window");
}
