//! How full a car park is in the course of a day.

use crate::places::UsedFor;
use crate::sky::Local;

/// Percent of the spaces taken at each full hour of a working day.
fn working_day(used_for: UsedFor) -> [u8; 24] {
    match used_for {
        UsedFor::Offices => [8, 7, 6, 6, 7, 10, 22, 52, 84, 95, 97, 96, 92, 90, 94, 92, 80, 54, 34, 24, 18, 15, 12, 10],
        UsedFor::Homes => {
            [92, 93, 94, 94, 93, 90, 82, 66, 52, 46, 44, 44, 46, 50, 50, 52, 58, 67, 76, 82, 86, 88, 90, 91]
        }
        UsedFor::Shops => [6, 5, 5, 5, 6, 8, 14, 26, 44, 66, 82, 88, 80, 62, 50, 58, 74, 86, 84, 62, 38, 22, 14, 9],
        UsedFor::Evenings => {
            [44, 30, 20, 14, 12, 12, 14, 18, 24, 30, 34, 40, 52, 56, 46, 40, 42, 50, 62, 78, 90, 94, 86, 66]
        }
        UsedFor::Beach => [6, 5, 5, 5, 6, 8, 12, 18, 28, 42, 56, 64, 66, 64, 62, 58, 52, 46, 38, 30, 22, 16, 10, 8],
    }
}

/// How a day off differs, as a factor.
fn day_off(used_for: UsedFor) -> f64 {
    match used_for {
        UsedFor::Offices => 0.25,
        UsedFor::Homes => 1.05,
        UsedFor::Shops => 0.8,
        UsedFor::Evenings => 1.06,
        UsedFor::Beach => 1.45,
    }
}

/// The share of spaces taken, 0 to 1 and a little beyond, between the full hours along a straight line.
pub(super) fn taken(used_for: UsedFor, at: Local) -> f64 {
    let day = working_day(used_for);
    let hour = at.hour.floor();
    let percent = |hour: f64| day.get(hour as usize % 24).copied().map_or(0.0, f64::from);
    let share = (percent(hour) + (percent(hour + 1.0) - percent(hour)) * (at.hour - hour)) / 100.0;
    if at.weekend { share * day_off(used_for) } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: f64, weekend: bool) -> Local {
        Local { hour, weekend, day: 0, year: 0.5 }
    }

    #[test]
    fn offices_fill_in_the_morning_homes_at_night_and_bars_in_the_evening() {
        for (used_for, full, empty) in [
            (UsedFor::Offices, 10.0, 22.0),
            (UsedFor::Homes, 2.0, 11.0),
            (UsedFor::Shops, 11.0, 4.0),
            (UsedFor::Evenings, 21.0, 5.0),
            (UsedFor::Beach, 12.0, 2.0),
        ] {
            assert!(taken(used_for, at(full, false)) > 3.0 * taken(used_for, at(empty, false)) / 2.0, "{used_for:?}");
        }
        assert!(taken(UsedFor::Offices, at(10.0, true)) < 0.3 && taken(UsedFor::Beach, at(12.0, true)) > 0.9);
    }

    #[test]
    fn midnight_is_no_step() {
        for used_for in [UsedFor::Offices, UsedFor::Homes, UsedFor::Shops, UsedFor::Evenings, UsedFor::Beach] {
            let (before, after) = (taken(used_for, at(23.999, false)), taken(used_for, at(0.0, false)));
            assert!((before - after).abs() < 0.01, "{used_for:?}");
        }
    }
}
