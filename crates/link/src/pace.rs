//! When a connection on which much comes is left alone for a moment, so that the next look finds many messages and not one.
//!
//! Every look at a socket costs two calls of the kernel and, where the listener sleeps, a wake-up, which together is several times what
//! a message costs. Where little comes each message is read at once; and where a broker waits for our acknowledgements before it sends
//! more, little comes.

use std::time::Duration;

use tokio::time::Instant;

/// How long a busy connection is left alone: little beside the 100 ms between two pictures. A broker that sends no more than so many
/// unacknowledged brings them this often at most; where those are fewer than [`BUSY`] asks for, the connection is not busy.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Over how long messages are counted.
const WINDOW: Duration = Duration::from_millis(20);

/// Messages in a window from which on it is busy: 5 000 a second.
const BUSY: u32 = 100;

/// How much came lately.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    came: u32,
    is_busy: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { since: Instant::now(), came: 0, is_busy: false }
    }
}

impl Pace {
    /// A message came.
    pub fn count(&mut self) {
        self.came = self.came.saturating_add(1);
    }

    /// There is nothing more to read now: whether to leave it alone.
    pub fn is_busy(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        if passed >= WINDOW {
            // A window that was long because nothing came is not busy, however much came at its end.
            self.is_busy = self.came >= BUSY && passed < 2 * WINDOW;
            (self.since, self.came) = (now, 0);
        }
        self.is_busy
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
            pace.is_busy(now)
        };
        assert!(!look_after(1_000, 5_000), "a burst after a silence");
        assert!(!look_after(10, 99));
        assert!(look_after(10, 1), "a hundred in 20 ms");
        assert!(look_after(5, 0), "until the window is over");
        assert!(!look_after(20, 99));
    }
}
