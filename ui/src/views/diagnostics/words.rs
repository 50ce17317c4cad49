//! How figures are said. Where there is none it says so.

use fleetlens_ipc::diagnostics::{Diagnostics, EngineFigures, LinkFigures};
use fleetlens_ipc::rows::LinkState;
use fleetlens_model::figures::{CacheFigures, Spread, WriterFigures};
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use tr::tr;

use crate::format;
use crate::lang::said;

/// What stands where there is no figure.
pub(super) const NONE: &str = "–";

pub(super) fn link(all: &Diagnostics, read: fn(&LinkFigures) -> Option<String>) -> Option<String> {
    all.link.as_ref().and_then(read)
}

pub(super) fn engine<T>(all: &Diagnostics, read: impl Fn(&EngineFigures) -> Option<T>) -> Option<T> {
    all.engine.as_ref().and_then(read)
}

pub(super) fn writer(all: &Diagnostics, read: fn(&WriterFigures) -> String) -> Option<String> {
    all.writer.as_ref().map(read)
}

pub(super) fn cache(all: &Diagnostics, read: fn(&CacheFigures, WallMs) -> Option<String>) -> Option<String> {
    all.cache.as_ref().and_then(|cache| read(cache, all.made_ms))
}

pub(super) fn commits(all: &Diagnostics, read: fn(&Spread) -> String) -> Option<String> {
    engine(all, |engine| engine.commits).as_ref().map(read)
}

pub(super) fn link_words(link: &LinkFigures, now: WallMs) -> String {
    match &link.state {
        LinkState::Starting => said("nothing was tried yet").to_owned(),
        LinkState::Up { since_ms } => tr!("up for {}", format::age(now.since(*since_ms))),
        LinkState::Connecting { since_ms, reason } => {
            let age = format::age(now.since(*since_ms));
            match reason {
                None => tr!("down for {}, trying", age),
                Some(reason) => tr!("down for {age}, trying: {reason}", age = age, reason = shown(reason)),
            }
        }
    }
}

pub(super) fn is_down(all: &Diagnostics) -> bool {
    all.link.as_ref().is_some_and(|link| matches!(link.state, LinkState::Connecting { .. }))
}

/// Requests of commands that are on the wire, and how many wait for room.
pub(super) fn requests(engine: &EngineFigures) -> Option<String> {
    let (some, most) = (format::count(engine.requests), format::count(engine.requests_max));
    Some(match engine.requests_waiting {
        0 => tr!("{} of {}", some, most),
        waiting => tr!("{} of {}, {} wait", some, most, format::count(waiting)),
    })
}

pub(super) fn in_flight(engine: &EngineFigures) -> Option<String> {
    let Some(batch) = engine.in_flight else { return Some(tr!("batches" => "none")) };
    let (writes, age) = (format::count(batch.writes), format::fine_age(batch.age_ms));
    Some(match batch.failed {
        0 => tr!("{} writes for {}", writes, age),
        times => tr!("{} writes for {}, failed {} times", writes, age, times),
    })
}

pub(super) fn has_failed(all: &Diagnostics) -> bool {
    all.engine.as_ref().and_then(|engine| engine.in_flight).is_some_and(|batch| batch.failed > 0)
}

pub(super) fn of(some: u64, all: u64) -> Option<String> {
    Some(tr!("{} of {}", format::count(some), format::count(all)))
}

pub(super) fn batches(n: u64) -> String {
    tr!("1 batch" | "{shown} batches" % n, shown = format::count(n))
}

pub(super) fn ago(ms: u64) -> String {
    tr!("{} ago", format::fine_age(ms))
}

pub(super) fn aged(at: WallMs, now: WallMs) -> String {
    // It is read a moment after the time that it is compared with.
    match at.since(now) {
        ..1_000 => ago(now.since(at)),
        ahead => tr!("{} ahead", format::age(ahead)),
    }
}

pub(super) fn millis(us: u64) -> String {
    format!("{}\u{a0}ms", format::number(us as f64 / 1000.0, 1))
}

pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        NONE.to_owned()
    } else {
        format!("{}\u{a0}%", format::number(part as f64 * 100.0 / whole as f64, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_fails_says_so_and_a_clock_that_is_ahead_too() {
        assert_eq!(millis(12_340), "12.3\u{a0}ms");
        assert_eq!(aged(WallMs(70_000), WallMs(0)), "1\u{a0}min ahead");
        assert_eq!(aged(WallMs(0), WallMs(4_200)), "4.2\u{a0}s ago");
        assert_eq!(aged(WallMs(900), WallMs(0)), "0.0\u{a0}s ago");
        assert_eq!(batches(1), "1 batch");
        assert_eq!((percent(1, 3), percent(0, 0)), ("33.3\u{a0}%".to_owned(), NONE.to_owned()));
    }
}
