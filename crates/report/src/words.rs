//! Times, lengths of time and numbers as they stand on the page.

use std::ops::Range;

use fleetlens_chart::Clock;
use fleetlens_model::time::WallMs;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use maud::{Markup, html};

use crate::ReportError;

/// What says no more than an offset of nothing.
const UTC: [&str; 3] = ["UTC", "Etc/UTC", "Etc/UCT"];

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// The days and hours of a place, over one span.
pub struct Calendar {
    zone: TimeZone,
    span: Range<WallMs>,
    /// Whether the span lies within one day of this calendar, so that no row needs to name it.
    is_one_day: bool,
}

impl Calendar {
    /// Fails where the span has no length, or lies where no calendar is.
    pub fn new(zone: TimeZone, span: &Range<WallMs>) -> Result<Calendar, ReportError> {
        if span.end <= span.start {
            let told =
                |at: WallMs| Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string());
            return Err(ReportError::NoSpan { from: told(span.start), to: told(span.end) });
        }
        let at = |at: WallMs| {
            Timestamp::from_millisecond(at.0)
                .map(|it| it.to_zoned(zone.clone()))
                .map_err(|_| ReportError::NoMoment(at.0))
        };
        at(span.end)?;
        // The last moment in it: a day ends with midnight.
        let (from, last) = (at(span.start)?, at(span.end.plus(-1))?);
        let is_one_day = from.date() == last.date();
        Ok(Calendar { zone, span: span.clone(), is_one_day })
    }

    /// A moment by a pattern of `strftime`; where the calendar ends, the bare number.
    fn by(&self, at: WallMs, pattern: &str) -> String {
        let zoned = Timestamp::from_millisecond(at.0).map(|at| at.to_zoned(self.zone.clone()));
        zoned.map_or_else(|_| at.0.to_string(), |zoned| zoned.strftime(pattern).to_string())
    }

    /// `14:02:07`, with the day before it where the span has several; a machine reads it with its offset.
    pub fn at(&self, at: WallMs) -> Markup {
        let exact = self.by(at, "%Y-%m-%dT%H:%M:%S%:z");
        let is_within = self.span.contains(&at) || at == self.span.end;
        html! {
            time datetime=(exact) {
                @if !(self.is_one_day && is_within) { span.day { (self.by(at, "%-d %b")) } " " }
                (self.by(at, "%H:%M:%S"))
            }
        }
    }

    /// `Sat 21 Nov 2026, 06:00`.
    pub fn moment(&self, at: WallMs) -> String {
        self.by(at, "%a %-d %b %Y, %H:%M")
    }

    /// `02:38`, with the day before it where the span has several.
    pub fn short(&self, at: WallMs) -> String {
        self.by(at, if self.is_one_day { "%H:%M" } else { "%-d %b %H:%M" })
    }

    /// The span in a line: days where it is made of whole ones, else moments, and its length.
    pub fn span(&self) -> String {
        let Range { start, end } = self.span;
        let length = length(end.since(start));
        let is_midnight = |at: WallMs| self.by(at, "%H:%M:%S%.3f") == "00:00:00.000";
        let day = |at: WallMs| self.by(at, "%a %-d %b %Y");
        let told = match (is_midnight(start) && is_midnight(end), self.is_one_day) {
            (true, true) => day(start),
            (true, false) => format!("{} – {}", day(start), day(end.plus(-1))),
            (false, true) => format!("{} – {}", self.moment(start), self.by(end, "%H:%M")),
            (false, false) => format!("{} – {}", self.moment(start), self.moment(end)),
        };
        format!("{told} · {length}")
    }

    /// The name of the zone with what its clocks show more than UTC, and when that changes within the span.
    pub fn zone(&self) -> String {
        let name = self.zone.iana_name().map(str::to_owned);
        let mut clock = self.clock().into_iter();
        let first = clock.next().map_or(0, |clock| clock.utc_offset_min);
        let changes: String = clock
            .map(|change| format!(", {} from {}", offset(change.utc_offset_min), self.moment(change.from_ms)))
            .collect();
        match name {
            Some(name) if !UTC.contains(&name.as_str()) => format!("{name} ({}{changes})", offset(first)),
            Some(_) | None => format!("{}{changes}", offset(first)),
        }
    }

    /// What clocks show over the span, as charts want it.
    pub fn clock(&self) -> Vec<Clock> {
        let minutes = |offset: Offset| offset.seconds() / 60;
        let Ok(from) = Timestamp::from_millisecond(self.span.start.0) else { return Vec::new() };
        let first = Clock { from_ms: self.span.start, utc_offset_min: minutes(self.zone.to_offset(from)) };
        let changes = self.zone.following(from).map(|change| Clock {
            from_ms: WallMs(change.timestamp().as_millisecond()),
            utc_offset_min: minutes(change.offset()),
        });
        let within = changes.take_while(|change| change.from_ms < self.span.end);
        let mut clock = vec![first];
        for change in within {
            if clock.last().is_some_and(|last| last.utc_offset_min != change.utc_offset_min) {
                clock.push(change);
            }
        }
        clock
    }
}

/// `UTC`, `UTC+1`, `UTC+5:30`.
fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A length of time in its two greatest units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`.
pub fn length(ms: u64) -> String {
    let s = ms / 1_000;
    let two = |great: u64, unit: &str, small: u64, of: &str| match small {
        0 => format!("{great} {unit}"),
        small => format!("{great} {unit} {small} {of}"),
    };
    match s {
        s if s < MINUTE_S => format!("{s} s"),
        s if s < HOUR_S => two(s / MINUTE_S, "min", if s < 10 * MINUTE_S { s % MINUTE_S } else { 0 }, "s"),
        s if s < 2 * DAY_S => two(s / HOUR_S, "h", s % HOUR_S / MINUTE_S, "min"),
        s => two(s / DAY_S, "d", s % DAY_S / HOUR_S, "h"),
    }
}

/// A whole number, thousands apart.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push('\u{202f}');
        }
        told.push(digit);
    }
    told
}

/// `1 alarm`, `2 alarms`.
pub fn of(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A number with one digit behind the point below ten, and none from there on or where it would be a zero. What is more than nothing is
/// not told as nothing.
pub fn number(value: f64) -> String {
    if value > 0.0 && value < 0.05 {
        "< 0.1".to_owned()
    } else if value.abs() < 9.95 && (value * 10.0).round() % 10.0 != 0.0 {
        format!("{value:.1}")
    } else {
        count(value.round().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> WallMs {
        WallMs(time.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn malta(from: &str, to: &str) -> Calendar {
        Calendar::new(TimeZone::get("Europe/Malta").unwrap(), &(at(from)..at(to))).unwrap()
    }

    #[test]
    fn a_span_is_told_in_days_where_it_is_made_of_them_and_else_in_moments() {
        for (from, to, want) in [
            ("2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z", "Sat 21 Nov 2026 · 24 h"),
            ("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z", "Mon 16 Nov 2026 – Sun 22 Nov 2026 · 7 d"),
            ("2026-11-21T05:00:00Z", "2026-11-21T13:00:00Z", "Sat 21 Nov 2026, 06:00 – 14:00 · 8 h"),
            ("2026-11-21T21:00:00Z", "2026-11-22T05:00:00Z", "Sat 21 Nov 2026, 22:00 – Sun 22 Nov 2026, 06:00 · 8 h"),
            // A day of 25 hours, and one of 23.
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Sun 25 Oct 2026 · 25 h"),
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "Sun 29 Mar 2026 · 23 h"),
        ] {
            assert_eq!(malta(from, to).span(), want);
        }
    }

    #[test]
    fn a_zone_says_when_its_clocks_change() {
        for (from, to, want) in [
            ("2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z", "Europe/Malta (UTC+1)"),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Malta (UTC+2, UTC+1 from Sun 25 Oct 2026, 02:00)"),
        ] {
            assert_eq!(malta(from, to).zone(), want);
        }
        let utc = Calendar::new(TimeZone::UTC, &(WallMs(0)..WallMs(1))).unwrap();
        assert_eq!((utc.zone().as_str(), offset(330), offset(-210)), ("UTC", "UTC+5:30".into(), "UTC−3:30".into()));
    }

    #[test]
    fn a_moment_names_its_day_where_the_span_does_not() {
        let day = malta("2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z");
        let told = |at_: &str| day.at(at(at_)).into_string();
        assert_eq!(told("2026-11-21T05:00:07Z"), "<time datetime=\"2026-11-21T06:00:07+01:00\">06:00:07</time>");
        assert!(told("2026-11-20T05:00:07Z").contains("20 Nov</span> 06:00:07"), "{}", told("2026-11-20T05:00:07Z"));
    }

    #[test]
    fn what_is_no_span_is_refused_with_a_sentence() {
        let of =
            |from: i64, to: i64| Calendar::new(TimeZone::UTC, &(WallMs(from)..WallMs(to))).err().map(|e| e.to_string());
        for (from, to, want) in [
            (
                0,
                0,
                "there is no time from 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z; the end must lie after the beginning",
            ),
            (
                1_000,
                0,
                "there is no time from 1970-01-01T00:00:01Z to 1970-01-01T00:00:00Z; the end must lie after the beginning",
            ),
            (
                0,
                i64::MAX,
                "9223372036854775807 ms since 1970 is in no calendar; give a time between the years 1 and 9998",
            ),
        ] {
            assert_eq!(of(from, to).as_deref(), Some(want));
        }
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        for (ms, want) in [
            (0, "0 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (900_500, "15 min"),
            (3_600_000, "1 h"),
            (90_000_000, "25 h"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(length(ms), want);
        }
        for (value, want) in [
            (0.0, "0"),
            (0.04, "< 0.1"),
            (0.05, "0.1"),
            (1.84, "1.8"),
            (6.0, "6"),
            (9.96, "10"),
            (1_234.5, "1\u{202f}235"),
        ] {
            assert_eq!(number(value), want);
        }
    }
}
