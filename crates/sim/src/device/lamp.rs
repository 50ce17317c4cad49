//! A street lamp: a driver that dims, a meter, a clock that counts burning hours, a photocell.

use std::sync::Arc;

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::schedule::{Photocell, Schedule};
use super::{Does, Tick, air, changes, object, tenths};
use crate::dice::Dice;
use crate::places::{LampPost, Spot};
use crate::sky;

/// What a driver takes while the lamp is dark, in watts.
const STANDBY_W: f64 = 0.6;
/// One lamp in so many also has the named shadow `config`.
const WITH_CONFIG: u32 = 8;
/// A night's mean length over the year, in hours.
const NIGHT_H: f64 = 12.0;
/// The day from which burning hours are counted, in days since 1970: 1 January 2024.
const COUNTED_FROM: f64 = 19_723.0;

/// A street lamp.
///
/// `dim_pct` is the level it burns at when it burns, in its shadow and in what it measures; by day it says `on: false` and the
/// few tenths of a watt of its driver. (DALI drivers know both, the level that is set and the light that is; cities show the
/// former.) `on` follows the schedule; a wish for `on` stands above that,
/// and a wish to dim by day lights the lamp until the next dusk or dawn, so that a technician sees it obey.
#[derive(Clone, Debug)]
pub struct Lamp {
    /// Where.
    pub post: LampPost,
    dice: Dice,
    level_pct: u64,
    wished_on: Option<bool>,
    shown_by_day: bool,
    on: bool,
    dark: bool,
    schedule: Schedule,
    photocell: Photocell,
    with_config: bool,
    burnt_before_h: f64,
    firmware: Arc<str>,
}

impl Lamp {
    pub(super) fn new(post: LampPost, dice: Dice, sim_ms: i64) -> Self {
        let thing = post.spot.thing.as_str();
        let threshold_deg = dice.throw(thing, "photocell").between(-3.0, -1.0);
        let mut lamp = Self {
            photocell: Photocell::new(post.spot.at.lat_deg, post.spot.at.lon_deg, threshold_deg, sim_ms),
            with_config: dice.throw(thing, "config").one_in(WITH_CONFIG),
            burnt_before_h: dice.throw(thing, "burnt").between(200.0, 18_000.0),
            dice,
            level_pct: 100,
            firmware: "2.4.1".into(),
            wished_on: None,
            shown_by_day: false,
            on: false,
            dark: false,
            schedule: Schedule::default(),
            post,
        };
        lamp.dark = lamp.lit_by_schedule(sim_ms);
        lamp.on = lamp.dark;
        lamp
    }

    /// Runs this firmware from now on.
    pub(super) fn install(&mut self, version: &str) {
        self.firmware = version.into();
    }

    fn obey_classic(&mut self, wished: &Object, whole: bool) {
        if let Some(level) = wished.get("dim_pct").and_then(Value::as_f64).filter(|level| (0.0..=100.0).contains(level))
        {
            let level = level.round() as u64; // the driver knows whole percents
            self.shown_by_day |= level > 0 && level != self.level_pct;
            self.level_pct = level;
        }
        if let Some(on) = wished.get("on").and_then(Value::as_bool) {
            self.wished_on = Some(on);
        } else if whole {
            self.wished_on = None;
        }
    }

    fn settle(&mut self) {
        self.on = self.wished_on.unwrap_or(self.dark || self.shown_by_day);
    }

    fn lit_by_schedule(&self, sim_ms: i64) -> bool {
        self.schedule.lit(sky::local(sim_ms).hour, self.photocell.dawn_and_dusk(sim_ms))
    }

    /// A little more than in proportion to the light, as LED drivers are less efficient when dimmed; within 1 % of chance.
    fn power_w(&self, sim_ms: i64) -> f64 {
        if !self.on || self.level_pct == 0 {
            return STANDBY_W;
        }
        let level = self.level_pct as f64 / 100.0;
        let chance = self.dice.drift(&self.post.spot.thing, "power", sim_ms, 60_000);
        self.post.rated_w * (0.05 + 0.95 * level) * (1.0 + 0.01 * chance)
    }

    /// Hours it burnt by schedule since it was mounted: whole nights, and of the running one the part that has passed. Rises by
    /// night and stands still by day; what people switch beside the schedule is not counted.
    fn burnt_h(&self, sim_ms: i64) -> f64 {
        let at = sky::local(sim_ms);
        let (dawn, dusk) = self.photocell.dawn_and_dusk(sim_ms);
        let night_h = 24.0 - dusk + dawn;
        let since_noon = if at.hour >= 12.0 { at.hour - 12.0 } else { at.hour + 12.0 };
        let passed = ((since_noon - (dusk - 12.0)) / night_h).clamp(0.0, 1.0);
        let nights = at.day as f64 - COUNTED_FROM - if at.hour >= 12.0 { 0.0 } else { 1.0 };
        self.burnt_before_h + NIGHT_H * (nights + passed)
    }
}

impl Does for Lamp {
    fn kind(&self) -> Kind {
        Kind::Lamp
    }

    fn spot(&self) -> &Spot {
        &self.post.spot
    }

    fn describe(&self, meta: &mut Object) {
        meta.insert("rated_w".into(), self.post.rated_w.into());
        meta.insert("units".into(), json!({ "dim_pct": "%", "power_w": "W", "temp_c": "°C", "burning_h": "h" }));
    }

    fn values(&self, sim_ms: i64) -> Object {
        let power_w = self.power_w(sim_ms);
        object([
            ("dim_pct", Value::from(self.level_pct)),
            ("on", Value::from(self.on)),
            ("power_w", tenths(power_w)),
            ("temp_c", tenths(air::temp_c(self.dice, &self.post.spot.thing, sim_ms) + 0.25 * power_w)),
            ("burning_h", tenths(self.burnt_h(sim_ms))),
        ])
    }

    fn shadows(&self) -> &'static [Option<&'static str>] {
        if self.with_config { &[None, Some("config")] } else { &[None] }
    }

    fn reported(&self, shadow: Option<&str>) -> Object {
        let reported = match shadow {
            None => json!({ "dim_pct": self.level_pct, "on": self.on, "firmware": self.firmware.as_ref() }),
            Some("config") if self.with_config => json!({ "schedule": self.schedule.reported() }),
            Some(_) => Value::Null,
        };
        if let Value::Object(reported) = reported { reported } else { Object::new() }
    }

    fn obey(&mut self, shadow: Option<&str>, wished: &Object, whole: bool, sim_ms: i64) {
        match shadow {
            None => self.obey_classic(wished, whole),
            Some("config") if self.with_config => {
                if let Some(wished) = wished.get("schedule").and_then(Value::as_object) {
                    self.schedule.obey(wished);
                    self.dark = self.lit_by_schedule(sim_ms);
                }
            }
            Some(_) => {}
        }
        self.settle();
    }

    fn tick(&mut self, sim_ms: i64) -> Tick {
        self.photocell.look(sim_ms);
        let dark = self.lit_by_schedule(sim_ms);
        if dark == self.dark {
            return Tick::default();
        }
        let before = self.reported(None);
        self.dark = dark;
        self.shown_by_day = false;
        self.settle();
        Tick { changed: changes(&before, &self.reported(None)), refresh: true }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Device;
    use super::super::tests::{obeyed, post};
    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const HOUR_MS: i64 = 3_600_000;
    /// Wednesday, 14 January 2026, 00:00 in Malta; the sun rises about 7:10 and sets about 17:10.
    const MIDNIGHT: i64 = 1_768_345_200_000;
    const NOON: i64 = MIDNIGHT + 12 * HOUR_MS;

    fn lamp(sim_ms: i64) -> Device {
        Device::lamp(post("lamp-0001"), Dice::new(1), 10_000, sim_ms)
    }

    fn obey(lamp: &mut Device, wished: Value, sim_ms: i64) -> Value {
        obeyed(lamp, None, wished, false, sim_ms).get("").cloned().unwrap_or_else(|| json!({}))
    }

    #[test]
    fn a_lamp_burns_from_dusk_to_dawn() {
        let mut device = lamp(MIDNIGHT);
        let mut switched = Vec::new();
        for minute in 0..24 * 60 {
            let tick = device.tick(MIDNIGHT + minute * MINUTE_MS);
            if !tick.changed.is_empty() {
                assert!(tick.refresh);
                switched.push((minute / 60, Value::Object(tick.changed)));
            }
        }
        assert_eq!(switched, [(7, json!({"on": false})), (17, json!({"on": true}))]);
    }

    #[test]
    fn its_power_follows_its_light_and_its_values_repeat() {
        let mut night = lamp(MIDNIGHT);
        let full = night.values(MIDNIGHT);
        assert_eq!(full["dim_pct"], 100);
        assert!((55.0..57.0).contains(&full["power_w"].as_f64().unwrap()), "{full:?}");
        assert_eq!(obey(&mut night, json!({"dim_pct": 40}), MIDNIGHT), json!({"dim_pct": 40}));
        let dimmed = night.values(MIDNIGHT);
        assert_eq!(dimmed["dim_pct"], 40);
        assert!((23.0..26.0).contains(&dimmed["power_w"].as_f64().unwrap()), "{dimmed:?}");
        assert!(dimmed["temp_c"].as_f64() < full["temp_c"].as_f64());
        assert_eq!(lamp(MIDNIGHT).values(MIDNIGHT + 5), lamp(MIDNIGHT).values(MIDNIGHT + 5));
        let day = lamp(NOON).values(NOON);
        assert_eq!((&day["power_w"], &day["on"], &day["dim_pct"]), (&json!(0.6), &json!(false), &json!(100)));
        assert_eq!(full["on"], true);
    }

    #[test]
    fn a_wish_by_day_lights_it_until_dusk_and_a_wish_for_off_stands_above_the_schedule() {
        let mut device = lamp(NOON);
        assert_eq!(obey(&mut device, json!({"dim_pct": 40}), NOON), json!({"dim_pct": 40, "on": true}));
        assert_eq!(device.values(NOON)["dim_pct"], 40);
        assert_eq!(device.tick(NOON + 8 * HOUR_MS).changed, Object::new(), "still on, now by schedule");
        assert_eq!(Value::Object(device.tick(NOON + 20 * HOUR_MS).changed), json!({"on": false}), "dawn");
        assert_eq!(device.reported(None)["dim_pct"], 40, "the level stays");

        assert_eq!(obey(&mut device, json!({"on": false}), NOON), json!({}));
        assert_eq!(device.tick(NOON + 30 * HOUR_MS).changed, Object::new(), "wanted off at dusk");
        let back = obeyed(&mut device, None, json!({}), true, NOON + 31 * HOUR_MS);
        assert_eq!(back, json!({"": {"on": true}}), "the wish was taken back");
    }

    #[test]
    fn a_lamp_does_what_it_can_and_leaves_the_rest_a_wish() {
        let mut device = lamp(MIDNIGHT);
        for (wish, report) in [
            (json!({"dim_pct": 101}), json!({})),
            (json!({"dim_pct": "40"}), json!({})),
            (json!({"on": 1, "firmware": "3", "colour": "red"}), json!({})),
            (json!({"interval_s": 4}), json!({})),
            (json!({"interval_s": 60, "dim_pct": 29.6}), json!({"interval_s": 60, "dim_pct": 30})),
            (json!({"on": false}), json!({"on": false})),
        ] {
            assert_eq!(obey(&mut device, wish.clone(), MIDNIGHT), report, "{wish}");
        }
        assert_eq!(device.interval_ms(), 60_000);
    }

    #[test]
    fn burning_hours_only_rise_and_only_by_night() {
        let device = lamp(MIDNIGHT);
        let mut last = 0.0;
        for quarter in 0..4 * 24 * 10 {
            let now = device.values(MIDNIGHT + quarter * 15 * MINUTE_MS)["burning_h"].as_f64().unwrap();
            assert!(now + 0.051 >= last, "{quarter}: {last} to {now}");
            last = now;
        }
        let at = |hour| device.values(MIDNIGHT + hour * HOUR_MS)["burning_h"].clone();
        assert_eq!(at(9), at(16));
        assert_ne!(at(1), at(4));
    }

    #[test]
    fn some_lamps_keep_a_schedule_in_a_named_shadow() {
        let with: Vec<Device> = (0..80)
            .map(|n| Device::lamp(post(&format!("lamp-{n:04}")), Dice::new(1), 10_000, MIDNIGHT))
            .filter(|lamp| lamp.shadows().contains(&Some("config")))
            .collect();
        assert!((4..20).contains(&with.len()), "{}", with.len());
        let mut device = with[0].clone();
        assert_eq!(
            Value::Object(device.reported(Some("config"))),
            json!({"schedule": {"on_at": "dusk", "off_at": "dawn"}})
        );
        let wish = json!({"schedule": {"off_at": "23:00"}});
        assert_eq!(
            obeyed(&mut device, Some("config"), wish, false, MIDNIGHT),
            json!({"": {"on": false}, "config": {"schedule": {"on_at": "dusk", "off_at": "23:00"}}}),
            "it is after eleven"
        );
    }
}
