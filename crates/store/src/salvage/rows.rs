//! The history as schemas 1 to 3 kept it: one row a sample, in the tables `sample` and `latest`. What can be read of it goes into runs
//! that are settled and rolled up later like any other. The rows come as their pages do, in no order, so each run is of so many as are
//! sorted in memory.

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Sample, Source, TEXT_MAX_BYTES, Timed, Value};
use fleetlens_model::time::WallMs;
use rusqlite::types::Value as Column;

use crate::building::Building;
use crate::codec::Kept;
use crate::table::count;
use crate::table::latest::{self, Latest};
use crate::table::run::{self, RunKey, Tier};

use super::tree::Row;
use super::{Lost, NUMBER_MAX, SLICE, Taking};

/// Samples that become one run, as many as the mover takes at once; of long texts fewer ([`SLICE`]).
const RUN_SAMPLES: usize = 262_144;

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
        let (mut samples, mut bytes, mut key) = (Vec::new(), 0, RunKey(0));
        self.each("sample", false, |taking, row| {
            let sample = taking.sample(&row)?;
            bytes += if let Value::Text(text) = &sample.value { text.len() } else { 0 };
            samples.push(sample);
            if samples.len() >= RUN_SAMPLES || bytes >= SLICE {
                taking.put(&mut key, &mut samples)?;
                bytes = 0;
            }
            Ok(())
        })?;
        self.put(&mut key, &mut samples)
    }

    /// Samples become the next run, in a transaction of its own: in one with all of them the log would be as long as the file.
    fn put(&mut self, last: &mut RunKey, samples: &mut Vec<Sample>) -> rusqlite::Result<()> {
        let seqs = samples.iter().map(|sample| sample.seq);
        let (Some(first_seq), Some(last_seq)) = (seqs.clone().min(), seqs.max()) else { return Ok(()) };
        samples.sort_unstable_by_key(|sample| (sample.series, sample.device_ms, sample.seq));
        let key = RunKey(last.0 + 1);
        let mut building = Building::new(key, Tier::Samples, 1, (first_seq, last_seq));
        for of_series in samples.chunk_by(|one, other| one.series == other.series) {
            let Some(Sample { series, .. }) = of_series.first() else { continue };
            building.samples(*series, of_series.iter().map(Kept::of));
        }
        run::begin(self.db, key)?;
        let (blocks, made) = building.finish();
        blocks.iter().try_for_each(|block| run::add(self.db, key, block))?;
        made.iter().try_for_each(|made| run::finish(self.db, made))?;
        self.db.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        self.last_seq = self.last_seq.max(i64::try_from(last_seq).unwrap_or(0));
        self.told.samples += samples.len() as u64;
        *last = key;
        samples.clear();
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::open;
    use crate::salvage::{self, Wanted};

    #[test]
    fn a_long_history_of_a_row_a_sample_becomes_runs_and_its_log_stays_short() {
        const ROWS: i64 = 90_000;
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("malta.db"), folder.path().join("malta.db.salvage"));
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/schema-3.db"), &old).unwrap();
        let db = Connection::open(&old).unwrap();
        let before: i64 = db.query_one("SELECT count(*) FROM sample", [], |row| row.get(0)).unwrap();
        // Long texts that do not pack, of one series.
        db.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
             INSERT INTO sample (series, device_ms, seq, received_ms, kind, value, source, quality, timed)
             SELECT (SELECT min(series) FROM series), n, 1000000 + n, n, 2, hex(randomblob(300)), 0, 0, 1 FROM n",
            [ROWS],
        )
        .unwrap();
        db.close().unwrap();

        let (db, _) = open::open(&new, "malta", 1).unwrap();
        let told = salvage::into(&db, &new, &old, "malta", Wanted::All).unwrap();
        assert_eq!((told.samples, told.lost_rows, told.ended_early), ((before + ROWS).cast_unsigned(), 0, None));
        let (log, file) = (open::log_bytes(&new), std::fs::metadata(&new).unwrap().len());
        assert!(file > 50_000_000 && log < 25_000_000, "a log of {log} bytes beside a file of {file}");
        let journal: i64 = db.query_one("SELECT count(*) FROM journal", [], |row| row.get(0)).unwrap();
        let runs = run::live(&db).unwrap();
        assert_eq!((journal, runs.iter().map(|run| run.entries).sum()), (0, told.samples));
        assert!((3..6).contains(&runs.len()) && runs.iter().all(|run| !run.is_settled()), "{runs:?}");
    }
}
