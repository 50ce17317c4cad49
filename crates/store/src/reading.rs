//! Reading a cache from outside the program that keeps it, or beside what that reads itself: a file, opened for reading only.
//!
//! The app may have it open meanwhile: no lock is taken, nothing is migrated, and every read is a short transaction of its own, so
//! that a long export neither holds the writer up nor keeps its log from being shortened. What is read is therefore not one moment
//! of the cache but a walk through it.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetlens_model::alarm::Alarm;
use fleetlens_model::audit::Filter;
use fleetlens_model::audit::chain::{Break, Chained, Head, Summary, Verifier};
use fleetlens_model::bulk;
use fleetlens_model::command::Command;
use fleetlens_model::figures::CacheFigures;
use fleetlens_model::id::{BulkId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::{History, HistoryQuery, Passage, Refusal, StoreStats};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::figures;
use crate::history::{self, Damage};
use crate::open;
use crate::past::{self, AsItWas};
use crate::readers::Readers;
use crate::table::{self, audit, command, latest, meta, refusal, series, thing};

/// A cache that is only read.
#[derive(Debug)]
pub struct Reading {
    db: Connection,
    path: PathBuf,
    /// After the connection, which is the last one but for its own.
    _leaves: Option<Leaves>,
    /// Whose cache it is, where this program has it.
    of: Option<Arc<Readers>>,
    /// After all connections.
    _kept: Option<Arc<File>>,
}

/// What reading leaves behind: SQLite makes a log and its index beside a file to read it, and who may only read cannot take them away.
///
/// To read a file that nobody has open as one that nobody changes (`immutable`) would make none, but whoever opened it meanwhile to
/// write to it would change it under the reader's eyes, and to keep him out would be the lock that reading does not take.
#[derive(Debug)]
struct Leaves(PathBuf);

impl Drop for Leaves {
    fn drop(&mut self) {
        // A log with something in it is somebody's, who was killed: that goes into the file when the file is opened to write to it.
        let Leaves(path) = self;
        if !open::beside(path, "-wal").exists() || open::log_bytes(path) > 0 {
            return;
        }
        // The last connection that may write takes them away when it closes; whether it is the last SQLite alone knows.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let taken_away = Connection::open_with_flags(&*path, flags).and_then(|db| {
            db.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            db.close().map_err(|(_, error)| error)
        });
        if let Err(error) = taken_away {
            tracing::debug!(%error, "an empty log stays beside the cache");
        }
    }
}

impl Reading {
    /// Opens a cache of this schema. Fails on a file that is not there, an older or newer schema's, another program's, and what is no
    /// database.
    pub fn open(path: &Path) -> Result<Reading, StoreError> {
        let _kept = open::kept(path).ok();
        let (db, _) = open::open_to_look(path)?;
        Ok(Reading { db, path: path.to_owned(), _leaves: Some(Leaves(path.to_owned())), of: None, _kept })
    }

    /// Of a cache that this program has open: whose it is was looked at when that was opened, and its log is in use.
    pub(crate) fn beside(of: Arc<Readers>) -> Result<Reading, StoreError> {
        let (db, path) = (of.another()?, of.path().to_owned());
        Ok(Reading { db, path, _leaves: None, of: Some(of), _kept: None })
    }

    /// Whether the [`Store`](crate::Store) that it is of was closed: whoever reads for long should end, or the log cannot go.
    pub fn is_closed(&self) -> bool {
        self.of.as_ref().is_some_and(|of| of.is_closed())
    }

    /// Whose cache it is.
    pub fn profile(&self) -> Result<String, StoreError> {
        Ok(meta::profile(&self.db).map_err(StoreError::at(&self.path))?.unwrap_or_default())
    }

    /// How big and how old it is.
    pub fn stats(&self) -> Result<StoreStats, StoreError> {
        open::stats(&self.db, &self.path)
    }

    /// What the file holds and how it stands.
    pub fn figures(&self) -> Result<CacheFigures, StoreError> {
        figures::read(&self.db, &self.path).map_err(StoreError::at(&self.path))
    }

    /// Looks through the whole file for what SQLite can see of damage, at most five sentences of it; `None` when that took longer
    /// than `within`. What only our own checksums see is met when it is read.
    pub fn quick_check(&self, within: Duration) -> Result<Option<Vec<String>>, StoreError> {
        figures::quick_check(&self.db, within).map_err(StoreError::at(&self.path))
    }

    /// Every thing, in the order of the keys.
    pub fn things(&self) -> Result<Vec<(ThingKey, ThingName, Meta)>, StoreError> {
        thing::all(&self.db).map_err(StoreError::at(&self.path))
    }

    /// Every series with its thing and the JSON pointer of its value, in the order of the keys.
    pub fn series(&self) -> Result<Vec<(SeriesKey, ThingKey, String)>, StoreError> {
        let all = series::all(&self.db, &mut Texts::default()).map_err(StoreError::at(&self.path))?;
        Ok(all.into_iter().map(|(key, thing, pointer)| (key, thing, pointer.to_string())).collect())
    }

    /// The latest sample of every series that has one, in the order of the series.
    pub fn latest(&self) -> Result<Vec<Sample>, StoreError> {
        latest::all(&self.db).map_err(StoreError::at(&self.path))
    }

    /// What was refused, the newest first; at most 1 000 different ones are kept.
    pub fn refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        refusal::newest(&self.db).map_err(StoreError::at(&self.path))
    }

    /// The things that were silent when somebody last listened, in the order of the keys.
    pub fn silent(&self) -> Result<Vec<ThingKey>, StoreError> {
        thing::silent(&self.db).map_err(StoreError::at(&self.path))
    }

    /// When our link was last known to be up: what everything here is as of. `None` where it never was.
    pub fn link_seen(&self) -> Result<Option<WallMs>, StoreError> {
        meta::link_last_seen(&self.db).map_err(StoreError::at(&self.path))
    }

    /// The alarms whose life touches a span, in the order in which they were last raised. Of one that was raised again while it was
    /// open only the last time is known; one that was raised again after the span is not among them.
    pub fn alarms(&self, span: &Range<WallMs>) -> Result<Vec<Alarm>, StoreError> {
        table::alarm::touching(&self.db, span).map_err(StoreError::at(&self.path))
    }

    /// The bulk commands that are kept, in the order of their ids.
    pub fn bulks(&self) -> Result<Vec<bulk::Head>, StoreError> {
        table::bulk::heads(&self.db).map_err(StoreError::at(&self.path))
    }

    /// The things of a bulk command by name, in the order of their release, with what came of each, until `each` says `Break`.
    pub fn bulk_rows(
        &self,
        bulk: BulkId,
        each: impl FnMut(&str, bulk::Progress) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        table::bulk::walk(&self.db, bulk, each).map_err(StoreError::at(&self.path))
    }

    /// Every row of the audit log, in the order of the numbers, until `each` says `Break`; true when there was no `Break`.
    pub fn audit(&self, each: impl FnMut(Chained) -> ControlFlow<()>) -> Result<bool, StoreError> {
        audit::walk(&self.db, each).map_err(StoreError::at(&self.path))
    }

    /// The rows of the audit log whose time lies in a span, in the order of the numbers, until `each` says `Break`; true when there was
    /// no `Break`. Looks at all rows, because the clock that dated them may have been set.
    pub fn audit_between(
        &self,
        span: &Range<WallMs>,
        each: impl FnMut(Chained) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        audit::between(&self.db, span, each).map_err(StoreError::at(&self.path))
    }

    /// The newest rows of the audit log that `filter` takes, at most `most`, the newest first. One that says nothing of ours is left
    /// out.
    pub fn newest_audit(&self, filter: &Filter, most: usize) -> Result<Vec<Chained>, StoreError> {
        audit::newest(&self.db, filter, most).map_err(StoreError::at(&self.path))
    }

    /// Whether the audit log is as it was written, up to the row that the cache noted last, or which row is the first that is not.
    /// `noted`: rows that somebody noted elsewhere, which must be among them.
    pub fn verify_audit(&self, noted: &[Head]) -> Result<Result<Summary, Break>, StoreError> {
        // Before the rows: those that are added meanwhile come on top.
        let of_cache = meta::noted_audit(&self.db).map_err(StoreError::at(&self.path))?;
        let mut verifier = Verifier::new(of_cache.into_iter().chain(noted.iter().copied()));
        self.audit(|row| verifier.row(&row))?;
        Ok(verifier.end())
    }

    /// What became of commands for a thing: those that are over, at most so many of the newest, newest first.
    pub fn ended_commands(&self, thing: ThingKey, most: usize) -> Result<Vec<Command>, StoreError> {
        command::ended(&self.db, thing, most).map_err(StoreError::at(&self.path))
    }

    /// A stretch of one series in buckets, as [`Store::history`](crate::Store::history) tells it. What is damaged is left out, and logged.
    pub fn history(&self, query: &HistoryQuery) -> Result<History, StoreError> {
        let mut lost = Damage::default();
        let found = history::buckets(&self.db, query, &mut lost).map_err(StoreError::at(&self.path))?;
        Reading::tell(&lost, query.series);
        Ok(found)
    }

    /// Every sample of a series whose time lies in `span`, in the order of time, until `each` says `Break`; true when there was no
    /// `Break`. They are handed over as they are read, some thousands in memory at a time. Their sequence is not kept for ever: it
    /// is 0. What is damaged is left out, and logged.
    pub fn samples(
        &self,
        series: SeriesKey,
        span: Range<WallMs>,
        each: impl FnMut(Sample) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        let mut lost = Damage::default();
        let all = history::samples(&self.db, series, span, &mut lost, each).map_err(StoreError::at(&self.path))?;
        Reading::tell(&lost, series);
        Ok(all)
    }

    /// When the oldest sample that is kept was measured, and when the newest was; `None` of a cache without any. Looks at no sample.
    pub fn span(&self) -> Result<Option<Range<WallMs>>, StoreError> {
        past::span(&self.db).map_err(StoreError::at(&self.path))
    }

    /// Everything known at a moment, in one short transaction. Values that were replaced since are looked for in the day before it. What is
    /// damaged is left out, and logged.
    pub fn as_it_was(&self, at: WallMs) -> Result<AsItWas, StoreError> {
        let mut lost = Damage::default();
        let found = past::at(&self.db, &self.path, at, &mut lost).map_err(StoreError::at(&self.path))?;
        Reading::tell(&lost, SeriesKey(0));
        Ok(found)
    }

    /// What came after one moment and up to another, or up to an earlier one where that is more than `most` samples. A message that came
    /// more than an hour after its own time is not among it. What is damaged is left out, and logged.
    pub fn between(&self, after: WallMs, up_to: WallMs, most: usize) -> Result<Passage, StoreError> {
        let mut lost = Damage::default();
        let found = past::between(&self.db, after, up_to, most, &mut lost).map_err(StoreError::at(&self.path))?;
        Reading::tell(&lost, SeriesKey(0));
        Ok(found)
    }

    /// How many alarms were raised in each of so many equal parts of a span; of one that was raised again while it was open, the last time.
    pub fn alarms_raised(&self, span: &Range<WallMs>, parts: usize) -> Result<Vec<u32>, StoreError> {
        table::alarm::raised_in(&self.db, span, parts).map_err(StoreError::at(&self.path))
    }

    fn tell(lost: &Damage, series: SeriesKey) {
        if let Some(first) = lost.first() {
            tracing::error!(
                detail = first,
                parts = lost.count(),
                series = series.0,
                "a part of the history is damaged"
            );
        }
    }
}
