//! Delays that count only while we listen.

use serde::{Deserialize, Serialize};

use super::{Reason, Terms};
use crate::time::MonoMs;

/// What runs towards raising an alarm, or towards clearing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delay {
    /// Towards raising.
    pub raises: bool,
    /// Why, if it raises: what was said last.
    pub reason: Reason,
    /// Listening time so far, in milliseconds, before `running_since`.
    gathered_ms: u64,
    /// The monotonic clock means nothing after a restart: then it stands still until the next word, as after a lost link.
    #[serde(skip)]
    running_since: Option<MonoMs>,
}

impl Delay {
    pub fn begun(raises: bool, reason: Reason, now: MonoMs) -> Delay {
        Delay { raises, reason, gathered_ms: 0, running_since: Some(now) }
    }

    /// Lets it run, whether it stood still or not.
    pub fn run(&mut self, now: MonoMs) {
        self.running_since.get_or_insert(now);
    }

    /// Gathers what it has run, so that this much of it is kept whenever the state is written down.
    pub fn gather(&mut self, now: MonoMs) {
        if self.running_since.is_some() {
            self.stand_still(now);
            self.running_since = Some(now);
        }
    }

    pub fn stand_still(&mut self, now: MonoMs) {
        if let Some(since) = self.running_since.take() {
            self.gathered_ms = self.gathered_ms.saturating_add(now.since(since));
        }
    }

    pub fn is_over(&self, terms: &Terms) -> bool {
        self.running_since.is_some() && self.gathered_ms >= self.length_ms(terms)
    }

    /// How long it still runs; `None` while it stands still.
    pub fn left_ms(&self, terms: &Terms, now: MonoMs) -> Option<u64> {
        let gathered_ms = self.gathered_ms.saturating_add(now.since(self.running_since?));
        Some(self.length_ms(terms).saturating_sub(gathered_ms))
    }

    fn length_ms(&self, terms: &Terms) -> u64 {
        if self.raises { terms.on_delay_ms } else { terms.off_delay_ms }
    }
}
