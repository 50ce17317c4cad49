//! Where an axis is labelled: values on 1-2-5 steps, times on round local ones.

use std::fmt::Write;

use fleetlens_model::time::WallMs;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Distances between time labels that people count in.
const TIME_STEPS_MS: [i64; 21] = [
    SECOND_MS,
    2 * SECOND_MS,
    5 * SECOND_MS,
    10 * SECOND_MS,
    15 * SECOND_MS,
    30 * SECOND_MS,
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    28 * DAY_MS,
];

/// 1969-12-29: days are counted from a Monday, so that weekly labels stand on Mondays.
const A_MONDAY_MS: i64 = -3 * DAY_MS;

/// The values an axis spans, and those it is labelled at.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// Value at the bottom edge.
    pub low: f64,
    /// Value at the top edge, above `low`.
    pub high: f64,
    /// Labelled values, rising.
    pub ticks: Vec<ValueTick>,
}

/// A labelled value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueTick {
    /// The value.
    pub value: f64,
    /// Its digits, without the unit.
    pub label: String,
}

/// The largest value an axis is made for: its span, with headroom, and the step above that are still numbers. What lies beyond
/// is drawn at the edge; no device measures that.
const LARGEST: f64 = f64::MAX / 8.0;

/// How often a step that gave too few labels is made finer; each time it is at least halved, and twice has always been enough.
const FINER_MOST: usize = 8;

/// An axis for values from `min` to `max` with headroom and at most `most` labels; a flat line comes to lie in the middle.
/// Labels never have more than `decimals` digits after the point, nor a sign that no value has. Where no value can lie beyond
/// `limits` there is no headroom beyond them either; a value that does is shown all the same.
pub fn value_axis(min: f64, max: f64, limits: Option<(f64, f64)>, decimals: u8, most: usize) -> ValueAxis {
    let (min, max) = (min.clamp(-LARGEST, LARGEST), max.clamp(-LARGEST, LARGEST));
    let finest = 10f64.powi(-i32::from(decimals));
    // Two neighbours among large numbers leave no room between them for headroom, let alone for labels.
    let flat = max - min < (finest / 2.0).max(min.abs().max(max.abs()) * 1e-12);
    let (low, high) = if flat {
        let middle = min / 2.0 + max / 2.0;
        let room = (middle.abs() * 0.1).max(2.0 * finest);
        (middle - room, middle + room)
    } else {
        let room = ((max - min) * 0.1).max(finest / 2.0);
        (min - room, max + room)
    };
    let (low, high) = match limits {
        Some((least, greatest)) if least < greatest => {
            (if min < least { low } else { low.max(least) }, if max > greatest { high } else { high.min(greatest) })
        }
        Some(_) | None => (low, high),
    };
    let most = most.max(1);
    let mut step = step_125((high - low) / most as f64).max(finest);
    let mut ticks = ticks_between(min, (low, high), step, most, decimals);
    for _ in 0..FINER_MOST {
        // One label alone says nothing about the scale, and a coarse step may fall beside the axis altogether.
        if ticks.len() >= most.min(2) || step <= finest {
            break;
        }
        step = step_125(step * 0.4).max(finest);
        ticks = ticks_between(min, (low, high), step, most, decimals);
    }
    ValueAxis { low, high, ticks }
}

/// An axis of two states, with a little room over and under them.
pub fn state_axis(off: &str, on: &str) -> ValueAxis {
    let tick = |value, word: &str| ValueTick { value, label: word.chars().take(STATE_CHARS).collect() };
    ValueAxis { low: -0.06, high: 1.12, ticks: vec![tick(0.0, off), tick(1.0, on)] }
}

/// Letters of a state's word beside an axis.
const STATE_CHARS: usize = 12;

/// The multiples of `step` on an axis, the lowest `most` and one.
fn ticks_between(min: f64, (low, high): (f64, f64), step: f64, most: usize, decimals: u8) -> Vec<ValueTick> {
    let first = (low / step).ceil();
    (0..=most)
        .map(|i| (first + i as f64) * step)
        .filter(|value| *value <= high && (*value >= 0.0 || min < 0.0))
        .map(|value| ValueTick { value, label: value_label(value, step, decimals) })
        .collect()
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `rough`.
fn step_125(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    // A hair of tolerance: 0.2 / 0.1 is a little more than 2.
    [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999_999).unwrap_or(10.0 * power)
}

/// From here on a label is a power of ten: beyond 2^53, about 9e15, the digits mean nothing, and three hundred of them no room.
const POWERS_FROM: f64 = 1e15;

/// A value with as many digits as its step needs; thousands apart from 10 000 on.
pub fn value_label(value: f64, step: f64, decimals: u8) -> String {
    if value.abs() >= POWERS_FROM {
        let needed = (value.abs().log10().floor() - step.log10().floor()).clamp(0.0, 15.0) as usize;
        return format!("{value:.needed$e}");
    }
    let needed = (-step.log10().floor()).clamp(0.0, f64::from(decimals)) as usize;
    let plain = format!("{:.needed$}", value + 0.0);
    let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
    let digits = whole.chars().filter(char::is_ascii_digit).count();
    if digits < 5 {
        return plain;
    }
    let mut grouped = String::new();
    let mut left = digits;
    for c in whole.chars() {
        if c.is_ascii_digit() {
            if left % 3 == 0 && left != digits {
                grouped.push('\u{202f}');
            }
            left -= 1;
        }
        grouped.push(c);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// What the person's clock shows from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// From here on.
    pub from_ms: WallMs,
    /// More than UTC, in minutes.
    pub utc_offset_min: i32,
}

/// A labelled moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// When.
    pub at_ms: WallMs,
    /// Time of day, or the day at midnight.
    pub label: String,
}

/// Round local times within a span, at most `most` of them.
pub fn time_ticks(from: WallMs, until: WallMs, utc_offset_min: i32, most: usize) -> Vec<TimeTick> {
    ticks_of(from, until, utc_offset_min, time_step_ms(from, until, most), most)
}

/// The same where the clock changes on the way: after its change it is labelled as it shows then. What is in `clock` rises; before the
/// first of it the first holds, and without any the clock shows UTC.
pub fn clock_ticks(from: WallMs, until: WallMs, clock: &[Clock], most: usize) -> Vec<TimeTick> {
    let step_ms = time_step_ms(from, until, most);
    let first = clock.first().map_or(0, |clock| clock.utc_offset_min);
    let changes = clock.iter().skip(1).map(|clock| (clock.from_ms, clock.utc_offset_min));
    let begins: Vec<(WallMs, i32)> = std::iter::once((from, first)).chain(changes).collect();
    let ends = begins.iter().skip(1).map(|(at, _)| at.plus(-1)).chain([until]);
    begins
        .iter()
        .zip(ends)
        .map(|((begins, offset), ends)| (from.max(*begins), until.min(ends), *offset))
        .filter(|(begins, ends, _)| begins <= ends)
        .flat_map(|(begins, ends, offset)| ticks_of(begins, ends, offset, step_ms, most))
        .collect()
}

/// The distance of labels: the smallest of [`TIME_STEPS_MS`] that gives no more than so many.
fn time_step_ms(from: WallMs, until: WallMs, most: usize) -> i64 {
    let span_ms = until.0.saturating_sub(from.0).max(1);
    let most = i64::try_from(most.max(1)).unwrap_or(1);
    let last = 28 * DAY_MS;
    TIME_STEPS_MS.into_iter().find(|step| span_ms / step < most).unwrap_or_else(|| {
        let steps = span_ms / (last * most) + 1;
        last.saturating_mul(steps)
    })
}

fn ticks_of(from: WallMs, until: WallMs, utc_offset_min: i32, step_ms: i64, most: usize) -> Vec<TimeTick> {
    let offset_ms = i64::from(utc_offset_min) * MINUTE_MS;
    let most = i64::try_from(most.max(1)).unwrap_or(1);
    let base_ms = if step_ms > DAY_MS { A_MONDAY_MS } else { 0 };
    let local = from.0.saturating_add(offset_ms).saturating_sub(base_ms);
    let mut at = local.div_euclid(step_ms).saturating_mul(step_ms);
    if at < local {
        at = at.saturating_add(step_ms);
    }
    let mut ticks = Vec::new();
    loop {
        let local_ms = at.saturating_add(base_ms);
        let at_ms = WallMs(local_ms.saturating_sub(offset_ms));
        if at_ms > until || ticks.len() as i64 > most {
            return ticks;
        }
        ticks.push(TimeTick { at_ms, label: time_label(local_ms, step_ms) });
        at = at.saturating_add(step_ms);
    }
}

/// `10:45`, with seconds where the step is below a minute, and at midnight the day.
fn time_label(local_ms: i64, step_ms: i64) -> String {
    let in_day_ms = local_ms.rem_euclid(DAY_MS);
    if in_day_ms == 0 {
        return day_label(local_ms.div_euclid(DAY_MS), step_ms);
    }
    let (h, m, s) = (in_day_ms / HOUR_MS, in_day_ms / MINUTE_MS % 60, in_day_ms / SECOND_MS % 60);
    let mut label = format!("{h:02}:{m:02}");
    if step_ms < MINUTE_MS {
        // Writing to a String cannot fail.
        let _ = write!(label, ":{s:02}");
    }
    label
}

/// `14 Nov`, with the weekday where every label is a day of one week or two.
fn day_label(day: i64, step_ms: i64) -> String {
    let (month, date) = month_and_date(day);
    let month = MONTHS.get(month).copied().unwrap_or_default();
    if step_ms != DAY_MS && step_ms != 2 * DAY_MS {
        return format!("{date} {month}");
    }
    let weekday =
        usize::try_from((day + 3).rem_euclid(7)).ok().and_then(|i| WEEKDAYS.get(i)).copied().unwrap_or_default();
    format!("{weekday} {date}")
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Month (0 for January) and day of the month of a day since 1970-01-01, in the Gregorian calendar. The year is shifted to
/// begin in March, so that the leap day comes last (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
fn month_and_date(day: i64) -> (usize, i64) {
    let day_of_era = (day + 719_468).rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    (usize::try_from((month_from_march + 2) % 12).unwrap_or_default(), date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &ValueAxis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn values_are_labelled_on_steps_of_one_two_and_five() {
        for (min, max, decimals, most, want) in [
            (0.0, 100.0, 0, 4, vec!["0", "50", "100"]),
            (61.2, 61.8, 1, 4, vec!["61.2", "61.4", "61.6", "61.8"]),
            (3.0, 5.0, 0, 4, vec!["3", "4", "5"]),
            (-20.0, 20.0, 0, 3, vec!["-20", "0", "20"]),
            (0.0, 48_000.0, 0, 3, vec!["0", "20\u{202f}000", "40\u{202f}000"]),
            (
                1_234_000.0,
                1_236_000.0,
                0,
                3,
                vec!["1\u{202f}234\u{202f}000", "1\u{202f}235\u{202f}000", "1\u{202f}236\u{202f}000"],
            ),
        ] {
            assert_eq!(labels(&value_axis(min, max, None, decimals, most)), want, "{min} to {max}");
        }
    }

    #[test]
    fn an_axis_is_never_finer_than_the_values_and_never_without_a_label() {
        for (min, max) in
            [(0.0, 0.0), (40.0, 40.0), (0.0, 1.0), (7.0, 9.0), (-3.0, -3.0), (1e9, 1e9 + 1.0), (99.0, 100.0)]
        {
            for most in 1..8 {
                let axis = value_axis(min, max, None, 0, most);
                assert!(!axis.ticks.is_empty() && axis.ticks.len() <= most + 1, "{min} to {max}, {most}: {axis:?}");
                assert!(axis.low < min && max < axis.high, "{min} to {max}: headroom");
                let mut seen = labels(&axis);
                seen.dedup();
                assert_eq!(seen.len(), axis.ticks.len(), "{min} to {max}, {most}: {axis:?}");
            }
        }
    }

    #[test]
    fn values_that_no_device_measures_still_make_an_axis_in_no_time() {
        const MAX: f64 = f64::MAX;
        for (name, min, max) in [
            ("as far apart as can be", -MAX, MAX),
            ("the reviewer's", -1e308, 1e308),
            ("from nothing to very much", 0.0, 1.7e308),
            ("from very much less to nothing", -1.7e308, 0.0),
            ("equal and huge", 1e308, 1e308),
            ("equal and hugely negative", -1e308, -1e308),
            ("neighbours among the huge", 1e300, f64::from_bits(1e300_f64.to_bits() + 1)),
            ("neighbours among the large", 1e17, f64::from_bits(1e17_f64.to_bits() + 1)),
            ("the smallest span there is", 0.0, f64::from_bits(1)),
            ("a span below the normal numbers", -f64::MIN_POSITIVE / 4.0, f64::MIN_POSITIVE / 2.0),
            ("infinite", f64::NEG_INFINITY, f64::INFINITY),
        ] {
            for decimals in [0, 3, 15, 255] {
                for most in 1..8 {
                    let axis = value_axis(min, max, None, decimals, most);
                    let what = format!("{name}, {decimals} decimals, {most}: {axis:?}");
                    assert!(
                        axis.low.is_finite() && axis.high.is_finite() && (axis.high - axis.low).is_finite(),
                        "{what}"
                    );
                    assert!(
                        axis.low < min.clamp(-LARGEST, LARGEST) && max.clamp(-LARGEST, LARGEST) < axis.high,
                        "{what}"
                    );
                    assert!(!axis.ticks.is_empty() && axis.ticks.len() <= most + 1, "{what}");
                    assert!(axis.ticks.windows(2).all(|pair| pair[0].value < pair[1].value), "{what}");
                    assert!(axis.ticks.windows(2).all(|pair| pair[0].label != pair[1].label), "{what}");
                    // A label as long as its own decimals allow, but never three hundred zeros.
                    assert!(axis.ticks.iter().all(|t| t.label.len() <= 40 + usize::from(decimals)), "{what}");
                }
            }
        }
        assert_eq!(labels(&value_axis(-1e308, 1e308, None, 0, 4)), ["-2e307", "0", "2e307"]);
        // What is no number at all cannot be drawn, but it must not hold the window up either.
        assert!(value_axis(f64::NAN, f64::NAN, None, 0, 4).ticks.len() <= 5);
    }

    #[test]
    fn a_share_has_no_headroom_where_no_value_can_be() {
        let share = Some((0.0, 100.0));
        for (min, max, want) in [
            (12.0, 100.0, (3.2, 100.0)),
            (0.0, 55.0, (0.0, 60.5)),
            (0.0, 100.0, (0.0, 100.0)),
            (100.0, 100.0, (90.0, 100.0)),
            (0.0, 0.0, (0.0, 2.0)),
            (40.0, 60.0, (38.0, 62.0)),
            (-10.0, 110.0, (-22.0, 122.0)),
        ] {
            let axis = value_axis(min, max, share, 0, 4);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(near(axis.low, want.0) && near(axis.high, want.1), "{min} to {max}: {axis:?}");
            assert!(axis.ticks.len() >= 2, "{min} to {max}: {axis:?}");
        }
        assert_eq!(labels(&value_axis(0.0, 100.0, share, 0, 4)), ["0", "50", "100"]);
    }

    #[test]
    fn a_flat_line_lies_in_the_middle_and_a_count_of_nothing_shows_no_sign() {
        let axis = value_axis(0.0, 0.0, None, 0, 4);
        assert_eq!(axis.low, -axis.high);
        assert_eq!(labels(&axis), ["0", "1", "2"]);
    }

    #[test]
    fn times_are_labelled_where_the_local_clock_is_round() {
        // 2025-11-14T09:50:10Z
        let from = WallMs(1_763_113_810_000);
        let take = |span_ms: i64, offset_min: i32, most: usize| -> Vec<String> {
            time_ticks(from, from.plus(span_ms), offset_min, most).into_iter().map(|t| t.label).collect()
        };
        assert_eq!(take(15 * MINUTE_MS, 60, 4), ["10:55", "11:00", "11:05"]);
        assert_eq!(take(45_000, 0, 4), ["09:50:15", "09:50:30", "09:50:45"]);
        assert_eq!(take(HOUR_MS, 330, 4), ["15:30", "16:00"]);
        assert_eq!(take(DAY_MS, 60, 5), ["12:00", "18:00", "15 Nov", "06:00"]);
        assert_eq!(take(7 * DAY_MS, 60, 4), ["Sat 15", "Mon 17", "Wed 19", "Fri 21"]);
        assert_eq!(take(7 * DAY_MS, 60, 8)[0], "Sat 15");
        assert_eq!(take(60 * DAY_MS, 0, 4), ["17 Nov", "15 Dec", "12 Jan"]);
    }

    #[test]
    fn where_the_clock_changes_it_is_labelled_as_it_shows_on_either_side() {
        // Malta, 2026-10-25: at 03:00 the clock goes back to 02:00, which is 01:00 UTC.
        let midnight = WallMs(1_792_879_200_000);
        let change = Clock { from_ms: midnight.plus(3 * HOUR_MS), utc_offset_min: 60 };
        let summer = Clock { from_ms: midnight.plus(-DAY_MS), utc_offset_min: 120 };
        let take = |clock: &[Clock]| -> Vec<(i64, String)> {
            let ticks = clock_ticks(midnight, midnight.plus(25 * HOUR_MS), clock, 6);
            ticks.into_iter().map(|t| ((t.at_ms.0 - midnight.0) / HOUR_MS, t.label)).collect()
        };
        let of = |all: &[(i64, &str)]| all.iter().map(|(at, label)| (*at, (*label).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            take(&[summer, change]),
            of(&[(0, "25 Oct"), (7, "06:00"), (13, "12:00"), (19, "18:00"), (25, "26 Oct")])
        );
        assert_eq!(take(&[summer])[1], (6, "06:00".to_owned()));
        assert_eq!(take(&[])[0], (2, "25 Oct".to_owned()), "UTC");
    }

    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        for (day, want) in [(0, (0, 1)), (58, (1, 28)), (59, (2, 1)), (789, (1, 29)), (790, (2, 1)), (-1, (11, 31))] {
            assert_eq!(month_and_date(day), want, "day {day}");
        }
    }

    #[test]
    fn there_are_never_more_labels_than_asked_for() {
        for span_ms in [1, 999, 60_000, HOUR_MS, 31 * HOUR_MS, 400 * DAY_MS, 40_000 * DAY_MS] {
            for most in 1..12 {
                assert!(time_ticks(WallMs(77), WallMs(77 + span_ms), 345, most).len() <= most + 1, "{span_ms} {most}");
            }
        }
    }
}
