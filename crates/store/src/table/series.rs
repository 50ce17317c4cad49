//! `series`: one row for each kind of value a thing sends. `pointer` is the JSON pointer of the value after the template's
//! envelope is taken off (docs/adr/0001-identity.md).

use std::collections::VecDeque;

use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::shared::{SharedText, Texts};
use rusqlite::{Connection, OptionalExtension, params};

use super::{cannot_keep, room_for, thing};

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

/// The kind of the thing that a series is of.
pub(crate) fn kind(db: &Connection, series: SeriesKey) -> rusqlite::Result<Kind> {
    let found = db
        .prepare_cached("SELECT meta FROM series JOIN thing USING (thing) WHERE series = ?1")?
        .query_one([series.0], |row| Ok(thing::kind_in(row.get_ref(0)?.as_str()?)))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Every series with the kind of its thing, thing by thing.
pub(crate) fn each_kind(db: &Connection, mut each: impl FnMut(SeriesKey, Kind)) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT thing.thing, series, meta FROM thing CROSS JOIN series USING (thing) ORDER BY thing.thing",
    )?;
    let mut rows = statement.query([])?;
    let mut of_thing: Option<(u32, Kind)> = None;
    while let Some(row) = rows.next()? {
        let thing: u32 = row.get(0)?;
        // A description is read once, however many series its thing has.
        let kind = match of_thing {
            Some((known, kind)) if known == thing => kind,
            Some(_) | None => thing::kind_in(row.get_ref(2)?.as_str()?),
        };
        of_thing = Some((thing, kind));
        each(SeriesKey(row.get(1)?), kind);
    }
    Ok(())
}

/// Everything, in the order of the keys.
pub(crate) fn all(db: &Connection, texts: &mut Texts) -> rusqlite::Result<Vec<(SeriesKey, ThingKey, SharedText)>> {
    let mut recent: VecDeque<SharedText> = VecDeque::with_capacity(RECENT);
    let mut all = room_for(db, "SELECT max(series) FROM series")?;
    let mut statement = db.prepare_cached("SELECT series, thing, pointer FROM series ORDER BY series")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
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
        all.push((SeriesKey(row.get(0)?), ThingKey(row.get(1)?), pointer));
    }
    Ok(all)
}
