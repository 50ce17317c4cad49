//! `command`: the outbox and its past. A command is here before it is on the wire (invariant 6 of docs/ARCHITECTURE.md).
//!
//! | column | meaning |
//! |---|---|
//! | `phase`, `open` | the phase's word, and whether anything of it may still change: what is queried |
//! | `asked_ms`, `expires_ms` | when a person asked; when it must not happen any more |
//! | `actor`, `role` | who asked |
//! | `wants`, `detail`, `steps` | JSON: the wanted leaves, the phase with what belongs to it, what happened so far |
//!
//! What is on the wire (`attempt`) and the monotonic deadline belong to one run and are not kept.

use fleetlens_model::command::{Attempt, Command, Phase, Step};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, Row, params};

use super::{count, counted, from_json, to_json, unreadable};

/// How many ended commands of each thing a start brings back.
const ENDED_A_THING: i64 = 20;

/// Adds a command or replaces what is known of it.
pub(crate) fn put(db: &Connection, command: &Command) -> rusqlite::Result<()> {
    let asked = command.at(Step::Asked).or(command.steps.first().map(|(_, at)| *at)).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO command
           (command, thing, shadow, token, phase, open, asked_ms, expires_ms, actor, role, wants, detail, steps)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (command) DO UPDATE SET
           thing = excluded.thing, shadow = excluded.shadow, token = excluded.token, phase = excluded.phase,
           open = excluded.open, asked_ms = excluded.asked_ms, expires_ms = excluded.expires_ms,
           actor = excluded.actor, role = excluded.role, wants = excluded.wants,
           detail = excluded.detail, steps = excluded.steps",
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
        role_word(command.by.role),
        to_json(&command.wants)?,
        to_json(&command.phase)?,
        to_json(&command.steps)?,
    ])?;
    Ok(())
}

/// The open ones and the newest ended ones of each thing, in the order of their ids.
pub(crate) fn recent(db: &Connection) -> rusqlite::Result<Vec<Command>> {
    db.prepare_cached(
        "SELECT command, thing, shadow, token, expires_ms, actor, role, wants, detail, steps FROM command
         WHERE command IN (SELECT command FROM command WHERE open = 1)
            OR command IN (
              SELECT ended.command FROM thing JOIN command AS ended ON ended.command IN (
                SELECT command FROM command WHERE thing = thing.thing AND open = 0 ORDER BY command DESC LIMIT ?1
              )
            )
         ORDER BY command",
    )?
    .query_map([ENDED_A_THING], of_row)?
    .collect()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Command> {
    Ok(Command {
        id: CommandId(count(0, row.get(0)?)?),
        thing: ThingKey(row.get(1)?),
        shadow: row.get(2)?,
        token: row.get(3)?,
        expires_ms: WallMs(row.get(4)?),
        by: Actor { name: row.get(5)?, role: role_of(row.get_ref(6)?.as_str()?)? },
        wants: from_json(7, row.get_ref(7)?.as_str()?)?,
        phase: from_json(8, row.get_ref(8)?.as_str()?)?,
        steps: from_json(9, row.get_ref(9)?.as_str()?)?,
        attempt: Attempt::Idle,
        deadline: None,
    })
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

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator",
        Role::Technician => "technician",
        Role::Viewer => "viewer",
        Role::Driver => "driver",
    }
}

fn role_of(word: &str) -> rusqlite::Result<Role> {
    [Role::Operator, Role::Technician, Role::Viewer, Role::Driver]
        .into_iter()
        .find(|role| role_word(*role) == word)
        .ok_or_else(|| unreadable(6, format!("{word:?} is no role")))
}
