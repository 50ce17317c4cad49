//! The tables that one would make first, in the same SQLite, as safe against a power cut: what the cache is measured against.

use std::path::Path;

use fleetlens_model::downsample::{Bucket, Downsampler};
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, OpenFlags, params};

use super::Failure;

/// How the rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In the order they came, with an index over series and time.
    Indexed,
    /// In the order of series and time (`WITHOUT ROWID`).
    Clustered,
}

/// A table of samples, and nothing else.
pub struct Plain {
    db: Connection,
}

impl Plain {
    /// Makes it: a log, and every commit on the disk before it is said to be.
    pub fn create(path: &Path, layout: Layout) -> Result<Plain, Failure> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        let columns =
            "series INTEGER NOT NULL, device_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, value REAL NOT NULL";
        db.execute_batch(&match layout {
            Layout::Indexed => {
                format!(
                    "CREATE TABLE sample ({columns}) STRICT; CREATE INDEX sample_by_time ON sample (series, device_ms);"
                )
            }
            Layout::Clustered => {
                format!("CREATE TABLE sample ({columns}, PRIMARY KEY (series, device_ms)) STRICT, WITHOUT ROWID;")
            }
        })?;
        Ok(Plain { db })
    }

    /// Opens one to read.
    pub fn open(path: &Path) -> Result<Plain, Failure> {
        Ok(Plain { db: Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)? })
    }

    /// Stores samples in one transaction.
    pub fn commit(&mut self, samples: &[Sample]) -> Result<(), Failure> {
        let transaction = self.db.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO sample (series, device_ms, received_ms, value) VALUES (?1, ?2, ?3, ?4)")?;
            for sample in samples {
                let value = sample.value.as_number().ok_or("this table holds numbers alone")?;
                insert.execute(params![sample.series.0, sample.device_ms.0, sample.received_ms.0, value])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The same buckets that the cache makes of the same question.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<Bucket>, Failure> {
        let mut select = self.db.prepare_cached(
            "SELECT device_ms, value FROM sample WHERE series = ?1 AND device_ms >= ?2 AND device_ms < ?3 ORDER BY device_ms",
        )?;
        let mut rows = select.query(params![query.series.0, query.from_ms.0, query.to_ms.0])?;
        let mut folded = Downsampler::new(query.bucket_ms);
        while let Some(row) = rows.next()? {
            folded.add(WallMs(row.get(0)?), row.get(1)?);
        }
        Ok(folded.buckets().to_vec())
    }

    /// Moves the log into the file and lets go of it.
    pub fn close(self) -> Result<(), Failure> {
        self.db.close().map_err(|(_, error)| error.into())
    }
}

/// Plain tables of what a start has to know: things with their descriptions, and latest values.
pub struct Facts;

impl Facts {
    /// Writes what of these is such a fact.
    pub fn write<'a>(path: &Path, writes: impl Iterator<Item = &'a Write>) -> Result<(), Failure> {
        let mut db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.execute_batch(
            "CREATE TABLE thing (thing INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, meta TEXT NOT NULL) STRICT;
             CREATE TABLE latest (series INTEGER NOT NULL PRIMARY KEY, device_ms INTEGER NOT NULL, value REAL NOT NULL) STRICT;",
        )?;
        let transaction = db.transaction()?;
        for write in writes {
            if let Write::Thing { thing, name, meta } = write {
                transaction
                    .prepare_cached("INSERT INTO thing (thing, name, meta) VALUES (?1, ?2, ?3)")?
                    .execute(params![thing.0, name.as_str(), serde_json::to_string(meta)?])?;
            } else if let Write::Sample(sample) = write {
                transaction
                    .prepare_cached("INSERT INTO latest (series, device_ms, value) VALUES (?1, ?2, ?3)")?
                    .execute(params![sample.series.0, sample.device_ms.0, sample.value.as_number()])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Reads all of it into memory; returns how many things and values there are.
    pub fn read(path: &Path) -> Result<(u64, u64), Failure> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut things = Vec::new();
        let mut select = db.prepare("SELECT thing, name, meta FROM thing")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            things.push((row.get::<_, u32>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
        }
        let mut latest = Vec::new();
        let mut select = db.prepare("SELECT series, device_ms, value FROM latest")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            latest.push((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?));
        }
        // Kept until here, as a program that shows them has to.
        Ok((std::hint::black_box(things).len() as u64, std::hint::black_box(latest).len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::SeriesKey;

    use super::*;
    use crate::bench::samples::{BEGIN, City};

    #[test]
    fn both_tables_answer_alike() {
        let folder = tempfile::tempdir().unwrap();
        let samples = City::new(10).next(20_000);
        let query = HistoryQuery {
            series: SeriesKey(3),
            from_ms: BEGIN.plus(60_000),
            to_ms: BEGIN.plus(3_660_000),
            bucket_ms: 60_000,
            up_to_seq: u64::MAX,
        };
        let answers = [Layout::Indexed, Layout::Clustered].map(|layout| {
            let path = folder.path().join(format!("{layout:?}.db"));
            let mut plain = Plain::create(&path, layout).unwrap();
            samples.chunks(1_000).for_each(|batch| plain.commit(batch).unwrap());
            plain.close().unwrap();
            Plain::open(&path).unwrap().history(&query).unwrap()
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].iter().map(|bucket| bucket.count).sum::<u32>(), 360);
    }
}
