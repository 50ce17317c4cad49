//! `shadow`: each shadow as we last knew it. `name` is empty for the classic one; a deleted shadow has no row. `document` is JSON
//! with the sections that are there: `desired`, `reported`, `desired_meta`, `reported_meta`, `timestamp_s`.

use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::{Document, Object};
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{count, counted, from_json, to_json};

#[derive(Serialize)]
struct Kept<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<&'a Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<&'a Object>,
    desired_meta: &'a Object,
    reported_meta: &'a Object,
    timestamp_s: i64,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    desired: Option<Object>,
    #[serde(default)]
    reported: Option<Object>,
    #[serde(default)]
    desired_meta: Object,
    #[serde(default)]
    reported_meta: Object,
    #[serde(default)]
    timestamp_s: i64,
}

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
    let kept = to_json(&Kept {
        desired: document.desired.as_ref(),
        reported: document.reported.as_ref(),
        desired_meta: &document.desired_meta,
        reported_meta: &document.reported_meta,
        timestamp_s: document.timestamp_s,
    })?;
    db.prepare_cached(
        "INSERT INTO shadow (thing, name, version, heard_ms, document) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (thing, name) DO UPDATE SET
           version = excluded.version, heard_ms = excluded.heard_ms, document = excluded.document",
    )?
    .execute(params![thing.0, name, counted(document.version)?, heard.0, kept])?;
    Ok(())
}

/// Everything, in the order of thing and name.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(ThingKey, String, Document, WallMs)>> {
    db.prepare_cached("SELECT thing, name, version, heard_ms, document FROM shadow ORDER BY thing, name")?
        .query_map([], |row| {
            let Read { desired, reported, desired_meta, reported_meta, timestamp_s } =
                from_json(4, row.get_ref(4)?.as_str()?)?;
            let version = count(2, row.get(2)?)?;
            let document = Document { desired, reported, desired_meta, reported_meta, version, timestamp_s };
            Ok((ThingKey(row.get(0)?), row.get(1)?, document, WallMs(row.get(3)?)))
        })?
        .collect()
}
