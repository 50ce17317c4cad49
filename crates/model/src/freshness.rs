//! Whether a thing can be believed to be as it last said (docs/adr/0002-clocks.md, "Silence").

use serde::{Deserialize, Serialize};

use crate::time::{MonoMs, Now, WallMs};

/// A thing is silent after this many of its intervals without a word…
pub const SILENT_AFTER_INTERVALS: u64 = 3;

/// …but never sooner than this, in milliseconds.
pub const SILENT_AT_LEAST_MS: u64 = 60_000;

/// What a thing's last word is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Freshness {
    /// It has never said a value.
    Never,
    /// It speaks as often as it should.
    Live,
    /// It should have spoken and did not, while we were listening. Counted from its last word.
    Silent {
        /// Its last word.
        since_ms: WallMs,
    },
    /// We were not listening: our own link is down or has not come up yet.
    Unknown {
        /// When we last could have heard it.
        since_ms: WallMs,
    },
}

/// Whether a thing is there, where something says so: its own last will, its bridge, the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Presence {
    /// It is there.
    Here,
    /// It sleeps, and said so: its silence means nothing until it wakes.
    Asleep,
    /// It is gone: nothing it said can be believed to be so still.
    Gone,
}

/// The silence timer of one thing. It runs only while our own link is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    heard: Option<WallMs>,
    /// Listening time without a word, gathered before `running_since`.
    quiet_ms: u64,
    running_since: Option<MonoMs>,
    silent: bool,
    /// When we stopped listening, until the thing is known again.
    unknown_since: Option<WallMs>,
    /// What was last said of its being there, on this connection.
    presence: Option<Presence>,
    /// Whether anybody ever says so: then only that tells, after we were away.
    is_watched: bool,
}

impl Silence {
    /// A thing from the cache: its last word, whether it was silent, and when we last listened. The timer stands until the link is up.
    pub fn restored(heard: Option<WallMs>, silent: bool, listened: WallMs) -> Silence {
        Silence { heard, silent, unknown_since: Some(listened), ..Silence::default() }
    }

    /// The thing said something live, dated `said`: the timer starts anew. True when it had been silent.
    pub fn heard(&mut self, said: WallMs, now: Now) -> bool {
        self.heard = self.heard.max(Some(said));
        // Who speaks is there, whatever was said of it before.
        self.presence = self.presence.filter(|presence| *presence != Presence::Gone);
        self.quiet_ms = 0;
        self.unknown_since = None;
        if self.running_since.is_some() {
            self.running_since = Some(now.mono);
        }
        std::mem::replace(&mut self.silent, false)
    }

    /// Somebody says whether the thing is there; `said` is when it last said a value, which need not have been live. True when it had
    /// been silent and is not any more.
    pub fn told(&mut self, presence: Presence, said: Option<WallMs>, now: Now) -> bool {
        self.presence = Some(presence);
        self.is_watched = true;
        self.heard = self.heard.max(said);
        if self.running_since.is_some() {
            self.unknown_since = None;
        }
        match presence {
            Presence::Here | Presence::Asleep => {
                self.quiet_ms = 0;
                self.running_since = self.running_since.map(|_| now.mono);
                std::mem::replace(&mut self.silent, false)
            }
            Presence::Gone => false,
        }
    }

    /// Our link came up: the timer runs on, and leaves the thing at least one interval to speak. Until it does it stays unknown,
    /// unless its last word is younger than what would make it silent: then nothing was missed that mattered.
    pub fn link_up(&mut self, interval_ms: u64, now: Now) {
        if self.running_since.is_none() {
            let limit = limit_ms(interval_ms);
            self.quiet_ms = self.quiet_ms.min(limit.saturating_sub(interval_ms.min(limit)));
            self.running_since = Some(now.mono);
            let is_here = matches!(self.presence, Some(Presence::Here | Presence::Asleep));
            let is_young = !self.is_watched && self.heard.is_some_and(|heard| now.wall.since(heard) <= limit);
            if is_here || is_young {
                self.unknown_since = None;
            }
        }
    }

    /// Our link fell: the timer stands still.
    pub fn link_down(&mut self, now: Now) {
        if let Some(since) = self.running_since.take() {
            self.quiet_ms = self.quiet_ms.saturating_add(now.mono.since(since));
            self.unknown_since = self.unknown_since.or(Some(now.wall));
        }
    }

    /// What was said of its being there was said on a connection that is over.
    pub fn forget_presence(&mut self) {
        self.presence = None;
    }

    /// What was last said of its being there, on this connection.
    pub fn presence(&self) -> Option<Presence> {
        self.presence
    }

    /// Looks at the timer; true when the thing has just fallen silent.
    pub fn fell_silent(&mut self, interval_ms: u64, now: Now) -> bool {
        if self.running_since.is_none() {
            return false;
        }
        let quiet_ms = self.quiet_ms(now);
        let is_over = match self.presence {
            Some(Presence::Gone) => true,
            Some(Presence::Asleep) => false,
            Some(Presence::Here) | None => quiet_ms > limit_ms(interval_ms),
        };
        let fell = !self.silent && self.heard.is_some() && is_over;
        self.silent |= fell;
        if fell {
            self.unknown_since = None;
        }
        fell
    }

    /// How long we have listened without a word, in milliseconds.
    pub fn quiet_ms(&self, now: Now) -> u64 {
        self.quiet_ms.saturating_add(self.running_since.map_or(0, |since| now.mono.since(since)))
    }

    /// What the thing's last word is worth.
    pub fn freshness(&self) -> Freshness {
        match (self.heard, self.unknown_since) {
            (None, _) => Freshness::Never,
            (Some(since_ms), _) if self.silent => Freshness::Silent { since_ms },
            (Some(_), Some(since_ms)) => Freshness::Unknown { since_ms },
            (Some(_), None) => Freshness::Live,
        }
    }

    /// When the thing last spoke: its own time where that is believed.
    pub fn last_heard(&self) -> Option<WallMs> {
        self.heard
    }
}

/// How much listening time without a word makes a thing silent.
pub fn limit_ms(interval_ms: u64) -> u64 {
    interval_ms.saturating_mul(SILENT_AFTER_INTERVALS).max(SILENT_AT_LEAST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Now {
        Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1000), mono: MonoMs(s * 1000) }
    }

    const INTERVAL_MS: u64 = 30_000;

    #[test]
    fn silence_is_listening_time_without_a_word() {
        let mut s = Silence::default();
        s.link_up(INTERVAL_MS, at(0));
        assert_eq!(s.freshness(), Freshness::Never);
        s.heard(at(10).wall, at(10));
        assert!(!s.fell_silent(INTERVAL_MS, at(100)));
        assert!(s.fell_silent(INTERVAL_MS, at(101)));
        assert!(!s.fell_silent(INTERVAL_MS, at(200)), "told once");
        assert_eq!(s.freshness(), Freshness::Silent { since_ms: at(10).wall });
        s.heard(at(210).wall, at(210));
        assert_eq!(s.freshness(), Freshness::Live);
    }

    #[test]
    fn the_timer_stands_still_while_our_own_link_is_down() {
        let mut s = Silence::default();
        s.link_up(INTERVAL_MS, at(0));
        s.heard(at(0).wall, at(0));
        s.link_down(at(80));
        assert!(!s.fell_silent(INTERVAL_MS, at(5_000)));
        assert_eq!(s.freshness(), Freshness::Unknown { since_ms: at(80).wall });
        s.link_up(INTERVAL_MS, at(5_000));
        assert!(!s.fell_silent(INTERVAL_MS, at(5_030)), "one interval to speak after we are back");
        assert_eq!(s.freshness(), Freshness::Unknown { since_ms: at(80).wall }, "being back is not yet knowing");
        assert!(s.fell_silent(INTERVAL_MS, at(5_031)));
    }

    #[test]
    fn a_short_loss_leaves_known_what_would_not_have_spoken_meanwhile() {
        let mut s = Silence::default();
        s.link_up(INTERVAL_MS, at(0));
        s.heard(at(0).wall, at(0));
        s.link_down(at(10));
        assert_eq!(s.freshness(), Freshness::Unknown { since_ms: at(10).wall });
        s.link_up(INTERVAL_MS, at(20));
        assert_eq!(s.freshness(), Freshness::Live);
    }

    #[test]
    fn a_silent_thing_is_silent_after_a_restart_until_it_speaks() {
        let mut s = Silence::restored(Some(at(5).wall), true, at(300).wall);
        assert_eq!(s.freshness(), Freshness::Silent { since_ms: at(5).wall });
        s.link_up(INTERVAL_MS, at(400));
        assert_eq!(s.freshness(), Freshness::Silent { since_ms: at(5).wall });
        assert!(s.heard(at(401).wall, at(401)));
        assert_eq!(s.freshness(), Freshness::Live);
    }

    #[test]
    fn losing_the_link_clears_no_silence() {
        let mut s = Silence::default();
        s.link_up(INTERVAL_MS, at(0));
        s.heard(at(0).wall, at(0));
        assert!(s.fell_silent(INTERVAL_MS, at(91)));
        s.link_down(at(92));
        assert_eq!(s.freshness(), Freshness::Silent { since_ms: at(0).wall });
    }

    #[test]
    fn who_is_said_to_be_gone_is_silent_at_once_and_who_sleeps_never() {
        let heard = |presence| {
            let mut s = Silence::default();
            s.link_up(INTERVAL_MS, at(0));
            s.heard(at(1).wall, at(1));
            s.told(presence, None, at(2));
            s
        };
        let mut gone = heard(Presence::Gone);
        assert!(gone.fell_silent(INTERVAL_MS, at(3)));
        assert!(gone.told(Presence::Here, None, at(4)), "it is back");
        assert!(!gone.fell_silent(INTERVAL_MS, at(5)));
        let mut speaks = heard(Presence::Gone);
        speaks.heard(at(3).wall, at(3));
        assert!(!speaks.fell_silent(INTERVAL_MS, at(4)), "who speaks is there");
        assert!(!heard(Presence::Asleep).fell_silent(INTERVAL_MS, at(100_000)));
        assert!(heard(Presence::Here).fell_silent(INTERVAL_MS, at(100_000)));

        let mut lost = heard(Presence::Here);
        lost.link_down(at(1_000));
        lost.forget_presence();
        assert!(matches!(lost.freshness(), Freshness::Unknown { .. }), "what was said before says nothing now");
        let mut early = lost;
        early.told(Presence::Here, None, at(1_999));
        for (mut silence, told) in [(early, true), (lost, false)] {
            silence.link_up(INTERVAL_MS, at(2_000));
            if !told {
                assert!(matches!(silence.freshness(), Freshness::Unknown { .. }));
                silence.told(Presence::Here, None, at(2_001));
            }
            assert_eq!(silence.freshness(), Freshness::Live, "told before our link counted as up: {told}");
        }
    }
}
