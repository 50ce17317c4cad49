//! Time of listening, as everything here counts it.

use serde::{Deserialize, Serialize};

use crate::time::MonoMs;

/// Counts while we listen. The monotonic clock means nothing after a restart: what was written down stands still until the next word,
/// as after a lost link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stopwatch {
    gathered_ms: u64,
    #[serde(skip)]
    running_since: Option<MonoMs>,
}

impl Stopwatch {
    pub fn begun(now: MonoMs) -> Stopwatch {
        Stopwatch { gathered_ms: 0, running_since: Some(now) }
    }

    /// Lets it run, whether it stood still or not.
    pub fn run(&mut self, now: MonoMs) {
        self.running_since.get_or_insert(now);
    }

    /// Gathers what it has run, so that this much of it is kept whenever it is written down.
    pub fn gather(&mut self, now: MonoMs) {
        if self.is_running() {
            self.stand_still(now);
            self.running_since = Some(now);
        }
    }

    pub fn stand_still(&mut self, now: MonoMs) {
        if let Some(since) = self.running_since.take() {
            self.gathered_ms = self.gathered_ms.saturating_add(now.since(since));
        }
    }

    /// It ran for so much longer than was written down, but not beyond `most_ms`; and stands still.
    pub fn ran_on(&mut self, for_ms: u64, most_ms: u64) {
        self.running_since = None;
        self.gathered_ms = self.gathered_ms.saturating_add(for_ms).min(most_ms.max(self.gathered_ms));
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running_since.is_some()
    }

    /// How long it has run by now, in milliseconds.
    pub fn ran_ms(&self, now: MonoMs) -> u64 {
        self.gathered_ms.saturating_add(self.running_since.map_or(0, |since| now.since(since)))
    }
}
