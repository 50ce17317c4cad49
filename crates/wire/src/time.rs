//! Times as devices write them: seconds or milliseconds since 1970, RFC 3339, or a local time of a zone that the profile names.

use fleetlens_model::time::WallMs;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value as Json;
use thiserror::Error;

use crate::{WireError, json};

/// Seconds and milliseconds since the epoch are told apart here: 10¹¹ ms is March 1973, 10¹¹ s the year 5138.
pub(crate) const MILLISECONDS_FROM: f64 = 1e11;

/// The longest text that is looked at as a time, in bytes; RFC 3339 with nanoseconds has 35.
const TIME_MAX_BYTES: usize = 64;

/// A zone of the IANA time zone database as it was when the program was built, the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Why a text names no zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no time zone {0:?}; write one of the IANA database, such as \"Europe/Madrid\"")]
pub struct ZoneError(String);

impl Default for Zone {
    /// Greenwich's.
    fn default() -> Zone {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of a name such as `Europe/Madrid`.
    pub fn parse(name: &str) -> Result<Zone, ZoneError> {
        TimeZoneDatabase::bundled().get(name).map(Zone).map_err(|_| ZoneError(name.into()))
    }

    /// This machine's; Greenwich's where that is not known.
    pub fn here() -> Zone {
        Zone(TimeZone::system())
    }

    /// How far its clocks are ahead of Greenwich at a moment, in milliseconds; negative where they are behind.
    pub fn ahead_ms(&self, at: WallMs) -> i64 {
        let moment = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(self.0.to_offset(moment).seconds()) * 1_000
    }

    /// The moment of a local time. Of an hour that comes twice, in autumn, the earlier; of one that does not come, in spring,
    /// what a clock means that was not put forward: 02:30 is 03:30.
    pub(crate) fn moment(&self, local: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// What a clock there shows at a moment.
    pub(crate) fn local(&self, moment: Timestamp) -> DateTime {
        self.0.to_datetime(moment)
    }
}

/// A time at a place in a payload; `null` says none.
pub(crate) fn read(value: &Json, at: &str, zone: Option<&Zone>) -> Result<Option<WallMs>, WireError> {
    match value {
        Json::Null => Ok(None),
        Json::Number(number) => match number.as_f64().and_then(moment) {
            Some(moment) => Ok(Some(moment)),
            None => Err(json::wrong(at, value, "a time in seconds or milliseconds since 1970")),
        },
        Json::String(text) => text_time(text, zone).map(Some).map_err(|wanted| json::wrong(at, value, wanted)),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
            Err(json::wrong(at, value, "a time in seconds or milliseconds since 1970, or such as 2026-11-21T08:00:00Z"))
        }
    }
}

/// A time in seconds or milliseconds since 1970.
pub(crate) fn moment(number: f64) -> Option<WallMs> {
    match number {
        ms if (MILLISECONDS_FROM..=9e15).contains(&ms) => Some(WallMs(ms as i64)),
        s if (0.0..MILLISECONDS_FROM).contains(&s) => Some(WallMs((s * 1000.0).round() as i64)),
        _ => None,
    }
}

/// A written time, or what would be one.
fn text_time(text: &str, zone: Option<&Zone>) -> Result<WallMs, &'static str> {
    const WANTED: &str = "a time in seconds or milliseconds since 1970, or such as 2026-11-21T08:00:00Z";
    // A date alone is no time of day, though a calendar would take it for midnight.
    if text.len() > TIME_MAX_BYTES || !text.contains(':') {
        return Err(WANTED);
    }
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) => {
            let local: DateTime = text.parse().map_err(|_| WANTED)?;
            let zone = zone.ok_or(
                "a time with its offset, such as 2026-11-21T08:00:00+01:00, unless the profile names its zone",
            )?;
            zone.moment(local).ok_or(WANTED)?
        }
    };
    let ms = moment.as_millisecond();
    if ms >= 0 { Ok(WallMs(ms)) } else { Err("a time after 1970") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_read_however_it_is_written() {
        let madrid = Zone::parse("Europe/Madrid").unwrap();
        for (name, given, want) in [
            ("seconds", json!(1_700_000_000), Some(1_700_000_000_000)),
            ("seconds with a fraction", json!(1_700_000_000.25), Some(1_700_000_000_250)),
            ("milliseconds", json!(1_700_000_000_123_i64), Some(1_700_000_000_123)),
            ("UTC", json!("2024-02-13T16:32:59.931Z"), Some(1_707_841_979_931)),
            ("an offset is stronger than the zone", json!("2023-03-01T00:08:00-05:00"), Some(1_677_647_280_000)),
            ("local, in winter", json!("2023-03-01T00:08"), Some(1_677_625_680_000)),
            ("local, with a space, in summer", json!("2023-04-30 23:57:00"), Some(1_682_891_820_000)),
            ("the last minute before the gap", json!("2023-03-26T01:59"), Some(1_679_792_340_000)),
            (
                "a local time that does not come is that of a clock not put forward",
                json!("2023-03-26T02:30"),
                Some(1_679_794_200_000),
            ),
            ("the hour that comes twice is the earlier one", json!("2023-10-29T02:30"), Some(1_698_539_400_000)),
            ("nothing", json!(null), None),
        ] {
            assert_eq!(read(&given, "/t", Some(&madrid)).unwrap(), want.map(WallMs), "{name}");
        }
    }

    #[test]
    fn a_zone_knows_how_far_its_clocks_are_ahead() {
        for (zone, at_s, hours) in [
            ("Europe/Malta", 1_700_000_000, 1.0),
            ("Europe/Malta", 1_690_000_000, 2.0),
            ("Asia/Kathmandu", 1_700_000_000, 5.75),
            ("America/New_York", 1_700_000_000, -5.0),
        ] {
            let ahead_ms = Zone::parse(zone).unwrap().ahead_ms(WallMs::from_s(at_s));
            assert_eq!(ahead_ms as f64 / 3_600_000.0, hours, "{zone}");
        }
        assert_eq!(Zone::default().ahead_ms(WallMs(i64::MAX)), 0);
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_would_be_one() {
        for (given, says) in [
            (json!("None"), "is \"None\"; it must be a time in seconds or milliseconds since 1970, or such as 2026"),
            (json!("2023-03-01"), "or such as 2026"),
            (json!("2023-03-01T25:00:00Z"), "or such as 2026"),
            (json!("2023-03-01T00:08"), "unless the profile names its zone"),
            (json!("1969-12-31T23:00:00Z"), "a time after 1970"),
            (json!(-5), "since 1970"),
            (json!(1e300), "since 1970"),
            (json!(true), "since 1970"),
            (json!("1".repeat(3_000) + ":"), "since 1970"),
        ] {
            let error = read(&given, "/t", None).unwrap_err().to_string();
            assert!(error.contains("\"/t\"") && error.contains(says), "{given}: {error}");
        }
        let error = Zone::parse("Europe/Madird").unwrap_err().to_string();
        assert!(error.contains("Europe/Madird") && error.contains("such as \"Europe/Madrid\""), "{error}");
    }
}
