//! A radio gateway: hears the bins and lamps around it and passes on what they say.

use std::sync::Arc;

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Does, object, tenths};
use crate::dice::Dice;
use crate::places::{Mast, Spot};

/// How fast reception comes and goes, in milliseconds.
const DRIFT_MS: i64 = 10 * 60 * 1000;
/// How long a gateway runs between two restarts by itself (its updates), in hours.
const RUNS_H: f64 = 21.0 * 24.0;
const HOUR_MS: f64 = 3_600_000.0;

/// A radio gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    mast: Mast,
    carries: usize,
    dice: Dice,
    backhaul: Backhaul,
    silent: usize,
    /// When it began to run after its power failed, in simulated time.
    restarted_ms: Option<i64>,
    firmware: Arc<str>,
}

/// How it reaches the city's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backhaul {
    Ethernet,
    Lte,
}

impl Gateway {
    pub(super) fn new(mast: Mast, carries: usize, dice: Dice) -> Self {
        let wired = dice.throw(&mast.spot.thing, "backhaul").one_in(3);
        let backhaul = if wired { Backhaul::Ethernet } else { Backhaul::Lte };
        Self { mast, carries, dice, backhaul, silent: 0, restarted_ms: None, firmware: "7.0.3".into() }
    }

    /// So many of its things say nothing.
    pub(super) fn miss(&mut self, silent: usize) {
        self.silent = silent;
    }

    /// Runs this firmware from now on.
    pub(super) fn install(&mut self, version: &str) {
        self.firmware = version.into();
    }

    /// It has its power again.
    pub(super) fn restart(&mut self, sim_ms: i64) {
        self.restarted_ms = Some(sim_ms);
    }

    fn up_h(&self, sim_ms: i64) -> f64 {
        match self.restarted_ms {
            Some(began_ms) => sim_ms.saturating_sub(began_ms).max(0) as f64 / HOUR_MS,
            None => {
                let phase_h = self.dice.throw(&self.mast.spot.thing, "uptime").between(0.0, RUNS_H);
                (sim_ms as f64 / HOUR_MS + phase_h).rem_euclid(RUNS_H)
            }
        }
    }
}

impl Does for Gateway {
    fn kind(&self) -> Kind {
        Kind::Gateway
    }

    fn spot(&self) -> &Spot {
        &self.mast.spot
    }

    fn describe(&self, meta: &mut Object) {
        meta.insert("units".into(), json!({ "heard": "", "carries": "", "rssi_dbm": "dBm", "uptime_h": "h" }));
    }

    /// It hears all that speak, less one or two of a hundred when the air is bad.
    fn values(&self, sim_ms: i64) -> Object {
        let thing = &self.mast.spot.thing;
        let air = self.dice.drift(thing, "air", sim_ms, DRIFT_MS);
        let speaking = self.carries.saturating_sub(self.silent);
        let lost = (speaking as f64 * (0.02 * air).max(0.0)).round() as usize;
        let (name, strength_dbm) = match self.backhaul {
            Backhaul::Ethernet => ("ethernet", -42.0),
            Backhaul::Lte => ("lte", self.dice.throw(thing, "signal").between(-102.0, -68.0)),
        };
        let swing_db = if self.backhaul == Backhaul::Lte { 4.0 } else { 0.0 };
        let signal = self.dice.drift(thing, "backhaul", sim_ms, DRIFT_MS);
        object([
            ("heard", Value::from(speaking.saturating_sub(lost))),
            ("carries", Value::from(self.carries)),
            ("rssi_dbm", Value::from((strength_dbm + swing_db * signal).round() as i64)),
            ("backhaul", Value::from(name)),
            ("uptime_h", tenths(self.up_h(sim_ms))),
        ])
    }

    fn reported(&self, shadow: Option<&str>) -> Object {
        if shadow.is_none() { object([("firmware", Value::from(self.firmware.as_ref()))]) } else { Object::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spot;
    use super::*;

    const MIDNIGHT: i64 = 1_768_345_200_000;
    const HOUR: i64 = 3_600_000;

    fn gateway() -> Gateway {
        Gateway::new(Mast { spot: spot("gateway-0001") }, 50, Dice::new(1))
    }

    #[test]
    fn a_gateway_hears_nearly_all_it_carries_and_none_that_are_silent() {
        for (silent, low, high) in [(0, 48, 50), (10, 38, 40), (50, 0, 0), (60, 0, 0)] {
            let mut gateway = gateway();
            gateway.miss(silent);
            for minute in 0..600 {
                let values = gateway.values(MIDNIGHT + minute * 60_000);
                let heard = values["heard"].as_u64().unwrap();
                assert!((low..=high).contains(&heard), "{silent} silent: {heard} heard");
                assert_eq!(values["carries"], 50);
                assert!((-110..-30).contains(&values["rssi_dbm"].as_i64().unwrap()), "{values:?}");
            }
        }
    }

    #[test]
    fn its_uptime_rises_and_begins_anew_after_a_restart() {
        let mut gateway = gateway();
        let up = |gateway: &Gateway, hour| gateway.values(MIDNIGHT + hour * HOUR)["uptime_h"].as_f64().unwrap();
        assert!((up(&gateway, 2) - up(&gateway, 0) - 2.0).abs() < 0.11);
        gateway.restart(MIDNIGHT + 3 * HOUR);
        assert_eq!((up(&gateway, 3), up(&gateway, 5)), (0.0, 2.0));
    }
}
