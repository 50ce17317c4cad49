//! `bulk` and `bulk_thing`: bulk commands, and what came of each of their things.
//!
//! | column | meaning |
//! |---|---|
//! | `bulk.state` | its state's word, for people who look |
//! | `bulk.head` | JSON of all of it but its things |
//! | `bulk_thing.place` | where the thing stands in the order of release, from 0 |
//! | `bulk_thing.command` | its command, written in the same transaction as that |
//! | `bulk_thing.progress` | JSON; of a command that has not ended as it was when it was asked: its own row says where it stands |

use std::ops::ControlFlow;

use fleetlens_model::bulk::{Head, Progress, Row, State};
use fleetlens_model::command::Phase;
use fleetlens_model::id::{BulkId, ThingKey};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::{count, counted, from_json, to_json, unreadable};

/// Adds a bulk command or replaces what is known of it.
pub(crate) fn put(db: &Connection, head: &Head) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO bulk (bulk, asked_ms, state, head) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (bulk) DO UPDATE SET asked_ms = excluded.asked_ms, state = excluded.state, head = excluded.head",
    )?
    .execute(params![counted(head.id.0)?, head.asked_ms.0, head.state.word(), to_json(head)?])?;
    Ok(())
}

/// Adds things of a bulk command or replaces what is known of them.
pub(crate) fn put_rows(db: &Connection, bulk: BulkId, rows: &[(u32, Row)]) -> rusqlite::Result<()> {
    let bulk = counted(bulk.0)?;
    let mut put = db.prepare_cached(
        "INSERT INTO bulk_thing (bulk, place, thing, command, progress) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (bulk, place) DO UPDATE SET
           thing = excluded.thing, command = excluded.command, progress = excluded.progress",
    )?;
    for (place, row) in rows {
        put.execute(params![bulk, place, row.thing.0, command_of(&row.progress)?, to_json(&row.progress)?])?;
    }
    Ok(())
}

/// Removes a bulk command with its things; their commands stay.
pub(crate) fn forget(db: &Connection, bulk: BulkId) -> rusqlite::Result<()> {
    let bulk = counted(bulk.0)?;
    db.prepare_cached("DELETE FROM bulk_thing WHERE bulk = ?1")?.execute([bulk])?;
    db.prepare_cached("DELETE FROM bulk WHERE bulk = ?1")?.execute([bulk])?;
    Ok(())
}

/// All that are kept, in the order of their ids, with their things in their places.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(Head, Vec<Row>)>> {
    let mut bulks = Vec::new();
    for head in heads(db)? {
        let mut rows = Vec::new();
        let mut each = db.prepare_cached("SELECT thing, progress FROM bulk_thing WHERE bulk = ?1 ORDER BY place")?;
        let mut of = each.query([counted(head.id.0)?])?;
        while let Some(row) = of.next()? {
            rows.push(Row { thing: ThingKey(row.get(0)?), progress: from_json(1, row.get_ref(1)?.as_str()?)? });
        }
        bulks.push((head, rows));
    }
    Ok(bulks)
}

/// All that are kept, in the order of their ids.
pub(crate) fn heads(db: &Connection) -> rusqlite::Result<Vec<Head>> {
    db.prepare_cached("SELECT bulk, head FROM bulk ORDER BY bulk")?
        .query_map([], |row| head_of(row.get(0)?, row.get_ref(1)?.as_str()?))?
        .collect()
}

/// Goes through the things of one in their places, each with its name and, while its command is open, where that stands.
pub(crate) fn walk(
    db: &Connection,
    bulk: BulkId,
    mut each: impl FnMut(&str, Progress) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut rows = db.prepare_cached(
        "SELECT thing.name, progress, command.detail FROM bulk_thing
         JOIN thing USING (thing) LEFT JOIN command USING (command)
         WHERE bulk = ?1 ORDER BY place",
    )?;
    let mut rows = rows.query([counted(bulk.0)?])?;
    while let Some(row) = rows.next()? {
        let mut progress: Progress = from_json(1, row.get_ref(1)?.as_str()?)?;
        if let (Progress::Asked { phase, .. }, Some(detail)) = (&mut progress, row.get_ref(2)?.as_str_or_null()?) {
            *phase = from_json::<Phase>(2, detail)?;
        }
        if each(row.get_ref(0)?.as_str()?, progress).is_break() {
            break;
        }
    }
    Ok(())
}

/// Takes a bulk command over from another file as it is there: its number and the columns behind that, in the order of the schema.
pub(crate) fn take_over(db: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<()> {
    let number = Value::Integer(key);
    db.prepare_cached("INSERT INTO bulk (bulk, asked_ms, state, head) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params_from_iter(std::iter::once(&number).chain(columns)))?;
    let text: String =
        db.prepare_cached("SELECT head FROM bulk WHERE bulk = ?1")?.query_one([key], |row| row.get(0))?;
    head_of(key, &text).map(drop)
}

/// Takes a thing of one over, likewise; one that does not say the same in all of its columns is not taken. Those behind one that is lost
/// close up: places are without gaps.
pub(crate) fn take_over_row(db: &Connection, columns: &[Value]) -> rusqlite::Result<()> {
    let [bulk, _, kept @ ..] = columns else { return Err(unreadable(0, "it ends early")) };
    db.prepare_cached(
        "INSERT INTO bulk_thing (bulk, place, thing, command, progress)
         VALUES (?1, (SELECT coalesce(max(place) + 1, 0) FROM bulk_thing WHERE bulk = ?1), ?2, ?3, ?4)",
    )?
    .execute(params_from_iter(std::iter::once(bulk).chain(kept)))?;
    let (Some(Value::Text(text)), Some(command)) = (columns.get(4), columns.get(3)) else {
        return Err(unreadable(4, "it does not say how far it is"));
    };
    let told = command_of(&from_json(4, text)?)?.map_or(Value::Null, Value::Integer);
    if told == *command { Ok(()) } else { Err(unreadable(3, "its command is not the one it says")) }
}

/// Holds those that run: things of theirs were lost, and one that was asked already might be found and asked again.
pub(crate) fn hold(db: &Connection) -> rusqlite::Result<()> {
    for head in heads(db)?.into_iter().filter(|head| head.state == State::Running) {
        let why =
            "what came of some things was lost with a damaged part of the cache, and some may be asked a second time";
        put(db, &Head { state: State::Held { why: why.to_owned() }, ..head })?;
    }
    Ok(())
}

fn head_of(key: i64, text: &str) -> rusqlite::Result<Head> {
    let head: Head = from_json(1, text)?;
    if head.id.0 == count(0, key)? { Ok(head) } else { Err(unreadable(1, "it says another number")) }
}

fn command_of(progress: &Progress) -> rusqlite::Result<Option<i64>> {
    match progress {
        Progress::Asked { command, .. } => counted(command.0).map(Some),
        Progress::Waits | Progress::Same | Progress::Cannot { .. } => Ok(None),
    }
}
