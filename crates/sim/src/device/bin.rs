//! A waste bin: an ultrasonic sensor under the lid, a thermometer, a tilt switch and a battery.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Does, air, object, tenths};
use crate::dice::Dice;
use crate::places::{Bin, Holds, Spot};
use crate::sky;

const HOUR_MS: i64 = 3_600_000;
/// What is left after a bin was emptied, in percent.
const LEFT_PCT: f64 = 2.0;
/// Once in a stretch of this length a bin may be tipped over, in milliseconds.
const STRETCH_MS: i64 = 3 * HOUR_MS;
/// Of so many stretches one sees the bin tipped over.
const TIPPED_ONE_IN: u32 = 200;
/// Of so many bins one gets more than its round was planned for, and is full for hours before it comes.
const OVERFLOWS_ONE_IN: u32 = 40;
/// How long a battery lasts, in days, and down to how many percent it is used.
const BATTERY_DAYS: f64 = 1_600.0;
const BATTERY_LOW_PCT: f64 = 8.0;
const DAY_MS: f64 = 86_400_000.0;

/// Percent of a day's waste that falls into the hour before each full hour, by what a bin is for.
fn hours(holds: Holds) -> [f64; 24] {
    match holds {
        Holds::Litter => [
            2.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0, 7.0, 8.0, 6.0, 5.0, 5.0, 6.0, 7.0, 7.0, 6.0,
            5.0, 4.0, 3.0,
        ],
        Holds::Recycling | Holds::Household => [
            1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 4.0, 8.0, 8.0, 6.0, 5.0, 5.0, 5.0, 4.0, 3.0, 3.0, 4.0, 6.0, 9.0, 10.0, 8.0,
            5.0, 3.0, 2.0,
        ],
    }
}

/// A waste bin. What it measures follows from the time alone: it fills with the rhythm of the day and is emptied by a round that
/// passes on certain days.
#[derive(Clone, Debug)]
pub struct WasteBin {
    bin: Bin,
    dice: Dice,
    /// The round comes every so many days…
    every_days: i64,
    /// …on days whose number leaves this remainder…
    remainder: i64,
    /// …at this hour by the clock.
    hour: f64,
    /// What a day puts in, in percent of the bin.
    a_day_pct: f64,
    battery_age_days: f64,
}

impl WasteBin {
    pub(super) fn new(bin: Bin, dice: Dice) -> Self {
        let every_days = match bin.holds {
            Holds::Litter => 1,
            Holds::Household => 2,
            Holds::Recycling => 3,
        };
        // A round is one of an area; its bins are emptied one after the other in three hours of the morning.
        let remainder = dice.throw(&bin.spot.area, "round").below(every_days as usize) as i64;
        let begins = dice.throw(&bin.spot.area, "round begins").between(5.0, 8.5);
        let mut own = dice.throw(&bin.spot.thing, "round");
        let hour = begins + own.between(0.0, 3.0);
        // Rounds are planned so that bins are half full when they come, and hardly one is nearly full on a busy day.
        let overflows = own.one_in(OVERFLOWS_ONE_IN);
        let before_round_pct = if overflows { own.between(98.0, 116.0) } else { own.between(20.0, 76.0) };
        Self {
            every_days,
            remainder,
            hour,
            a_day_pct: before_round_pct / every_days as f64,
            battery_age_days: own.between(0.0, BATTERY_DAYS),
            bin,
            dice,
        }
    }

    /// How full it is, from 0 to 100 percent.
    fn fill_pct(&self, sim_ms: i64) -> f64 {
        let at = sky::local(sim_ms);
        let since = (at.day - self.remainder).rem_euclid(self.every_days);
        // On the day of the round the one before counts until it has passed.
        let since = if since == 0 && at.hour < self.hour { self.every_days } else { since };
        let days = since as f64 + self.by_hour(at.hour) - self.by_hour(self.hour);
        // No two weeks are alike, but a bin does not become emptier by itself: its pace is that of the round.
        let pace = 1.0 + 0.15 * self.dice.throw_at(&self.bin.spot.thing, "pace", at.day - since).between(-1.0, 1.0);
        (LEFT_PCT + self.a_day_pct * pace * days).clamp(0.0, 100.0)
    }

    /// The share of a day's waste that has been thrown in by an hour, from 0 to 1.
    fn by_hour(&self, hour: f64) -> f64 {
        let shares = hours(self.bin.holds);
        let whole = shares.iter().take(hour as usize).sum::<f64>();
        let part = shares.get(hour as usize).copied().unwrap_or_default() * hour.fract();
        (whole + part) / shares.iter().sum::<f64>()
    }

    /// Wind and people: now and then it lies for half an hour or two.
    fn is_tipped(&self, sim_ms: i64) -> bool {
        let stretch = sim_ms.div_euclid(STRETCH_MS);
        let mut chance = self.dice.throw_at(&self.bin.spot.thing, "tipped", stretch);
        let begins_ms = chance.between(0.0, STRETCH_MS as f64 / 3.0) as i64;
        let lasts_ms = chance.between(0.2, 0.65) * STRETCH_MS as f64;
        let passed_ms = sim_ms.rem_euclid(STRETCH_MS) - begins_ms;
        chance.one_in(TIPPED_ONE_IN) && (0..lasts_ms as i64).contains(&passed_ms)
    }

    /// Goes down in four years, and then somebody changes it.
    fn battery_pct(&self, sim_ms: i64) -> f64 {
        let used = (sim_ms as f64 / DAY_MS + self.battery_age_days).rem_euclid(BATTERY_DAYS) / BATTERY_DAYS;
        100.0 - (100.0 - BATTERY_LOW_PCT) * used
    }
}

impl Does for WasteBin {
    fn kind(&self) -> Kind {
        Kind::Bin
    }

    fn spot(&self) -> &Spot {
        &self.bin.spot
    }

    fn describe(&self, meta: &mut Object) {
        let holds = match self.bin.holds {
            Holds::Litter => "litter",
            Holds::Recycling => "recycling",
            Holds::Household => "household",
        };
        meta.insert("holds".into(), holds.into());
        meta.insert("units".into(), json!({ "fill_pct": "%", "temp_c": "°C", "battery_pct": "%" }));
    }

    fn values(&self, sim_ms: i64) -> Object {
        object([
            ("fill_pct", Value::from(self.fill_pct(sim_ms).round() as i64)),
            ("temp_c", tenths(air::temp_c(self.dice, &self.bin.spot.thing, sim_ms) + 1.5)),
            ("battery_pct", Value::from(self.battery_pct(sim_ms).round() as i64)),
            ("tipped", Value::from(self.is_tipped(sim_ms))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spot;
    use super::*;

    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;
    const MINUTE: i64 = 60_000;

    fn bin(number: usize, holds: Holds) -> WasteBin {
        WasteBin::new(Bin { spot: spot(&format!("bin-{number:04}")), holds }, Dice::new(1))
    }

    #[test]
    fn a_bin_fills_by_day_and_is_emptied_by_its_round() {
        for (holds, every_days) in [(Holds::Litter, 1), (Holds::Household, 2), (Holds::Recycling, 3)] {
            for number in 0..6 {
                let bin = bin(number, holds);
                let (mut last, mut emptied) = (bin.fill_pct(MIDNIGHT), Vec::new());
                for minute in (5..12 * 24 * 60).step_by(5) {
                    let now = bin.fill_pct(MIDNIGHT + minute * MINUTE);
                    if now < last {
                        assert!((LEFT_PCT..LEFT_PCT + 1.5).contains(&now), "{holds:?} {number}: {last} to {now}");
                        emptied.push(minute);
                    } else {
                        assert!(now - last < 1.5, "{holds:?} {number}: {last} to {now} in five minutes");
                    }
                    last = now;
                }
                assert_eq!(emptied.len() as i64, 12 / every_days, "{holds:?} {number}");
                assert!(emptied.windows(2).all(|pair| pair[1] - pair[0] == every_days * 24 * 60), "{emptied:?}");
                assert!(emptied.iter().all(|minute| (5..12).contains(&(minute / 60 % 24))), "in the morning");
            }
        }
    }

    #[test]
    fn few_bins_are_full_before_their_round_and_no_other_is_nearly_full() {
        let fullest = |number| {
            let bin = bin(number, Holds::Litter);
            (0..24 * 6).map(|ten| bin.fill_pct(MIDNIGHT + ten * 10 * MINUTE)).fold(0.0, f64::max)
        };
        let fullest: Vec<f64> = (0..400).map(fullest).collect();
        // The demo's alarm for a bin is at 90 %.
        let nearly = fullest.iter().filter(|pct| **pct >= 89.5).count();
        assert!((4..20).contains(&nearly), "{nearly} of 400");
        let half = fullest.iter().filter(|pct| (40.0..89.5).contains(*pct)).count();
        assert!(half > 200, "{half} of 400");
    }

    #[test]
    fn a_bin_is_tipped_now_and_then_and_stood_up_again() {
        let (mut tipped, mut spells, mut all) = (0, 0, 0);
        for number in 0..40 {
            let bin = bin(number, Holds::Litter);
            let mut before = false;
            for quarter in 0..14 * 96 {
                let now = bin.is_tipped(MIDNIGHT + quarter * 15 * MINUTE);
                all += 1;
                tipped += usize::from(now);
                spells += usize::from(now && !before);
                before = now;
            }
        }
        assert!(spells > 12 && tipped * 100 < all, "{spells} spells, {tipped} of {all} quarters");
    }

    #[test]
    fn its_battery_goes_down_slowly() {
        let bin = bin(1, Holds::Litter);
        let at = |days: i64| bin.battery_pct(MIDNIGHT + days * 86_400_000);
        assert!((at(0) - at(30) - 30.0 * 92.0 / BATTERY_DAYS).abs() < 1e-6);
        assert!((0..2_000).all(|days| (BATTERY_LOW_PCT..=100.0).contains(&at(days))));
    }
}
