//! When a lamp burns by itself.

use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use crate::sky;

/// From when to when, by the sun or the clock of Malta.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    on_at: At,
    off_at: At,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Dusk,
    Dawn,
    /// Minutes since midnight.
    Clock(u32),
}

impl Default for Schedule {
    fn default() -> Self {
        Self { on_at: At::Dusk, off_at: At::Dawn }
    }
}

impl Schedule {
    /// Whether a lamp burns at an hour of a day with this dawn and dusk (all in hours by the clock).
    pub fn lit(&self, hour: f64, (dawn, dusk): (f64, f64)) -> bool {
        let clock = |at: At| match at {
            At::Dusk => dusk,
            At::Dawn => dawn,
            At::Clock(minutes) => f64::from(minutes) / 60.0,
        };
        let (on, off) = (clock(self.on_at), clock(self.off_at));
        if on <= off { (on..off).contains(&hour) } else { hour >= on || hour < off }
    }

    /// As it stands in the named shadow `config`.
    pub fn reported(&self) -> Value {
        json!({ "on_at": self.on_at.word(), "off_at": self.off_at.word() })
    }

    /// Takes what it understands of `{"on_at": "dusk", "off_at": "23:30"}`.
    pub fn obey(&mut self, wished: &Object) {
        for (field, at) in [("on_at", &mut self.on_at), ("off_at", &mut self.off_at)] {
            if let Some(wish) = wished.get(field).and_then(Value::as_str).and_then(At::of) {
                *at = wish;
            }
        }
    }
}

impl At {
    fn of(word: &str) -> Option<Self> {
        match word {
            "dusk" => return Some(Self::Dusk),
            "dawn" => return Some(Self::Dawn),
            _ => {}
        }
        let (hours, minutes) = word.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(Self::Clock(hours * 60 + minutes))
    }

    fn word(self) -> String {
        match self {
            Self::Dusk => "dusk".into(),
            Self::Dawn => "dawn".into(),
            Self::Clock(minutes) => format!("{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

/// Dawn and dusk as one lamp's photocell sees them, kept for the day they belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Photocell {
    lat_deg: f64,
    lon_deg: f64,
    /// How low the sun stands when it switches: each cell is a little different.
    threshold_deg: f64,
    day: i64,
    hours: (f64, f64),
}

impl Photocell {
    pub fn new(lat_deg: f64, lon_deg: f64, threshold_deg: f64, sim_ms: i64) -> Self {
        let mut cell = Self { lat_deg, lon_deg, threshold_deg, day: i64::MIN, hours: (0.0, 0.0) };
        cell.look(sim_ms);
        cell
    }

    /// Works the sun out anew when it is another day than the last time.
    pub fn look(&mut self, sim_ms: i64) {
        let day = sky::local(sim_ms).day;
        if day != self.day {
            self.day = day;
            self.hours = self.at(sim_ms);
        }
    }

    /// Hours of dawn and dusk of the day of `sim_ms`.
    pub fn dawn_and_dusk(&self, sim_ms: i64) -> (f64, f64) {
        if sky::local(sim_ms).day == self.day { self.hours } else { self.at(sim_ms) }
    }

    fn at(&self, sim_ms: i64) -> (f64, f64) {
        sky::dawn_and_dusk(sim_ms, self.lat_deg, self.lon_deg, self.threshold_deg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_spans_midnight_and_takes_sun_or_clock() {
        let sun = (6.0, 18.0);
        for (on_at, off_at, lit, dark) in [
            ("dusk", "dawn", vec![18.0, 23.9, 0.0, 5.9], vec![6.0, 12.0, 17.9]),
            ("dusk", "23:30", vec![18.0, 23.4], vec![23.5, 0.0, 5.0, 12.0]),
            ("04:00", "dawn", vec![4.0, 5.9], vec![3.9, 6.0, 20.0]),
            ("09:00", "17:00", vec![9.0, 16.9], vec![8.9, 17.0, 0.0]),
        ] {
            let mut schedule = Schedule::default();
            schedule.obey(json!({"on_at": on_at, "off_at": off_at}).as_object().unwrap());
            assert_eq!(schedule.reported(), json!({"on_at": on_at, "off_at": off_at}));
            for hour in lit {
                assert!(schedule.lit(hour, sun), "{on_at} to {off_at} at {hour}");
            }
            for hour in dark {
                assert!(!schedule.lit(hour, sun), "{on_at} to {off_at} at {hour}");
            }
        }
    }

    #[test]
    fn what_is_no_time_changes_nothing() {
        let mut schedule = Schedule::default();
        for word in ["noon", "24:00", "9:00", "09:60", "09-00", ""] {
            schedule.obey(json!({"on_at": word, "off_at": 7}).as_object().unwrap());
        }
        assert_eq!(schedule, Schedule::default());
    }
}
