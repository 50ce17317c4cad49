//! A vehicle of the city: drives from job to job on real roads, stands at each, and charges when it must.

use std::sync::Arc;

use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Does, Tick, object, tenths};
use crate::dice::{Dice, Throw};
use crate::places::{Garage, Places, Spot};
use crate::roads::{Node, Roads, Step, flat_m};
use crate::sky;

const MINUTE_MS: f64 = 60_000.0;
const HOUR_MS: f64 = 3_600_000.0;
/// It catches up with no more than this; only a city with a very fast day leaves more behind.
const CATCHES_UP_MS: i64 = 6 * 3_600_000;

/// How far away jobs are, in metres as the crow flies, and how often the dice are asked for one that far.
const JOB_M: std::ops::Range<f64> = 700.0..5_000.0;
const JOB_TRIES: usize = 24;
/// One crossing in so many makes it wait, this long.
const WAITS_ONE_IN: u32 = 7;
const WAITS_MS: (f64, f64) = (3_000.0, 20_000.0);
/// Of ten vehicles so many are driving when the city begins.
const BEGINS_DRIVING: f64 = 0.6;

/// What a kilometre takes from its battery, in percent.
const KM_PCT: f64 = 0.45;
/// Below this it drives to a charger, in percent…
const CHARGES_BELOW_PCT: f64 = 25.0;
/// …and leaves it with this…
const CHARGED_PCT: f64 = 92.0;
/// …at so many percent a minute: 22 kW into 60 kWh.
const CHARGES_PCT_MIN: f64 = 0.6;

/// A vehicle. Where it is follows from when it set out; it decides something new only when it has arrived.
#[derive(Clone, Debug)]
pub struct Vehicle {
    garage: Garage,
    dice: Dice,
    roads: Arc<Roads>,
    charging: Arc<[Node]>,
    doing: Doing,
    began_ms: i64,
    until_ms: i64,
    /// Where it is, or is going to.
    node: Node,
    heading_deg: f64,
    /// How many things it has done.
    done: i64,
    /// At the beginning of what it does.
    battery_pct: f64,
    odometer_km: f64,
}

#[derive(Clone, Debug)]
enum Doing {
    /// Along these points; never empty.
    Driving {
        way: Vec<Passed>,
        to_charger: bool,
    },
    Parked,
    Charging,
}

/// A point of a way, and when it is passed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Passed {
    at: LonLat,
    /// Since it set out.
    after_ms: f64,
    km: f64,
}

/// What can be seen of it at one moment.
struct Seen {
    at: LonLat,
    heading_deg: f64,
    speed_kmh: f64,
    km: f64,
}

impl Vehicle {
    pub(super) fn new(garage: Garage, places: &Places, dice: Dice, sim_ms: i64) -> Self {
        let mut chance = dice.throw(&garage.spot.thing, "vehicle");
        let mut vehicle = Self {
            roads: Arc::clone(&places.roads),
            charging: Arc::clone(&places.charging),
            doing: Doing::Parked,
            began_ms: sim_ms,
            until_ms: sim_ms,
            node: garage.node,
            heading_deg: chance.between(0.0, 360.0),
            done: 0,
            battery_pct: chance.between(30.0, 95.0),
            odometer_km: chance.between(800.0, 90_000.0),
            garage,
            dice,
        };
        if chance.unit() < BEGINS_DRIVING {
            vehicle.live_until(sim_ms);
        } else {
            vehicle.until_ms = sim_ms + (chance.between(0.1, 6.0) * MINUTE_MS) as i64;
        }
        vehicle
    }

    fn live_until(&mut self, sim_ms: i64) {
        if sim_ms - self.until_ms > CATCHES_UP_MS {
            self.until_ms = sim_ms - CATCHES_UP_MS;
        }
        while self.until_ms <= sim_ms {
            self.decide(self.until_ms);
        }
    }

    /// What it did is done; what comes next begins now.
    fn decide(&mut self, now_ms: i64) {
        self.done += 1;
        let mut chance = self.dice.throw_at(&self.garage.spot.thing, "next", self.done);
        let passed_min = now_ms.saturating_sub(self.began_ms) as f64 / MINUTE_MS;
        self.began_ms = now_ms;
        match std::mem::replace(&mut self.doing, Doing::Parked) {
            Doing::Driving { way, to_charger } => {
                self.arrive(&way);
                if to_charger {
                    self.doing = Doing::Charging;
                    let lasts_min = (CHARGED_PCT - self.battery_pct).max(1.0) / CHARGES_PCT_MIN;
                    self.until_ms = now_ms + (lasts_min * MINUTE_MS) as i64;
                } else {
                    self.until_ms = now_ms + (stands_min(now_ms, &mut chance) * MINUTE_MS) as i64;
                }
            }
            Doing::Charging => {
                self.battery_pct = (self.battery_pct + CHARGES_PCT_MIN * passed_min).min(CHARGED_PCT);
                self.set_out(now_ms, &mut chance);
            }
            Doing::Parked => self.set_out(now_ms, &mut chance),
        }
    }

    fn arrive(&mut self, way: &[Passed]) {
        let (Some(last), Some(seen)) = (way.last(), seen(way, f64::INFINITY)) else { return };
        self.heading_deg = seen.heading_deg;
        self.odometer_km += last.km;
        self.battery_pct = (self.battery_pct - KM_PCT * last.km).max(1.0);
    }

    /// To a charger if it must, else to a job.
    fn set_out(&mut self, now_ms: i64, chance: &mut Throw) {
        let to_charger = self.battery_pct < CHARGES_BELOW_PCT;
        let to = if to_charger { self.charger() } else { self.job(chance) };
        let steps = to.map(|to| self.roads.route(self.node, to)).unwrap_or_default();
        let way = way(&self.roads, &steps, chance);
        match (to, way.last()) {
            (Some(to), Some(last)) => {
                self.node = to;
                self.until_ms = now_ms + last.after_ms.ceil() as i64;
                self.doing = Doing::Driving { way, to_charger };
            }
            // It stands at the charger already, or there is no way: it stays a while.
            (Some(_) | None, Some(_) | None) => {
                self.doing = if to_charger { Doing::Charging } else { Doing::Parked };
                let lasts_min = if to_charger {
                    (CHARGED_PCT - self.battery_pct) / CHARGES_PCT_MIN
                } else {
                    chance.between(1.0, 5.0)
                };
                self.until_ms = now_ms + (lasts_min * MINUTE_MS) as i64;
            }
        }
    }

    fn charger(&self) -> Option<Node> {
        let here = self.roads.at(self.node)?;
        let far_m = |node: Node| self.roads.at(node).map_or(f64::INFINITY, |at| flat_m(at, here));
        let there = self.charging.iter().copied().filter(|node| self.roads.are_connected(self.node, *node));
        there.min_by(|a, b| far_m(*a).total_cmp(&far_m(*b)))
    }

    fn job(&self, chance: &mut Throw) -> Option<Node> {
        let here = self.roads.at(self.node)?;
        let mut farther = None;
        for _ in 0..JOB_TRIES {
            let node = chance.below(self.roads.len()) as Node;
            if node == self.node || !self.roads.are_connected(self.node, node) {
                continue;
            }
            farther = Some(node);
            if self.roads.at(node).is_some_and(|at| JOB_M.contains(&flat_m(at, here))) {
                return farther;
            }
        }
        farther
    }

    fn seen(&self, sim_ms: i64) -> Option<Seen> {
        match &self.doing {
            Doing::Driving { way, .. } => seen(way, sim_ms.saturating_sub(self.began_ms) as f64),
            Doing::Parked | Doing::Charging => {
                let at = self.roads.at(self.node)?;
                Some(Seen { at, heading_deg: self.heading_deg, speed_kmh: 0.0, km: 0.0 })
            }
        }
    }
}

/// How long it stands at a job: minutes by day, longer by night.
fn stands_min(now_ms: i64, chance: &mut Throw) -> f64 {
    match sky::local(now_ms).hour {
        6.0..20.0 => chance.between(1.0, 8.0),
        _ => chance.between(5.0, 30.0),
    }
}

/// The points of a way with their times: at the speed of each road, a little slower, and with a wait at some crossings.
fn way(roads: &Roads, steps: &[Step], chance: &mut Throw) -> Vec<Passed> {
    let mut way: Vec<Passed> = Vec::new();
    for &step in steps {
        let speed_kmh = roads.speed_kmh(step) * chance.between(0.7, 0.98);
        for at in roads.line(step) {
            let before = way.last().copied().unwrap_or(Passed { at, after_ms: 0.0, km: 0.0 });
            let km = flat_m(before.at, at) / 1000.0;
            if km > 0.0 || way.is_empty() {
                way.push(Passed { at, after_ms: before.after_ms + km / speed_kmh * HOUR_MS, km: before.km + km });
            }
        }
        if let Some(last) = way.last().copied().filter(|_| chance.one_in(WAITS_ONE_IN)) {
            way.push(Passed { after_ms: last.after_ms + chance.between(WAITS_MS.0, WAITS_MS.1), ..last });
        }
    }
    way
}

/// What is seen of a vehicle on a way so long after it set out; `None` only of no way.
fn seen(way: &[Passed], after_ms: f64) -> Option<Seen> {
    let next = way.partition_point(|passed| passed.after_ms <= after_ms).clamp(1, way.len().saturating_sub(1).max(1));
    let from = way.get(next - 1)?;
    let to = way.get(next).unwrap_or(from);
    let lasts_ms = to.after_ms - from.after_ms;
    let along = if lasts_ms > 0.0 { ((after_ms - from.after_ms) / lasts_ms).clamp(0.0, 1.0) } else { 1.0 };
    let between = |a: f64, b: f64| a + (b - a) * along;
    let at = LonLat::new(between(from.at.lon_deg, to.at.lon_deg), between(from.at.lat_deg, to.at.lat_deg))?;
    // While it waits it looks where it came from… to: the last two points that differ.
    let moves = way.iter().take(next + 1).zip(way.iter().take(next + 1).skip(1)).rev().find(|(a, b)| a.at != b.at);
    let heading_deg = moves.map_or(0.0, |(a, b)| heading_deg(a.at, b.at));
    let speed_kmh = if lasts_ms > 0.0 { (to.km - from.km) / lasts_ms * HOUR_MS } else { 0.0 };
    Some(Seen { at, heading_deg, speed_kmh, km: between(from.km, to.km) })
}

/// Degrees from north, clockwise, 0 to 360.
fn heading_deg(from: LonLat, to: LonLat) -> f64 {
    let east = (to.lon_deg - from.lon_deg) * from.lat_deg.to_radians().cos();
    east.atan2(to.lat_deg - from.lat_deg).to_degrees().rem_euclid(360.0)
}

impl Does for Vehicle {
    fn kind(&self) -> Kind {
        Kind::Vehicle
    }

    fn spot(&self) -> &Spot {
        &self.garage.spot
    }

    fn describe(&self, meta: &mut Object) {
        let units = json!({
            "speed_kmh": "km/h", "battery_pct": "%", "odometer_km": "km", "heading_deg": "°", "lat": "°", "lon": "°",
        });
        meta.insert("units".into(), units);
    }

    fn values(&self, sim_ms: i64) -> Object {
        let (state, gained_pct) = match self.doing {
            Doing::Driving { .. } => ("driving", 0.0),
            Doing::Parked => ("parked", 0.0),
            Doing::Charging => ("charging", sim_ms.saturating_sub(self.began_ms) as f64 / MINUTE_MS * CHARGES_PCT_MIN),
        };
        let Some(Seen { at, heading_deg, speed_kmh, km }) = self.seen(sim_ms) else { return Object::new() };
        let metre = |degrees: f64| Value::from((degrees * 1e5).round() / 1e5);
        object([
            ("state", Value::from(state)),
            ("lat", metre(at.lat_deg)),
            ("lon", metre(at.lon_deg)),
            ("heading_deg", Value::from(heading_deg.round() as i64 % 360)),
            ("speed_kmh", Value::from(speed_kmh.round() as i64)),
            (
                "battery_pct",
                Value::from((self.battery_pct + gained_pct - KM_PCT * km).clamp(0.0, 100.0).round() as i64),
            ),
            ("odometer_km", tenths(self.odometer_km + km)),
        ])
    }

    fn tick(&mut self, sim_ms: i64) -> Tick {
        self.live_until(sim_ms);
        Tick::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wednesday, 14 January 2026, 08:00 in Malta.
    const MORNING: i64 = 1_768_345_200_000 + 8 * 3_600_000;

    fn vehicles(count: usize) -> Vec<Vehicle> {
        let places = Places::of(1_650, Dice::new(1)).unwrap();
        let garages = places.garages.iter().take(count).cloned();
        garages.map(|garage| Vehicle::new(garage, &places, Dice::new(1), MORNING)).collect()
    }

    fn place(values: &Object) -> LonLat {
        LonLat::new(values["lon"].as_f64().unwrap(), values["lat"].as_f64().unwrap()).unwrap()
    }

    #[test]
    fn a_vehicle_stays_on_roads_and_moves_as_fast_as_it_says() {
        let mut driven_km = 0.0;
        for mut vehicle in vehicles(4) {
            let mut before = vehicle.values(MORNING);
            for step in 1..90 {
                let now_ms = MORNING + step * 5_000;
                vehicle.tick(now_ms);
                let values = vehicle.values(now_ms);
                let at = place(&values);
                let off_m = vehicle.roads.off_road_m(at);
                assert!(off_m < 1.5, "{off_m} m off the road at {at:?}: {values:?}");
                let moved_m = flat_m(place(&before), at);
                assert!(moved_m < 5.0 * 75.0 / 3.6 + 2.0, "{moved_m} m in five seconds: {before:?} to {values:?}");
                assert!(values["odometer_km"].as_f64() >= before["odometer_km"].as_f64());
                if values["state"] != "driving" {
                    assert_eq!(values["speed_kmh"], 0);
                }
                before = values;
            }
            driven_km += vehicle.odometer_km;
        }
        assert!(driven_km > 0.0);
    }

    #[test]
    fn it_never_turns_round_on_its_way() {
        for vehicle in vehicles(20) {
            let Doing::Driving { way, .. } = &vehicle.doing else { continue };
            let mut moves: Vec<LonLat> = way.iter().map(|passed| passed.at).collect();
            moves.dedup();
            assert!(moves.windows(3).all(|three| three[0] != three[2]), "{}", vehicle.garage.spot.thing);
            assert!(way.windows(2).all(|pair| pair[0].after_ms <= pair[1].after_ms && pair[0].km <= pair[1].km));
        }
    }

    #[test]
    fn it_drives_stands_and_charges_in_the_course_of_days() {
        let mut minutes = std::collections::BTreeMap::new();
        for mut vehicle in vehicles(4) {
            for minute in 0..2 * 24 * 60 {
                let now_ms = MORNING + minute * 60_000;
                vehicle.tick(now_ms);
                let values = vehicle.values(now_ms);
                assert!((1..=100).contains(&values["battery_pct"].as_i64().unwrap()), "{values:?}");
                *minutes.entry(values["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            }
        }
        let all = 4 * 2 * 24 * 60;
        for (state, least, most) in [("driving", 30, 80), ("parked", 10, 60), ("charging", 1, 40)] {
            let percent = minutes.get(state).copied().unwrap_or(0) * 100 / all;
            assert!((least..=most).contains(&percent), "{state}: {percent} % of the time, {minutes:?}");
        }
    }

    #[test]
    fn how_often_it_is_looked_at_changes_nothing() {
        let (mut often, mut seldom) = (vehicles(3), vehicles(3));
        for (often, seldom) in often.iter_mut().zip(&mut seldom) {
            (1..=1_000).for_each(|second| _ = often.tick(MORNING + second * 3_000));
            seldom.tick(MORNING + 3_000_000);
            assert_eq!(often.values(MORNING + 3_000_000), seldom.values(MORNING + 3_000_000));
        }
    }

    #[test]
    fn headings_are_those_of_a_compass() {
        let from = LonLat::new(14.5, 35.9).unwrap();
        for (east, north, want) in [(0.0, 1.0, 0.0), (1.0, 0.0, 90.0), (0.0, -1.0, 180.0), (-1.0, 0.0, 270.0)] {
            let to = LonLat::new(14.5 + east * 0.001, 35.9 + north * 0.001).unwrap();
            assert!((heading_deg(from, to) - want).abs() < 0.01, "{east} {north}");
        }
    }
}
