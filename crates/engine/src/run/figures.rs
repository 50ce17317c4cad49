//! How the engine stands, for whoever looks after it.

use std::time::Duration;

use fleetlens_ipc::diagnostics::{Drops, EngineFigures, InFlight, LinkFigures};
use fleetlens_model::figures::Spread;
use fleetlens_model::time::MonoMs;

use super::{Actor, GATHER_MAX};
use crate::port::{Clock, Link, Store, Ui};
use crate::window::list;

/// What the engine tells of itself and of what it hears of the link. What only the link knows is left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The way to the broker.
    pub link: LinkFigures,
    /// What happens to messages.
    pub engine: EngineFigures,
    /// What was not taken.
    pub drops: Drops,
}

impl<L: Link, S: Store, U: Ui, C: Clock> Actor<L, S, U, C> {
    /// Everything as it is now.
    pub(super) fn figures(&self) -> Figures {
        let now = self.ports.clock.now();
        let status = list::status(&self.fleet, now);
        let counters = self.fleet.counters();
        let gathered = self.gathering.writes.len() + self.gathering.outward.len();
        let (requests, requests_waiting) = self.fleet.requests();
        let in_flight = self.committing.as_ref().map(|batch| InFlight {
            age_ms: millis(batch.began.elapsed()),
            writes: whole(batch.writes.len()),
            failed: batch.failed,
        });
        Figures {
            link: LinkFigures {
                state: status.link,
                broker: status.broker,
                guarantee: status.guarantee,
                connects: self.connects,
                inbox_waiting: None,
                inbox_places: None,
                unfinished: None,
                per_s: status.per_s,
                last_message_age_ms: status.last_message_age_ms,
            },
            engine: EngineFigures {
                profile: status.profile,
                things: counters.things,
                windows: u32::try_from(self.windows.count()).unwrap_or(u32::MAX),
                received: counters.received,
                stored: counters.stored,
                gathered: whole(gathered),
                gather_max: whole(GATHER_MAX),
                is_reading: self.has_room(),
                requests: whole(requests),
                requests_max: whole(self.fleet.config.requests_in_flight),
                requests_waiting: whole(requests_waiting),
                in_flight,
                commits: self.timing.spread(now.mono),
                last_commit_age_ms: self.timing.last.map(|at| now.mono.since(at)),
                cache_fault: status.cache_fault,
            },
            drops: Drops {
                shed: counters.shed,
                refused: counters.refused,
                repeated: counters.repeated,
                sheds: status.sheds,
                refusals: status.refusals,
            },
        }
    }
}

fn whole(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Minutes that are looked back on.
const MINUTES: usize = 5;

/// Four to a doubling, from a microsecond to an hour: what is told is at most a quarter too long.
const BUCKETS: usize = 128;

/// How long commits took in the last minutes.
#[derive(Debug, Default)]
pub(super) struct Timing {
    minutes: [Minute; MINUTES],
    last: Option<MonoMs>,
}

#[derive(Debug)]
struct Minute {
    /// Which, since the start.
    number: u64,
    counts: [u32; BUCKETS],
    max_us: u64,
}

impl Default for Minute {
    fn default() -> Minute {
        Minute { number: 0, counts: [0; BUCKETS], max_us: 0 }
    }
}

impl Timing {
    /// Something took this long and ended now.
    pub(super) fn took(&mut self, time: Duration, now: MonoMs) {
        self.last = Some(now);
        let number = now.0 / 60_000;
        let place = usize::try_from(number % MINUTES as u64).unwrap_or(0);
        let Some(minute) = self.minutes.get_mut(place) else { return };
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = minute.counts.get_mut(bucket(us)) {
            *count = count.saturating_add(1);
        }
        minute.max_us = minute.max_us.max(us);
    }

    /// The last minutes, the one that runs among them; `None` when there was nothing.
    pub(super) fn spread(&self, now: MonoMs) -> Option<Spread> {
        let number = now.0 / 60_000;
        let recent = || self.minutes.iter().filter(|minute| number.saturating_sub(minute.number) < MINUTES as u64);
        let max_us = recent().map(|minute| minute.max_us).max()?;
        let at =
            |place: usize| recent().filter_map(|minute| minute.counts.get(place)).map(|n| u64::from(*n)).sum::<u64>();
        let count: u64 = (0..BUCKETS).map(at).sum();
        let within = |percent: u64| {
            let wanted = (count * percent).div_ceil(100);
            let mut seen = 0;
            let place = (0..BUCKETS).find(|place| {
                seen += at(*place);
                seen >= wanted
            });
            place.map_or(max_us, |place| longest(place).min(max_us))
        };
        let before_s = (MINUTES as u64 - 1).min(number) * 60;
        let over_s = u32::try_from(before_s + now.0 % 60_000 / 1_000).unwrap_or(u32::MAX).max(1);
        (count > 0).then(|| Spread { count, over_s, p50_us: within(50), p99_us: within(99), max_us })
    }
}

/// Which bucket a time falls into.
fn bucket(us: u64) -> usize {
    let of_four = if us < 4 { us } else { u64::from(us.ilog2() - 1) * 4 + ((us >> (us.ilog2() - 2)) & 3) };
    usize::try_from(of_four).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest time that falls into a bucket.
fn longest(place: usize) -> u64 {
    match u64::try_from(place).unwrap_or(0) {
        place @ 0..4 => place,
        place => ((place % 4 + 5) << (place / 4 - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_falls_into_a_bucket_whose_longest_is_at_most_a_quarter_longer() {
        for us in (0..5_000).chain([9_999, 65_536, 1_000_003, 3_600_000_000]) {
            let longest = longest(bucket(us));
            assert!(longest >= us && longest <= us + us / 4, "{us}: {longest}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn what_is_older_than_some_minutes_is_not_told() {
        let mut timing = Timing::default();
        assert_eq!(timing.spread(MonoMs(0)), None);
        for n in 0..100 {
            timing.took(Duration::from_micros(if n < 98 { 1_000 } else { 50_000 }), MonoMs(n * 100));
        }
        let spread = timing.spread(MonoMs(61_000)).unwrap();
        assert_eq!((spread.count, spread.over_s, spread.max_us), (100, 61, 50_000));
        assert!((1_000..=1_250).contains(&spread.p50_us) && spread.p99_us == 50_000, "{spread:?}");
        timing.took(Duration::from_micros(7), MonoMs(301_000));
        let spread = timing.spread(MonoMs(301_000)).unwrap();
        assert_eq!((spread.count, spread.p50_us, spread.max_us), (1, 7, 7), "the minute before is another one's place");
        assert_eq!(timing.spread(MonoMs(900_000)), None);
        assert_eq!(timing.last, Some(MonoMs(301_000)));
    }
}
