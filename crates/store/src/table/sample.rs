//! `sample`: every value, ordered by series, the time it counts at, and the sequence that breaks ties.
//!
//! | column | meaning |
//! |---|---|
//! | `device_ms` | the time it is ordered by: the device's where believed, else ours |
//! | `received_ms` | ours |
//! | `kind`, `value` | 0 a REAL, 1 an INTEGER 0 or 1, 2 a TEXT |
//! | `source` | 0 live, 1 retained, 2 cached |
//! | `quality` | 0 good, 1 stale, 2 estimated, 3 synthetic |
//! | `timed` | 0 by us, 1 by the device |

use fleetlens_model::downsample::{Bucket, Downsampler};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::{cannot_keep, count, counted, unreadable};

/// Its columns, in the order in which [`bind`] and [`of_row`] know them.
pub(super) const COLUMNS: &str = "series, device_ms, seq, received_ms, kind, value, source, quality, timed";

const KIND_NUMBER: i64 = 0;
const KIND_FLAG: i64 = 1;
const KIND_TEXT: i64 = 2;

/// Adds a sample; false when it is there already. Dated by the device, "the same" is series, time and value, because a message
/// may come again in a new packet (docs/adr/0003-delivery.md); otherwise only its own row, written again.
pub(crate) fn insert(db: &Connection, sample: &Sample) -> rusqlite::Result<bool> {
    let mut statement = match sample.timed {
        Timed::ByDevice => db.prepare_cached(
            "INSERT INTO sample (series, device_ms, seq, received_ms, kind, value, source, quality, timed)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (
               SELECT 1 FROM sample WHERE series = ?1 AND device_ms = ?2 AND kind = ?5 AND value = ?6
             )",
        )?,
        Timed::ByUs => db.prepare_cached(
            "INSERT INTO sample (series, device_ms, seq, received_ms, kind, value, source, quality, timed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (series, device_ms, seq) DO NOTHING",
        )?,
    };
    bind(&mut statement, sample)?;
    Ok(statement.raw_execute()? > 0)
}

/// The numbers and flags of a stretch, downsampled while they are read.
pub(crate) fn history(db: &Connection, query: &HistoryQuery) -> rusqlite::Result<Vec<Bucket>> {
    let mut downsampler = Downsampler::new(query.bucket_ms);
    let mut statement = db.prepare_cached(
        "SELECT device_ms, value FROM sample
         WHERE series = ?1 AND device_ms >= ?2 AND device_ms < ?3 AND seq <= ?4 AND kind <> 2
         ORDER BY device_ms, seq",
    )?;
    let up_to_seq = i64::try_from(query.up_to_seq).unwrap_or(i64::MAX);
    let mut rows = statement.query((query.series.0, query.from_ms.0, query.to_ms.0, up_to_seq))?;
    while let Some(row) = rows.next()? {
        let value = match row.get_ref(1)? {
            ValueRef::Real(number) => number,
            ValueRef::Integer(0) => 0.0,
            ValueRef::Integer(_) => 1.0,
            ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => continue,
        };
        downsampler.add(WallMs(row.get(0)?), value);
    }
    Ok(downsampler.buckets().to_vec())
}

/// The samples of a series from this place in its order on and before `to`, `at_most` so many.
pub(crate) fn from(
    db: &Connection,
    series: SeriesKey,
    (device_ms, seq): (WallMs, u64),
    to: WallMs,
    at_most: usize,
) -> rusqlite::Result<Vec<Sample>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sample WHERE series = ?1 AND (device_ms, seq) >= (?2, ?3) AND device_ms < ?4
         ORDER BY device_ms, seq LIMIT ?5"
    ))?
    .query_map((series.0, device_ms.0, counted(seq)?, to.0, i64::try_from(at_most).unwrap_or(i64::MAX)), of_row)?
    .collect()
}

/// When the oldest sample of a series was measured.
pub(crate) fn oldest(db: &Connection, series: SeriesKey) -> rusqlite::Result<Option<WallMs>> {
    db.prepare_cached("SELECT device_ms FROM sample WHERE series = ?1 ORDER BY device_ms LIMIT 1")?
        .query_one([series.0], |row| Ok(WallMs(row.get(0)?)))
        .optional()
}

/// Removes the oldest samples of a series that lie before `horizon`, some `rows` of them at most, and says how many they were.
pub(crate) fn forget(db: &Connection, series: SeriesKey, horizon: WallMs, rows: usize) -> rusqlite::Result<u64> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let stays: Option<(i64, i64)> = db
        .prepare_cached(
            "SELECT device_ms, seq FROM sample WHERE series = ?1 AND device_ms < ?2
             ORDER BY device_ms, seq LIMIT 1 OFFSET ?3",
        )?
        .query_one((series.0, horizon.0, rows), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let gone = match stays {
        Some((device_ms, seq)) => db
            .prepare_cached("DELETE FROM sample WHERE series = ?1 AND (device_ms, seq) < (?2, ?3)")?
            .execute((series.0, device_ms, seq))?,
        None => db
            .prepare_cached("DELETE FROM sample WHERE series = ?1 AND device_ms < ?2")?
            .execute((series.0, horizon.0))?,
    };
    Ok(gone as u64)
}

pub(super) fn bind(statement: &mut CachedStatement<'_>, sample: &Sample) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(1, sample.series.0)?;
    statement.raw_bind_parameter(2, sample.device_ms.0)?;
    statement.raw_bind_parameter(3, counted(sample.seq)?)?;
    statement.raw_bind_parameter(4, sample.received_ms.0)?;
    statement.raw_bind_parameter(5, kind(&sample.value))?;
    statement.raw_bind_parameter(6, Bound(&sample.value))?;
    statement.raw_bind_parameter(7, source_code(sample.source))?;
    statement.raw_bind_parameter(8, quality_code(sample.quality))?;
    statement.raw_bind_parameter(9, timed_code(sample.timed))
}

pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<Sample> {
    Ok(Sample {
        series: SeriesKey(row.get(0)?),
        device_ms: WallMs(row.get(1)?),
        seq: count(2, row.get(2)?)?,
        received_ms: WallMs(row.get(3)?),
        value: match row.get(4)? {
            KIND_NUMBER => Value::Number(row.get(5)?),
            KIND_FLAG => Value::Flag(row.get(5)?),
            KIND_TEXT => Value::Text(row.get(5)?),
            other => return Err(unreadable(4, format!("{other} is no kind of value"))),
        },
        source: match row.get(6)? {
            0 => Source::Live,
            1 => Source::Retained,
            2 => Source::Cached,
            other => return Err(unreadable(6, format!("{other} is no source"))),
        },
        quality: match row.get(7)? {
            0 => Quality::Good,
            1 => Quality::Stale,
            2 => Quality::Estimated,
            3 => Quality::Synthetic,
            other => return Err(unreadable(7, format!("{other} is no quality"))),
        },
        timed: if row.get(8)? { Timed::ByDevice } else { Timed::ByUs },
    })
}

/// A value without a copy of its text.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            // SQLite would make it NULL.
            Value::Number(number) if number.is_nan() => return Err(cannot_keep("NaN is no number to keep")),
            Value::Number(number) => ValueRef::Real(*number),
            Value::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn kind(value: &Value) -> i64 {
    match value {
        Value::Number(_) => KIND_NUMBER,
        Value::Flag(_) => KIND_FLAG,
        Value::Text(_) => KIND_TEXT,
    }
}

fn source_code(source: Source) -> i64 {
    match source {
        Source::Live => 0,
        Source::Retained => 1,
        Source::Cached => 2,
    }
}

fn quality_code(quality: Quality) -> i64 {
    match quality {
        Quality::Good => 0,
        Quality::Stale => 1,
        Quality::Estimated => 2,
        Quality::Synthetic => 3,
    }
}

fn timed_code(timed: Timed) -> i64 {
    match timed {
        Timed::ByUs => 0,
        Timed::ByDevice => 1,
    }
}
