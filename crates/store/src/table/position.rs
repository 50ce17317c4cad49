//! `position`: where each thing is in a rule's state machine. `position` is JSON ([`Position`]); `running_ms` says since when the timers in it
//! ran on, and is NULL where they stood still, because we did not listen.

use fleetlens_model::alarm::detector::Position;
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::Placed;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, Row, params};

use super::{from_json, to_json};

/// Replaces what is known of a thing and a rule.
pub(crate) fn put(db: &Connection, placed: &Placed) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO position (thing, rule, running_ms, position) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (thing, rule) DO UPDATE SET running_ms = excluded.running_ms, position = excluded.position",
    )?
    .execute(params![placed.thing.0, placed.rule, placed.running_ms.map(|at| at.0), to_json(&placed.position)?])
    .map(drop)
}

/// A thing is in none any more.
pub(crate) fn forget(db: &Connection, thing: ThingKey, rule: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM position WHERE thing = ?1 AND rule = ?2")?.execute(params![thing.0, rule]).map(drop)
}

/// Takes a row over from another file.
pub(crate) fn take_over(
    db: &Connection,
    thing: ThingKey,
    rule: &str,
    running_ms: Option<i64>,
    position: &str,
) -> rusqlite::Result<()> {
    let position: Position = from_json(3, position)?;
    put(db, &Placed { thing, rule: rule.to_owned(), position, running_ms: running_ms.map(WallMs) })
}

/// Every one, by thing and rule.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Placed>> {
    db.prepare_cached("SELECT thing, rule, running_ms, position FROM position ORDER BY thing, rule")?
        .query_map([], of_row)?
        .collect()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Placed> {
    Ok(Placed {
        thing: ThingKey(row.get(0)?),
        rule: row.get(1)?,
        running_ms: row.get::<_, Option<i64>>(2)?.map(WallMs),
        position: from_json(3, row.get_ref(3)?.as_str()?)?,
    })
}
