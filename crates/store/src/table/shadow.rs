//! `shadow`: each shadow as we last knew it. `name` is empty for the classic one; a deleted shadow has no row. `document` is JSON
//! ([`Document::to_json`]) with the sections that are there: `desired`, `reported`, `desired_meta`, `reported_meta`, `timestamp_s`.

use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::{Document, Packed};
use fleetlens_model::shared::{SharedText, Texts};
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, OptionalExtension, params};

use super::{cannot_keep, count, counted, unreadable};

/// Replaces a shadow, or removes it when there is no document.
pub(crate) fn put(
    db: &Connection,
    thing: ThingKey,
    name: &str,
    document: Option<&Document>,
    heard: WallMs,
) -> rusqlite::Result<()> {
    let Some(document) = document else {
        db.prepare_cached("DELETE FROM shadow WHERE thing = ?1 AND name = ?2")?.execute(params![thing.0, name])?;
        return Ok(());
    };
    let kept = document.to_json().map_err(cannot_keep)?;
    db.prepare_cached(
        "INSERT INTO shadow (thing, name, version, heard_ms, document) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (thing, name) DO UPDATE SET
           version = excluded.version, heard_ms = excluded.heard_ms, document = excluded.document",
    )?
    .execute(params![thing.0, name, counted(document.version)?, heard.0, kept])?;
    Ok(())
}

/// Everything, in the order of thing and name.
pub(crate) fn all(db: &Connection, texts: &mut Texts) -> rusqlite::Result<Vec<(ThingKey, SharedText, Packed, WallMs)>> {
    db.prepare_cached("SELECT thing, name, version, heard_ms, document FROM shadow ORDER BY thing, name")?
        .query_map([], |row| {
            let version = count(2, row.get(2)?)?;
            let document =
                Packed::from_json(version, row.get_ref(4)?.as_str()?, texts).map_err(|error| unreadable(4, error))?;
            Ok((ThingKey(row.get(0)?), texts.get(row.get_ref(1)?.as_str()?), document, WallMs(row.get(3)?)))
        })?
        .collect()
}

/// One, with when it was heard of last; `None` where there is none.
pub(crate) fn one(db: &Connection, thing: ThingKey, name: &str) -> rusqlite::Result<Option<(Document, WallMs)>> {
    db.prepare_cached("SELECT version, heard_ms, document FROM shadow WHERE thing = ?1 AND name = ?2")?
        .query_one(params![thing.0, name], |row| {
            Ok((document(row.get(0)?, row.get_ref(2)?.as_str()?)?, WallMs(row.get(1)?)))
        })
        .optional()
}

/// A document as its columns `version` and `document` have it.
pub(crate) fn document(version: i64, json: &str) -> rusqlite::Result<Document> {
    Document::from_json(count(2, version)?, json).map_err(|error| unreadable(4, error))
}
