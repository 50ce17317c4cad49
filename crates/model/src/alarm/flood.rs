//! Floods: more alarms than one person can take in.
//!
//! More than 10 new alarms in 10 minutes begin one, fewer than 5 in 10 minutes end it (ISA-18.2, EEMUA 191). Only what people
//! are told of counts, and only when it becomes news: whoever hides an alarm, or tells of one again, decides that before.

use std::collections::VecDeque;
use std::ops::Range;

use crate::time::WallMs;

/// When a flood begins, and when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// More than so many begin one; at least 1.
    pub begins_above: usize,
    /// Fewer than so many end it; from 1 to [`Limits::begins_above`].
    pub ends_below: usize,
    /// In how long they are counted, in milliseconds.
    pub within_ms: u64,
}

impl Default for Limits {
    /// More than 10, fewer than 5, in 10 minutes.
    fn default() -> Limits {
        Limits { begins_above: 10, ends_below: 5, within_ms: 600_000 }
    }
}

/// What a moment changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is a flood from now on.
    Began,
    /// There is none any more.
    Ended,
}

/// Whether there is a flood. It remembers the moments of the newest alarms, no more than begin one.
///
/// It measures by the wall clock, so that what a cache knows can be told to it. Where that clock is set back everything remembered goes
/// with it and keeps its age; where it jumps ahead everything is older, and a flood may end early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flood {
    limits: Limits,
    /// When the newest were told, rising.
    newest: VecDeque<WallMs>,
    now: WallMs,
    since: Option<WallMs>,
    told: u64,
}

impl Default for Flood {
    fn default() -> Flood {
        Flood::new(Limits::default())
    }
}

impl Flood {
    /// None yet. Limits that contradict each other are put right: see the ranges of [`Limits`].
    pub fn new(limits: Limits) -> Flood {
        let begins_above = limits.begins_above.max(1);
        let ends_below = limits.ends_below.clamp(1, begins_above);
        let limits = Limits { begins_above, ends_below, ..limits };
        Flood { limits, newest: VecDeque::new(), now: WallMs::default(), since: None, told: 0 }
    }

    /// An alarm was told at `at`, and it is `now`. One of before may be told late, after a restart for example: it counts where it
    /// belongs. One that lies ahead of us is one of now.
    pub fn told(&mut self, at: WallMs, now: WallMs) -> Option<Turn> {
        let ended = self.time_passed(now);
        let at = at.min(now);
        if now.since(at) >= self.limits.within_ms {
            return ended;
        }
        let place = self.newest.partition_point(|earlier| *earlier <= at);
        self.newest.insert(place, at);
        if self.newest.len() > self.limits.begins_above.saturating_add(1) {
            self.newest.pop_front();
        }
        self.told = self.told.saturating_add(u64::from(self.since.is_some()));
        if self.since.is_none() && self.newest.len() > self.limits.begins_above {
            self.since = Some(now);
            self.told = u64::try_from(self.newest.len()).unwrap_or(u64::MAX);
            return Some(Turn::Began);
        }
        ended
    }

    /// It is `now`. Needs to be said whenever somebody looks; [`Flood::until`] says when it can matter.
    pub fn time_passed(&mut self, now: WallMs) -> Option<Turn> {
        let back_ms = i64::try_from(self.now.since(now)).unwrap_or(i64::MAX);
        if back_ms > 0 {
            self.newest.iter_mut().chain(&mut self.since).for_each(|at| *at = at.plus(back_ms.saturating_neg()));
        }
        self.now = now;
        while self.newest.front().is_some_and(|at| now.since(*at) >= self.limits.within_ms) {
            self.newest.pop_front();
        }
        if self.since.is_some() && self.newest.len() < self.limits.ends_below {
            (self.since, self.told) = (None, 0);
            return Some(Turn::Ended);
        }
        None
    }

    /// Since when there is one; `None` while there is none.
    pub fn since(&self) -> Option<WallMs> {
        self.since
    }

    /// How many alarms it has had, those that began it included; 0 while there is none.
    pub fn count(&self) -> u64 {
        self.told
    }

    /// When it is over unless more is told; `None` while there is none.
    pub fn until(&self) -> Option<WallMs> {
        self.since?;
        let last = self.newest.len().checked_sub(self.limits.ends_below)?;
        self.newest.get(last).map(|at| at.plus(i64::try_from(self.limits.within_ms).unwrap_or(i64::MAX)))
    }
}

/// The floods of a past, each from its beginning to its end, in the order of time, without those that lie outside of `span` and cut to
/// it. `told` is in any order, and should begin ten minutes before the span.
pub fn floods(told: impl IntoIterator<Item = WallMs>, span: &Range<WallMs>, limits: Limits) -> Vec<Range<WallMs>> {
    let mut told: Vec<WallMs> = told.into_iter().filter(|at| *at < span.end).collect();
    told.sort_unstable();
    let mut flood = Flood::new(limits);
    let mut found = Vec::new();
    let mut over = |flood: &Flood, now: WallMs| {
        if let Some((since, until)) = flood.since().zip(flood.until().filter(|until| *until <= now)) {
            found.push(since..until);
        }
    };
    for at in told {
        over(&flood, at);
        flood.told(at, at);
    }
    over(&flood, WallMs(i64::MAX));
    let cut = |flood: Range<WallMs>| flood.start.max(span.start)..flood.end.min(span.end);
    found.into_iter().map(cut).filter(|flood| flood.start < flood.end).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn told_at(minutes: &[i64]) -> Flood {
        let mut flood = Flood::default();
        for minute in minutes {
            flood.told(WallMs(minute * MINUTE), WallMs(minute * MINUTE));
        }
        flood
    }

    #[test]
    fn more_than_ten_in_ten_minutes_begin_it_and_fewer_than_five_end_it() {
        let eleven: Vec<i64> = (100..=110).map(|at| at - i64::from(at == 110)).collect();
        for (name, minutes, now, since) in [
            ("ten are none", (100..110).collect(), 109, None),
            ("the eleventh begins it", eleven.clone(), 109, Some(109)),
            ("eleven in eleven minutes are none", (100..=110).collect(), 110, None),
            ("five left go on", eleven.clone(), 115, Some(109)),
            ("four left end it", eleven.clone(), 116, None),
            (
                "one at a time keeps it",
                eleven.iter().copied().chain([111, 112, 113, 114, 115]).collect(),
                120,
                Some(109),
            ),
        ] {
            let mut flood = told_at(&minutes);
            flood.time_passed(WallMs(now * MINUTE));
            assert_eq!(flood.since(), since.map(|minute: i64| WallMs(minute * MINUTE)), "{name}");
        }
    }

    #[test]
    fn it_says_when_it_is_over_and_how_many_there_were() {
        let mut flood = told_at(&[100; 14]);
        assert_eq!((flood.count(), flood.until()), (14, Some(WallMs(110 * MINUTE))));
        assert_eq!(flood.time_passed(WallMs(110 * MINUTE - 1)), None);
        assert_eq!(flood.time_passed(WallMs(110 * MINUTE)), Some(Turn::Ended));
        assert_eq!((flood.count(), flood.until()), (0, None));
    }

    #[test]
    fn a_past_is_told_flood_by_flood_and_cut_to_its_span() {
        let at = |minute: i64| WallMs(minute * MINUTE);
        let of = |from: i64, to: i64| {
            floods([100; 11].into_iter().chain([200; 11]).map(at), &(at(from)..at(to)), Limits::default())
        };
        for (name, span, want) in [
            ("both", (0, 300), vec![at(100)..at(110), at(200)..at(210)]),
            ("cut at either end", (105, 203), vec![at(105)..at(110), at(200)..at(203)]),
            ("between them", (110, 200), vec![]),
        ] {
            assert_eq!(of(span.0, span.1), want, "{name}");
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_put_right() {
        let mut flood = Flood::new(Limits { begins_above: 0, ends_below: 9, within_ms: 1_000 });
        assert_eq!(flood.told(WallMs(5), WallMs(5)), None);
        assert_eq!(flood.told(WallMs(5), WallMs(5)), Some(Turn::Began));
        assert_eq!(flood.time_passed(WallMs(1_005)), Some(Turn::Ended));
    }

    /// Moments, each with how much later it is told and how far the clock jumps before.
    fn stories() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
        prop::collection::vec(
            (0..90_000_i64, 0..900_000_i64, prop_oneof![9 => Just(0), 1 => -4_000_000..4_000_000_i64]),
            0..200,
        )
    }

    /// How many of the moments that were told are younger than ten minutes, where the clock was never touched.
    fn young(told: &[WallMs], now: WallMs) -> usize {
        told.iter().filter(|at| now.since(**at) < 600_000).count()
    }

    proptest! {
        #[test]
        fn it_remembers_no_more_than_begins_one_and_always_ends_after_ten_quiet_minutes(story in stories()) {
            let mut flood = Flood::default();
            let mut now = WallMs(1_780_000_000_000);
            for (pause, late, jump) in story {
                now = now.plus(pause + jump);
                flood.told(now.plus(-late), now);
                prop_assert!(flood.newest.len() <= 11);
                prop_assert!(flood.newest.iter().is_sorted() && flood.newest.iter().all(|at| *at <= now));
                prop_assert_eq!(flood.since().is_some(), flood.until().is_some());
                let mut later = flood.clone();
                later.time_passed(now.plus(600_000));
                prop_assert_eq!(later.since(), None);
            }
        }

        #[test]
        fn it_never_begins_with_fewer_than_the_limit_nor_goes_on_below_the_other(story in stories()) {
            let (mut flood, mut told, mut now) = (Flood::default(), Vec::new(), WallMs(0));
            for (pause, late, _) in story {
                now = now.plus(pause);
                let before = flood.since().is_some();
                told.push(now.plus(-late));
                flood.told(now.plus(-late), now);
                if flood.since().is_some() {
                    let least = if before { 5 } else { 11 };
                    prop_assert!(young(&told, now) >= least);
                } else if !before {
                    prop_assert!(young(&told, now) <= 10);
                }
            }
        }

        #[test]
        fn what_comes_late_within_the_ten_minutes_counts_as_if_it_had_come_in_order(
            ages in prop::collection::vec(0..600_000_i64, 0..40),
        ) {
            let now = WallMs(1_780_000_000_000);
            let after = |ages: &[i64]| {
                let mut flood = Flood::default();
                for age in ages {
                    flood.told(now.plus(-age), now);
                }
                flood
            };
            let mut sorted = ages.clone();
            sorted.sort_unstable();
            prop_assert_eq!(after(&ages), after(&sorted));
        }

        #[test]
        fn a_clock_that_is_set_back_changes_no_age(
            ages in prop::collection::vec(0..600_000_i64, 0..40), back in 1..10_000_000_i64, later in 0..700_000_i64,
        ) {
            let now = WallMs(1_780_000_000_000);
            let mut flood = Flood::default();
            for age in &ages {
                flood.told(now.plus(-age), now);
            }
            let mut set_back = flood.clone();
            set_back.time_passed(now.plus(-back));
            prop_assert_eq!(flood.time_passed(now.plus(later)), set_back.time_passed(now.plus(later - back)));
            prop_assert_eq!(flood.since().map(|at| at.plus(-back)), set_back.since());
            prop_assert_eq!(flood.count(), set_back.count());
        }
    }
}
