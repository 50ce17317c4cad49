//! Malta's clock and Malta's sky: what hour people think it is, and whether it is dark.

use std::f64::consts::TAU;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// A moment by the clocks of Malta (Central European time, one hour later from the last Sunday of March to that of October).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Local {
    /// From 0, below 24.
    pub hour: f64,
    /// Saturday or Sunday.
    pub weekend: bool,
    /// Days since 1970, by local midnight.
    pub day: i64,
    /// How far the year is, from 0, below 1.
    pub year: f64,
}

/// The local moment of `wall_ms` (epoch milliseconds, UTC).
pub fn local(wall_ms: i64) -> Local {
    let ms = wall_ms + HOUR_MS * if summer(wall_ms) { 2 } else { 1 };
    let day = ms.div_euclid(DAY_MS);
    Local {
        hour: ms.rem_euclid(DAY_MS) as f64 / HOUR_MS as f64,
        weekend: matches!((day + 4).rem_euclid(7), 0 | 6), // 1 January 1970 was a Thursday; 0 is Sunday
        day,
        year: (day as f64 / 365.2425).fract(),
    }
}

/// Whether summer time is kept: from 01:00 UTC of the last Sunday of March to the same of October (Directive 2000/84/EC).
fn summer(wall_ms: i64) -> bool {
    let (year, _, _) = date(wall_ms.div_euclid(DAY_MS));
    let change = |month| last_sunday(year, month) * DAY_MS + HOUR_MS;
    (change(3)..change(10)).contains(&wall_ms)
}

/// Days since 1970 of the last Sunday of a month of 31 days.
fn last_sunday(year: i64, month: i64) -> i64 {
    let last = day_number(year, month, 31);
    last - (last + 4).rem_euclid(7)
}

/// Days since 1970 of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970, the inverse of [`day_number`].
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + day.div_euclid(146_097) * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// How high the sun stands over a place, in degrees; negative below the horizon.
///
/// The low-precision formulas of the Astronomical Almanac, good to some 0.1° in this century and without refraction: enough to
/// tell within a minute when a lamp's photocell sees dusk.
pub fn sun_deg(wall_ms: i64, lat_deg: f64, lon_deg: f64) -> f64 {
    let days = wall_ms as f64 / DAY_MS as f64 - 10_957.5; // since noon of 1 January 2000
    let mean = (280.460 + 0.985_647_4 * days).to_radians();
    let anomaly = (357.528 + 0.985_600_3 * days).to_radians();
    let ecliptic = mean + (1.915 * anomaly.sin() + 0.020 * (2.0 * anomaly).sin()).to_radians();
    let tilt = (23.439_f64 - 0.000_000_4 * days).to_radians();
    let declination = (tilt.sin() * ecliptic.sin()).asin();
    let ascension = (tilt.cos() * ecliptic.sin()).atan2(ecliptic.cos());
    let sidereal = (280.460_618_37 + 360.985_647_366_29 * days + lon_deg).to_radians();
    let hour_angle = (sidereal - ascension).rem_euclid(TAU);
    let lat = lat_deg.to_radians();
    (lat.sin() * declination.sin() + lat.cos() * declination.cos() * hour_angle.cos()).asin().to_degrees()
}

/// The hours by the clock at which the sun passes `threshold_deg` in the morning and in the evening of the day of `wall_ms`.
///
/// On the two days a year on which the clocks change, one of them is an hour off.
pub fn dawn_and_dusk(wall_ms: i64, lat_deg: f64, lon_deg: f64, threshold_deg: f64) -> (f64, f64) {
    let noon_ms = wall_ms - ((local(wall_ms).hour - 12.0) * HOUR_MS as f64) as i64;
    let crossing = |night_ms: i64| {
        let (mut day, mut night) = (noon_ms, night_ms);
        while (day - night).abs() > 1_000 {
            let middle = i64::midpoint(day, night);
            if sun_deg(middle, lat_deg, lon_deg) > threshold_deg { day = middle } else { night = middle }
        }
        12.0 + (day - noon_ms) as f64 / HOUR_MS as f64
    };
    (crossing(noon_ms - DAY_MS / 2), crossing(noon_ms + DAY_MS / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALLETTA: (f64, f64) = (35.899, 14.5137);

    fn utc(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> i64 {
        day_number(year, month, day) * DAY_MS + hour * HOUR_MS + minute * 60_000
    }

    #[test]
    fn dates_and_day_numbers_lead_back_to_each_other() {
        for day in (-200_000..200_000).step_by(97) {
            let (year, month, of_month) = date(day);
            assert_eq!(day_number(year, month, of_month), day);
        }
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
    }

    #[test]
    fn the_clocks_change_on_the_last_sundays_of_march_and_october() {
        for (name, at, hour, weekend) in [
            ("winter", utc(2026, 1, 14, 11, 0), 12.0, false),
            ("summer", utc(2026, 7, 15, 11, 30), 13.5, false),
            ("a minute before spring's change", utc(2026, 3, 29, 0, 59), 1.0 + 59.0 / 60.0, true),
            ("spring's change", utc(2026, 3, 29, 1, 0), 3.0, true),
            ("a minute before autumn's change", utc(2026, 10, 25, 0, 59), 2.0 + 59.0 / 60.0, true),
            ("autumn's change", utc(2026, 10, 25, 1, 0), 2.0, true),
            ("a Monday that is still Sunday in UTC", utc(2026, 1, 11, 23, 30), 0.5, false),
        ] {
            let got = local(at);
            assert!((got.hour - hour).abs() < 1e-9, "{name}: {}", got.hour);
            assert_eq!(got.weekend, weekend, "{name}");
        }
    }

    #[test]
    fn dawn_and_dusk_are_told_by_the_clock() {
        let (dawn, dusk) = dawn_and_dusk(utc(2026, 6, 21, 22, 0), VALLETTA.0, VALLETTA.1, -0.833);
        assert!((dawn - 5.75).abs() < 0.05 && (dusk - 20.33).abs() < 0.05, "{dawn} {dusk}");
        let (dawn, dusk) = dawn_and_dusk(utc(2026, 12, 21, 0, 0), VALLETTA.0, VALLETTA.1, -0.833);
        assert!((dawn - 7.12).abs() < 0.05 && (dusk - 16.85).abs() < 0.05, "{dawn} {dusk}");
    }

    #[test]
    fn the_sun_rises_and_sets_over_valletta_when_the_almanac_says() {
        // Sunrise and sunset (centre of the sun at -0.833°) in UTC, to two minutes.
        for (name, rise, set) in [
            ("21 June 2026", utc(2026, 6, 21, 3, 45), utc(2026, 6, 21, 18, 20)),
            ("21 December 2026", utc(2026, 12, 21, 6, 7), utc(2026, 12, 21, 15, 51)),
        ] {
            for (at, before) in [(rise, -0.833), (set, -0.833)] {
                let error_deg = (sun_deg(at, VALLETTA.0, VALLETTA.1) - before).abs();
                assert!(error_deg < 0.6, "{name}: {error_deg}° off, some {} min", error_deg * 4.0);
            }
        }
        assert!(sun_deg(utc(2026, 6, 21, 11, 0), VALLETTA.0, VALLETTA.1) > 77.0, "noon of midsummer");
        assert!(sun_deg(utc(2026, 12, 21, 23, 0), VALLETTA.0, VALLETTA.1) < -70.0, "midnight of midwinter");
    }
}
