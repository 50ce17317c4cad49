//! Reading a cache from outside the program that keeps it: a file, opened for reading only.
//!
//! The app may have it open meanwhile: no lock is taken, nothing is migrated, and every read is a short transaction of its own, so
//! that a long export neither holds the writer up nor keeps its log from being shortened. What is read is therefore not one moment
//! of the cache but a walk through it.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::{Refusal, StoreStats};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::open;
use crate::table::{latest, meta, refusal, sample, series, thing};

/// Samples read in one transaction.
const SAMPLES: usize = 2_000;

/// A cache that is only read.
#[derive(Debug)]
pub struct Reading {
    db: Connection,
    path: PathBuf,
}

impl Reading {
    /// Opens a cache of this schema or an older one. Fails on a file that is not there, a newer schema's, another program's, and
    /// what is no database.
    pub fn open(path: &Path) -> Result<Reading, StoreError> {
        let db = open::open_to_read(path)?;
        Ok(Reading { db, path: path.to_owned() })
    }

    /// Whose cache it is.
    pub fn profile(&self) -> Result<String, StoreError> {
        Ok(meta::profile(&self.db).map_err(StoreError::at(&self.path))?.unwrap_or_default())
    }

    /// How big and how old it is.
    pub fn stats(&self) -> Result<StoreStats, StoreError> {
        open::stats(&self.db, &self.path)
    }

    /// Every thing, in the order of the keys.
    pub fn things(&self) -> Result<Vec<(ThingKey, ThingName, Meta)>, StoreError> {
        thing::all(&self.db).map_err(StoreError::at(&self.path))
    }

    /// Every series with its thing and the JSON pointer of its value, in the order of the keys.
    pub fn series(&self) -> Result<Vec<(SeriesKey, ThingKey, String)>, StoreError> {
        series::all(&self.db).map_err(StoreError::at(&self.path))
    }

    /// The latest sample of every series that has one, in the order of the series.
    pub fn latest(&self) -> Result<Vec<Sample>, StoreError> {
        latest::all(&self.db).map_err(StoreError::at(&self.path))
    }

    /// What was refused, the newest first; at most 1 000 different ones are kept.
    pub fn refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        refusal::newest(&self.db).map_err(StoreError::at(&self.path))
    }

    /// Every sample of a series whose time lies in `span`, in the order of time, until `each` says `Break`; true when there was no
    /// `Break`. They are handed over as they are read, some thousands in memory at a time.
    pub fn samples(
        &self,
        series: SeriesKey,
        span: Range<WallMs>,
        mut each: impl FnMut(Sample) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        // The place of the first one: no sequence is below 0.
        let mut from = (span.start, 0);
        loop {
            let some = sample::from(&self.db, series, from, span.end, SAMPLES).map_err(StoreError::at(&self.path))?;
            let is_last = some.len() < SAMPLES;
            for sample in some {
                from = (sample.device_ms, sample.seq.saturating_add(1));
                if each(sample).is_break() {
                    return Ok(false);
                }
            }
            if is_last {
                return Ok(true);
            }
        }
    }
}
