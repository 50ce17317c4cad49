//! When a connection on which much comes is left alone for a moment, so that the next look finds many messages and not one.
//!
//! Every look at a socket costs two calls of the kernel and, where the listener sleeps, a wake-up, which together is several times what
//! a message costs. Where little comes each message is read at once. So it is where the sender waits for us: because the system's buffer
//! is full (after a night away all of it comes at once), or because it sends no more than so many unacknowledged (Mosquitto by itself
//! twenty). It would send so many a pause and no more, however fast it could be. That is found by a short pause now and then: after one
//! a steady sender has sent a tenth, a waiting one as much as ever.

use std::time::Duration;

use tokio::time::Instant;

/// How long a busy connection is left alone: little beside the 100 ms between two pictures.
const PAUSE: Duration = Duration::from_millis(10);

/// And a busier one: what every look costs, on its whole way to a commit and its acknowledgement, is shared by twice as many.
const LONG_PAUSE: Duration = Duration::from_millis(20);

/// And one on which so much comes that the system's buffer would be full before that.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// Over how long messages are counted.
const WINDOW: Duration = Duration::from_millis(40);

/// Messages in a window from which on it is busy: 5 000 a second.
const BUSY: u32 = 200;

/// Messages in a window from which on the pause is long: 10 000 a second.
const BUSIER: u32 = 400;

/// Messages in a window from which on the pause is short: 50 000 a second. A buffer that nobody has widened holds some 200 KB.
const CROWDED: u32 = 2_000;

/// How long the pause is that tries whether the sender waits for us.
const TRIAL: Duration = Duration::from_millis(2);

/// Pauses from one trial to the next.
const TRIAL_EVERY: u32 = 64;

/// Trials in a row by which a sender is held for one that waits: once may be chance.
const FOUND_WAITING: u32 = 5;

/// How long a sender that waits for us is not kept waiting.
const REST: Duration = Duration::from_secs(4);

/// How much came lately.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    came: u32,
    pause: Option<Duration>,
    /// Messages since the last look.
    looked: u32,
    /// The last look was after a pause that says something.
    paused: bool,
    /// Full pauses since the last trial.
    untried: u32,
    /// The next pause, or the last one that brought nothing yet, is a trial.
    trying: bool,
    /// What the last full pause brought.
    full: u32,
    /// Trials in a row that brought as much.
    waiting: u32,
    rest_until: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            since: Instant::now(),
            came: 0,
            pause: None,
            looked: 0,
            untried: TRIAL_EVERY - 1,
            paused: false,
            trying: false,
            full: 0,
            waiting: 0,
            rest_until: None,
        }
    }
}

impl Pace {
    /// A message came.
    pub fn count(&mut self) {
        self.came = self.came.saturating_add(1);
        self.looked = self.looked.saturating_add(1);
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
        let brought = std::mem::take(&mut self.looked);
        if brought > 0 && self.paused {
            self.learn(brought, now);
        }
        let pause = self.pause.filter(|_| self.rest_until.is_none_or(|until| until <= now));
        self.paused = pause.is_some_and(|pause| pause > SHORT_PAUSE);
        if self.paused && self.trying { Some(TRIAL) } else { pause }
    }

    /// What a pause brought says whether the sender waits, and whether the next one is to try that.
    fn learn(&mut self, brought: u32, now: Instant) {
        if !self.trying {
            self.full = brought;
            self.untried += 1;
            // After a suspicious one the next but one tries again.
            self.trying = self.waiting > 0 || self.untried >= TRIAL_EVERY;
            return;
        }
        let as_much = brought.abs_diff(self.full) <= self.full / 8;
        self.waiting = if as_much { self.waiting + 1 } else { 0 };
        (self.trying, self.untried) = (false, 0);
        if self.waiting >= FOUND_WAITING {
            // When it is left alone again, that is tried soon.
            (self.waiting, self.untried) = (0, TRIAL_EVERY - 1);
            self.rest_until = Some(now + REST);
        }
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
        assert_eq!(look_after(20, 400), Some(TRIAL), "soon it is tried whether the sender waits");
        assert_eq!(look_after(20, 40), Some(LONG_PAUSE), "it does not; four hundred in 40 ms");
        assert_eq!(look_after(20, 0), Some(LONG_PAUSE), "until the window is over");
        assert_eq!(look_after(20, 2_000), Some(SHORT_PAUSE), "more than a buffer holds for long");
        assert_eq!(look_after(79, 1_999), Some(LONG_PAUSE));
        assert_eq!(look_after(40, 199), None);
        assert_eq!(look_after(80, 2_000), None, "after a silence");
    }

    /// Ten seconds of a sender: what it has ready after so long, given what it sent before the last look. How many came, and how many
    /// looks it took.
    fn ten_seconds(mut ready: impl FnMut(Duration) -> u32) -> (u32, u32) {
        /// What a look without a pause takes, at least.
        const LOOK: Duration = Duration::from_micros(300);
        let mut pace = Pace::default();
        let start = pace.since;
        let (mut now, mut came, mut looks) = (start, 0, 0);
        while now < start + Duration::from_secs(10) {
            let alone = pace.pause(now).unwrap_or_default() + LOOK;
            now += alone;
            let brought = ready(alone);
            (0..brought).for_each(|_| pace.count());
            came += brought;
            looks += 1;
        }
        (came, looks)
    }

    #[test]
    fn a_steady_sender_is_left_alone_nearly_always() {
        for per_s in [6_000.0, 12_000.0, 40_000.0] {
            let mut owed = 0.0;
            let (came, looks) = ten_seconds(|alone| {
                owed += alone.as_secs_f64() * per_s;
                let brought = owed as u32;
                owed -= f64::from(brought);
                brought
            });
            assert!(f64::from(came) > 9.9 * per_s, "{came} of {per_s} a second");
            assert!(looks < 1_400, "{looks} looks at {per_s} a second");
        }
    }

    #[test]
    fn a_sender_that_waits_for_us_is_hardly_kept_waiting() {
        // So many at most before a look: twenty unacknowledged, a thousand, a full buffer.
        for most in [20, 350, 1_000] {
            let (came, _) = ten_seconds(|_| most);
            let best = f64::from(most) * 10.0 / 300e-6;
            assert!(
                f64::from(came) > 0.85 * best || f64::from(came) > 2_500_000.0,
                "{came} of {best} with {most} at most"
            );
        }
    }
}
