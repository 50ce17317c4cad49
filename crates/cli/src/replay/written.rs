//! A time as it stands in a payload, moved and written again as it was.

use jiff::Timestamp;
use jiff::tz::Offset;

/// From here on a number counts milliseconds since the epoch, below it seconds, as `wire` tells them apart.
const MILLISECONDS_FROM: f64 = 1e11;

/// The highest number that can be a time.
const NUMBER_MAX: f64 = 9e15;

/// A JSON value that is a time, moved by `to` (epoch microseconds) and written in the same way: a number stays one, in seconds or
/// milliseconds with as many decimals; a text as RFC 3339 keeps its zone and its decimals. `None` for what is no such time.
pub fn moved(value: &str, to: impl Fn(i64) -> i64) -> Option<String> {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => moved_text(text, to).map(|text| format!("\"{text}\"")),
        None => moved_number(value, to),
    }
}

fn moved_number(value: &str, to: impl Fn(i64) -> i64) -> Option<String> {
    let number: f64 = value.parse().ok()?;
    let us_each = if (0.0..MILLISECONDS_FROM).contains(&number) {
        1e6
    } else if (MILLISECONDS_FROM..=NUMBER_MAX).contains(&number) {
        1e3
    } else {
        return None;
    };
    let moved = to((number * us_each).round() as i64) as f64 / us_each;
    // With an exponent nobody can say how many decimals were meant.
    let decimals = value.split_once('.').map_or(0, |(_, decimals)| decimals.len()).min(6);
    let whole = decimals == 0 || value.contains(['e', 'E']);
    Some(if whole { format!("{}", moved.floor() as i64) } else { format!("{moved:.decimals$}") })
}

fn moved_text(text: &str, to: impl Fn(i64) -> i64) -> Option<String> {
    let at: Timestamp = text.parse().ok()?;
    let moved = Timestamp::from_microsecond(to(at.as_microsecond())).ok()?;
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    let written = match offset(text)? {
        None => format!("{moved:.decimals$}"),
        Some(offset) => format!("{:.decimals$}", moved.display_with_offset(offset)),
    };
    // A space instead of the T is as good (RFC 3339, 5.6).
    Some(if text.contains(' ') { written.replacen('T', " ", 1) } else { written })
}

/// The zone at the end of an RFC 3339 time: `None` for `Z`.
#[expect(clippy::option_option, reason = "no zone, Z, and another are three cases")]
fn offset(text: &str) -> Option<Option<Offset>> {
    if text.ends_with(['Z', 'z']) {
        return Some(None);
    }
    let at = text.rfind(['+', '-'])?;
    let digits: String = text.get(at + 1..)?.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes * 60;
    Offset::from_seconds(if text.get(at..)?.starts_with('-') { -seconds } else { seconds }).ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_moved_and_written_as_it_was() {
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
            ("\"2024-02-13 23:32:59.931271-05:30\"", Some("\"2024-02-14 00:33:00.431271-05:30\"")),
            ("\"2024-02-13T16:32:59\"", None), // of which zone?
            ("\"None\"", None),
            ("-1", None),
            ("1e300", None),
            ("null", None),
            ("{\"a\":1}", None),
        ] {
            assert_eq!(moved(given, later).as_deref(), want, "{given}");
        }
    }
}
