//! What is the same for all devices, and what other tests are made of.

use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Schemas;

use super::*;
use crate::places::UsedFor;

pub(crate) fn spot(thing: &str) -> Spot {
    Spot {
        thing: thing.into(),
        name: "A place".into(),
        at: LonLat::new(14.5137, 35.899).unwrap(),
        area: "Ta' Xbiex".into(),
        street: Some("Triq Melita".into()),
        synthetic: vec!["name"],
    }
}

pub(crate) fn post(thing: &str) -> LampPost {
    LampPost { spot: spot(thing), rated_w: 56.0 }
}

pub(crate) fn park(thing: &str, barrier: bool) -> CarPark {
    CarPark {
        spot: spot(thing),
        capacity: 100,
        accessible: 4,
        charging: 6,
        barrier,
        access: None,
        fee: Some(true),
        used_for: UsedFor::Offices,
    }
}

/// What it reports as one object: `{"": {…}, "config": {…}}`, `{}` for nothing.
pub(crate) fn obeyed(device: &mut Device, shadow: Option<&str>, wished: Value, whole: bool, sim_ms: i64) -> Value {
    let reports = device.obey(shadow, wished.as_object().unwrap(), whole, sim_ms);
    reports.into_iter().map(|(shadow, report)| (shadow.unwrap_or_default().to_owned(), Value::Object(report))).collect()
}

#[test]
fn a_description_says_what_the_thing_is() {
    let park = Device::car_park(park("parking-0033", true), Dice::new(1), 30_000);
    assert_eq!(
        serde_json::from_slice::<Value>(&park.meta()).unwrap(),
        json!({
            "kind": "parking", "name": "A place", "lat": 35.899, "lon": 14.5137, "area": "Ta' Xbiex", "street": "Triq Melita",
            "interval_s": 30, "capacity": 100, "capacity_accessible": 4, "capacity_charging": 6, "fee": true, "synthetic": ["name"],
            "units": {"free": "", "free_accessible": "", "free_charging": ""},
        })
    );
    assert_eq!(park.topic("telemetry"), "city/ta-xbiex/parking/parking-0033/telemetry");
}

/// What a person may set and what has a name on the screen is what devices know.
#[test]
fn every_device_says_the_values_of_its_kind_and_knows_its_controls() {
    let sim_ms = 1_768_345_200_000;
    let places = Places::of(6, Dice::new(1)).unwrap();
    let options = crate::CityOptions { things: 6, ..crate::CityOptions::default() };
    let devices = crate::devices(&options, Dice::new(1), sim_ms).unwrap();
    let mut kinds: Vec<Kind> = devices.iter().map(Device::kind).collect();
    kinds.sort();
    assert_eq!(kinds, [Kind::Parking, Kind::Lamp, Kind::Bin, Kind::Charger, Kind::Vehicle, Kind::Gateway]);
    assert_eq!(places.masts.len(), 1);
    for device in devices {
        let (kind, values, reported) = (device.kind(), device.values(sim_ms), device.reported(None));
        for name in values.keys() {
            assert!(kind.field(&format!("/{name}")).is_some(), "{kind:?} has no word for {name}");
        }
        let optional = ["/free_accessible", "/free_charging", "/barrier", "/interval_s"];
        for field in kind.fields().iter().filter(|field| !optional.contains(&field.pointer)) {
            assert!(
                values.contains_key(field.pointer.trim_start_matches('/')),
                "{kind:?} does not say {}",
                field.pointer
            );
        }
        for control in
            Schemas::of_the_program().controls_of_kind(kind).iter().filter(|control| control.pointer != "/barrier")
        {
            assert!(
                reported.contains_key(control.pointer.trim_start_matches('/')),
                "{kind:?} does not know {}",
                control.pointer
            );
        }
    }
}

#[test]
fn every_device_takes_an_interval_from_5_s_to_an_hour() {
    let sim_ms = 1_768_345_200_000;
    let options = crate::CityOptions { things: 6, ..crate::CityOptions::default() };
    for mut device in crate::devices(&options, Dice::new(1), sim_ms).unwrap() {
        for (wish, interval_ms) in [
            (json!(120), 120_000),
            (json!(4), 120_000),
            (json!("9"), 120_000),
            (json!(3_601), 120_000),
            (json!(5), 5_000),
        ] {
            let reports = obeyed(&mut device, None, json!({ "interval_s": wish }), false, sim_ms);
            assert_eq!(device.interval_ms(), interval_ms, "{}: {wish}", device.thing());
            let want = json!({"": {"interval_s": wish}});
            assert_eq!(reports == want, device.reported(None)["interval_s"] == wish, "{}", device.thing());
        }
    }
}

#[test]
fn telemetry_carries_real_time_and_simulated_values() {
    let lamp = Device::lamp(post("lamp-0001"), Dice::new(1), 10_000, 0);
    let payload: Value = serde_json::from_slice(&lamp.telemetry(5, 1_000_000)).unwrap();
    assert_eq!(payload["ts"], 5);
    assert_eq!(payload["values"], Value::Object(lamp.values(1_000_000)));
}
