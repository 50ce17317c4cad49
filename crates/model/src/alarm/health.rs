//! How well alarms serve the people who get them: the figures of ISA-18.2 and EEMUA 191 over a span of time, each with
//! what it should be.
//!
//! Everything is worked out of a list of [`Happening`]s, whatever kept them, so that the same figures stand on the screen and in a
//! report. A cache has one row an alarm, with the last time it was raised: earlier times of one that was raised again while it was open
//! are counted ([`Health::untimed`]) and enter no other figure.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::flood::{self, floods};
use super::{Alarm, Priority};
use crate::id::ThingKey;
use crate::time::WallMs;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// An alarm that stands for longer is stale (ISA-18.2: 24 hours).
pub const STALE_AFTER_MS: u64 = 24 * HOUR_MS;

/// So often within a minute is chattering.
pub const CHATTERS_AT: usize = 3;

/// How long the lists of the most frequent are.
pub const TOP: usize = 10;

/// Of fewer alarms a split by priority says nothing.
const SPLIT_NEEDS: u64 = 20;

/// In a shorter span alarms an hour say nothing, in milliseconds.
const RATE_NEEDS_MS: u64 = HOUR_MS;

/// So long after it was raised somebody should have acknowledged an alarm, in milliseconds.
pub const ANSWERED_WITHIN_MS: u64 = HOUR_MS;

/// How much of a split may be elsewhere, in percentage points: good, and at the most. The norm says "about".
const SPLIT_OFF_PCT: (f64, f64) = (5.0, 15.0);

/// One time that an alarm was raised, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The thing.
    pub thing: ThingKey,
    /// The rule's id.
    pub rule: String,
    /// How bad.
    pub priority: Priority,
    /// When people were told of it.
    pub told_ms: WallMs,
    /// When it ceased to be so; `None` while it is.
    pub cleared_ms: Option<WallMs>,
    /// When somebody said that they saw it, if anybody did.
    pub acknowledged_ms: Option<WallMs>,
    /// How often it was raised before this while it was open, at moments that nobody kept.
    pub untimed: u32,
}

impl Happening {
    /// The last time an alarm was raised, which is the one that is kept.
    pub fn of(alarm: &Alarm) -> Happening {
        Happening {
            thing: alarm.thing,
            rule: alarm.rule.clone(),
            priority: alarm.priority,
            told_ms: alarm.raised_ms(),
            cleared_ms: alarm.state.cleared_ms,
            acknowledged_ms: alarm.seen().map(|seen| seen.at_ms),
            untimed: alarm.state.times.saturating_sub(1),
        }
    }

    /// Whether it was so at a moment.
    pub fn is_active_at(&self, at: WallMs) -> bool {
        self.told_ms <= at && self.cleared_ms.is_none_or(|cleared| cleared > at)
    }

    /// Whether it wanted something at a moment: it was so, or nobody had seen it.
    pub fn is_open_at(&self, at: WallMs) -> bool {
        self.told_ms <= at && self.ended_ms().is_none_or(|ended| ended > at)
    }

    /// When it wanted nothing any more: cleared or seen, whichever came last; `None` while it is open.
    pub fn ended_ms(&self) -> Option<WallMs> {
        self.cleared_ms.zip(self.acknowledged_ms).map(|(cleared, seen)| cleared.max(seen))
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// No more than `good`, and never more than `most`.
    AtMost {
        /// This is good.
        good: f64,
        /// Above this it is poor.
        most: f64,
    },
    /// Less than this.
    Below(f64),
}

/// Whether a figure is what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// It is.
    Good,
    /// It is not, and can be borne.
    Fair,
    /// It is not.
    Poor,
    /// There is too little to judge by.
    Unknown,
}

/// A figure and what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The figure; `None` where there is too little to judge by.
    pub value: Option<f64>,
    /// What it should be.
    pub target: Target,
}

impl Figure {
    /// Whether it is what it should be.
    pub fn verdict(&self) -> Verdict {
        match (self.value, self.target) {
            (None, _) => Verdict::Unknown,
            (Some(value), Target::AtMost { good, .. }) if value <= good => Verdict::Good,
            (Some(value), Target::AtMost { most, .. }) if value <= most => Verdict::Fair,
            (Some(value), Target::Below(limit)) if value < limit => Verdict::Good,
            (Some(_), Target::AtMost { .. } | Target::Below(_)) => Verdict::Poor,
        }
    }
}

/// How many alarms were of one priority.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share<P = Priority> {
    /// The priority.
    pub priority: P,
    /// How many.
    pub count: u64,
    /// How much of all that is, in percent; 0 of none.
    pub pct: f64,
    /// How much it should be, in percent.
    pub target_pct: f64,
}

/// How long people took to acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Half of them took no longer, in milliseconds.
    pub median_ms: u64,
    /// Nine of ten took no longer, in milliseconds.
    pub p90_ms: u64,
    /// How many there were.
    pub count: u64,
}

/// The figures of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// From its beginning, included, to its end, excluded.
    pub span: Range<WallMs>,
    /// Alarms that were raised in it.
    pub raised: u64,
    /// Alarms that returned in it.
    pub cleared: u64,
    /// Alarms that somebody acknowledged in it.
    pub acknowledged: u64,
    /// Alarms that were open at its end.
    pub open: u64,
    /// Of those the ones that nobody had acknowledged.
    pub unseen: u64,
    /// How often those that were raised in it had been raised before while they were open. Nobody kept when.
    pub untimed: u64,
    /// Alarms an hour: 6 are acceptable, 12 the most. Unknown for less than an hour.
    pub an_hour: Figure,
    /// The floods, in the order of time, cut to the span.
    pub floods: Vec<Range<WallMs>>,
    /// How much of the time there was a flood, in percent: less than 1.
    pub in_flood_pct: Figure,
    /// Alarms that at its end had stood for more than [`STALE_AFTER_MS`]: fewer than 5.
    pub stale: Figure,
    /// Rules of single things that raised their alarm [`CHATTERS_AT`] times or more within a minute: none.
    pub chattering: Figure,
    /// By priority, the lowest first: about 80, 15 and 5 of a hundred (see [`target_split`]).
    pub split: Vec<Share>,
    /// How far the split is from what it should be, in percentage points. Unknown for fewer than 20 alarms.
    pub off_split_pct: Figure,
    /// The rules that raised most, at most [`TOP`], the most first.
    pub by_rule: Vec<(String, u64)>,
    /// The things that raised most, at most [`TOP`], the most first.
    pub by_thing: Vec<(ThingKey, u64)>,
    /// How long people took; `None` where nobody acknowledged anything.
    pub answers: Option<Answers>,
    /// How many of a hundred that were raised longer than [`ANSWERED_WITHIN_MS`] before the end were still so then: 10, and 30 at the
    /// most. Ours: what does not return piles up.
    pub standing_pct: Figure,
    /// Alarms that at the end nobody had acknowledged for longer than [`ANSWERED_WITHIN_MS`]: none, and 4 at the most. Ours.
    pub unanswered: Figure,
    /// Half of the acknowledgements took no longer, in minutes: 10, and an hour at the most. The norms name no number; ten minutes are
    /// what a flood is counted in.
    pub to_acknowledge_min: Figure,
}

impl Health {
    /// Works them out. `happenings` are those whose life touches the span, in any order; what was told in the ten minutes before it
    /// makes the first flood exact.
    pub fn of(happenings: &[Happening], span: Range<WallMs>) -> Health {
        let within = |at: WallMs| span.contains(&at);
        let raised: Vec<&Happening> = happenings.iter().filter(|one| within(one.told_ms)).collect();
        let answers: Vec<u64> = happenings
            .iter()
            .filter_map(|one| one.acknowledged_ms.filter(|at| within(*at)).map(|at| at.since(one.told_ms)))
            .collect();
        // What ends at the very end of the span was open until then, and is over.
        let open: Vec<&Happening> =
            happenings.iter().filter(|one| one.told_ms < span.end && one.is_open_at(span.end)).collect();
        let is_unseen = |one: &&&Happening| one.acknowledged_ms.is_none_or(|at| at > span.end);
        let is_stale = |one: &&&Happening| one.is_active_at(span.end) && span.end.since(one.told_ms) > STALE_AFTER_MS;
        let is_late = |one: &&&Happening| span.end.since(one.told_ms) > ANSWERED_WITHIN_MS;
        let ripe: Vec<&&Happening> = raised.iter().filter(is_late).collect();
        let standing = ripe.iter().filter(|one| one.is_active_at(span.end)).count();
        let span_ms = span.end.since(span.start);
        let floods = floods(happenings.iter().map(|one| one.told_ms), &span, flood::Limits::default());
        let in_flood_ms: u64 = floods.iter().map(|flood| flood.end.since(flood.start)).sum();
        let split = split(&Priority::FROM_LOWEST, raised.iter().map(|one| one.priority));
        let answered = answers_of(answers);
        let enough = |value: f64, is_enough: bool| is_enough.then_some(value);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Health {
            raised: count(raised.len()),
            cleared: count(happenings.iter().filter(|one| one.cleared_ms.is_some_and(within)).count()),
            acknowledged: answered.map_or(0, |answers| answers.count),
            open: count(open.len()),
            unseen: count(open.iter().filter(is_unseen).count()),
            untimed: raised.iter().map(|one| u64::from(one.untimed)).sum(),
            an_hour: Figure {
                value: enough(raised.len() as f64 * HOUR_MS as f64 / span_ms as f64, span_ms >= RATE_NEEDS_MS),
                target: Target::AtMost { good: 6.0, most: 12.0 },
            },
            in_flood_pct: Figure {
                value: enough(in_flood_ms as f64 * 100.0 / span_ms as f64, span_ms > 0),
                target: Target::Below(1.0),
            },
            floods,
            stale: Figure { value: Some(open.iter().filter(is_stale).count() as f64), target: Target::Below(5.0) },
            chattering: Figure {
                value: Some(chattering(&raised) as f64),
                target: Target::AtMost { good: 0.0, most: 0.0 },
            },
            off_split_pct: Figure {
                value: enough(off(&split), count(raised.len()) >= SPLIT_NEEDS),
                target: Target::AtMost { good: SPLIT_OFF_PCT.0, most: SPLIT_OFF_PCT.1 },
            },
            split,
            by_rule: top(raised.iter().map(|one| one.rule.clone())),
            by_thing: top(raised.iter().map(|one| one.thing)),
            standing_pct: Figure {
                value: enough(standing as f64 * 100.0 / ripe.len() as f64, !ripe.is_empty()),
                target: Target::AtMost { good: 10.0, most: 30.0 },
            },
            unanswered: Figure {
                value: Some(open.iter().filter(is_unseen).filter(is_late).count() as f64),
                target: Target::AtMost { good: 0.0, most: 4.0 },
            },
            answers: answered,
            to_acknowledge_min: Figure {
                value: answered.map(|answers| answers.median_ms as f64 / MINUTE_MS as f64),
                target: Target::AtMost { good: 10.0, most: 60.0 },
            },
            span,
        }
    }
}

impl Priority {
    /// Every priority, the lowest first.
    pub const FROM_LOWEST: [Priority; 3] = [Priority::Advisory, Priority::Warning, Priority::Critical];
}

/// How alarms should be split among so many priorities, in percent, the lowest first: 100; 95 and 5; 80, 15 and 5; and of more than
/// three each further one has a fifth of what the third alone would have (ISA-18.2: 80, 15, 5, and below 1 of a fourth).
pub fn target_split(priorities: usize) -> Vec<f64> {
    match priorities {
        0 => Vec::new(),
        1 => vec![100.0],
        2 => vec![95.0, 5.0],
        more => {
            let mut split = vec![80.0, 15.0];
            let mut left = 5.0;
            for _ in 3..more {
                split.push(left * 0.8);
                left *= 0.2;
            }
            split.push(left);
            split
        }
    }
}

/// How many there were of each priority, the lowest first.
pub fn split<P: Copy + Ord>(from_lowest: &[P], raised: impl IntoIterator<Item = P>) -> Vec<Share<P>> {
    let mut counts: BTreeMap<P, u64> = BTreeMap::new();
    raised.into_iter().for_each(|priority| *counts.entry(priority).or_default() += 1);
    let all: u64 = counts.values().sum();
    let share = |(priority, target_pct): (&P, f64)| {
        let count = counts.get(priority).copied().unwrap_or(0);
        let pct = if all == 0 { 0.0 } else { count as f64 * 100.0 / all as f64 };
        Share { priority: *priority, count, pct, target_pct }
    };
    from_lowest.iter().zip(target_split(from_lowest.len())).map(share).collect()
}

/// How many percentage points stand above where they should: one priority that has too many has them of another.
fn off<P>(split: &[Share<P>]) -> f64 {
    // Fewer grave ones than the norm has are no fault.
    let graver = split.iter().skip(1);
    graver.map(|share| (share.pct - share.target_pct).max(0.0)).sum()
}

/// Rules of single things that raised their alarm often enough within one minute.
fn chattering(raised: &[&Happening]) -> usize {
    let mut moments: BTreeMap<(&str, ThingKey), Vec<WallMs>> = BTreeMap::new();
    raised.iter().for_each(|one| moments.entry((&one.rule, one.thing)).or_default().push(one.told_ms));
    let chatters = |moments: &mut Vec<WallMs>| {
        moments.sort_unstable();
        moments
            .windows(CHATTERS_AT)
            .any(|few| few.first().zip(few.last()).is_some_and(|(a, b)| b.since(*a) < MINUTE_MS))
    };
    moments.values_mut().filter_map(|moments| chatters(moments).then_some(())).count()
}

/// What came most often, the most first, then in its own order.
fn top<K: Ord>(of: impl Iterator<Item = K>) -> Vec<(K, u64)> {
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    of.for_each(|key| *counts.entry(key).or_default() += 1);
    let mut counts: Vec<(K, u64)> = counts.into_iter().collect();
    // Stable: those of one number stay in their order.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(TOP);
    counts
}

fn answers_of(mut waits_ms: Vec<u64>) -> Option<Answers> {
    waits_ms.sort_unstable();
    // The nearest rank: a time that somebody really took.
    let rank = |of_100: usize| waits_ms.get((waits_ms.len() * of_100).div_ceil(100).saturating_sub(1)).copied();
    let count = u64::try_from(waits_ms.len()).unwrap_or(u64::MAX);
    rank(50).zip(rank(90)).map(|(median_ms, p90_ms)| Answers { median_ms, p90_ms, count })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    fn one(told_ms: i64) -> Happening {
        Happening {
            thing: ThingKey(1),
            rule: "lamp-hot".into(),
            priority: Priority::Warning,
            told_ms: WallMs(told_ms),
            cleared_ms: None,
            acknowledged_ms: None,
            untimed: 0,
        }
    }

    fn over(told_ms: i64, acknowledged_ms: i64, cleared_ms: i64) -> Happening {
        Happening {
            cleared_ms: Some(WallMs(cleared_ms)),
            acknowledged_ms: Some(WallMs(acknowledged_ms)),
            ..one(told_ms)
        }
    }

    fn health(happenings: &[Happening], from: i64, to: i64) -> Health {
        Health::of(happenings, WallMs(from)..WallMs(to))
    }

    #[test]
    fn what_happened_before_or_after_the_span_is_not_counted_in_it() {
        let all = [
            over(0, 10, 20),
            over(DAY - 5, DAY + 5, DAY + 6),
            over(DAY, DAY + 10, DAY + 20),
            one(DAY + 30),
            Happening { cleared_ms: Some(WallMs(DAY + 50)), ..one(DAY + 40) },
            over(2 * DAY - 1, 2 * DAY + 1, 2 * DAY + 1),
            one(2 * DAY),
        ];
        let found = health(&all, DAY, 2 * DAY);
        assert_eq!((found.raised, found.cleared, found.acknowledged), (4, 3, 2));
        assert_eq!((found.open, found.unseen), (3, 3));
        let empty = health(&all, 10 * DAY, 10 * DAY);
        assert_eq!(
            (empty.raised, empty.an_hour.verdict(), empty.in_flood_pct.verdict()),
            (0, Verdict::Unknown, Verdict::Unknown)
        );
    }

    #[test]
    fn every_figure_has_its_verdict() {
        let every = |ms: i64, n: i64| (0..n).map(|i| one(i * ms)).collect::<Vec<_>>();
        let rate = |n: i64| health(&every(DAY / n, n), 0, DAY).an_hour.verdict();
        assert_eq!(
            [rate(144), rate(145), rate(288), rate(289)],
            [Verdict::Good, Verdict::Fair, Verdict::Fair, Verdict::Poor]
        );
        assert_eq!(health(&every(1, 1), 0, HOUR - 1).an_hour.verdict(), Verdict::Unknown);

        // Eleven at once are a flood of ten minutes.
        let at_once: Vec<Happening> = (0..11).map(|_| one(HOUR)).collect();
        let flooded = |span: i64| health(&at_once, 0, span).in_flood_pct;
        assert_eq!((flooded(1_000 * MINUTE).value, flooded(1_000 * MINUTE).verdict()), (Some(1.0), Verdict::Poor));
        assert_eq!(flooded(1_001 * MINUTE).verdict(), Verdict::Good);

        let stale = |n: usize, at: i64| health(&vec![one(0); n], at - HOUR, at).stale.verdict();
        assert_eq!(
            [stale(4, DAY + 1), stale(5, DAY), stale(5, DAY + 1)],
            [Verdict::Good, Verdict::Good, Verdict::Poor]
        );

        for (name, told, want) in [
            ("three in a minute", vec![0, 59_998, 59_999], Verdict::Poor),
            ("three in a minute and a bit", vec![0, 30_000, 60_000], Verdict::Good),
            ("two", vec![0, 1], Verdict::Good),
        ] {
            let all: Vec<Happening> = told.into_iter().map(one).collect();
            assert_eq!(health(&all, 0, DAY).chattering.verdict(), want, "{name}");
        }
        let standing = |n: usize| {
            let over = (0..10).map(|i| if i < n { one(5) } else { over(5, 6, 7) });
            health(&over.collect::<Vec<_>>(), 0, DAY).standing_pct.verdict()
        };
        assert_eq!([standing(1), standing(3), standing(4)], [Verdict::Good, Verdict::Fair, Verdict::Poor]);
        assert_eq!(health(&[], 0, DAY).standing_pct.verdict(), Verdict::Unknown);
        assert_eq!(health(&[one(5)], 0, HOUR).standing_pct.verdict(), Verdict::Unknown, "raised just now");
        let unanswered = |n: usize, to: i64| health(&vec![one(0); n], 0, to).unanswered.verdict();
        assert_eq!(
            [unanswered(9, HOUR), unanswered(4, HOUR + 1), unanswered(5, HOUR + 1)],
            [Verdict::Good, Verdict::Fair, Verdict::Poor]
        );

        let apart: Vec<Happening> = (1..=3).map(|thing| Happening { thing: ThingKey(thing), ..one(0) }).collect();
        assert_eq!(health(&apart, 0, DAY).chattering.value, Some(0.0), "three things are no chatter");
    }

    #[test]
    fn a_split_is_held_against_what_it_should_be_however_many_priorities_there_are() {
        for n in 1..7 {
            let split = target_split(n);
            assert_eq!(split.len(), n);
            assert!((split.iter().sum::<f64>() - 100.0).abs() < 1e-9 && split.iter().rev().is_sorted(), "{split:?}");
        }
        assert_eq!(target_split(3), [80.0, 15.0, 5.0]);
        for (counts, want) in [([80, 15, 5], 0.0), ([100, 0, 0], 0.0), ([60, 30, 10], 20.0), ([0, 0, 0], 0.0)] {
            let raised = counts.iter().enumerate().flat_map(|(priority, n)| std::iter::repeat_n(priority, *n));
            assert!((off(&split(&[0, 1, 2], raised)) - want).abs() < 1e-9, "{counts:?}");
        }
        let with = |critical: usize, all: usize| {
            let of = |i| Happening {
                priority: if i < critical { Priority::Critical } else { Priority::Advisory },
                ..one(0)
            };
            health(&(0..all).map(of).collect::<Vec<_>>(), 0, DAY).off_split_pct.verdict()
        };
        assert_eq!([with(10, 100), with(20, 100), with(21, 100)], [Verdict::Good, Verdict::Fair, Verdict::Poor]);
        assert_eq!(with(19, 19), Verdict::Unknown);
    }

    #[test]
    fn every_priority_there_is_has_its_place_in_the_split() {
        for priority in Priority::FROM_LOWEST {
            // One more does not compile until it is in the list.
            let place = match priority {
                Priority::Advisory => 0,
                Priority::Warning => 1,
                Priority::Critical => 2,
            };
            assert_eq!(Priority::FROM_LOWEST[place], priority);
        }
        assert!(Priority::FROM_LOWEST.is_sorted());
    }

    #[test]
    fn the_most_frequent_come_first_and_no_more_than_ten() {
        let of = |thing: u32, rule: &str| Happening { thing: ThingKey(thing), rule: rule.into(), ..one(0) };
        let mut all: Vec<Happening> = (0..12).map(|thing| of(thing, "silent")).collect();
        all.extend([of(11, "hot"), of(11, "hot"), of(3, "hot")]);
        let found = health(&all, 0, DAY);
        assert_eq!(found.by_thing[..3], [(ThingKey(11), 3), (ThingKey(3), 2), (ThingKey(0), 1)]);
        assert_eq!(found.by_thing.len(), TOP);
        assert_eq!(found.by_rule, [("silent".to_owned(), 12), ("hot".to_owned(), 3)]);
    }

    #[test]
    fn the_time_to_acknowledge_is_one_that_somebody_took() {
        let waits = |minutes: &[i64]| {
            let all: Vec<Happening> = minutes.iter().map(|m| over(HOUR, HOUR + m * MINUTE, 9 * HOUR)).collect();
            health(&all, 0, DAY)
        };
        let found = waits(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        let answers = found.answers.unwrap();
        assert_eq!((answers.median_ms, answers.p90_ms, answers.count), (5 * 60_000, 9 * 60_000, 10));
        for (minutes, want) in
            [(&[10][..], Verdict::Good), (&[11], Verdict::Fair), (&[61], Verdict::Poor), (&[], Verdict::Unknown)]
        {
            assert_eq!(waits(minutes).to_acknowledge_min.verdict(), want, "{minutes:?}");
        }
        // The clock was set back in between.
        assert_eq!(health(&[over(HOUR, 10, 2 * HOUR)], 0, DAY).answers.unwrap().median_ms, 0);
    }

    #[test]
    fn earlier_times_of_an_alarm_are_counted_apart() {
        let found = health(&[Happening { untimed: 6, ..one(5) }, one(6)], 0, DAY);
        assert_eq!((found.raised, found.untimed), (2, 6));
    }

    /// One that may be seen, and over, before it was raised: clocks are set.
    fn happening() -> impl Strategy<Value = Happening> {
        let later = || prop::option::of(-HOUR..30 * HOUR);
        (0..5_u32, 0..3_u8, any::<bool>(), -30 * HOUR..30 * HOUR, later(), later(), 0..3_u32).prop_map(
            |(thing, rule, is_grave, told_ms, cleared, seen, untimed)| Happening {
                thing: ThingKey(thing),
                rule: format!("rule-{rule}"),
                priority: if is_grave { Priority::Critical } else { Priority::Warning },
                cleared_ms: cleared.map(|after| WallMs(told_ms + after)),
                acknowledged_ms: seen.map(|after| WallMs(told_ms + after)),
                untimed,
                ..one(told_ms)
            },
        )
    }

    proptest! {
        #[test]
        fn figures_depend_on_no_order_and_agree_with_each_other(
            all in prop::collection::vec(happening(), 0..60), from in -2 * DAY..DAY, length in 0..3 * DAY,
        ) {
            let found = health(&all, from, from + length);
            let turned: Vec<Happening> = all.iter().rev().cloned().collect();
            prop_assert_eq!(&health(&turned, from, from + length), &found);
            prop_assert_eq!(found.split.iter().map(|share| share.count).sum::<u64>(), found.raised);
            prop_assert_eq!(found.by_rule.iter().map(|(_, n)| n).sum::<u64>(), found.raised);
            prop_assert!(found.unseen <= found.open && found.floods.len() <= all.len() / 11);
            for figure in [found.an_hour, found.in_flood_pct, found.stale, found.standing_pct, found.to_acknowledge_min] {
                prop_assert!(figure.value.is_none_or(|value| value.is_finite() && value >= 0.0), "{:?}", figure);
                prop_assert_eq!(figure.value.is_none(), figure.verdict() == Verdict::Unknown);
            }
            prop_assert!(found.in_flood_pct.value.is_none_or(|pct| pct <= 100.0));
            prop_assert!(found.answers.is_none_or(|answers| answers.median_ms <= answers.p90_ms));
        }
    }
}
