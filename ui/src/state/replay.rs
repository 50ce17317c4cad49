//! The time bar: which moment of the past the window shows, and how it gets to another one.

use fleetlens_ipc::replay::{Moment, ReplayAsk, ReplayDone};
use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use super::Store;
use crate::clock::{set_pace, shown_ms};
use crate::lang::term;

/// Parts in which alarms are counted along the bar.
pub const PARTS: u32 = 240;

/// Which stretch of time the bar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wide {
    /// So many hours.
    Hours(u32),
    /// Everything that the cache holds.
    All,
}

impl Wide {
    /// The choices with their words.
    pub const CHOICES: [(Wide, &'static str); 5] = [
        (Wide::Hours(1), "1 h"),
        (Wide::Hours(6), "6 h"),
        (Wide::Hours(24), "24 h"),
        (Wide::Hours(168), "7 d"),
        (Wide::All, term("All")),
    ];

    /// The one with which a bar over this begins: all of what is little, the last day of what is much.
    fn first((begins, ends): (WallMs, WallMs)) -> Wide {
        match ends.since(begins) / 3_600_000 {
            0 => Wide::All,
            1..6 => Wide::Hours(6),
            6.. => Wide::Hours(24),
        }
    }

    /// From when to when, of what the cache holds: so that `at` is within it, else up to the end.
    pub fn within(self, (begins, ends): (WallMs, WallMs), at: Option<WallMs>) -> (WallMs, WallMs) {
        let Wide::Hours(hours) = self else { return (begins, ends.max(begins.plus(1_000))) };
        let wide_ms = i64::from(hours) * 3_600_000;
        let is_outside = |at: &WallMs| *at < ends.plus(-wide_ms) || *at > ends;
        let to = match at.filter(is_outside) {
            Some(at) => ends.min(at.plus(wide_ms / 2)),
            None => ends,
        };
        (to.plus(-wide_ms), to)
    }
}

/// A stretch that the bar shows, and by which choice.
pub type Held = (Wide, (WallMs, WallMs));

/// Which stretch the bar shows after this one. While the moment lies in it, it stays where it is: the thumb would run away under the pointer.
pub fn held(before: Option<Held>, wide: Wide, span: (WallMs, WallMs), at: Option<WallMs>) -> Held {
    let stays = |(by, (from, to)): &Held| *by == wide && at.is_some_and(|at| at >= *from && at <= *to);
    before.filter(stays).unwrap_or_else(|| (wide, wide.within(span, at)))
}

/// The state of the bar. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Replay {
    /// Whether the bar is there.
    pub open: RwSignal<bool>,
    /// The moment that is shown; `None` for the present.
    pub moment: RwSignal<Option<Moment>>,
    /// From when on the cache holds something, and the present, as they were told last; `None` where it holds nothing or that is not known.
    pub span: RwSignal<Option<(WallMs, WallMs)>>,
    /// Which stretch the bar shows.
    pub wide: RwSignal<Wide>,
    /// The moment that was asked for and is not there yet.
    pub wanted: RwSignal<Option<WallMs>>,
    /// A question is out.
    asking: StoredValue<bool>,
}

impl Replay {
    pub(super) fn new() -> Replay {
        Replay {
            open: RwSignal::new(false),
            moment: RwSignal::new(None),
            span: RwSignal::new(None),
            wide: RwSignal::new(Wide::Hours(6)),
            wanted: RwSignal::new(None),
            asking: StoredValue::new(false),
        }
    }

    /// Whether what is shown is the past; tracked.
    pub fn is_past(self) -> bool {
        self.moment.with(Option::is_some)
    }
}

impl Store {
    /// Asks how far back the cache reaches.
    pub fn ask_for_span(self) {
        self.ask_replay(ReplayAsk::Span, move |done| {
            if let ReplayDone::Span(span) = done {
                if let Some(known) = span.filter(|_| self.replay.span.with_untracked(Option::is_none)) {
                    self.replay.wide.set(Wide::first(known));
                }
                self.replay.span.set(span);
            }
        });
    }

    /// Asks how many alarms were raised along a stretch; `then` is called with as many counts as there are [`PARTS`].
    pub fn ask_for_raised(self, (from_ms, to_ms): (WallMs, WallMs), then: impl FnOnce(Vec<u32>) + 'static) {
        self.ask_replay(ReplayAsk::Raised { from_ms, to_ms, parts: PARTS }, |done| {
            if let ReplayDone::Raised(counts) = done {
                then(counts);
            }
        });
    }

    /// Shows the city as it was then. While one moment is on its way only the last of those that are asked for meanwhile is asked for.
    pub fn seek_moment(self, at: WallMs) {
        self.hold(false, shown_ms());
        self.replay.wanted.set(Some(at));
        if self.replay.asking.get_value() {
            return;
        }
        self.replay.asking.set_value(true);
        let pick = |done| if let Done::Replay(done) = done { Some(done) } else { None };
        self.ask_for(Intent::Replay(ReplayAsk::Seek(at)), pick, move |outcome| self.sought(at, outcome));
    }

    fn sought(self, at: WallMs, outcome: Result<ReplayDone, Fault>) {
        self.replay.asking.set_value(false);
        match outcome {
            Ok(ReplayDone::Shown(moment)) => self.take_moment(Some(moment)),
            Ok(ReplayDone::Span(_) | ReplayDone::Raised(_) | ReplayDone::Now) => {}
            // Somebody went back to now meanwhile.
            Err(fault) if fault.code == FaultCode::TooLate => {}
            Err(fault) => {
                self.replay.wanted.set(None);
                self.notify(fault.message);
                return;
            }
        }
        match self.replay.wanted.get_untracked() {
            Some(next) if next != at => self.seek_moment(next),
            Some(_) | None => self.replay.wanted.set(None),
        }
    }

    /// Goes on so many times faster than life; 0 stands still.
    pub fn play_past(self, speed: u16) {
        self.ask_replay(ReplayAsk::Play(speed), move |done| {
            if let ReplayDone::Shown(moment) = done {
                self.take_moment(Some(moment));
            }
        });
    }

    /// Shows the city as it is.
    pub fn back_to_now(self) {
        self.replay.wanted.set(None);
        self.ask_replay(ReplayAsk::Now, move |_| {
            self.take_moment(None);
            self.ask_for_span();
        });
    }

    /// Shows the time bar, or takes it away: that does not lead out of the past.
    pub fn turn_replay(self) {
        self.replay.open.update(|open| *open = !*open);
    }

    pub(super) fn take_moment(self, moment: Option<Moment>) {
        let speed = |moment: Option<Moment>| moment.map_or(1.0, |moment| f64::from(moment.speed));
        let before = self.replay.moment.get_untracked();
        if before.is_some() != moment.is_some() || speed(before).to_bits() != speed(moment).to_bits() {
            set_pace(speed(moment));
        }
        if before != moment {
            self.small.show_moment(moment.map(|moment| moment.at_ms));
            self.replay.moment.set(moment);
        }
    }

    fn ask_replay(self, ask: ReplayAsk, then: impl FnOnce(ReplayDone) + 'static) {
        let pick = |done| if let Done::Replay(done) = done { Some(done) } else { None };
        self.ask_for(Intent::Replay(ask), pick, move |outcome| match outcome {
            Ok(done) => then(done),
            Err(fault) => self.notify(fault.message),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_stays_where_it_is_while_the_moment_is_on_it() {
        let hours = |from: i64, to: i64| (WallMs(from * 3_600_000), WallMs(to * 3_600_000));
        let (wide, span) = (Wide::Hours(6), hours(0, 100));
        let before = (wide, hours(40, 46));
        for (name, choice, at, want) in [
            ("near its end", wide, Some(46), (40, 46)),
            ("played out of it", wide, Some(50), (47, 53)),
            ("another choice", Wide::Hours(24), Some(42), (30, 54)),
            ("back to now", wide, None, (94, 100)),
        ] {
            let (_, got) = held(Some(before), choice, span, at.map(|h| WallMs(h * 3_600_000)));
            assert_eq!(got, hours(want.0, want.1), "{name}");
        }
    }

    #[test]
    fn the_bar_ends_now_and_moves_to_a_moment_that_lies_outside_of_it() {
        const H: i64 = 3_600_000;
        let span = (WallMs(0), WallMs(100 * H));
        for (name, wide, at, want) in [
            ("the last hours", Wide::Hours(6), None, (94, 100)),
            ("a moment in them", Wide::Hours(6), Some(95), (94, 100)),
            ("one before them", Wide::Hours(6), Some(50), (47, 53)),
            ("everything", Wide::All, Some(50), (0, 100)),
            ("longer than there is anything", Wide::Hours(168), Some(5), (-68, 100)),
        ] {
            let (from, to) = wide.within(span, at.map(|h| WallMs(h * H)));
            assert_eq!((from.0 / H, to.0 / H), want, "{name}");
        }
    }
}
