//! How long to wait before the next try: twice as long each time, with full jitter, so that a city of clients does not come
//! back in step after the broker's restart.

use std::time::Duration;

/// The first wait's ceiling.
const FIRST: Duration = Duration::from_millis(500);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted this long was a good one: the next wait starts small again.
const GOOD: Duration = Duration::from_secs(30);

/// Counts the tries since the last good connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next wait: `roll` (0…1, random) of a ceiling that doubles with every call, from half a second to thirty.
    pub fn next(&mut self, roll: f64) -> Duration {
        let ceiling = FIRST.saturating_mul(2u32.saturating_pow(self.tries)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        ceiling.mul_f64(roll.clamp(0.0, 1.0))
    }

    /// Starts small again if a connection was up for long enough. One that fell at once did not help: hammering goes on being
    /// slowed down.
    pub fn was_up_for(&mut self, lasted: Duration) {
        if lasted >= GOOD {
            self.tries = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_thirty_seconds_and_stay_there() {
        let mut backoff = Backoff::default();
        let ceilings: Vec<u64> = (0..9).map(|_| backoff.next(1.0).as_millis() as u64).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        for _ in 0..100 {
            assert_eq!(backoff.next(1.0), LONGEST, "however long the broker is away");
        }
        assert_eq!(backoff.next(0.0), Duration::ZERO);
        assert_eq!(backoff.next(0.5), Duration::from_secs(15));
    }

    #[test]
    fn only_a_connection_that_lasted_makes_the_wait_small_again() {
        let mut backoff = Backoff::default();
        (0..5).for_each(|_| _ = backoff.next(1.0));
        backoff.was_up_for(Duration::from_secs(29));
        assert_eq!(backoff.next(1.0), Duration::from_secs(16));
        backoff.was_up_for(Duration::from_secs(30));
        assert_eq!(backoff.next(1.0), Duration::from_millis(500));
    }
}
