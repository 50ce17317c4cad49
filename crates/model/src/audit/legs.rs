//! The legs of a command's way, and how long each takes: intent → committed → published → acknowledged → accepted → reported.

use serde::{Deserialize, Serialize};

use super::{Entry, Event};

/// A part of the way from a person's intent to the device's report, named by what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leg {
    /// From the intent until its row is on the disk.
    Committed,
    /// Until its message is with the link; while there is none, or no room, that takes as long as it takes.
    Published,
    /// Until the broker has it.
    Acknowledged,
    /// Until the shadow wants it.
    Accepted,
    /// Until the device reports it.
    Reported,
}

impl Leg {
    /// Every one, in the order of the way.
    pub const ALL: [Leg; 5] = [Leg::Committed, Leg::Published, Leg::Acknowledged, Leg::Accepted, Leg::Reported];

    fn end(self) -> Event {
        match self {
            Leg::Committed => Event::Committed,
            Leg::Published => Event::Published,
            Leg::Acknowledged => Event::Acknowledged,
            Leg::Accepted => Event::Accepted,
            Leg::Reported => Event::Settled,
        }
    }
}

/// How long one leg took over many commands, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LegSpread {
    /// Which.
    pub leg: Leg,
    /// How many commands went it.
    pub count: u32,
    /// Half took no longer.
    pub p50_ms: u64,
    /// 99 of 100 took no longer.
    pub p99_ms: u64,
}

/// How long each leg took that one command has gone, in milliseconds, in the order of the way. Its entries oldest first; empty unless the
/// first says that it was asked for.
///
/// What is sent again counts from the first time. A leg that ended before the one in front of it (an answer overtook the broker's
/// acknowledgement) took no time of its own, so that the legs add up to the way.
pub fn legs<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<(Leg, u64)> {
    let mut entries = entries.into_iter();
    let Some(first) = entries.next().filter(|entry| entry.event == Event::Asked) else { return Vec::new() };
    let (mut passed_ms, mut last) = (0, first);
    let mut ended: [Option<u64>; Leg::ALL.len()] = [None; Leg::ALL.len()];
    for entry in entries {
        // After a restart only the wall clock knows.
        passed_ms += entry.after_ms.unwrap_or_else(|| entry.at_ms.since(last.at_ms));
        last = entry;
        for (leg, ended) in Leg::ALL.into_iter().zip(&mut ended) {
            if leg.end() == entry.event && ended.is_none() {
                *ended = Some(passed_ms);
            }
        }
    }
    let mut before_ms = 0;
    let took = |(leg, ended): (Leg, Option<u64>)| {
        let ended_ms = ended?;
        let took_ms = ended_ms.saturating_sub(before_ms);
        before_ms = before_ms.max(ended_ms);
        Some((leg, took_ms))
    };
    Leg::ALL.into_iter().zip(ended).filter_map(took).collect()
}

/// The spread of each leg over the newest commands, at most `most`, of which the log tells everything from the intent on; and how many
/// these are. `newest_first` is the end of the log. A leg that none of them went is left out.
pub fn spreads(newest_first: &[Entry], most: usize) -> (u32, Vec<LegSpread>) {
    let mut of_commands: Vec<(&str, Vec<&Entry>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for entry in newest_first.iter().rev().filter(|entry| !entry.trace.is_empty()) {
        let place = *places.entry(entry.trace.as_str()).or_insert(of_commands.len());
        match of_commands.get_mut(place) {
            Some((_, entries)) => entries.push(entry),
            None => of_commands.push((entry.trace.as_str(), vec![entry])),
        }
    }
    let whole =
        of_commands.iter().rev().filter(|(_, entries)| entries.first().is_some_and(|e| e.event == Event::Asked));
    let taken: Vec<Vec<(Leg, u64)>> = whole.take(most).map(|(_, entries)| legs(entries.iter().copied())).collect();
    let spread = |leg: Leg| {
        let mut times: Vec<u64> = taken.iter().flatten().filter(|(of, _)| *of == leg).map(|(_, ms)| *ms).collect();
        times.sort_unstable();
        let within = |percent: usize| times.get((times.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        Some(LegSpread { leg, count, p50_ms: within(50)?, p99_ms: within(99)? })
    };
    (u32::try_from(taken.len()).unwrap_or(u32::MAX), Leg::ALL.into_iter().filter_map(spread).collect())
}

#[cfg(test)]
mod tests {
    use super::super::By;
    use super::*;
    use crate::time::WallMs;

    fn entry(trace: &str, event: Event, at_ms: i64, after_ms: Option<u64>) -> Entry {
        Entry {
            seq: 1,
            at_ms: WallMs(at_ms),
            by: By::Program,
            thing: String::new(),
            shadow: String::new(),
            command: None,
            trace: trace.into(),
            event,
            after_ms,
            detail: String::new(),
        }
    }

    #[test]
    fn the_legs_of_a_way_add_up_to_it_by_the_clock_that_does_not_jump() {
        use Event::{Accepted, Acknowledged, Asked, Committed, NotPublished, Published, Settled};
        use Leg as L;
        for (name, steps, want) in [
            (
                "all of it; the wall clock jumps",
                vec![
                    (Asked, 0, None),
                    (Committed, 900_000, Some(3)),
                    (Published, 4, Some(1)),
                    (Acknowledged, 9, Some(5)),
                    (Accepted, 11, Some(2)),
                    (Settled, 1_011, Some(1_000)),
                ],
                vec![
                    (L::Committed, 3),
                    (L::Published, 1),
                    (L::Acknowledged, 5),
                    (L::Accepted, 2),
                    (L::Reported, 1_000),
                ],
            ),
            (
                "the answer is faster than the acknowledgement",
                vec![
                    (Asked, 0, None),
                    (Committed, 2, Some(2)),
                    (Published, 3, Some(1)),
                    (Accepted, 5, Some(2)),
                    (Acknowledged, 6, Some(1)),
                    (Settled, 9, Some(3)),
                ],
                vec![(L::Committed, 2), (L::Published, 1), (L::Acknowledged, 3), (L::Accepted, 0), (L::Reported, 3)],
            ),
            (
                "sent again after a restart: only the wall clock knows",
                vec![
                    (Asked, 0, None),
                    (Committed, 2, Some(2)),
                    (NotPublished, 3, Some(1)),
                    (Published, 60_000, None),
                    (Published, 70_000, Some(10_000)),
                    (Accepted, 70_004, Some(4)),
                ],
                vec![(L::Committed, 2), (L::Published, 59_998), (L::Accepted, 10_004)],
            ),
            ("the log begins behind its intent", vec![(Committed, 2, Some(2)), (Published, 3, Some(1))], vec![]),
            ("nothing", vec![], vec![]),
        ] {
            let entries: Vec<Entry> =
                steps.into_iter().map(|(event, at, after)| entry("a", event, at, after)).collect();
            assert_eq!(legs(&entries), want, "{name}");
        }
    }

    #[test]
    fn the_spread_is_of_the_newest_commands_that_are_told_whole() {
        let mut log = vec![entry("cut", Event::Committed, 0, Some(999))];
        for n in 1..=100 {
            let name = format!("c{n}");
            log.extend([entry(&name, Event::Asked, 0, None), entry(&name, Event::Committed, 0, Some(n))]);
        }
        log.push(entry("", Event::Refused, 0, None));
        log.push(entry("c100", Event::Published, 0, Some(7)));
        log.reverse();
        let committed = LegSpread { leg: Leg::Committed, count: 100, p50_ms: 50, p99_ms: 99 };
        let published = LegSpread { leg: Leg::Published, count: 1, p50_ms: 7, p99_ms: 7 };
        assert_eq!(spreads(&log, 1_000), (100, vec![committed, published]));
        let newest = LegSpread { leg: Leg::Committed, count: 10, p50_ms: 95, p99_ms: 100 };
        assert_eq!(spreads(&log, 10), (10, vec![newest, published]));
        assert_eq!(spreads(&[], 10), (0, vec![]));
    }
}
