//! `audit`: who asked for what and what came of it, in rows that are only added (docs/adr/0011-audit.md). What a row means, and how its
//! hash follows from the row before it, is the model's (`fleetlens_model::audit`).
//!
//! | column | meaning |
//! |---|---|
//! | `author` | `person`, `device`, `broker`, `service` or `program` |
//! | `actor`, `role` | the person; empty where it is none |
//! | `thing`, `shadow` | names, which outlive what they name |
//! | `command`, `trace` | the command's number and trace id; NULL and empty where there is none |
//! | `event`, `detail` | what happened |
//! | `after_ms` | since the step before it of the same command; NULL where that is not known |
//! | `hash` | holds the row and the one before it in place |
//!
//! `meta` has the number and the hash of the last row a second time, so that it is missed when it goes.

use std::ops::{ControlFlow, Range};

use fleetlens_model::audit::chain::{Chained, Hash, Head};
use fleetlens_model::audit::{By, Entry, Event, Filter};
use fleetlens_model::id::CommandId;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::time::WallMs;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::{cannot_keep, count, counted};

const COLUMNS: &str = "seq, at_ms, author, actor, role, thing, shadow, command, trace, event, after_ms, detail, hash";

/// Rows that one read holds: it is over before the writer waits for it.
const PAGE: i64 = 1_000;

/// Rows that one read looks at for those of a span; it holds no more than are in it.
const LOOKED_AT: i64 = 20_000;

/// Adds an entry behind `head`, and gives the head that it makes. One of a number that is there already is not added: the same entry
/// changes nothing, another one is refused.
pub(crate) fn add(db: &Connection, entry: &Entry, head: Head) -> rusqlite::Result<Head> {
    if entry.seq <= head.seq {
        let there = at(db, entry.seq)?.and_then(|row| row.entry);
        let is_same = there.as_ref() == Some(entry);
        return if is_same { Ok(head) } else { Err(cannot_keep("its number is another entry's")) };
    }
    let head = head.after(entry);
    let (actor, role) = entry.by.person().map_or(("", ""), |person| (person.name.as_str(), person.role.word()));
    db.prepare_cached(&insert())?.execute(params![
        counted(entry.seq)?,
        entry.at_ms.0,
        entry.by.code(),
        actor,
        role,
        entry.thing,
        entry.shadow,
        entry.command.map(|command| counted(command.0)).transpose()?,
        entry.trace,
        entry.event.code(),
        entry.after_ms.map(counted).transpose()?,
        entry.detail,
        head.hash.0,
    ])?;
    Ok(head)
}

/// Takes a row over from another file as it is there: its number and the columns behind that, in the order of the schema. Whether it
/// follows from the one before it is not looked at: the log tells of itself where it is broken.
pub(crate) fn take_over(db: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<()> {
    let number = Value::Integer(key);
    db.prepare_cached(&insert())?.execute(params_from_iter(std::iter::once(&number).chain(columns))).map(drop)
}

/// The last row as it lies there; the head of an empty log where there is none.
pub(crate) fn last(db: &Connection) -> rusqlite::Result<Head> {
    let last = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1"))?
        .query_one([], of_row)
        .optional()?;
    Ok(last.map_or_else(Head::default, |row| Head { seq: row.seq, hash: row.hash }))
}

/// Every row, in the order of the numbers, until `each` says `Break`; false if it did.
pub(crate) fn walk(db: &Connection, mut each: impl FnMut(Chained) -> ControlFlow<()>) -> rusqlite::Result<bool> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT {PAGE}"))?;
    pages(
        0,
        |after| {
            let rows: Vec<Chained> = statement.query_map([after], of_row)?.collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        },
        &mut each,
    )
}

/// The newest entries that a filter takes, at most so many, the newest first. What cannot be read is left out.
pub(crate) fn newest(db: &Connection, filter: &Filter, most: usize) -> rusqlite::Result<Vec<Chained>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT {PAGE}"))?;
    let mut newest = Vec::new();
    if most == 0 {
        return Ok(newest);
    }
    let mut each = |row: Chained| {
        if row.entry.as_ref().is_some_and(|entry| filter.takes(entry)) {
            newest.push(row);
        }
        if newest.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let read = |before: i64| statement.query_map([before], of_row)?.collect::<rusqlite::Result<Vec<Chained>>>();
    pages(i64::MAX, read, &mut each)?;
    Ok(newest)
}

/// Every row whose time lies in a span, in the order of the numbers, until `each` says `Break`; false if it did. The clock may have been
/// set while they were written, so all are looked at, so many numbers a read.
pub(crate) fn between(
    db: &Connection,
    span: &Range<WallMs>,
    mut each: impl FnMut(Chained) -> ControlFlow<()>,
) -> rusqlite::Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE seq > ?1 AND seq <= ?1 + {LOOKED_AT} AND at_ms >= ?2 AND at_ms < ?3 ORDER BY seq"
    ))?;
    let last = counted(last(db)?.seq)?;
    let mut after = 0;
    while after < last {
        for row in
            statement.query_map((after, span.start.0, span.end.0), of_row)?.collect::<rusqlite::Result<Vec<_>>>()?
        {
            if each(row).is_break() {
                return Ok(false);
            }
        }
        after += LOOKED_AT;
    }
    Ok(true)
}

/// Reads page after page, each from the number of the last row before it on. Each is a read of its own.
fn pages(
    from: i64,
    mut read: impl FnMut(i64) -> rusqlite::Result<Vec<Chained>>,
    each: &mut impl FnMut(Chained) -> ControlFlow<()>,
) -> rusqlite::Result<bool> {
    let mut at = from;
    loop {
        let rows = read(at)?;
        let Some(last) = rows.last() else { return Ok(true) };
        at = counted(last.seq)?;
        for row in rows {
            if each(row).is_break() {
                return Ok(false);
            }
        }
    }
}

fn at(db: &Connection, seq: u64) -> rusqlite::Result<Option<Chained>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE seq = ?1"))?
        .query_one([counted(seq)?], of_row)
        .optional()
}

fn insert() -> String {
    format!("INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
}

/// A row whatever it says: one that was changed behind our back is for the chain to tell, and no reason to read nothing.
fn of_row(row: &Row<'_>) -> rusqlite::Result<Chained> {
    let seq = count(0, row.get(0)?)?;
    let hash = row.get_ref(12)?.as_blob().ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let hash = Hash(hash.unwrap_or_default());
    Ok(Chained { seq, entry: entry(row, seq).ok().flatten(), hash })
}

fn entry(row: &Row<'_>, seq: u64) -> rusqlite::Result<Option<Entry>> {
    let (name, role): (String, String) = (row.get(3)?, row.get(4)?);
    let by = match (row.get_ref(2)?.as_str()?, Role::of_word(&role), name.is_empty() && role.is_empty()) {
        ("person", Some(role), _) => By::Person(Actor { name, role }),
        ("device", None, true) => By::Device,
        ("broker", None, true) => By::Broker,
        ("service", None, true) => By::Service,
        ("program", None, true) => By::Program,
        _ => return Ok(None),
    };
    let Some(event) = Event::of_code(row.get_ref(9)?.as_str()?) else { return Ok(None) };
    let number = |column: usize| row.get::<_, Option<i64>>(column)?.map(|n| count(column, n)).transpose();
    Ok(Some(Entry {
        seq,
        at_ms: WallMs(row.get(1)?),
        by,
        thing: row.get(5)?,
        shadow: row.get(6)?,
        command: number(7)?.map(CommandId),
        trace: row.get(8)?,
        event,
        after_ms: number(10)?,
        detail: row.get(11)?,
    }))
}
