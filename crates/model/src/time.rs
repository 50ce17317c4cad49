//! The two clocks, as values (docs/adr/0002-clocks.md).

use serde::{Deserialize, Serialize};

/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z. Goes into records; may jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallMs(pub i64);

/// A moment of the monotonic clock: milliseconds since some start of this process. Never goes back; measures ages and delays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonoMs(pub u64);

/// What a clock port read at one instant. An argument of everything that depends on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// The wall clock, for records.
    pub wall: WallMs,
    /// The monotonic clock, for ages, delays and time-outs.
    pub mono: MonoMs,
}

impl WallMs {
    /// Milliseconds from `earlier` to here; zero when `earlier` lies in the future (the wall clock was set back).
    pub fn since(self, earlier: WallMs) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// This moment moved by `ms` milliseconds, saturating at the ends of time.
    pub fn plus(self, ms: i64) -> WallMs {
        WallMs(self.0.saturating_add(ms))
    }

    /// Whole seconds since the epoch, as shadow documents count (AWS IoT developer guide, "Device Shadow service documents").
    pub fn as_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// A moment from whole seconds since the epoch.
    pub fn from_s(s: i64) -> WallMs {
        WallMs(s.saturating_mul(1000))
    }
}

impl MonoMs {
    /// Milliseconds from `earlier` to here; zero when `earlier` is later.
    pub fn since(self, earlier: MonoMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment moved forward by `ms` milliseconds.
    pub fn plus(self, ms: u64) -> MonoMs {
        MonoMs(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_never_negative_when_the_clock_was_set_back() {
        assert_eq!(WallMs(10).since(WallMs(4)), 6);
        assert_eq!(WallMs(4).since(WallMs(10)), 0);
        assert_eq!(MonoMs(4).since(MonoMs(10)), 0);
    }

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(WallMs(-1).as_s(), -1);
        assert_eq!(WallMs::from_s(3), WallMs(3000));
    }
}
