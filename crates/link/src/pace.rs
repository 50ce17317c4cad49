//! When a connection on which much comes is left alone for a moment, so that the next look finds many messages and not one.
//!
//! Every look at a socket costs two calls of the kernel and, where the listener sleeps, a wake-up, and what it finds goes its own way to
//! a commit and an acknowledgement, which together is several times what a message costs. Where little comes each message is read at
//! once. A broker that sends no more than so many unacknowledged may bring less because of the pauses: then there are none for a while.

use std::time::Duration;

use tokio::time::Instant;

/// How long a busy connection is left alone: little beside the 100 ms between two pictures.
const PAUSE: Duration = Duration::from_millis(10);

/// And a busier one.
const LONG_PAUSE: Duration = Duration::from_millis(20);

/// And one on which so much comes that the system's buffer would be full before that, which stops whoever sends.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// Over how long messages are counted.
const WINDOW: Duration = Duration::from_millis(40);

/// Messages in a window from which on it is busy: 5 000 a second.
const BUSY: u64 = 200;

/// Messages in a window from which on the pause is long: 10 000 a second.
const BUSIER: u64 = 400;

/// Bytes in a window from which on the pause is short: 5 MB a second. A buffer that nobody has widened holds some 200 KB, twice what
/// comes then in a long pause.
const CROWDED_BYTES: u64 = 200_000;

/// Windows with pauses before it is seen again what comes without them: 5 s.
const LOOK_AGAIN_AFTER: u32 = 125;

/// Windows without a pause once it held something back: 1 s.
const REST: u32 = 25;

/// How much came lately.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    came: u64,
    came_bytes: u64,
    /// Whether anything came since the last pause: a look that brought none, because only acknowledgements went out, is not left alone.
    is_new: bool,
    pause: Option<Duration>,
    /// What came in the last window without a pause.
    freely: u64,
    /// Windows until it is thought about anew.
    left: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { since: Instant::now(), came: 0, came_bytes: 0, is_new: false, pause: None, freely: 0, left: 0 }
    }
}

impl Pace {
    /// A message came, this long.
    pub fn count(&mut self, bytes: usize) {
        self.came += 1;
        self.came_bytes += bytes as u64;
        self.is_new = true;
    }

    /// There is nothing more to read now: whether to leave it alone, and for how long.
    pub fn pause(&mut self, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.since);
        if passed >= WINDOW {
            // A window that was long because nothing came is not busy, however much came at its end.
            self.pause = if passed >= 2 * WINDOW {
                self.left = 0;
                None
            } else {
                let in_a_window = |of: u64| of * WINDOW.as_micros() as u64 / (passed.as_micros() as u64).max(1);
                self.next(in_a_window(self.came), in_a_window(self.came_bytes))
            };
            (self.since, self.came, self.came_bytes) = (now, 0, 0);
        }
        self.pause.filter(|_| std::mem::take(&mut self.is_new))
    }

    /// The pause of the next window, after one with so much.
    fn next(&mut self, came: u64, bytes: u64) -> Option<Duration> {
        let wanted = match came {
            ..BUSY => None,
            _ if bytes >= CROWDED_BYTES => Some(SHORT_PAUSE),
            BUSY..BUSIER => Some(PAUSE),
            BUSIER.. => Some(LONG_PAUSE),
        };
        let was_last = self.left <= 1;
        self.left = self.left.saturating_sub(1);
        match self.pause {
            // Less comes, or the pause is why: nothing is lost without it in either case.
            Some(_) if wanted.is_none() || came * 3 < self.freely * 2 => {
                self.left = REST;
                None
            }
            Some(_) if was_last => None,
            Some(_) => wanted,
            None if !was_last => None,
            None => {
                if wanted.is_some() {
                    (self.freely, self.left) = (came, LOOK_AGAIN_AFTER);
                }
                wanted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Look {
        pace: Pace,
        now: Instant,
    }

    impl Look {
        fn new() -> Look {
            let pace = Pace::default();
            Look { now: pace.since, pace }
        }

        /// Looks after so long, in which so many messages of so many bytes came.
        fn after(&mut self, passed: Duration, came: u64, bytes: usize) -> Option<Duration> {
            (0..came).for_each(|_| self.pace.count(bytes));
            self.now += passed;
            self.pace.pause(self.now)
        }
    }

    #[test]
    fn a_connection_is_busy_while_much_comes_and_not_for_a_burst() {
        let mut look = Look::new();
        let mut after = |ms: u64, came: u64| look.after(Duration::from_millis(ms), came, 100);
        assert_eq!(after(1_000, 5_000), None, "a burst after a silence");
        assert_eq!(after(40, 1), None, "a quiet window delays nothing");
        assert_eq!(after(20, 199), None);
        assert_eq!(after(20, 1), Some(PAUSE), "two hundred in 40 ms");
        assert_eq!(after(10, 1), Some(PAUSE), "until the window is over");
        assert_eq!(after(10, 0), None, "nothing came since the last pause");
        assert_eq!(after(40, 420), Some(PAUSE), "five hundred and fifty in 60 ms are three hundred and a half in 40");
        assert_eq!(after(40, 400), Some(LONG_PAUSE));
        assert_eq!(after(40, 2_000), Some(SHORT_PAUSE), "more than a buffer holds for long");
        assert_eq!(after(79, 3_000), Some(LONG_PAUSE));
        assert_eq!(after(80, 4_000), None, "after a silence");
    }

    #[test]
    fn large_messages_fill_a_buffer_sooner() {
        let mut look = Look::new();
        assert_eq!(look.after(WINDOW, 400, 499), Some(LONG_PAUSE));
        assert_eq!(look.after(WINDOW, 400, 500), Some(SHORT_PAUSE));
    }

    /// A broker with so many messages a second to give, `at_once` of which may wait for their acknowledgement, which goes out and brings
    /// the next within two milliseconds where nobody pauses.
    fn came(per_s: u64, at_once: u64, seconds: u64) -> (u64, Duration) {
        let (mut look, mut total, mut paused) = (Look::new(), 0, Duration::ZERO);
        let (mut pause, mut waiting) = (None::<Duration>, 0.0);
        let began = look.now;
        while look.now - began < Duration::from_secs(seconds) {
            // Acknowledgements go out after the pause.
            let passed = Duration::from_millis(2) + pause.unwrap_or_default();
            waiting += per_s as f64 * passed.as_secs_f64();
            let now = (waiting as u64).min(at_once);
            waiting -= now as f64;
            total += now;
            paused += pause.unwrap_or_default();
            pause = look.after(passed, now, 100);
        }
        (total / seconds, paused)
    }

    #[test]
    fn a_broker_that_waits_for_acknowledgements_is_not_slowed_down_and_another_is_left_alone() {
        for (per_s, at_once) in [(10_000, 20), (30_000, 100), (30_000, 300), (30_000, 1_000)] {
            let freely = per_s.min(at_once * 500);
            let (got, _) = came(per_s, at_once, 20);
            assert!(got * 10 >= freely * 9, "{at_once} at once of {per_s} a second: {got} came of {freely}");
        }
        let (got, paused) = came(12_000, 2_000, 20);
        assert!(got > 11_900 && paused > Duration::from_secs(16), "{got} came, {paused:?} of pauses");
    }
}
