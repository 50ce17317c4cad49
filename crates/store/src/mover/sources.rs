//! Several runs read side by side, series by series.

use std::collections::VecDeque;
use std::rc::Rc;

use fleetlens_model::id::SeriesKey;
use rusqlite::Connection;

use super::Ended;
use crate::codec::block;
use crate::codec::page::Scratch;
use crate::codec::rolled::{self, Rolled};
use crate::codec::{Damaged, Kept};
use crate::error::{StoreError, is_damage};
use crate::table::run::{self, Run, RunKey, Tier};
use crate::weave::{self, Page};

/// A run that is read from its first block to its last, one in memory at a time.
pub(super) struct Source {
    /// Among the runs that are read together.
    pub place: usize,
    pub key: RunKey,
    pub blocks: VecDeque<i64>,
    pub pages: VecDeque<Page>,
    /// Whether it is only looked at, and may go meanwhile.
    pub may_go: bool,
}

impl Source {
    /// The series of its next page.
    fn peek(&mut self, db: &Connection) -> Result<Option<SeriesKey>, Ended> {
        while self.pages.is_empty() {
            let Some(block) = self.blocks.pop_front() else { return Ok(None) };
            let bytes = match run::block(db, block) {
                Ok(bytes) => bytes,
                Err(rusqlite::Error::QueryReturnedNoRows) => match run::is_live(db, self.key) {
                    Ok(true) => return Err(self.broken("a block is missing")),
                    // It went by its age or size.
                    Ok(false) if self.may_go => {
                        self.blocks.clear();
                        return Ok(None);
                    }
                    Ok(false) => return Err(Ended::Outdated),
                    Err(error) => return Err(Ended::Unread(error)),
                },
                Err(error) if is_damage(&error) => return Err(self.broken(&error.to_string())),
                Err(error) => return Err(Ended::Unread(error)),
            };
            let (pages, run, bytes) = (&mut self.pages, self.place, Rc::new(bytes));
            block::pages(
                &bytes,
                |_| true,
                |entry, place| {
                    pages.push_back(Page::new(run, entry, Rc::clone(&bytes), place));
                },
            )
            .map_err(|error: Damaged| self.broken(&error.to_string()))?;
        }
        Ok(self.pages.front().map(|page| page.entry.series))
    }

    fn broken(&self, why: &str) -> Ended {
        Ended::Broken(self.key, StoreError::Sqlite(why.to_owned()))
    }

    /// Its pages of this series.
    fn take(&mut self, db: &Connection, series: SeriesKey, pages: &mut Vec<Page>) -> Result<(), Ended> {
        while self.peek(db)? == Some(series) {
            pages.extend(self.pages.pop_front());
        }
        Ok(())
    }
}

/// The next series and its pages in all of them, `None` at the end.
pub(super) fn next_series(db: &Connection, sources: &mut [Source]) -> Result<Option<(SeriesKey, Vec<Page>)>, Ended> {
    let mut next: Option<SeriesKey> = None;
    for source in sources.iter_mut() {
        let series = source.peek(db)?;
        next = match (next, series) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    let Some(series) = next else { return Ok(None) };
    pages_of(db, sources, series).map(|pages| Some((series, pages)))
}

/// The pages of this series in all of them; series before it are passed over.
pub(super) fn pages_of(db: &Connection, sources: &mut [Source], series: SeriesKey) -> Result<Vec<Page>, Ended> {
    let mut pages = Vec::new();
    for source in sources {
        while source.peek(db)?.is_some_and(|next| next < series) {
            source.pages.pop_front();
        }
        source.take(db, series, &mut pages)?;
    }
    Ok(pages)
}

/// [`weave::unpack`] into an empty place, naming the run that cannot be.
pub(super) fn unpacked(
    runs: &[Run],
    cluster: Vec<Page>,
    samples: &mut Vec<Kept>,
    scratch: &mut Scratch,
) -> Result<u64, Ended> {
    samples.clear();
    let first = cluster.first().map_or(0, |page| page.run);
    weave::unpack(cluster, samples, scratch).map_err(|error| broken(runs, first, error))
}

/// The buckets in these pages in the order of time, each once.
pub(super) fn buckets_of(runs: &[Run], pages: &[Page], tier: Tier) -> Result<Vec<Rolled>, Ended> {
    let mut parts = Vec::new();
    for page in pages {
        let Page { run, entry, .. } = page;
        rolled::get(page.bytes(), entry.count, entry.from_ms, tier.width_ms(), &mut parts)
            .map_err(|error| broken(runs, *run, error))?;
    }
    // Halves of one bucket stay in the order of their runs.
    parts.sort_by_key(|rolled| rolled.bucket.start_ms);
    let mut buckets = Vec::with_capacity(parts.len());
    parts.iter().for_each(|part| add(&mut buckets, part));
    Ok(buckets)
}

fn broken(runs: &[Run], place: usize, error: Damaged) -> Ended {
    let key = runs.get(place).map_or(RunKey(0), |run| run.key);
    Ended::Broken(key, StoreError::Sqlite(error.to_string()))
}

/// Takes a part of a bucket in that is the last one's, or comes behind it.
pub(super) fn add(buckets: &mut Vec<Rolled>, part: &Rolled) {
    match buckets.last_mut() {
        Some(last) if last.bucket.start_ms == part.bucket.start_ms => last.and(part),
        _ => buckets.push(*part),
    }
}

/// Buckets in the order of time as those of a wider tier.
pub(super) fn widened(buckets: &[Rolled], tier: Tier) -> Vec<Rolled> {
    let width_ms = tier.width_ms();
    let mut wide = Vec::new();
    for rolled in buckets {
        let mut part = *rolled;
        part.bucket.start_ms.0 = part.bucket.start_ms.0.div_euclid(width_ms).saturating_mul(width_ms);
        add(&mut wide, &part);
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_become_hours_and_nothing_is_lost() {
        let minute = |n: i64| Rolled::of(n * 60_000, n * 60_000 + 7, n as f64);
        let minutes: Vec<Rolled> = [0, 1, 59, 60, 200].map(minute).into();
        let hours = widened(&minutes, Tier::Hours);
        let told: Vec<_> = hours.iter().map(|h| (h.bucket.start_ms.0, h.bucket.count, h.bucket.last)).collect();
        assert_eq!(told, [(0, 3, 59.0), (3_600_000, 1, 60.0), (10_800_000, 1, 200.0)]);
    }
}
