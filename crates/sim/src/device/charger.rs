//! A charging point: vehicles come, charge and go.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Does, Tick, object, plain, tenths};
use crate::dice::{Dice, Throw};
use crate::places::{ChargePoint, Spot};
use crate::sky;

/// It lives in steps of this length, whenever it is looked at: the same steps give the same day.
const STEP_MS: i64 = 5_000;
/// How long it lived before anybody looked: long enough that vehicles have come and gone.
const BEFORE_MS: i64 = 8 * 3_600_000;
/// It catches up with no more than this; only a city with a very fast day leaves more behind.
const CATCHES_UP_MS: i64 = 24 * 3_600_000;
const MINUTE_MS: f64 = 60_000.0;
const HOUR_MS: f64 = 3_600_000.0;

/// From the plug to full power, in milliseconds.
const RAMP_MS: f64 = 40_000.0;
/// A battery takes what it is given up to this share of what it needs, then less and less…
const TAPER_FROM: f64 = 0.8;
/// …down to this share of the vehicle's power.
const TAPER_TO: f64 = 0.06;
/// What the chargers of vehicles take at most, in kilowatts.
const VEHICLES_KW: [f64; 6] = [3.7, 7.4, 7.4, 11.0, 11.0, 22.0];
/// One session in so many ends in a fault of the charging point.
const FAULT_ONE_IN: u32 = 40;
/// What one may limit it to, in kilowatts.
const LIMIT_KW: std::ops::RangeInclusive<f64> = 0.0..=22.0;

/// A charging point.
#[derive(Clone, Debug)]
pub struct Charger {
    point: ChargePoint,
    dice: Dice,
    limit_kw: f64,
    enabled: bool,
    meter_kwh: f64,
    power_kw: f64,
    doing: Doing,
    session: Session,
    /// Up to when it has lived.
    lived_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// Nobody is there until somebody comes.
    Available {
        until_ms: i64,
    },
    Charging,
    /// The vehicle is full, or was cut off, and still stands there.
    Finished {
        until_ms: i64,
    },
    /// Until it is repaired.
    Fault {
        until_ms: i64,
    },
}

/// The vehicle that charges or charged last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Session {
    number: i64,
    began_ms: i64,
    lasted_ms: i64,
    kwh: f64,
    /// What it came for.
    needs_kwh: f64,
    /// What it takes at most.
    vehicle_kw: f64,
    /// The charging point breaks when it has given so much.
    breaks_at_kwh: f64,
}

impl Charger {
    pub(super) fn new(point: ChargePoint, dice: Dice, sim_ms: i64) -> Self {
        let begin_ms = (sim_ms - BEFORE_MS).div_euclid(STEP_MS) * STEP_MS;
        let mut charger = Self {
            limit_kw: point.rated_kw,
            enabled: true,
            meter_kwh: dice.throw(&point.spot.thing, "meter").between(900.0, 30_000.0),
            power_kw: 0.0,
            doing: Doing::Available { until_ms: begin_ms },
            session: Session::default(),
            lived_ms: begin_ms,
            point,
            dice,
        };
        charger.doing = Doing::Available { until_ms: begin_ms + charger.idle_ms(begin_ms) };
        charger.live_until(sim_ms);
        charger
    }

    fn live_until(&mut self, sim_ms: i64) {
        if sim_ms - self.lived_ms > CATCHES_UP_MS {
            self.lived_ms = (sim_ms - CATCHES_UP_MS).div_euclid(STEP_MS) * STEP_MS;
        }
        while self.lived_ms + STEP_MS <= sim_ms {
            self.lived_ms += STEP_MS;
            self.step(self.lived_ms);
        }
    }

    fn step(&mut self, now_ms: i64) {
        match self.doing {
            Doing::Available { until_ms } if now_ms >= until_ms && self.enabled => self.plug_in(now_ms),
            Doing::Available { .. } => {}
            Doing::Charging => self.charge(now_ms),
            Doing::Finished { until_ms } | Doing::Fault { until_ms } if now_ms >= until_ms => {
                self.session = Session { number: self.session.number, ..Session::default() };
                self.doing = Doing::Available { until_ms: now_ms + self.idle_ms(now_ms) };
            }
            Doing::Finished { .. } | Doing::Fault { .. } => {}
        }
    }

    fn plug_in(&mut self, now_ms: i64) {
        let number = self.session.number + 1;
        let mut chance = self.dice.throw_at(&self.point.spot.thing, "session", number);
        let needs_kwh = chance.between(5.0, 42.0);
        let vehicle_kw = chance.pick(&VEHICLES_KW).copied().unwrap_or(11.0);
        let breaks_at = if chance.one_in(FAULT_ONE_IN) { chance.between(0.1, 0.9) } else { f64::INFINITY };
        let breaks_at_kwh = needs_kwh * breaks_at;
        self.session =
            Session { number, began_ms: now_ms, lasted_ms: 0, kwh: 0.0, needs_kwh, vehicle_kw, breaks_at_kwh };
        self.doing = Doing::Charging;
    }

    fn charge(&mut self, now_ms: i64) {
        self.power_kw = self.power_kw(now_ms);
        let kwh = self.power_kw * STEP_MS as f64 / HOUR_MS;
        self.meter_kwh += kwh;
        self.session.kwh += kwh;
        self.session.lasted_ms = now_ms - self.session.began_ms;
        if self.session.kwh >= self.session.breaks_at_kwh {
            let lasts_ms = self.chance("repair").between(8.0, 40.0) * MINUTE_MS;
            self.unplug(Doing::Fault { until_ms: now_ms + lasts_ms as i64 });
        } else if self.session.kwh >= self.session.needs_kwh {
            self.finish(now_ms);
        }
    }

    /// The least of what it may, what the vehicle takes and what its battery takes, after a soft start.
    fn power_kw(&self, now_ms: i64) -> f64 {
        let Session { began_ms, kwh, needs_kwh, vehicle_kw, .. } = self.session;
        let ramp = ((now_ms - began_ms) as f64 / RAMP_MS).min(1.0);
        let taper = (1.0 - (kwh / needs_kwh - TAPER_FROM) / (1.0 - TAPER_FROM)).clamp(TAPER_TO, 1.0);
        (self.point.rated_kw.min(self.limit_kw) * ramp).min(vehicle_kw * ramp).min(vehicle_kw * taper)
    }

    fn finish(&mut self, now_ms: i64) {
        let stays_ms = self.chance("stays").between(2.0, 45.0) * MINUTE_MS;
        self.unplug(Doing::Finished { until_ms: now_ms + stays_ms as i64 });
    }

    fn unplug(&mut self, doing: Doing) {
        self.power_kw = 0.0;
        self.doing = doing;
    }

    /// Until the next one comes: minutes by day, hours by night.
    fn idle_ms(&self, now_ms: i64) -> i64 {
        let hour = sky::local(now_ms).hour;
        let mean_min = match hour {
            7.0..20.0 => 35.0,
            20.0..23.0 => 70.0,
            _ => 200.0,
        };
        // Those who come by chance leave gaps with this distribution.
        (-self.chance("idle").unit().max(1e-6).ln() * mean_min * MINUTE_MS) as i64
    }

    fn chance(&self, purpose: &str) -> Throw {
        self.dice.throw_at(&self.point.spot.thing, purpose, self.session.number)
    }
}

impl Does for Charger {
    fn kind(&self) -> Kind {
        Kind::Charger
    }

    fn spot(&self) -> &Spot {
        &self.point.spot
    }

    fn describe(&self, meta: &mut Object) {
        meta.insert("rated_kw".into(), plain(self.point.rated_kw));
        let units = json!({
            "power_kw": "kW", "session_kwh": "kWh", "session_min": "min", "meter_kwh": "kWh", "limit_kw": "kW",
        });
        meta.insert("units".into(), units);
    }

    fn values(&self, _sim_ms: i64) -> Object {
        let state = match self.doing {
            Doing::Available { .. } => "available",
            Doing::Charging => "charging",
            Doing::Finished { .. } => "finished",
            Doing::Fault { .. } => "fault",
        };
        object([
            ("state", Value::from(state)),
            ("power_kw", tenths(self.power_kw)),
            ("session_kwh", tenths(self.session.kwh)),
            ("session_min", Value::from((self.session.lasted_ms as f64 / MINUTE_MS).floor() as i64)),
            ("meter_kwh", tenths(self.meter_kwh)),
            ("limit_kw", plain(self.limit_kw)),
            ("enabled", Value::from(self.enabled)),
        ])
    }

    fn reported(&self, shadow: Option<&str>) -> Object {
        if shadow.is_some() {
            return Object::new();
        }
        object([
            ("limit_kw", plain(self.limit_kw)),
            ("enabled", Value::from(self.enabled)),
            ("firmware", Value::from("1.16.2")),
        ])
    }

    /// A limit holds at once; out of service means that the vehicle there is cut off and none comes until it is back.
    fn obey(&mut self, shadow: Option<&str>, wished: &Object, _whole: bool, sim_ms: i64) {
        if shadow.is_some() {
            return;
        }
        self.live_until(sim_ms);
        let limit_kw = wished.get("limit_kw").and_then(Value::as_f64);
        if let Some(limit_kw) = limit_kw.filter(|kw| LIMIT_KW.contains(kw)) {
            self.limit_kw = (limit_kw * 10.0).round() / 10.0;
        }
        if let Some(enabled) = wished.get("enabled").and_then(Value::as_bool) {
            self.enabled = enabled;
        }
        if self.doing == Doing::Charging {
            if self.enabled {
                self.power_kw = self.power_kw.min(self.limit_kw);
            } else {
                self.finish(self.lived_ms);
            }
        }
    }

    fn tick(&mut self, sim_ms: i64) -> Tick {
        self.live_until(sim_ms);
        Tick::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spot;
    use super::*;

    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;

    fn charger(number: usize) -> Charger {
        let point = ChargePoint { spot: spot(&format!("charger-{number:04}")), rated_kw: 22.0 };
        Charger::new(point, Dice::new(1), MIDNIGHT)
    }

    /// Lives on step by step until `wanted`; gives when that was.
    fn until(charger: &mut Charger, from_ms: i64, mut wanted: impl FnMut(&Charger) -> bool) -> i64 {
        let steps = (1..).map(|step| from_ms + step * STEP_MS);
        let found = steps.take(3 * 17_280).find(|now_ms| {
            charger.tick(*now_ms);
            wanted(charger)
        });
        found.expect("within three days")
    }

    fn wish(charger: &mut Charger, wished: Value, sim_ms: i64) {
        charger.obey(None, wished.as_object().unwrap(), false, sim_ms);
    }

    #[test]
    fn a_session_is_the_sum_of_its_power_and_the_meter_rises_by_it() {
        let mut charger = charger(1);
        let mut before = charger.clone();
        let (mut sessions, mut states, mut faults) = (0, std::collections::BTreeSet::new(), 0);
        for step in 1..14 * 17_280 {
            charger.tick(MIDNIGHT + step * STEP_MS);
            let kwh = charger.power_kw * STEP_MS as f64 / HOUR_MS;
            let given = charger.meter_kwh - before.meter_kwh;
            match (before.doing, charger.doing) {
                (Doing::Charging, Doing::Charging) => {
                    assert!((given - kwh).abs() < 1e-9 && charger.power_kw > 0.0, "the meter counts what flows");
                    assert!((charger.session.kwh - before.session.kwh - given).abs() < 1e-9);
                    assert!(charger.power_kw <= charger.session.vehicle_kw.min(22.0));
                }
                (Doing::Charging, now) => {
                    assert!(now != before.doing && charger.power_kw == 0.0);
                    faults += usize::from(matches!(now, Doing::Fault { .. }));
                }
                (_, Doing::Charging) => {
                    sessions += 1;
                    assert_eq!((charger.session.kwh, given), (0.0, 0.0), "it begins at nothing");
                }
                _ => assert_eq!((charger.power_kw, given), (0.0, 0.0), "nobody charges"),
            }
            states.insert(charger.values(0)["state"].as_str().unwrap().to_owned());
            before = charger.clone();
        }
        assert!((40..250).contains(&sessions), "{sessions} in two weeks");
        assert!(faults < sessions / 5, "{faults} of {sessions}");
        assert!(["available", "charging", "finished"].iter().all(|state| states.contains(*state)), "{states:?}");
    }

    #[test]
    fn power_ramps_up_and_tapers_off() {
        let mut charger = charger(2);
        let began_ms = until(&mut charger, MIDNIGHT, |now| now.doing == Doing::Charging && now.session.lasted_ms == 0);
        let mut powers = Vec::new();
        until(&mut charger, began_ms, |now| {
            powers.push(now.power_kw);
            now.doing != Doing::Charging
        });
        let full = charger.session.vehicle_kw;
        assert!(powers[0] < 0.3 * full && powers[12] == full, "{:?}", &powers[..13]);
        let end = powers.len() - 2; // the last one is after the plug was pulled
        assert!(powers[end] < 0.15 * full, "{}", powers[end]);
        let falls = powers[12..=end].windows(2).all(|pair| pair[1] <= pair[0]);
        assert!(falls, "it never rises again");
    }

    #[test]
    fn a_limit_holds_and_being_put_out_of_service_ends_the_session() {
        let mut charger = charger(3);
        let is_steady = |now: &Charger| now.doing == Doing::Charging && now.power_kw > 7.0;
        let at_ms = until(&mut charger, MIDNIGHT, is_steady);
        for (limit, want) in [(json!(6), 6.0), (json!(23), 6.0), (json!("3"), 6.0), (json!(-1), 6.0), (json!(2.5), 2.5)]
        {
            wish(&mut charger, json!({ "limit_kw": limit }), at_ms);
            assert_eq!(charger.limit_kw, want, "{limit}");
        }
        assert_eq!(charger.values(at_ms)["power_kw"], 2.5, "at once");
        charger.tick(at_ms + 60_000);
        assert_eq!(charger.values(at_ms)["power_kw"], 2.5, "and from then on");
        wish(&mut charger, json!({ "limit_kw": 0 }), at_ms + 60_000);
        charger.tick(at_ms + 120_000);
        assert_eq!((charger.power_kw, charger.doing), (0.0, Doing::Charging), "it waits for power");

        wish(&mut charger, json!({ "enabled": false, "limit_kw": 22 }), at_ms + 120_000);
        let values = charger.values(at_ms);
        assert_eq!(
            (&values["state"], &values["power_kw"], &values["enabled"]),
            (&json!("finished"), &json!(0.0), &json!(false))
        );
        charger.tick(at_ms + 20 * 3_600_000);
        assert_eq!(charger.values(0)["state"], "available", "nobody charges there");
        wish(&mut charger, json!({ "enabled": true }), at_ms + 20 * 3_600_000);
        until(&mut charger, at_ms + 20 * 3_600_000, is_steady);
    }

    #[test]
    fn how_often_it_is_looked_at_changes_nothing() {
        let (mut often, mut seldom) = (charger(4), charger(4));
        (1..=2_000).for_each(|second| _ = often.tick(MIDNIGHT + second * 7_000));
        seldom.tick(MIDNIGHT + 14_000_000);
        assert_eq!(often.values(0), seldom.values(0));
    }

    #[test]
    fn by_day_some_charge_and_some_are_free() {
        let noon = MIDNIGHT + 12 * 3_600_000;
        let states: Vec<Value> = (0..42)
            .map(|number| {
                let mut charger = charger(number);
                charger.tick(noon);
                charger.values(noon)["state"].clone()
            })
            .collect();
        for state in ["charging", "available"] {
            let count = states.iter().filter(|now| *now == state).count();
            assert!(count >= 5, "{count} are {state}");
        }
    }
}
