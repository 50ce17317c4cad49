//! A time as it stands in a payload, moved and written again as it was.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value as Json;

use crate::time::{self, MILLISECONDS_FROM, Zone};

/// The digits of a date, `2026-11-21`, before the `T` or the space.
const DATE_BYTES: usize = 10;

/// A JSON value that is a time, moved by `to` (microseconds since 1970) and written in the same way: a number stays one, in seconds
/// or milliseconds with as many decimals; a text keeps its offset or its zone, its separators and its decimals. `None` for what is
/// no time.
pub fn moved(value: &str, zone: Option<&Zone>, to: impl Fn(i64) -> i64) -> Option<String> {
    let json: Json = serde_json::from_str(value).ok()?;
    // What is no time for who reads the message is none here.
    time::read(&json, "", zone).ok()??;
    match json {
        Json::Number(number) => moved_number(value, number.as_f64()?, to),
        Json::String(text) => moved_text(&text, zone, to).and_then(|text| serde_json::to_string(&text).ok()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn moved_number(written: &str, number: f64, to: impl Fn(i64) -> i64) -> Option<String> {
    let us_each = if number < MILLISECONDS_FROM { 1e6 } else { 1e3 };
    let moved = to((number * us_each).round() as i64) as f64 / us_each;
    // With an exponent nobody can say how many decimals were meant.
    let decimals = written.split_once('.').filter(|_| !written.contains(['e', 'E']));
    let decimals = decimals.map_or(0, |(_, decimals)| decimals.len().min(6));
    Some(if decimals == 0 { format!("{}", moved.floor() as i64) } else { format!("{moved:.decimals$}") })
}

/// [`moved`] for a text that stands without quotation marks.
pub fn moved_text(text: &str, zone: Option<&Zone>, to: impl Fn(i64) -> i64) -> Option<String> {
    let (date, rest) = text.split_at_checked(DATE_BYTES)?;
    let mut rest = rest.chars();
    let separator = rest.next()?;
    let rest = rest.as_str();
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(end)?;
    let local: DateTime = format!("{date}T{clock}").parse().ok()?;
    let moved = if offset.is_empty() {
        let zone = zone?;
        zone.local(Timestamp::from_microsecond(to(zone.moment(local)?.as_microsecond())).ok()?)
    } else {
        let at: Timestamp = text.parse().ok()?;
        let utc = Offset::UTC.to_timestamp(local).ok()?;
        let east_s = i32::try_from(utc.as_second().checked_sub(at.as_second())?).ok()?;
        let moved = Timestamp::from_microsecond(to(at.as_microsecond())).ok()?;
        Offset::from_seconds(east_s).ok()?.to_datetime(moved)
    };
    let mut written = format!("{:04}-{:02}-{:02}{separator}", moved.year(), moved.month(), moved.day());
    written += &format!("{:02}:{:02}", moved.hour(), moved.minute());
    if clock.matches(':').count() > 1 {
        written += &format!(":{:02}", moved.second());
    }
    if let Some(point) = clock.find(['.', ',']) {
        let nanos = format!("{:09}", moved.subsec_nanosecond());
        written += clock.get(point..=point)?;
        written += nanos.get(..(clock.len() - point - 1).min(nanos.len()))?;
    }
    Some(written + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_moved_and_written_as_it_was() {
        let madrid = Zone::parse("Europe/Madrid").unwrap();
        // An hour and a half second.
        let later = |us: i64| us + 3_600_500_000;
        for (given, want) in [
            ("1707841979931", Some("1707845580431")),
            ("1707841979", Some("1707845579")),
            ("1707841979.25", Some("1707845579.75")),
            ("1707841979931.0", Some("1707845580431.0")),
            ("1.707841979931e12", Some("1707845580431")),
            ("\"2024-02-13T16:32:59.931Z\"", Some("\"2024-02-13T17:33:00.431Z\"")),
            ("\"2024-02-13T16:32:59Z\"", Some("\"2024-02-13T17:32:59Z\"")),
            ("\"2024-02-13T16:32:59.5+02:00\"", Some("\"2024-02-13T17:33:00.0+02:00\"")),
            ("\"2024-02-13 23:32:59.931271-0530\"", Some("\"2024-02-14 00:33:00.431271-0530\"")),
            ("\"2023-03-01T00:08\"", Some("\"2023-03-01T01:08\"")),
            ("\"2023-03-01 00:08:30\"", Some("\"2023-03-01 01:08:30\"")),
            ("\"2023-03-26 01:30:00\"", Some("\"2023-03-26 03:30:00\"")), // an hour later, by a clock that was put forward
            ("\"2023-10-29 02:30:00\"", Some("\"2023-10-29 02:30:00\"")), // and by one that was put back
            ("\"None\"", None),
            ("-1", None),
            ("1e300", None),
            ("null", None),
            ("true", None),
        ] {
            assert_eq!(moved(given, Some(&madrid), later).as_deref(), want, "{given}");
        }
        assert_eq!(moved("\"2023-03-01T00:08\"", None, later), None, "of which zone?");
        assert_eq!(moved("\"2024-02-13T16:32:59Z\"", None, |_| i64::MAX), None, "beyond the calendar");
    }
}
