//! The air around a thing.

use crate::dice::Dice;
use crate::sky;

/// Degrees Celsius: Malta's year and day, and the weather of the hour.
pub(super) fn temp_c(dice: Dice, thing: &str, sim_ms: i64) -> f64 {
    let at = sky::local(sim_ms);
    let year = (std::f64::consts::TAU * (at.year - 0.1)).cos();
    let day = (std::f64::consts::TAU * (at.hour - 15.0) / 24.0).cos();
    let chance = dice.drift(thing, "air", sim_ms, 3_600_000);
    19.5 - 7.5 * year + 3.5 * day + 0.8 * chance
}
