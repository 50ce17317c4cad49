//! When a connection on which much comes is left alone for a moment, so that the next look finds many messages and not one.
//!
//! Every look at a socket costs two calls of the kernel and, where the listener sleeps, a wake-up, which together is several times what
//! a message costs. Where little comes each message is read at once; and where a broker waits for our acknowledgements before it sends
//! more, little comes.

use std::time::Duration;

use tokio::time::Instant;

/// How long a busy connection is left alone: little beside the 100 ms between two pictures. A broker that sends no more than so many
/// unacknowledged brings them this often at most; where those are fewer than [`BUSY`] asks for, the connection is not busy.
const PAUSE: Duration = Duration::from_millis(10);

/// And a busier one: what every look costs, on its whole way to a commit and its acknowledgement, is shared by twice as many.
const LONG_PAUSE: Duration = Duration::from_millis(20);

/// And one on which so much comes that the system's buffer would be full before that, which stops whoever sends.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// Over how long messages are counted.
const WINDOW: Duration = Duration::from_millis(40);

/// Messages in a window from which on it is busy: 5 000 a second.
const BUSY: u32 = 200;

/// Messages in a window from which on the pause is long: 10 000 a second.
const BUSIER: u32 = 400;

/// Messages in a window from which on the pause is short: 50 000 a second. A buffer that nobody has widened holds some 200 KB.
const CROWDED: u32 = 2_000;

/// How much came lately.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    came: u32,
    pause: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { since: Instant::now(), came: 0, pause: None }
    }
}

impl Pace {
    /// A message came.
    pub fn count(&mut self) {
        self.came = self.came.saturating_add(1);
    }

    /// There is nothing more to read now: whether to leave it alone, and for how long.
    pub fn pause(&mut self, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.since);
        if passed >= WINDOW {
            // A window that was long because nothing came is not busy, however much came at its end.
            self.pause = match self.came {
                _ if passed >= 2 * WINDOW => None,
                ..BUSY => None,
                BUSY..BUSIER => Some(PAUSE),
                BUSIER..CROWDED => Some(LONG_PAUSE),
                CROWDED.. => Some(SHORT_PAUSE),
            };
            (self.since, self.came) = (now, 0);
        }
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_busy_while_much_comes_and_not_for_a_burst() {
        let mut pace = Pace::default();
        let mut now = pace.since;
        let mut look_after = |ms: u64, came: u32| {
            (0..came).for_each(|_| pace.count());
            now += Duration::from_millis(ms);
            pace.pause(now)
        };
        assert_eq!(look_after(1_000, 5_000), None, "a burst after a silence");
        assert_eq!(look_after(20, 199), None);
        assert_eq!(look_after(20, 1), Some(PAUSE), "two hundred in 40 ms");
        assert_eq!(look_after(10, 0), Some(PAUSE), "until the window is over");
        assert_eq!(look_after(40, 199), None);
        assert_eq!(look_after(40, 399), Some(PAUSE));
        assert_eq!(look_after(40, 400), Some(LONG_PAUSE), "four hundred in 40 ms");
        assert_eq!(look_after(40, 2_000), Some(SHORT_PAUSE), "more than a buffer holds for long");
        assert_eq!(look_after(79, 1_999), Some(LONG_PAUSE));
        assert_eq!(look_after(80, 2_000), None, "after a silence");
    }
}
