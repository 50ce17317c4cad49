//! `shadow_change`: what changed in each shadow, and who did it; rows that are only added, of each shadow the newest.
//!
//! | column | meaning |
//! |---|---|
//! | `change` | rises over all shadows, as the engine counts |
//! | `shadow` | empty for the classic one |
//! | `number` | rises by one within its shadow, while there are rows of it: by it the oldest is known to be one too many |
//! | `heard_ms` | when we heard of it |
//! | `author` | `device`, `person`, `program`, `other` (another app) or `unheard` |
//! | `actor`, `role` | the person; empty where it is none |
//! | `command`, `token` | our command; the beginning of another app's token. NULL and empty where there is none |
//! | `leaves`, `more` | JSON: a list `[section, pointer, before, after, at_ms]` for each leaf; how many changed beyond those |

use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::shadow::change::{Author, CHANGES_KEPT, Change, ChangedLeaf, Side};
use fleetlens_model::time::WallMs;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::{count, counted, from_json, to_json, unreadable};

const COLUMNS: &str = "change, version, heard_ms, author, actor, role, command, token, leaves, more";

/// A leaf as its row has it.
type Kept = (Side, String, Option<String>, Option<String>, WallMs);

/// Adds a change of a shadow. Beyond [`CHANGES_KEPT`] its oldest goes; with one look at either end, however many there are.
pub(crate) fn add(db: &Connection, thing: ThingKey, shadow: &str, change: &Change) -> rusqlite::Result<()> {
    let last: Option<i64> = db
        .prepare_cached(
            "SELECT number FROM shadow_change WHERE thing = ?1 AND shadow = ?2 ORDER BY change DESC LIMIT 1",
        )?
        .query_one(params![thing.0, shadow], |row| row.get(0))
        .optional()?;
    let number = last.unwrap_or(0) + 1;
    let (author, actor, command, token) = match &change.by {
        Author::Device => ("device", None, None, None),
        Author::Person { actor, command } => ("person", Some(actor), Some(command), None),
        Author::Program { command } => ("program", None, Some(command), None),
        Author::Other { token } => ("other", None, None, token.as_deref()),
        Author::Unheard => ("unheard", None, None, None),
    };
    let leaf = |ChangedLeaf { side, pointer, before, after, at_ms }: &ChangedLeaf| -> Kept {
        (*side, pointer.clone(), before.clone(), after.clone(), *at_ms)
    };
    db.prepare_cached(
        "INSERT INTO shadow_change
           (change, thing, shadow, number, version, heard_ms, author, actor, role, command, token, leaves, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        counted(change.seq)?,
        thing.0,
        shadow,
        number,
        counted(change.version)?,
        change.heard_ms.0,
        author,
        actor.map_or("", |actor| actor.name.as_str()),
        actor.map_or("", |actor| actor.role.word()),
        command.map(|command| counted(command.0)).transpose()?,
        token.unwrap_or_default(),
        to_json(&change.leaves.iter().map(leaf).collect::<Vec<_>>())?,
        change.more,
    ])?;
    let too_old = number - counted(CHANGES_KEPT)?;
    if too_old > 0 {
        db.prepare_cached(
            "DELETE FROM shadow_change WHERE number <= ?3 AND change = (
               SELECT change FROM shadow_change WHERE thing = ?1 AND shadow = ?2 ORDER BY change LIMIT 1
             )",
        )?
        .execute(params![thing.0, shadow, too_old])?;
    }
    Ok(())
}

/// The newest changes of a shadow below a number, or of all, at most so many, the newest first.
pub(crate) fn newest(
    db: &Connection,
    thing: ThingKey,
    shadow: &str,
    before: Option<u64>,
    most: usize,
) -> rusqlite::Result<Vec<Change>> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM shadow_change WHERE thing = ?1 AND shadow = ?2 AND change < ?3
         ORDER BY change DESC LIMIT ?4"
    ))?
    .query_map(params![thing.0, shadow, before, i64::try_from(most).unwrap_or(i64::MAX)], of_row)?
    .collect()
}

/// Of which shadows changes were heard of after one moment and up to another, each once, in order.
pub(crate) fn changed(db: &Connection, after: WallMs, up_to: WallMs) -> rusqlite::Result<Vec<(ThingKey, String)>> {
    db.prepare_cached(
        "SELECT DISTINCT thing, shadow FROM shadow_change WHERE heard_ms > ?1 AND heard_ms <= ?2 ORDER BY thing, shadow",
    )?
    .query_map((after.0, up_to.0), |row| Ok((ThingKey(row.get(0)?), row.get(1)?)))?
    .collect()
}

/// The changes of a shadow that were heard of after a moment, the newest first, and whether all of them are still kept.
pub(crate) fn since(
    db: &Connection,
    thing: ThingKey,
    shadow: &str,
    after: WallMs,
) -> rusqlite::Result<(Vec<Change>, bool)> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, number FROM shadow_change WHERE thing = ?1 AND shadow = ?2 ORDER BY change DESC"
    ))?;
    let mut rows = statement.query(params![thing.0, shadow])?;
    let (mut changes, mut oldest) = (Vec::new(), 1);
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(2)? <= after.0 {
            return Ok((changes, true));
        }
        oldest = row.get(10)?;
        changes.push(of_row(row)?);
    }
    // Rows are numbered from 1 on as long as there is one: of one that begins with another number the first are gone.
    Ok((changes, oldest <= 1))
}

/// Removes those that were heard of before `horizon`, at most `rows` of them, and says how many they were.
pub(crate) fn forget(db: &Connection, horizon: WallMs, rows: usize) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "DELETE FROM shadow_change WHERE change IN (
           SELECT change FROM shadow_change WHERE heard_ms < ?1 ORDER BY heard_ms LIMIT ?2
         )",
    )?
    .execute((horizon.0, i64::try_from(rows).unwrap_or(i64::MAX)))
}

/// Takes a change over from another file as it is there: its number and the columns behind that, in the order of the schema. One that
/// cannot be read is not taken.
pub(crate) fn take_over(db: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<()> {
    let number = Value::Integer(key);
    db.prepare_cached(
        "INSERT INTO shadow_change
           (change, thing, shadow, number, version, heard_ms, author, actor, role, command, token, leaves, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params_from_iter(std::iter::once(&number).chain(columns)))?;
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM shadow_change WHERE change = ?1"))?
        .query_one([key], of_row)
        .map(drop)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Change> {
    let command = row.get::<_, Option<i64>>(6)?.map(|n| count(6, n)).transpose()?.map(CommandId);
    let token: String = row.get(7)?;
    let by = match (row.get_ref(3)?.as_str()?, command) {
        ("device", None) => Author::Device,
        ("person", Some(command)) => {
            let role: String = row.get(5)?;
            let role = Role::of_word(&role).ok_or_else(|| unreadable(5, format!("{role:?} is no role")))?;
            Author::Person { actor: Actor { name: row.get(4)?, role }, command }
        }
        ("program", Some(command)) => Author::Program { command },
        ("other", None) => Author::Other { token: Some(token).filter(|token| !token.is_empty()) },
        ("unheard", None) => Author::Unheard,
        (other, _) => return Err(unreadable(3, format!("{other:?} has another author's columns"))),
    };
    let leaves: Vec<Kept> = from_json(8, row.get_ref(8)?.as_str()?)?;
    let leaf = |(side, pointer, before, after, at_ms): Kept| ChangedLeaf { side, pointer, before, after, at_ms };
    Ok(Change {
        seq: count(0, row.get(0)?)?,
        version: count(1, row.get(1)?)?,
        heard_ms: WallMs(row.get(2)?),
        by,
        leaves: leaves.into_iter().map(leaf).collect(),
        more: row.get(9)?,
    })
}
