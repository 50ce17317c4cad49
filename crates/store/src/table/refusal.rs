//! `refusal`: messages nothing could be made of, counted by topic and reason. Only the newest are kept, so that a broken sender
//! cannot fill the disk.

use fleetlens_model::record::Refusal;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, params};

use super::count;

/// How many different ones are kept.
pub(crate) const KEPT: i64 = 1000;

/// Counts one.
pub(crate) fn add(db: &Connection, topic: &str, reason: &str, at: WallMs) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO refusal (topic, reason, count, last_ms) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (topic, reason) DO UPDATE SET count = count + 1, last_ms = max(last_ms, excluded.last_ms)",
    )?
    .execute(params![topic, reason, at.0])?;
    Ok(())
}

/// Takes one over from another file.
pub(crate) fn take_over(db: &Connection, topic: &str, reason: &str, count: i64, last_ms: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO refusal (topic, reason, count, last_ms) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![topic, reason, count, last_ms])
        .map(drop)
}

/// Forgets the oldest above [`KEPT`].
pub(crate) fn trim(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM refusal WHERE (topic, reason) IN (
           SELECT topic, reason FROM refusal ORDER BY last_ms DESC, topic, reason LIMIT -1 OFFSET ?1
         )",
    )?
    .execute([KEPT])?;
    Ok(())
}

/// The newest ones first.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<Vec<Refusal>> {
    db.prepare_cached("SELECT topic, reason, count, last_ms FROM refusal ORDER BY last_ms DESC, topic, reason")?
        .query_map([], |row| {
            Ok(Refusal {
                topic: row.get(0)?,
                reason: row.get(1)?,
                count: count(2, row.get(2)?)?,
                last_ms: WallMs(row.get(3)?),
            })
        })?
        .collect()
}
