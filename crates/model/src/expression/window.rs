//! Windows of time over what a value said, bounded however often it speaks.
//!
//! A window runs on the thing's own clock: its end is the newest time the thing gave, and moves on with our monotonic clock. So a
//! device whose clock is slow has a window like any other, and a jump of our wall clock changes nothing. What comes late goes where it
//! belongs, if that is still in the window. A time ahead of what is expected by two minutes or by the window's length, and any time once the window has been empty for its
//! length, is a clock that was put right: then the window begins anew, and says nothing until it is full.

use std::collections::VecDeque;

use super::fences::Fences;
use super::tree::Nth;
use super::{Unknown, WINDOW_BUCKETS};
use crate::alarm::fence::Fence;
use crate::geo::LonLat;
use crate::telemetry::{FUTURE_TOLERANCE_MS, Value};
use crate::time::{MonoMs, WallMs};

/// What is made of the values in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Their mean, each value counting once.
    Average,
    Least,
    Greatest,
    /// How many there were, of any type.
    Count,
    /// The newest.
    Last,
    /// How much the newest is above the oldest.
    Delta,
    /// That by the time between them, in seconds.
    Rate,
}

impl Of {
    pub fn named(name: &str) -> Option<Of> {
        Some(match name {
            "avg" => Of::Average,
            "min" => Of::Least,
            "max" => Of::Greatest,
            "count" => Of::Count,
            "last" => Of::Last,
            "delta" => Of::Delta,
            "rate" => Of::Rate,
            _ => return None,
        })
    }
}

/// A window as an expression names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub value: Nth,
    pub of: Of,
    pub length_ms: u64,
}

impl Span {
    /// How much time is one bucket.
    fn width_ms(self) -> u64 {
        self.length_ms.div_ceil(WINDOW_BUCKETS).max(1)
    }
}

/// What the windows and areas of one expression keep of one thing. It is not kept on the disk: after a start windows fill anew, and of a
/// thing at the edge of an area its alarm tells where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    windows: Box<[Window]>,
    fences: Fences,
}

#[derive(Clone, Debug, PartialEq)]
struct Window {
    /// Since when nothing was missed that belongs in it.
    since: MonoMs,
    newest: Option<Newest>,
    /// By their number, rising; never empty ones.
    buckets: VecDeque<Bucket>,
    /// How long we did not listen, by the bucket of our own clock in which that ended; together no more than a bucket.
    gaps: Vec<(u64, u64)>,
}

/// The newest value by the thing's own clock.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Newest {
    at: WallMs,
    heard: MonoMs,
    value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    /// The time of its first value.
    at: WallMs,
    count: u32,
    /// Their sum, the least, the greatest or the first, as the window needs it.
    kept: f64,
}

impl Memory {
    /// The memory of what has no windows.
    pub fn none() -> Memory {
        Memory { windows: Box::default(), fences: Fences::default() }
    }

    pub(super) fn begun(spans: &[Span], now: MonoMs) -> Memory {
        Memory { windows: spans.iter().map(|_| Window::begun(now)).collect(), fences: Fences::default() }
    }

    /// The thing is here. The nth of `fences` is that of [`super::Needs::fences`]; `None` for one that there is not.
    pub fn move_to<'f>(&mut self, at: LonLat, fences: impl IntoIterator<Item = Option<&'f Fence>>) {
        self.fences.move_to(at, fences);
    }

    /// Whether the thing was in the nth area when it was last heard of; `None` where nobody knows.
    pub fn inside(&self, nth: usize) -> Option<bool> {
        self.fences.inside(nth)
    }

    /// Areas at whose edge the thing is, between it and the margin, while nobody remembers on which side it was.
    pub fn undecided(&self) -> impl Iterator<Item = usize> + use<> {
        self.fences.undecided()
    }

    /// It was inside the nth of them, or was not.
    pub fn decide(&mut self, nth: usize, inside: bool) {
        self.fences.decide(nth, inside);
    }

    pub(super) fn hear(&mut self, spans: &[Span], nth: Nth, value: &Value, at: WallMs, now: MonoMs) {
        for (span, window) in spans.iter().zip(&mut self.windows).filter(|(span, _)| span.value == nth) {
            match value {
                Value::Number(number) => window.hear(*span, *number, at, now),
                Value::Flag(_) | Value::Text(_) if span.of == Of::Count => window.hear(*span, 0.0, at, now),
                Value::Flag(_) | Value::Text(_) => {}
            }
        }
    }

    pub(super) fn missed(&mut self, spans: &[Span], gap_ms: u64, now: MonoMs) {
        for (span, window) in spans.iter().zip(&mut self.windows) {
            window.missed(*span, gap_ms, now);
        }
    }

    #[cfg(test)]
    pub(super) fn most_buckets(&self) -> usize {
        self.windows.iter().map(|window| window.buckets.len()).max().unwrap_or(0)
    }

    #[cfg(test)]
    pub(super) fn most_gaps(&self) -> usize {
        self.windows.iter().map(|window| window.gaps.len()).max().unwrap_or(0)
    }

    /// What the nth window says.
    pub(super) fn tell(&self, spans: &[Span], nth: Nth, now: MonoMs) -> Result<f64, Unknown> {
        match (spans.get(nth), self.windows.get(nth)) {
            (Some(span), Some(window)) => window.tell(*span, now),
            _ => Err(Unknown::Unheard),
        }
    }
}

impl Window {
    fn begun(now: MonoMs) -> Window {
        Window { since: now, newest: None, buckets: VecDeque::new(), gaps: Vec::new() }
    }

    /// Many short gaps leave the same hole as one of their length.
    fn missed(&mut self, span: Span, gap_ms: u64, now: MonoMs) {
        let no = now.0 / span.width_ms();
        self.gaps.retain(|(of, _)| of.saturating_add(WINDOW_BUCKETS) >= no);
        match self.gaps.last_mut() {
            Some((of, sum_ms)) if *of == no => *sum_ms = sum_ms.saturating_add(gap_ms),
            _ => self.gaps.push((no, gap_ms)),
        }
        if self.gaps.iter().fold(0u64, |sum, (_, ms)| sum.saturating_add(*ms)) > span.width_ms() {
            *self = Window::begun(now);
        }
    }

    fn hear(&mut self, span: Span, value: f64, at: WallMs, now: MonoMs) {
        if let Some(newest) = self.newest {
            let end = newest.end(now);
            let most_ahead = FUTURE_TOLERANCE_MS.min(i64::try_from(span.length_ms).unwrap_or(i64::MAX));
            let is_ahead = at.0.saturating_sub(end.0) > most_ahead;
            let is_gone = bucket_no(span, at) < first_no(span, end);
            if is_ahead || is_gone && now.since(newest.heard) > span.length_ms {
                *self = Window::begun(now);
            } else if is_gone {
                return;
            }
        }
        if self.newest.is_none_or(|newest| at >= newest.at) {
            self.newest = Some(Newest { at, heard: now, value });
        }
        if span.of == Of::Last {
            return;
        }
        let no = bucket_no(span, at);
        let place = self.buckets.partition_point(|bucket| bucket_no(span, bucket.at) < no);
        match self.buckets.get_mut(place) {
            Some(bucket) if bucket_no(span, bucket.at) == no => bucket.add(span.of, value, at),
            _ => self.buckets.insert(place, Bucket { at, count: 1, kept: value }),
        }
        if let Some(newest) = self.newest {
            let first = first_no(span, newest.at);
            while self.buckets.front().is_some_and(|bucket| bucket_no(span, bucket.at) < first) {
                self.buckets.pop_front();
            }
        }
    }

    fn tell(&self, span: Span, now: MonoMs) -> Result<f64, Unknown> {
        let no_data = Err(Unknown::NoData(span.value));
        if span.of == Of::Last {
            return match self.newest.filter(|newest| now.since(newest.heard) <= span.length_ms) {
                Some(newest) => Ok(newest.value),
                None if now.since(self.since) < span.length_ms => Err(Unknown::Unheard),
                None => no_data,
            };
        }
        // What came before we listened is not known, and a mean of the rest would be a mean of something else. To a mean little is
        // missing after eleven of twelve buckets; a count would be too low.
        let spared_ms = if span.of == Of::Count { 0 } else { span.width_ms() };
        if now.since(self.since) < span.length_ms.saturating_sub(spared_ms) {
            return Err(Unknown::Unheard);
        }
        let Some(newest) = self.newest else { return if span.of == Of::Count { Ok(0.0) } else { no_data } };
        let first = first_no(span, newest.end(now));
        let held = || self.buckets.iter().skip_while(|bucket| bucket_no(span, bucket.at) < first);
        let count: u64 = held().map(|bucket| u64::from(bucket.count)).sum();
        if span.of == Of::Count {
            return Ok(count as f64);
        }
        let Some(oldest) = held().next() else { return no_data };
        let number = match span.of {
            Of::Average => held().map(|bucket| bucket.kept).sum::<f64>() / count as f64,
            Of::Least => held().map(|bucket| bucket.kept).fold(f64::INFINITY, f64::min),
            Of::Greatest => held().map(|bucket| bucket.kept).fold(f64::NEG_INFINITY, f64::max),
            Of::Count | Of::Last => return no_data,
            // A change needs two values.
            Of::Delta | Of::Rate if count < 2 => return no_data,
            Of::Delta => newest.value - oldest.kept,
            // Of two values almost at once the smallest noise is a great change.
            Of::Rate => match newest.at.since(oldest.at) {
                between_ms if between_ms < span.width_ms() => return no_data,
                between_ms => (newest.value - oldest.kept) * 1_000.0 / between_ms as f64,
            },
        };
        if number.is_finite() { Ok(number) } else { Err(Unknown::NotFinite) }
    }
}

impl Newest {
    /// What the thing's clock should say now.
    fn end(self, now: MonoMs) -> WallMs {
        self.at.plus(i64::try_from(now.since(self.heard)).unwrap_or(i64::MAX))
    }
}

impl Bucket {
    fn add(&mut self, of: Of, value: f64, at: WallMs) {
        let is_first = at < self.at;
        self.at = self.at.min(at);
        self.count = self.count.saturating_add(1);
        self.kept = match of {
            Of::Average => self.kept + value,
            Of::Least => self.kept.min(value),
            Of::Greatest => self.kept.max(value),
            Of::Delta | Of::Rate if is_first => value,
            Of::Count | Of::Last | Of::Delta | Of::Rate => self.kept,
        };
    }
}

fn bucket_no(span: Span, at: WallMs) -> i64 {
    at.0.div_euclid(i64::try_from(span.width_ms()).unwrap_or(i64::MAX))
}

/// The first bucket of a window that ends here: the one in which it begins, which is in it whole.
fn first_no(span: Span, end: WallMs) -> i64 {
    bucket_no(span, end.plus(-i64::try_from(span.length_ms).unwrap_or(i64::MAX)))
}
