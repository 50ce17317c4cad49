//! `journal`: the hot tail of the history. One row for the samples of each transaction, in the order they came; the mover takes the
//! oldest rows away and makes runs of them.
//!
//! | column | meaning |
//! |---|---|
//! | `batch` | rises with every row |
//! | `samples` | how many |
//! | `first_seq`, `last_seq` | their sequences |
//! | `from_ms`, `to_ms` | the times they count at |
//! | `data` | the samples ([`crate::codec::batch`]) |

use std::ops::Range;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Sample;
use rusqlite::{Connection, params};

use super::{count, counted, damaged};
use crate::codec::batch::{self, Batch};
use crate::codec::{Damaged, Kept};
use crate::history::Damage;

/// Adds the samples of a transaction.
pub(crate) fn put(db: &Connection, batch: &mut Batch, last_seq: u64) -> rusqlite::Result<()> {
    put_as(db, None, batch, last_seq)
}

/// Adds the samples of a transaction in the place that its row has, or else behind the others.
pub(crate) fn put_as(db: &Connection, place: Option<i64>, batch: &mut Batch, last_seq: u64) -> rusqlite::Result<()> {
    let (samples, first_seq) = (counted(batch.samples)?, counted(batch.first_seq)?);
    let (last_seq, from_ms, to_ms) = (counted(last_seq)?, batch.from_ms, batch.to_ms);
    db.prepare_cached(
        "INSERT INTO journal (batch, samples, first_seq, last_seq, from_ms, to_ms, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![place, samples, first_seq, last_seq, from_ms, to_ms, batch.seal()])?;
    Ok(())
}

/// How much there is: rows, samples, bytes.
pub(crate) fn size(db: &Connection) -> rusqlite::Result<(u64, u64, u64)> {
    db.prepare_cached("SELECT count(*), coalesce(sum(samples), 0), coalesce(sum(length(data)), 0) FROM journal")?
        .query_one([], |row| Ok((count(0, row.get(0)?)?, count(1, row.get(1)?)?, count(2, row.get(2)?)?)))
}

/// When the oldest and the newest of its samples were measured.
pub(crate) fn span(db: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    db.prepare_cached("SELECT min(from_ms), max(to_ms) FROM journal")?
        .query_one([], |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)))
}

/// Like [`span`], of the rows that begin up to this sequence.
pub(crate) fn span_up_to(db: &Connection, up_to_seq: u64) -> rusqlite::Result<Option<(i64, i64)>> {
    let up_to = i64::try_from(up_to_seq).unwrap_or(i64::MAX);
    db.prepare_cached("SELECT min(from_ms), max(to_ms) FROM journal WHERE first_seq <= ?1")?
        .query_one([up_to], |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)))
}

/// Hands over the rows in order, as they are, until `each` says that it is enough.
pub(crate) fn rows(
    db: &Connection,
    mut each: impl FnMut(i64, &[u8]) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("SELECT batch, data FROM journal ORDER BY batch")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !each(row.get(0)?, row.get_ref(1)?.as_blob()?)? {
            break;
        }
    }
    Ok(())
}

/// Hands over every sample in the order they came.
pub(crate) fn all(db: &Connection, mut each: impl FnMut(Sample)) -> rusqlite::Result<()> {
    rows(db, |_, data| batch::each(data, &mut each).map_err(|Damaged| damaged("the journal")).map(|()| true))
}

/// The samples of one series in this stretch up to this sequence, in the order they came, without what is damaged.
pub(crate) fn of_series(
    db: &Connection,
    series: SeriesKey,
    span: &Range<i64>,
    up_to_seq: u64,
    kept: &mut Vec<Kept>,
    lost: &mut Damage,
) -> rusqlite::Result<()> {
    let up_to = i64::try_from(up_to_seq).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(
        "SELECT data FROM journal WHERE from_ms < ?2 AND to_ms >= ?1 AND first_seq <= ?3 ORDER BY batch",
    )?;
    let mut rows = statement.query((span.start, span.end, up_to))?;
    let next = || -> rusqlite::Result<bool> {
        let Some(row) = rows.next()? else { return Ok(false) };
        let put = |one: Kept| {
            if span.contains(&one.device_ms) {
                kept.push(one);
            }
        };
        batch::of_series(row.get_ref(0)?.as_blob()?, series, up_to_seq, put)
            .map_err(|Damaged| damaged("the journal"))?;
        Ok(true)
    };
    lost.passes_over(next)
}

/// The samples of every series in this stretch, in the order they came, without what is damaged.
pub(crate) fn of_all(
    db: &Connection,
    span: &Range<i64>,
    lost: &mut Damage,
    mut each: impl FnMut(SeriesKey, Kept),
) -> rusqlite::Result<()> {
    let mut statement =
        db.prepare_cached("SELECT data FROM journal WHERE from_ms < ?2 AND to_ms >= ?1 ORDER BY batch")?;
    let mut rows = statement.query((span.start, span.end))?;
    let next = || -> rusqlite::Result<bool> {
        let Some(row) = rows.next()? else { return Ok(false) };
        batch::walk(
            row.get_ref(0)?.as_blob()?,
            |_, _| true,
            |series, _, kept| {
                if span.contains(&kept.device_ms) {
                    each(series, kept);
                }
            },
        )
        .map_err(|Damaged| damaged("the journal"))?;
        Ok(true)
    };
    lost.passes_over(next)
}

/// Takes the rows up to this one away.
pub(crate) fn forget(db: &Connection, up_to_batch: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM journal WHERE batch <= ?1")?.execute([up_to_batch]).map(drop)
}
