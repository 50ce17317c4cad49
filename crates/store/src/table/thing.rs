//! `thing`: every thing ever heard of. `name` is verbatim as the broker spelled it and never changes for a key; `meta` is its
//! description as JSON, read only as a whole; `silent` is 1 from when it fell silent until it spoke again.

use fleetlens_model::described::{Commons, Described, Reader};
use fleetlens_model::id::{ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::shared::Texts;
use fleetlens_model::thing::Meta;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::{cannot_keep, cuts, from_json, room_for, to_json, unreadable};

/// What a start needs of them.
#[derive(Debug, Default)]
pub(crate) struct Things {
    /// In the order of the keys.
    pub all: Vec<(ThingKey, ThingName, Described)>,
    /// Those that are silent.
    pub silent: Vec<ThingKey>,
}

/// Of a description the kind alone.
#[derive(Deserialize)]
struct OfKind {
    kind: Kind,
}

/// The kind in a description; what cannot be read is of none.
pub(crate) fn kind_in(meta: &str) -> Kind {
    serde_json::from_str::<OfKind>(meta).map_or(Kind::Other, |of| of.kind)
}

/// Adds a thing or describes it anew. Fails when the key has another name, or the name another key.
pub(crate) fn put(db: &Connection, thing: ThingKey, name: &ThingName, meta: &Meta) -> rusqlite::Result<()> {
    let before = db
        .prepare_cached("SELECT meta FROM thing WHERE thing = ?1")?
        .query_one([thing.0], |row| Ok(kind_in(row.get_ref(0)?.as_str()?)))
        .optional()?;
    if before.is_some_and(|kind| kind != meta.kind) {
        cuts::kind_changed(db)?;
    }
    let changed = db
        .prepare_cached(
            "INSERT INTO thing (thing, name, meta) VALUES (?1, ?2, ?3)
             ON CONFLICT (thing) DO UPDATE SET meta = excluded.meta WHERE name = excluded.name",
        )?
        .execute(params![thing.0, name.as_str(), to_json(meta)?])?;
    if changed == 0 {
        return Err(cannot_keep("its key has another name already"));
    }
    Ok(())
}

/// Notes whether a thing is silent. Fails when there is no such thing.
pub(crate) fn set_silent(db: &Connection, thing: ThingKey, silent: bool) -> rusqlite::Result<()> {
    let changed =
        db.prepare_cached("UPDATE thing SET silent = ?2 WHERE thing = ?1")?.execute(params![thing.0, silent])?;
    if changed == 0 { Err(cannot_keep("there is no such thing")) } else { Ok(()) }
}

/// Everything, in the order of the keys.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(ThingKey, ThingName, Meta)>> {
    db.prepare_cached("SELECT thing, name, meta FROM thing ORDER BY thing")?
        .query_map([], |row| {
            let name = ThingName::new(row.get::<_, String>(1)?).map_err(|error| unreadable(1, error))?;
            Ok((ThingKey(row.get(0)?), name, from_json(2, row.get_ref(2)?.as_str()?)?))
        })?
        .collect()
}

/// The keys of those that are silent, in their order.
pub(crate) fn silent(db: &Connection) -> rusqlite::Result<Vec<ThingKey>> {
    db.prepare_cached("SELECT thing FROM thing WHERE silent = 1 ORDER BY thing")?
        .query_map([], |row| Ok(ThingKey(row.get(0)?)))?
        .collect()
}

/// Everything with the descriptions as they lie in memory, and the silent ones: what a start needs, in one walk.
pub(crate) fn restored(db: &Connection, texts: &mut Texts, commons: &mut Commons) -> rusqlite::Result<Things> {
    let mut things = Things { all: room_for(db, "SELECT max(thing) FROM thing")?, ..Things::default() };
    let mut reader = Reader::default();
    let mut statement = db.prepare_cached("SELECT thing, name, meta, silent FROM thing ORDER BY thing")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = ThingKey(row.get(0)?);
        let name = ThingName::new(row.get_ref(1)?.as_str()?).map_err(|error| unreadable(1, error))?;
        let described = reader.read(row.get_ref(2)?.as_str()?, commons, texts).map_err(|error| unreadable(2, error))?;
        things.all.push((key, name, described));
        if row.get(3)? {
            things.silent.push(key);
        }
    }
    Ok(things)
}
