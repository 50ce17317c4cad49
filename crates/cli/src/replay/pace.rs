//! How the time of a recording passes while it is played.

use std::time::Duration;

use fleetlens_host::model::time::WallMs;

/// No pause is longer: a recording that waits a year has a time that is none.
const PAUSE_MAX_MS: f64 = 365.0 * 86_400_000.0;

/// How fast the time of the recording passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast.
    Times(f64),
    /// As fast as the broker takes it.
    Max,
}

impl Speed {
    /// `10x`, `10`, `0.5x` or `max`.
    pub fn parse(given: &str) -> Result<Speed, String> {
        if given == "max" {
            return Ok(Speed::Max);
        }
        let times: Option<f64> = given.strip_suffix('x').unwrap_or(given).parse().ok();
        times
            .filter(|times| times.is_finite() && *times > 0.0)
            .map(Speed::Times)
            .ok_or_else(|| format!("{given:?} is no speed; give 1x, 10x, 0.5x or max"))
    }
}

/// Where the moments of a recording come to lie.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    speed: Speed,
    first: WallMs,
    last: WallMs,
    began: WallMs,
}

impl Pace {
    /// A recording from `first` to `last`, played from `began` on.
    pub fn new(speed: Speed, first: WallMs, last: WallMs, began: WallMs) -> Pace {
        Pace { speed, first, last, began }
    }

    /// When a message that came then is to go out, after the beginning; at once where time goes back.
    pub fn due(self, at: WallMs) -> Duration {
        match self.speed {
            Speed::Times(times) => {
                let after_ms = at.0.saturating_sub(self.first.0) as f64 / times;
                Duration::from_secs_f64(after_ms.clamp(0.0, PAUSE_MAX_MS) / 1_000.0)
            }
            Speed::Max => Duration::ZERO,
        }
    }

    /// A moment of the recording, in epoch microseconds, where it comes to lie. Played ten times as fast, time runs ten times as
    /// fast: an age in the payload shrinks with it, nothing comes from the future, and of two moments the earlier stays the earlier.
    /// Without a pause there would be no time left between them; then everything keeps its distance, and the end is now.
    pub fn moved_us(self, at_us: i64) -> i64 {
        let (anchor, times) = match self.speed {
            Speed::Times(times) => (self.first, times),
            Speed::Max => (self.last, 1.0),
        };
        let after_us = at_us.saturating_sub(anchor.0.saturating_mul(1_000)) as f64 / times;
        self.began.0.saturating_mul(1_000).saturating_add(after_us.round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_given_as_people_say_it() {
        for (given, want) in [
            ("1x", Some(Speed::Times(1.0))),
            ("10", Some(Speed::Times(10.0))),
            ("0.5x", Some(Speed::Times(0.5))),
            ("max", Some(Speed::Max)),
            ("0x", None),
            ("-1x", None),
            ("infx", None),
            ("NaN", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(Speed::parse(given).ok(), want, "{given}");
        }
    }

    #[test]
    fn messages_are_due_at_their_distance_and_times_run_as_fast_as_they_do() {
        let pace = |speed| Pace::new(speed, WallMs(1_000_000), WallMs(1_060_000), WallMs(9_000_000));
        for (speed, due_ms, moved_ms) in [
            (Speed::Times(1.0), 30_000, 9_029_500),
            (Speed::Times(10.0), 3_000, 9_002_950),
            (Speed::Times(0.5), 60_000, 9_059_000),
            (Speed::Max, 0, 8_969_500),
        ] {
            let pace = pace(speed);
            assert_eq!(pace.due(WallMs(1_030_000)), Duration::from_millis(due_ms), "{speed:?}");
            assert_eq!(pace.moved_us(1_029_500_000), moved_ms * 1_000, "half a second before it came, {speed:?}");
            assert_eq!(pace.due(WallMs(0)), Duration::ZERO, "time goes back, {speed:?}");
            assert!(pace.due(WallMs(i64::MAX)) <= Duration::from_millis(PAUSE_MAX_MS as u64), "{speed:?}");
        }
        let now_us = pace(Speed::Times(1.0)).moved_us(1_707_841_979_931_123);
        assert_eq!(now_us - 9_000_000_000, 1_707_841_979_931_123 - 1_000_000_000, "to the microsecond");
    }
}
