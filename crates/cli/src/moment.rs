//! Moments on the command line and in what is printed.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use fleetlens_host::model::time::WallMs;
pub use fleetlens_host::sheet::rfc3339;
use jiff::Timestamp;

/// A moment as a person gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(WallMs),
    /// So long before the program was started.
    Ago(Duration),
}

impl Moment {
    /// `now`, `-2h` (any time `humantime` knows, before now), or RFC 3339 such as `2026-11-21T08:00:00+01:00`.
    pub fn parse(given: &str) -> Result<Moment, String> {
        let wrong = || format!("{given:?} is no time; give 2026-11-21T08:00:00+01:00, -2h or now");
        if given == "now" {
            return Ok(Moment::Ago(Duration::ZERO));
        }
        if let Some(ago) = given.strip_prefix('-') {
            return humantime::parse_duration(ago).map(Moment::Ago).map_err(|_| wrong());
        }
        let at: Timestamp = given.parse().map_err(|_| wrong())?;
        Ok(Moment::At(WallMs(at.as_millisecond())))
    }

    /// The moment itself, seen from `now`.
    pub fn at(self, now: WallMs) -> WallMs {
        match self {
            Moment::At(at) => at,
            Moment::Ago(ago) => WallMs(now.0.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))),
        }
    }
}

/// From one moment to another; fails where there is no time between them.
pub fn span(from: Moment, to: Moment, now: WallMs) -> anyhow::Result<Range<WallMs>> {
    let span = from.at(now)..to.at(now);
    ensure!(
        span.start < span.end,
        "there is no time from {} to {}; --from must lie before --to",
        rfc3339(span.start),
        rfc3339(span.end)
    );
    Ok(span)
}

/// This computer's wall clock; 1970 when it stands before that.
pub fn now() -> WallMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago in one number: `12 s`, `3 min`, `2 h`, `5 d`. What lies ahead of us is `0 s`.
pub fn age(at: WallMs, now: WallMs) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match now.0.saturating_sub(at.0).max(0) / 1_000 {
        s if s < 2 * MINUTE => format!("{s} s"),
        s if s < 2 * HOUR => format!("{} min", s / MINUTE),
        s if s < 2 * DAY => format!("{} h", s / HOUR),
        s => format!("{} d", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_with_its_offset_or_a_time_before_now() {
        let now = WallMs(1_780_000_000_000);
        for (given, want) in [
            ("now", Some(now.0)),
            ("-2h", Some(now.0 - 7_200_000)),
            ("-1day 30min", Some(now.0 - 88_200_000)),
            ("2026-05-28T20:26:40Z", Some(1_780_000_000_000)),
            ("2026-05-28T22:26:40.250+02:00", Some(1_780_000_000_250)),
            ("2h", None),
            ("-soon", None),
            ("2026-05-28", None),
            ("yesterday", None),
        ] {
            assert_eq!(Moment::parse(given).ok().map(|moment| moment.at(now).0), want, "{given}");
        }
        assert_eq!(rfc3339(WallMs(1_780_000_000_250)), "2026-05-28T20:26:40.250Z");
        assert_eq!(rfc3339(WallMs(i64::MAX)), i64::MAX.to_string());
    }

    #[test]
    fn an_age_is_one_number_with_its_unit() {
        for (ms, want) in
            [(-5, "0 s"), (119_999, "119 s"), (120_000, "2 min"), (7_200_000, "2 h"), (172_800_000, "2 d")]
        {
            assert_eq!(age(WallMs(0), WallMs(ms)), want);
        }
    }
}
