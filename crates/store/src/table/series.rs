//! `series`: one row for each kind of value a thing sends. `pointer` is the JSON pointer of the value after the template's
//! envelope is taken off (docs/adr/0001-identity.md).

use std::collections::VecDeque;

use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::shared::{SharedText, Texts};
use rusqlite::{Connection, params};

use super::cannot_keep;

/// Pointers among which the next is looked for first: things of a kind follow each other.
const RECENT: usize = 8;

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

/// The highest key there is.
pub(crate) fn last_key(db: &Connection) -> rusqlite::Result<SeriesKey> {
    db.prepare_cached("SELECT coalesce(max(series), 0) FROM series")?.query_one([], |row| Ok(SeriesKey(row.get(0)?)))
}

/// The keys, in their order.
pub(crate) fn keys(db: &Connection) -> rusqlite::Result<Vec<SeriesKey>> {
    db.prepare_cached("SELECT series FROM series ORDER BY series")?
        .query_map([], |row| Ok(SeriesKey(row.get(0)?)))?
        .collect()
}

/// Everything, in the order of the keys.
pub(crate) fn all(db: &Connection, texts: &mut Texts) -> rusqlite::Result<Vec<(SeriesKey, ThingKey, SharedText)>> {
    let mut recent: VecDeque<SharedText> = VecDeque::with_capacity(RECENT);
    db.prepare_cached("SELECT series, thing, pointer FROM series ORDER BY series")?
        .query_map([], |row| {
            let text = row.get_ref(2)?.as_str()?;
            let pointer = match recent.iter().find(|known| known.as_str() == text) {
                Some(known) => known.clone(),
                None => {
                    let pointer = texts.get(text);
                    recent.truncate(RECENT - 1);
                    recent.push_front(pointer.clone());
                    pointer
                }
            };
            Ok((SeriesKey(row.get(0)?), ThingKey(row.get(1)?), pointer))
        })?
        .collect()
}
