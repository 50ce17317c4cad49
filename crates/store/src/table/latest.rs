//! `latest`: a copy of the sample of each series that stands last by device time, then sequence. It makes a start a walk over
//! as many rows as there are series, however many samples there are, and outlives the samples' retention.

use fleetlens_model::telemetry::Sample;
use rusqlite::Connection;

use super::sample;

/// Puts the sample there unless a later one is.
pub(crate) fn offer(db: &Connection, offered: &Sample) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO latest (series, device_ms, seq, received_ms, kind, value, source, quality, timed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (series) DO UPDATE SET
           device_ms = excluded.device_ms, seq = excluded.seq, received_ms = excluded.received_ms,
           kind = excluded.kind, value = excluded.value, source = excluded.source,
           quality = excluded.quality, timed = excluded.timed
         WHERE (excluded.device_ms, excluded.seq) > (device_ms, seq)",
    )?;
    sample::bind(&mut statement, offered)?;
    statement.raw_execute().map(drop)
}

/// Everything, in the order of the series.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Sample>> {
    db.prepare_cached(&format!("SELECT {} FROM latest ORDER BY series", sample::COLUMNS))?
        .query_map([], sample::of_row)?
        .collect()
}
