//! The oldest rows of the journal become a run.

use std::sync::atomic::Ordering;

use fleetlens_model::telemetry::Sample;

use super::{Ended, Finish, Flushed, Mover, Tail};
use crate::building::Building;
use crate::codec::{Damaged, Kept, batch};
use crate::table::run::Tier;
use crate::table::{damaged, journal, latest};
use crate::weave;

/// The journal is flushed from here on: so many samples are looked through for each question about the last minutes.
const FLUSH_SAMPLES: u64 = 65_536;
/// And from so many rows on, however small: each costs a look.
const FLUSH_ROWS: u64 = 1_024;
/// And from so many bytes on: texts are long.
const FLUSH_BYTES: u64 = 4 << 20;
/// A flush takes no more than this at once, which is some 20 MB of memory.
const FLUSH_MAX: usize = 262_144;

/// Nor more bytes: of texts there are fewer.
const FLUSH_MAX_BYTES: u64 = 16 << 20;

impl Tail {
    /// Whether it is time for a flush.
    pub fn is_long(&self) -> bool {
        self.rows.load(Ordering::Relaxed) >= FLUSH_ROWS
            || self.samples.load(Ordering::Relaxed) >= FLUSH_SAMPLES
            || self.bytes.load(Ordering::Relaxed) >= FLUSH_BYTES
    }
}

impl Mover {
    /// Flushes when the journal is long, or holds what is asked for.
    pub(super) fn flush_if_due(&mut self, all: bool, up_to_seq: u64) -> Result<bool, Ended> {
        let kept_from = self.kept_from()?;
        let held = journal::span_up_to(&self.db, up_to_seq).map_err(self.failed())?;
        let is_due =
            self.shared.tail.is_long() || held.is_some_and(|(from_ms, _)| all || self.is_old(from_ms, kept_from));
        if is_due {
            self.flush()?;
        }
        Ok(is_due)
    }

    /// The oldest rows of the journal become a run.
    fn flush(&mut self) -> Result<(), Ended> {
        let waiting = usize::try_from(self.shared.tail.samples.load(Ordering::Relaxed)).unwrap_or(FLUSH_MAX);
        let mut samples: Vec<Sample> = Vec::with_capacity(waiting.min(FLUSH_MAX));
        let mut flushed = Flushed::default();
        let limit = self.size_limit().min(FLUSH_MAX_BYTES);
        journal::rows(&self.db, |batch, data| {
            batch::each(data, |sample| samples.push(sample)).map_err(|Damaged| damaged("the journal"))?;
            flushed = Flushed {
                up_to_batch: batch,
                rows: flushed.rows + 1,
                samples: samples.len() as u64,
                bytes: flushed.bytes + data.len() as u64,
            };
            Ok(samples.len() < FLUSH_MAX && flushed.bytes < limit)
        })
        .map_err(self.failed())?;
        let seqs = samples.iter().map(|sample| sample.seq);
        let span = (seqs.clone().min().unwrap_or_default(), seqs.max().unwrap_or_default());
        let mut building = Building::new(self.next_key(), Tier::Samples, 1, span);
        let mut repeated = 0;
        let mut latest = Vec::new();
        let mut of_series = Vec::new();
        for group in by_series(&samples).chunk_by(|one, other| one.series == other.series) {
            let Some(Sample { series, .. }) = group.first() else { continue };
            let newest = group.iter().copied().reduce(|one, other| if other.supersedes(one) { other } else { one });
            latest.extend(newest.cloned());
            of_series.clear();
            of_series.extend(group.iter().copied().map(Kept::of));
            repeated += weave::weave(&mut of_series, 0);
            building.samples(*series, of_series.drain(..));
        }
        // As big as all that comes now.
        drop(samples);
        let latest = latest::rows_with(&self.db, latest).map_err(self.failed())?;
        let finish = Finish { flushed: Some(flushed), latest, repeated, ..Finish::default() };
        self.finish(vec![building], finish)
    }
}

/// The samples of one series after the other, each in the order they came. Series keys are small and dense, so they are counted: that
/// is several times as fast as comparing them.
fn by_series(samples: &[Sample]) -> Vec<&Sample> {
    let last = samples.iter().map(|sample| sample.series.0 as usize).max().unwrap_or_default();
    let mut places = vec![0_u32; last + 2];
    for sample in samples {
        if let Some(next) = places.get_mut(sample.series.0 as usize + 1) {
            *next += 1;
        }
    }
    let mut before = 0;
    for place in &mut places {
        before += *place;
        *place = before;
    }
    let mut ordered: Vec<Option<&Sample>> = vec![None; samples.len()];
    for sample in samples {
        if let Some(place) = places.get_mut(sample.series.0 as usize)
            && let Some(free) = ordered.get_mut(*place as usize)
        {
            *free = Some(sample);
            *place += 1;
        }
    }
    ordered.into_iter().flatten().collect()
}
