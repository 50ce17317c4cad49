//! Delays that count only while we listen.

use serde::{Deserialize, Serialize};

use super::{Reason, Terms};
use crate::alarm::stopwatch::Stopwatch;
use crate::time::MonoMs;

/// What runs towards raising an alarm, or towards clearing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delay {
    /// Towards raising.
    pub raises: bool,
    /// Why, if it raises: what was said last.
    pub reason: Reason,
    pub watch: Stopwatch,
}

impl Delay {
    pub fn begun(raises: bool, reason: Reason, now: MonoMs) -> Delay {
        Delay { raises, reason, watch: Stopwatch::begun(now) }
    }

    pub fn is_over(&self, terms: &Terms, now: MonoMs) -> bool {
        self.left_ms(terms, now) == Some(0)
    }

    /// How long it still runs; `None` while it stands still.
    pub fn left_ms(&self, terms: &Terms, now: MonoMs) -> Option<u64> {
        let length_ms = if self.raises { terms.on_delay_ms } else { terms.off_delay_ms };
        self.watch.is_running().then(|| length_ms.saturating_sub(self.watch.ran_ms(now)))
    }
}
