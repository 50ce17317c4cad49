//! `command`: the outbox and its past. A command is here before it is on the wire (invariant 6 of docs/ARCHITECTURE.md).
//!
//! | column | meaning |
//! |---|---|
//! | `phase`, `open` | the phase's word, and whether anything of it may still change: what is queried |
//! | `asked_ms`, `expires_ms` | when a person asked; when it must not happen any more |
//! | `actor`, `role` | who asked |
//! | `cancelled_by` | JSON of who took it back; empty when nobody did |
//! | `wants`, `detail`, `steps` | JSON: the wanted leaves, the phase with what belongs to it, what happened so far |
//!
//! Wants of schema 1 have no `restore`: a withdrawal put `before` back.
//!
//! What is on the wire (`attempt`) and the monotonic deadline belong to one run and are not kept.

use fleetlens_model::command::{Attempt, Command, Phase, Step, Want};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::time::WallMs;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::{count, counted, from_json, to_json, unreadable};

const COLUMNS: &str = "command, thing, shadow, token, expires_ms, actor, role, cancelled_by, wants, detail, steps";

/// How many ended commands of each thing a start brings back.
const ENDED_A_THING: i64 = 20;

/// Adds a command or replaces what is known of it.
pub(crate) fn put(db: &Connection, command: &Command) -> rusqlite::Result<()> {
    let asked = command.at(Step::Asked).or(command.steps.first().map(|(_, at)| *at)).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO command
           (command, thing, shadow, token, phase, open, asked_ms, expires_ms, actor, role, cancelled_by, wants, detail, steps)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (command) DO UPDATE SET
           thing = excluded.thing, shadow = excluded.shadow, token = excluded.token, phase = excluded.phase,
           open = excluded.open, asked_ms = excluded.asked_ms, expires_ms = excluded.expires_ms,
           actor = excluded.actor, role = excluded.role, cancelled_by = excluded.cancelled_by,
           wants = excluded.wants, detail = excluded.detail, steps = excluded.steps",
    )?
    .execute(params![
        counted(command.id.0)?,
        command.thing.0,
        command.shadow,
        command.token,
        word(&command.phase),
        command.phase.is_open(),
        asked.0,
        command.expires_ms.0,
        command.by.name,
        command.by.role.word(),
        command.cancelled_by.as_ref().map_or_else(|| Ok(String::new()), to_json)?,
        to_json(&command.wants)?,
        to_json(&command.phase)?,
        to_json(&command.steps)?,
    ])?;
    Ok(())
}

/// The open ones and the newest ended ones of each thing, in the order of their ids.
pub(crate) fn recent(db: &Connection) -> rusqlite::Result<Vec<Command>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM command
         WHERE command IN (SELECT command FROM command WHERE open = 1)
            OR command IN (
              SELECT command FROM (
                SELECT command, row_number() OVER (PARTITION BY thing ORDER BY command DESC) AS place
                FROM command WHERE open = 0
              ) WHERE place <= ?1
            )
         ORDER BY command"
    ))?
    .query_map([ENDED_A_THING], of_row)?
    .collect()
}

/// Those of a thing that are over, at most so many of the newest, newest first.
pub(crate) fn ended(db: &Connection, thing: ThingKey, most: usize) -> rusqlite::Result<Vec<Command>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM command WHERE open = 0 AND thing = ?1 ORDER BY command DESC LIMIT ?2"
    ))?
    .query_map((thing.0, i64::try_from(most).unwrap_or(i64::MAX)), of_row)?
    .collect()
}

/// Takes a command over from another file as it is there: its number and the columns behind that, in the order of the schema. One that
/// does not say the same in all of its columns is not taken.
pub(crate) fn take_over(db: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<()> {
    let number = Value::Integer(key);
    db.prepare_cached(
        "INSERT INTO command
           (command, thing, shadow, token, phase, open, asked_ms, expires_ms, actor, role, wants, detail, steps, cancelled_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params_from_iter(std::iter::once(&number).chain(columns)))?;
    let (taken, open): (Command, bool) = db
        .prepare_cached(&format!("SELECT {COLUMNS}, open FROM command WHERE command = ?1"))?
        .query_one([key], |row| Ok((of_row(row)?, row.get(11)?)))?;
    if open == taken.phase.is_open() { Ok(()) } else { Err(unreadable(5, "its phase is not open as it says")) }
}

/// Removes ended ones asked before `horizon`, at most `rows` of them, and says how many they were.
pub(crate) fn forget(db: &Connection, horizon: WallMs, rows: usize) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "DELETE FROM command WHERE command IN (
           SELECT command FROM command WHERE open = 0 AND asked_ms < ?1 ORDER BY asked_ms LIMIT ?2
         )",
    )?
    .execute((horizon.0, i64::try_from(rows).unwrap_or(i64::MAX)))
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Command> {
    Ok(Command {
        id: CommandId(count(0, row.get(0)?)?),
        thing: ThingKey(row.get(1)?),
        shadow: row.get(2)?,
        token: row.get(3)?,
        expires_ms: WallMs(row.get(4)?),
        by: Actor { name: row.get(5)?, role: role_of(row.get_ref(6)?.as_str()?)? },
        cancelled_by: match row.get_ref(7)?.as_str()? {
            "" => None,
            actor => Some(from_json(7, actor)?),
        },
        wants: from_json::<Vec<KeptWant>>(8, row.get_ref(8)?.as_str()?)?.into_iter().map(Want::from).collect(),
        phase: from_json(9, row.get_ref(9)?.as_str()?)?,
        steps: from_json(10, row.get_ref(10)?.as_str()?)?,
        attempt: Attempt::Idle,
        deadline: None,
    })
}

/// A want as any schema kept it.
#[derive(Deserialize)]
struct KeptWant {
    pointer: String,
    value: Json,
    tolerance: f64,
    before: Option<Json>,
    /// `None` where the row does not say; `Some(None)` where it says that nothing is put back.
    #[serde(default, deserialize_with = "said")]
    restore: Option<Option<Json>>,
}

fn said<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Option<Json>>, D::Error> {
    Option::deserialize(json).map(Some)
}

impl From<KeptWant> for Want {
    fn from(kept: KeptWant) -> Want {
        let KeptWant { pointer, value, tolerance, before, restore } = kept;
        let restore = restore.unwrap_or_else(|| before.clone());
        Want { pointer, value, tolerance, before, restore }
    }
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Sent => "sent",
        Phase::Accepted { .. } => "accepted",
        Phase::Rejected { .. } => "rejected",
        Phase::Settled => "settled",
        Phase::Overtaken { .. } => "overtaken",
        Phase::Expired { .. } => "expired",
        Phase::Cancelled { .. } => "cancelled",
    }
}

fn role_of(word: &str) -> rusqlite::Result<Role> {
    Role::of_word(word).ok_or_else(|| unreadable(6, format!("{word:?} is no role")))
}
