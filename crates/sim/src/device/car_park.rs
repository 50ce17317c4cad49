//! A car park: free spaces by class, and at some a barrier.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Does, rhythm};
use crate::dice::Dice;
use crate::places::{CarPark, Spot};
use crate::sky;

/// Of so many car parks one is full whenever its hour comes; the others keep a few spaces free.
const SOUGHT_AFTER_ONE_IN: u32 = 60;
/// How fast chance comes and goes in a car park, in milliseconds.
const DRIFT_MS: i64 = 20 * 60 * 1000;

/// The counters and the barrier of a car park.
#[derive(Clone, Debug)]
pub struct CarParkDevice {
    /// Where and how large.
    pub park: CarPark,
    dice: Dice,
    barrier_open: bool,
    /// How popular it is, as a factor.
    popular: f64,
}

impl CarParkDevice {
    pub(super) fn new(park: CarPark, dice: Dice) -> Self {
        let mut chance = dice.throw(&park.spot.thing, "popular");
        let sought_after = chance.one_in(SOUGHT_AFTER_ONE_IN);
        let popular = if sought_after { chance.between(1.02, 1.1) } else { chance.between(0.6, 0.9) };
        Self { park, dice, barrier_open: false, popular }
    }

    fn free(&self, spaces: u32, class: &str, sought: f64, sim_ms: i64) -> u32 {
        let chance = self.dice.drift(&self.park.spot.thing, class, sim_ms, DRIFT_MS);
        let share = rhythm::taken(self.park.used_for, sky::local(sim_ms)) * self.popular * sought + 0.07 * chance;
        let taken = (f64::from(spaces) * share.clamp(0.0, 1.0)).round() as u32;
        spaces.saturating_sub(taken)
    }

    fn barrier(&self) -> Option<Value> {
        self.park.barrier.then(|| if self.barrier_open { "open" } else { "closed" }.into())
    }
}

impl Does for CarParkDevice {
    fn kind(&self) -> Kind {
        Kind::Parking
    }

    fn spot(&self) -> &Spot {
        &self.park.spot
    }

    fn describe(&self, meta: &mut Object) {
        let park = &self.park;
        meta.insert("capacity".into(), park.capacity.into());
        meta.insert("capacity_accessible".into(), park.accessible.into());
        meta.insert("capacity_charging".into(), park.charging.into());
        if let Some(access) = &park.access {
            meta.insert("access".into(), access.as_str().into());
        }
        if let Some(fee) = park.fee {
            meta.insert("fee".into(), fee.into());
        }
        meta.insert("units".into(), json!({ "free": "", "free_accessible": "", "free_charging": "" }));
    }

    /// `free` counts every class; each class stands beside it where there is one, and is never more than it has spaces.
    fn values(&self, sim_ms: i64) -> Object {
        let park = &self.park;
        let accessible = self.free(park.accessible, "accessible", 0.7, sim_ms);
        let charging = self.free(park.charging, "charging", 0.85, sim_ms);
        let ordinary = park.capacity.saturating_sub(park.accessible + park.charging);
        let mut values = Object::new();
        values.insert("free".into(), (self.free(ordinary, "ordinary", 1.0, sim_ms) + accessible + charging).into());
        if park.accessible > 0 {
            values.insert("free_accessible".into(), accessible.into());
        }
        if park.charging > 0 {
            values.insert("free_charging".into(), charging.into());
        }
        values.extend(self.barrier().map(|barrier| ("barrier".to_owned(), barrier)));
        values
    }

    fn reported(&self, shadow: Option<&str>) -> Object {
        let barrier = self.barrier().filter(|_| shadow.is_none());
        barrier.map(|barrier| ("barrier".to_owned(), barrier)).into_iter().collect()
    }

    /// Understands `open` and `closed`; anything else stays a wish.
    fn obey(&mut self, shadow: Option<&str>, wished: &Object, _whole: bool, _sim_ms: i64) {
        if shadow.is_some() {
            return;
        }
        match wished.get("barrier").and_then(Value::as_str).filter(|_| self.park.barrier) {
            Some("open") => self.barrier_open = true,
            Some("closed") => self.barrier_open = false,
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Device;
    use super::super::tests::{obeyed, park};
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;

    #[test]
    fn free_spaces_are_never_more_than_there_are_and_change_with_the_day() {
        let device = CarParkDevice::new(park("parking-0001", false), Dice::new(1));
        let free = |sim_ms| device.values(sim_ms)["free"].as_u64().unwrap();
        for minute in 0..7 * 24 * 60 {
            let values = device.values(MIDNIGHT + minute * 60_000);
            for (class, capacity) in [("free", 100), ("free_accessible", 4), ("free_charging", 6)] {
                assert!(values[class].as_u64().unwrap() <= capacity, "{values:?}");
            }
            let ordinary = values["free"].as_u64().unwrap()
                - values["free_accessible"].as_u64().unwrap()
                - values["free_charging"].as_u64().unwrap();
            assert!(ordinary <= 100 - 4 - 6, "{values:?}");
        }
        assert!(free(MIDNIGHT + 10 * HOUR_MS) + 40 < free(MIDNIGHT + 3 * HOUR_MS), "offices fill in the morning");
    }

    #[test]
    fn the_same_seed_device_and_time_give_the_same_values() {
        let device = |seed, thing| CarParkDevice::new(park(thing, false), Dice::new(seed));
        let day = |device: CarParkDevice| (0..24).map(|h| device.values(MIDNIGHT + h * HOUR_MS)).collect::<Vec<_>>();
        assert_eq!(day(device(1, "a")), day(device(1, "a")));
        assert_ne!(day(device(1, "a")), day(device(2, "a")));
        assert_ne!(day(device(1, "a")), day(device(1, "b")));
    }

    #[test]
    fn a_barrier_obeys_open_and_closed_and_nothing_else() {
        let mut device = Device::car_park(park("parking-0001", true), Dice::new(1), 30_000);
        for (wish, want) in [
            (json!({"barrier": "open"}), json!({"": {"barrier": "open"}})),
            (json!({"barrier": "open"}), json!({})),
            (json!({"barrier": "ajar"}), json!({})),
            (json!({"barrier": true, "colour": "red"}), json!({})),
            (json!({"barrier": "closed"}), json!({"": {"barrier": "closed"}})),
        ] {
            assert_eq!(obeyed(&mut device, None, wish.clone(), false, 0), want, "{wish}");
        }
        let mut plain = Device::car_park(park("parking-0002", false), Dice::new(1), 30_000);
        assert_eq!(obeyed(&mut plain, None, json!({"barrier": "open"}), false, 0), json!({}), "there is none");
        assert_eq!(Value::Object(plain.reported(None)), json!({"interval_s": 30}));
    }
}
