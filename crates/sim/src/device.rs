//! The simulated devices: what each measures at a simulated time, and what it does when its shadow wants something.
//!
//! What a device measures is a function of (seed, device, simulated time) and of what it was told; nothing here reads a clock,
//! draws chance of its own or knows MQTT beyond its own topics.

mod air;
mod bin;
mod car_park;
mod charger;
mod gateway;
mod lamp;
mod rhythm;
mod schedule;
mod vehicle;

use std::sync::Arc;

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

pub use self::bin::WasteBin;
pub use self::car_park::CarParkDevice;
pub use self::charger::Charger;
pub use self::gateway::Gateway;
pub use self::lamp::Lamp;
pub use self::vehicle::Vehicle;
use crate::dice::Dice;
use crate::places::{Bin, CarPark, ChargePoint, Garage, LampPost, Mast, Places, Spot, slug};

/// A device takes intervals from 5 s to an hour; others stay a wish.
const INTERVALS_S: std::ops::RangeInclusive<u64> = 5..=3600;

/// How often things of a kind speak unless told otherwise, in seconds.
pub fn interval_s(kind: Kind) -> u32 {
    match kind {
        Kind::Vehicle => 5,
        Kind::Lamp => 10,
        Kind::Charger => 15,
        Kind::Parking | Kind::Gateway => 30,
        Kind::Bin | Kind::Other => 60,
    }
}

/// One device.
#[derive(Clone, Debug)]
pub struct Device {
    part: Part,
    interval_ms: u64,
    /// What carries what it says, unless it speaks for itself.
    gateway: Option<Arc<str>>,
}

/// What is different in each kind.
#[derive(Clone, Debug)]
enum Part {
    Lamp(Lamp),
    CarPark(CarParkDevice),
    Bin(WasteBin),
    Charger(Charger),
    Vehicle(Vehicle),
    Gateway(Gateway),
}

/// What every kind of device does in its own way.
trait Does {
    /// The kind.
    fn kind(&self) -> Kind;

    /// Where it stands and what it is called.
    fn spot(&self) -> &Spot;

    /// Adds to the description what only this kind has.
    fn describe(&self, meta: &mut Object);

    /// What it measures.
    fn values(&self, sim_ms: i64) -> Object;

    /// Its shadows; `None` is the classic one, in which every device has at least its interval.
    fn shadows(&self) -> &'static [Option<&'static str>] {
        &[None]
    }

    /// Everything but the interval that it says of itself in a shadow.
    fn reported(&self, _shadow: Option<&str>) -> Object {
        Object::new()
    }

    /// Does what is wanted as far as it can and understands it; the interval is not its business.
    fn obey(&mut self, _shadow: Option<&str>, _wished: &Object, _whole: bool, _sim_ms: i64) {}

    /// Lives on until `sim_ms`.
    fn tick(&mut self, _sim_ms: i64) -> Tick {
        Tick::default()
    }
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
    fn new(part: Part, interval_ms: u64) -> Self {
        Self { part, interval_ms: interval_ms.max(1), gateway: None }
    }

    /// A lamp that speaks every `interval_ms`.
    pub fn lamp(post: LampPost, dice: Dice, interval_ms: u64, sim_ms: i64) -> Self {
        Self::new(Part::Lamp(Lamp::new(post, dice, sim_ms)), interval_ms)
    }

    /// A car park that speaks every `interval_ms`.
    pub fn car_park(park: CarPark, dice: Dice, interval_ms: u64) -> Self {
        Self::new(Part::CarPark(CarParkDevice::new(park, dice)), interval_ms)
    }

    /// A bin that speaks every `interval_ms`.
    pub fn bin(bin: Bin, dice: Dice, interval_ms: u64) -> Self {
        Self::new(Part::Bin(WasteBin::new(bin, dice)), interval_ms)
    }

    /// A charging point that speaks every `interval_ms`.
    pub fn charger(point: ChargePoint, dice: Dice, interval_ms: u64, sim_ms: i64) -> Self {
        Self::new(Part::Charger(Charger::new(point, dice, sim_ms)), interval_ms)
    }

    /// A vehicle on the roads of `places` that speaks every `interval_ms`.
    pub fn vehicle(garage: Garage, places: &Places, dice: Dice, interval_ms: u64, sim_ms: i64) -> Self {
        Self::new(Part::Vehicle(Vehicle::new(garage, places, dice, sim_ms)), interval_ms)
    }

    /// A gateway for `carries` things that speaks every `interval_ms`.
    pub fn gateway(mast: Mast, carries: usize, dice: Dice, interval_ms: u64) -> Self {
        Self::new(Part::Gateway(Gateway::new(mast, carries, dice)), interval_ms)
    }

    /// What it says goes through this gateway.
    pub fn carried_by(self, gateway: Option<Arc<str>>) -> Self {
        Self { gateway, ..self }
    }

    /// The name of the gateway that carries what it says.
    pub fn carrier(&self) -> Option<&str> {
        self.gateway.as_deref()
    }

    fn part(&self) -> &dyn Does {
        match &self.part {
            Part::Lamp(lamp) => lamp,
            Part::CarPark(park) => park,
            Part::Bin(bin) => bin,
            Part::Charger(charger) => charger,
            Part::Vehicle(vehicle) => vehicle,
            Part::Gateway(gateway) => gateway,
        }
    }

    fn part_mut(&mut self) -> &mut dyn Does {
        match &mut self.part {
            Part::Lamp(lamp) => lamp,
            Part::CarPark(park) => park,
            Part::Bin(bin) => bin,
            Part::Charger(charger) => charger,
            Part::Vehicle(vehicle) => vehicle,
            Part::Gateway(gateway) => gateway,
        }
    }

    /// Where it stands and what it is called.
    pub fn spot(&self) -> &Spot {
        self.part().spot()
    }

    /// The thing's name.
    pub fn thing(&self) -> &str {
        &self.spot().thing
    }

    /// What it is; its word stands in its topics.
    pub fn kind(&self) -> Kind {
        self.part().kind()
    }

    /// Whether people steer more of it than how often it speaks.
    pub fn is_steered(&self) -> bool {
        match &self.part {
            Part::Lamp(_) | Part::Charger(_) => true,
            Part::CarPark(device) => device.park.barrier,
            Part::Bin(_) | Part::Vehicle(_) | Part::Gateway(_) => false,
        }
    }

    /// `city/{area}/{kind}/{thing}/{leaf}`.
    pub fn topic(&self, leaf: &str) -> String {
        format!("city/{}/{}/{}/{leaf}", slug(&self.spot().area), self.kind().word(), self.thing())
    }

    /// How often it speaks now, in milliseconds; at least 1.
    pub fn interval_ms(&self) -> u64 {
        self.interval_ms
    }

    /// Its shadows; `None` is the classic one.
    pub fn shadows(&self) -> &'static [Option<&'static str>] {
        self.part().shadows()
    }

    /// What it measures at the simulated time `sim_ms` (epoch milliseconds).
    pub fn values(&self, sim_ms: i64) -> Object {
        self.part().values(sim_ms)
    }

    /// Everything it has to say of itself in one of its shadows.
    pub fn reported(&self, shadow: Option<&str>) -> Object {
        let mut reported = self.part().reported(shadow);
        if shadow.is_none() {
            reported.insert("interval_s".into(), self.interval_ms.div_ceil(1000).into());
        }
        reported
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
        let interval_s = wished.get("interval_s").filter(|_| shadow.is_none()).and_then(Value::as_u64);
        if let Some(interval_s) = interval_s.filter(|s| INTERVALS_S.contains(s)) {
            self.interval_ms = interval_s * 1000;
        }
        self.part_mut().obey(shadow, wished, whole, sim_ms);
        let after = self.shadows().iter().zip(before);
        let changed = after.map(|(shadow, before)| (*shadow, changes(&before, &self.reported(*shadow))));
        changed.filter(|(_, changed)| !changed.is_empty()).collect()
    }

    /// Lives on until `sim_ms`; to be called before [`Device::values`].
    pub fn tick(&mut self, sim_ms: i64) -> Tick {
        self.part_mut().tick(sim_ms)
    }

    /// Tells a gateway how many of its things it cannot hear now; nothing to anything else.
    pub fn miss(&mut self, silent: usize) {
        if let Part::Gateway(gateway) = &mut self.part {
            gateway.miss(silent);
        }
    }

    /// Runs this firmware from now on; gives what it must report of it, nothing for a device whose firmware is nobody's business.
    pub fn install(&mut self, version: &str) -> Object {
        let before = self.reported(None);
        match &mut self.part {
            Part::Lamp(lamp) => lamp.install(version),
            Part::Gateway(gateway) => gateway.install(version),
            Part::CarPark(_) | Part::Bin(_) | Part::Charger(_) | Part::Vehicle(_) => {}
        }
        changes(&before, &self.reported(None))
    }

    /// It lost its power and has it again: a gateway counts its uptime anew.
    pub fn restart(&mut self, sim_ms: i64) {
        if let Part::Gateway(gateway) = &mut self.part {
            gateway.restart(sim_ms);
        }
    }

    /// The payload of its telemetry: `ts` is the real time (epoch milliseconds), the values those of the simulated one.
    pub fn telemetry(&self, ts_ms: i64, sim_ms: i64) -> Vec<u8> {
        telemetry(ts_ms, self.values(sim_ms))
    }

    /// The payload of its retained description.
    pub fn meta(&self) -> Vec<u8> {
        let spot = self.spot();
        let mut meta = Object::new();
        for (field, value) in [
            ("kind", self.kind().word().into()),
            ("name", spot.name.as_str().into()),
            ("lat", spot.at.lat_deg.into()),
            ("lon", spot.at.lon_deg.into()),
            ("area", spot.area.as_str().into()),
            ("interval_s", self.interval_ms.div_ceil(1000).into()),
            ("synthetic", spot.synthetic.clone().into()),
        ] {
            meta.insert(field.into(), value);
        }
        for (field, known) in [("street", spot.street.as_deref()), ("gateway", self.carrier())] {
            if let Some(known) = known {
                meta.insert(field.into(), known.into());
            }
        }
        self.part().describe(&mut meta);
        Value::Object(meta).to_string().into_bytes()
    }
}

/// The payload of telemetry: a time (epoch milliseconds) and what was measured then.
pub(crate) fn telemetry(ts_ms: i64, values: Object) -> Vec<u8> {
    json!({ "ts": ts_ms, "values": values }).to_string().into_bytes()
}

/// The fields of `after` that `before` has otherwise or not at all.
fn changes(before: &Object, after: &Object) -> Object {
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    new.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// An object of these fields.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// One decimal, as instruments show it.
fn tenths(value: f64) -> Value {
    Value::from((value * 10.0).round() / 10.0)
}

/// A number as people write it: 11, and 7.4.
fn plain(value: f64) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(value) }
}

#[cfg(test)]
pub(crate) mod tests;
