//! `series`: one row for each kind of value a thing sends. `pointer` is the JSON pointer of the value after the template's
//! envelope is taken off (docs/adr/0001-identity.md).

use fleetlens_model::id::{SeriesKey, ThingKey};
use rusqlite::{Connection, params};

use super::cannot_keep;

/// Adds a series; the same again does nothing. Fails when the key is another series, or this series has another key.
pub(crate) fn put(db: &Connection, series: SeriesKey, thing: ThingKey, pointer: &str) -> rusqlite::Result<()> {
    let changed = db
        .prepare_cached(
            "INSERT INTO series (series, thing, pointer) VALUES (?1, ?2, ?3)
             ON CONFLICT (series) DO UPDATE SET thing = excluded.thing
             WHERE thing = excluded.thing AND pointer = excluded.pointer",
        )?
        .execute(params![series.0, thing.0, pointer])?;
    if changed == 0 {
        return Err(cannot_keep("its key is another series already"));
    }
    Ok(())
}

/// The first keys from this one on, in their order.
pub(crate) fn keys_from(db: &Connection, first: SeriesKey, at_most: usize) -> rusqlite::Result<Vec<SeriesKey>> {
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    db.prepare_cached("SELECT series FROM series WHERE series >= ?1 ORDER BY series LIMIT ?2")?
        .query_map((first.0, at_most), |row| Ok(SeriesKey(row.get(0)?)))?
        .collect()
}

/// Everything, in the order of the keys.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(SeriesKey, ThingKey, String)>> {
    db.prepare_cached("SELECT series, thing, pointer FROM series ORDER BY series")?
        .query_map([], |row| Ok((SeriesKey(row.get(0)?), ThingKey(row.get(1)?), row.get(2)?)))?
        .collect()
}
