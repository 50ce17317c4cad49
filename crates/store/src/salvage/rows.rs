//! The history as schemas 1 to 3 kept it: one row a sample, in the tables `sample` and `latest`. What can be read of it goes into the
//! journal, from where it becomes runs like anything else.

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Sample, Source, TEXT_MAX_BYTES, Timed, Value};
use fleetlens_model::time::WallMs;
use rusqlite::types::Value as Column;

use crate::codec::batch::Batch;
use crate::table::latest::{self, Latest};
use crate::table::{count, journal};

use super::tree::Row;
use super::{Lost, NUMBER_MAX, Taking};

/// Samples that become one row of the journal.
const BATCH: u64 = 4_096;

impl Taking<'_> {
    /// The latest values.
    pub(super) fn latest_rows(&mut self) -> rusqlite::Result<()> {
        let mut newest = Latest::default();
        self.each("latest", true, |taking, mut row| {
            // The key stands beside the columns.
            let (series, key) = (row.columns.first_mut().ok_or(Lost::Row)?, row.key.ok_or(Lost::Row)?);
            *series = Column::Integer(key);
            newest.offer(taking.sample(&row)?);
            Ok(())
        })?;
        for (block, data) in newest.rows(self.db)? {
            latest::put(self.db, block, &data)?;
        }
        Ok(())
    }

    /// Every sample.
    pub(super) fn sample_rows(&mut self) -> rusqlite::Result<()> {
        let (mut batch, mut last_seq) = (Batch::default(), 0);
        self.each("sample", false, |taking, row| {
            let sample = taking.sample(&row)?;
            last_seq = last_seq.max(sample.seq);
            batch.push(&sample);
            if batch.samples == BATCH {
                taking.put(&mut batch, last_seq)?;
            }
            Ok(())
        })?;
        self.put(&mut batch, last_seq)
    }

    fn put(&mut self, batch: &mut Batch, last_seq: u64) -> rusqlite::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        journal::put(self.db, batch, last_seq)?;
        self.last_seq = self.last_seq.max(i64::try_from(last_seq).unwrap_or(0));
        self.told.samples += batch.samples;
        batch.clear();
        Ok(())
    }

    /// A row of either table: `series, device_ms, seq, received_ms, kind, value, source, quality, timed`.
    fn sample(&self, row: &Row) -> Result<Sample, Lost> {
        let whole = |column| row.whole(column).ok_or(Lost::Row);
        let series = u32::try_from(whole(0)?).map_err(|_| Lost::Row)?;
        let seq = Some(whole(2)?).filter(|seq| *seq < NUMBER_MAX).ok_or(Lost::Row)?;
        let value = match (whole(4)?, row.columns.get(5)) {
            (0, Some(Column::Real(number))) if number.is_finite() => Value::Number(*number),
            (1, Some(Column::Integer(flag @ (0 | 1)))) => Value::Flag(*flag == 1),
            (2, Some(Column::Text(text))) if text.len() <= TEXT_MAX_BYTES => Value::Text(text.clone()),
            _ => return Err(Lost::Row),
        };
        let source = match whole(6)? {
            0 => Source::Live,
            1 => Source::Retained,
            2 => Source::Cached,
            _ => return Err(Lost::Row),
        };
        let quality = match whole(7)? {
            0 => Quality::Good,
            1 => Quality::Stale,
            2 => Quality::Estimated,
            3 => Quality::Synthetic,
            _ => return Err(Lost::Row),
        };
        let timed = match whole(8)? {
            0 => Timed::ByUs,
            1 => Timed::ByDevice,
            _ => return Err(Lost::Row),
        };
        let sample = Sample {
            series: SeriesKey(series),
            device_ms: WallMs(whole(1)?),
            seq: count(2, seq)?,
            received_ms: WallMs(whole(3)?),
            value,
            source,
            quality,
            timed,
        };
        if self.series.contains(&sample.series) { Ok(sample) } else { Err(Lost::Row) }
    }
}
