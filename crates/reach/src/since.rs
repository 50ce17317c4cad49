//! How long something has lasted, over restarts.

use fleetlens_model::time::{MonoMs, Now, WallMs};
use serde::{Deserialize, Serialize};

/// A stretch of time that began at some moment. While we run it is measured by the monotonic clock, so that setting the wall clock
/// changes nothing; the time between two runs only the wall clock knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    began: WallMs,
    /// What had passed when this run took it over, in milliseconds.
    #[serde(skip)]
    before_ms: u64,
    #[serde(skip)]
    from: MonoMs,
}

impl Since {
    /// It begins now.
    pub(crate) fn new(now: Now) -> Since {
        Since { began: now.wall, before_ms: 0, from: now.mono }
    }

    /// It goes on in another run. A wall clock that was set back before its beginning makes it begin now.
    pub(crate) fn resumed(self, now: Now) -> Since {
        Since { before_ms: now.wall.since(self.began), from: now.mono, ..self }
    }

    /// In milliseconds.
    pub(crate) fn elapsed_ms(&self, now: Now) -> u64 {
        self.before_ms.saturating_add(now.mono.since(self.from))
    }

    /// How long until `length_ms` have passed, in milliseconds.
    pub(crate) fn left_ms(&self, length_ms: u64, now: Now) -> u64 {
        length_ms.saturating_sub(self.elapsed_ms(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(wall: i64, mono: u64) -> Now {
        Now { wall: WallMs(wall), mono: MonoMs(mono) }
    }

    #[test]
    fn time_passes_by_the_monotonic_clock_and_between_runs_by_the_other() {
        let since = Since::new(now(1_000, 50));
        assert_eq!(since.elapsed_ms(now(-9_000, 60)), 10, "the wall clock was set back");
        let kept: Since = serde_json::from_str(&serde_json::to_string(&since).unwrap()).unwrap();
        for (restarted, later, want) in
            [(now(3_000, 0), now(3_000, 5), 2_005), (now(0, 0), now(0, 5), 5), (now(1_000, 7), now(9_999, 7), 0)]
        {
            assert_eq!(kept.resumed(restarted).elapsed_ms(later), want, "{restarted:?}");
        }
        assert_eq!(since.left_ms(100, now(0, 80)), 70);
        assert_eq!(since.left_ms(10, now(0, 80)), 0);
    }
}
