//! How much of a sample is looked at: a person waits for the answer, and a stranger chose how much there is to look at.

use std::time::{Duration, Instant};

/// So many messages, and so much time. A copy is a budget of its own, with the same end.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    messages: usize,
    until: Instant,
}

impl Budget {
    /// From now on.
    pub fn new(messages: usize, time: Duration) -> Budget {
        Budget { messages, until: Instant::now() + time }
    }

    /// Takes one message of it; `false` once there is nothing left.
    pub fn take(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        self.messages -= 1;
        true
    }

    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.messages == 0 || Instant::now() >= self.until
    }

    /// The same messages in half the time: what is left of the other half is for who comes after.
    pub fn half(self) -> Budget {
        let now = Instant::now();
        Budget { until: now + self.until.saturating_duration_since(now) / 2, ..self }
    }
}

#[cfg(test)]
impl Budget {
    /// More than any test needs.
    pub fn ample() -> Budget {
        Budget::new(usize::MAX, Duration::from_secs(600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_with_its_messages_or_its_time() {
        let mut two = Budget::new(2, Duration::from_secs(600));
        assert_eq!([two.take(), two.take(), two.take()], [true, true, false]);
        assert!(two.is_over());
        let mut late = Budget::new(2, Duration::ZERO);
        assert!(late.is_over() && !late.take());
        assert!(!Budget::ample().half().is_over());
    }
}
