//! The simulated devices: what each measures at a simulated time, and what it does when its shadow wants something.
//!
//! What a device measures is a function of (seed, device, simulated time) and of what it was told; nothing here reads a clock,
//! draws chance of its own or knows MQTT beyond its own topics.

mod car_park;
mod lamp;
mod rhythm;
mod schedule;

use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

pub use self::car_park::CarParkDevice;
pub use self::lamp::Lamp;
use crate::dice::Dice;
use crate::places::{CarPark, LampPost, Spot, slug};

/// How often a lamp speaks unless told otherwise, in seconds.
pub const LAMP_INTERVAL_S: u32 = 10;
/// How often a car park speaks, in seconds.
pub const CAR_PARK_INTERVAL_S: u32 = 30;

/// One device.
#[derive(Clone, Debug)]
pub enum Device {
    /// A street lamp.
    Lamp(Lamp),
    /// A car park, counted as a whole.
    CarPark(CarParkDevice),
}

/// What a look at the clock and the sky did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// Fields of the classic shadow that changed by themselves, to be reported.
    pub changed: Object,
    /// Whether the device should ask for its whole shadow, because a wish may have been taken back.
    pub refresh: bool,
}

impl Device {
    /// A lamp that speaks every `interval_ms`.
    pub fn lamp(post: LampPost, dice: Dice, interval_ms: u64, sim_ms: i64) -> Self {
        Self::Lamp(Lamp::new(post, dice, interval_ms, sim_ms))
    }

    /// A car park that speaks every `interval_ms`.
    pub fn car_park(park: CarPark, dice: Dice, interval_ms: u64) -> Self {
        Self::CarPark(CarParkDevice::new(park, dice, interval_ms))
    }

    /// Where it stands and what it is called.
    pub fn spot(&self) -> &Spot {
        match self {
            Self::Lamp(lamp) => &lamp.post.spot,
            Self::CarPark(device) => &device.park.spot,
        }
    }

    /// The thing's name.
    pub fn thing(&self) -> &str {
        &self.spot().thing
    }

    /// The kind's word in topics: `lamp` or `parking`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lamp(_) => "lamp",
            Self::CarPark(_) => "parking",
        }
    }

    /// `city/{area}/{kind}/{thing}/{leaf}`.
    pub fn topic(&self, leaf: &str) -> String {
        format!("city/{}/{}/{}/{leaf}", slug(&self.spot().area), self.kind(), self.thing())
    }

    /// How often it speaks now, in milliseconds; at least 1.
    pub fn interval_ms(&self) -> u64 {
        match self {
            Self::Lamp(lamp) => lamp.interval_ms(),
            Self::CarPark(device) => device.interval_ms,
        }
    }

    /// Its shadows; `None` is the classic one.
    pub fn shadows(&self) -> &'static [Option<&'static str>] {
        match self {
            Self::Lamp(lamp) => lamp.shadows(),
            Self::CarPark(device) => device.shadows(),
        }
    }

    /// What it measures at the simulated time `sim_ms` (epoch milliseconds).
    pub fn values(&self, sim_ms: i64) -> Object {
        match self {
            Self::Lamp(lamp) => lamp.values(sim_ms),
            Self::CarPark(device) => device.values(sim_ms),
        }
    }

    /// Everything it has to say of itself in one of its shadows.
    pub fn reported(&self, shadow: Option<&str>) -> Object {
        match self {
            Self::Lamp(lamp) => lamp.reported(shadow),
            Self::CarPark(device) => device.reported(shadow),
        }
    }

    /// Does what is wanted in one shadow as far as it can and understands it; gives what it must report now, by shadow: nothing
    /// when nothing changed, and more than one when a schedule switches the lamp.
    ///
    /// `wished` is the whole desired section if `whole`, else the part of it that is open.
    pub fn obey(
        &mut self,
        shadow: Option<&str>,
        wished: &Object,
        whole: bool,
        sim_ms: i64,
    ) -> Vec<(Option<&'static str>, Object)> {
        let before: Vec<Object> = self.shadows().iter().map(|shadow| self.reported(*shadow)).collect();
        match self {
            Self::Lamp(lamp) => lamp.obey(shadow, wished, whole, sim_ms),
            Self::CarPark(device) => device.obey(shadow, wished),
        }
        let after = self.shadows().iter().zip(before);
        let changed = after.map(|(shadow, before)| (*shadow, changes(&before, &self.reported(*shadow))));
        changed.filter(|(_, changed)| !changed.is_empty()).collect()
    }

    /// Looks at the clock and the sky; to be called before [`Device::values`].
    pub fn tick(&mut self, sim_ms: i64) -> Tick {
        match self {
            Self::Lamp(lamp) => lamp.tick(sim_ms),
            Self::CarPark(_) => Tick::default(),
        }
    }

    /// The payload of its telemetry: `ts` is the real time (epoch milliseconds), the values those of the simulated one.
    pub fn telemetry(&self, ts_ms: i64, sim_ms: i64) -> Vec<u8> {
        json!({ "ts": ts_ms, "values": self.values(sim_ms) }).to_string().into_bytes()
    }

    /// The payload of its retained description.
    pub fn meta(&self) -> Vec<u8> {
        let spot = self.spot();
        let mut meta = Object::new();
        let mut put = |field: &str, value: Value| {
            if !value.is_null() {
                meta.insert(field.into(), value);
            }
        };
        put("kind", self.kind().into());
        put("name", spot.name.as_str().into());
        put("lat", spot.at.lat_deg.into());
        put("lon", spot.at.lon_deg.into());
        put("area", spot.area.as_str().into());
        put("street", spot.street.as_deref().map_or(Value::Null, Value::from));
        put("interval_s", self.interval_ms().div_ceil(1000).into());
        put("synthetic", spot.synthetic.clone().into());
        match self {
            Self::Lamp(lamp) => {
                put("rated_w", lamp.post.rated_w.into());
                put("units", json!({ "dim_pct": "%", "power_w": "W", "temp_c": "°C", "burning_h": "h" }));
            }
            Self::CarPark(device) => {
                put("capacity", device.park.capacity.into());
                put("accessible", device.park.accessible.into());
                put("charging", device.park.charging.into());
                put("access", device.park.access.as_deref().map_or(Value::Null, Value::from));
                put("fee", device.park.fee.map_or(Value::Null, Value::from));
                put("units", json!({ "free": "", "free_accessible": "", "free_charging": "" }));
            }
        }
        Value::Object(meta).to_string().into_bytes()
    }
}

/// The fields of `after` that `before` has otherwise or not at all.
fn changes(before: &Object, after: &Object) -> Object {
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    new.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// One decimal, as instruments show it.
fn tenths(value: f64) -> Value {
    Value::from((value * 10.0).round() / 10.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use fleetlens_model::geo::LonLat;

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
        reports
            .into_iter()
            .map(|(shadow, report)| (shadow.unwrap_or_default().to_owned(), Value::Object(report)))
            .collect()
    }

    #[test]
    fn a_description_says_what_the_thing_is() {
        let park = Device::car_park(park("parking-0033", true), Dice::new(1), 30_000);
        assert_eq!(
            serde_json::from_slice::<Value>(&park.meta()).unwrap(),
            json!({
                "kind": "parking", "name": "A place", "lat": 35.899, "lon": 14.5137, "area": "Ta' Xbiex", "street": "Triq Melita",
                "interval_s": 30, "capacity": 100, "accessible": 4, "charging": 6, "fee": true, "synthetic": ["name"],
                "units": {"free": "", "free_accessible": "", "free_charging": ""},
            })
        );
        assert_eq!(park.topic("telemetry"), "city/ta-xbiex/parking/parking-0033/telemetry");
    }

    #[test]
    fn telemetry_carries_real_time_and_simulated_values() {
        let lamp = Device::lamp(post("lamp-0001"), Dice::new(1), 10_000, 0);
        let payload: Value = serde_json::from_slice(&lamp.telemetry(5, 1_000_000)).unwrap();
        assert_eq!(payload["ts"], 5);
        assert_eq!(payload["values"], Value::Object(lamp.values(1_000_000)));
    }
}
