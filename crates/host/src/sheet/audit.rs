//! The audit log, with every field that was hashed (docs/adr/0011-audit.md).

use std::io;
use std::ops::ControlFlow;

use fleetlens_model::audit::chain::{Chained, Hash};
use fleetlens_model::audit::{self, Entry, Filter};
use fleetlens_store::{Reading, StoreError};
use serde::Serialize;

use super::{Sheet, harmless, rfc3339};

/// The columns of a sheet.
pub fn fields() -> impl Iterator<Item = &'static str> {
    audit::FIELDS.into_iter().chain(["time", "hash"])
}

/// What became of a sheet.
#[derive(Debug)]
pub struct Told {
    /// Rows that it has.
    pub rows: u64,
    /// Rows that say nothing that could be read.
    pub unread: u64,
    /// Whether it could be written.
    pub written: io::Result<()>,
}

/// Writes what passes, in the order in which it was written; of so many the newest where that is said, and the newest first. What could
/// not be read fails.
pub fn write(
    reading: &Reading,
    filter: &Filter,
    newest: Option<usize>,
    sheet: &mut Sheet<'_>,
) -> Result<Told, StoreError> {
    write_while(reading, filter, newest, sheet, || Ok(()))
}

/// The same for as long as `goes_on` says so; else its error is why the sheet could not be written. Asked at every row, since of a log
/// of which nothing passes nothing is written either.
pub fn write_while(
    reading: &Reading,
    filter: &Filter,
    newest: Option<usize>,
    sheet: &mut Sheet<'_>,
    goes_on: impl Fn() -> io::Result<()>,
) -> Result<Told, StoreError> {
    let mut told = Told { rows: 0, unread: 0, written: Ok(()) };
    let mut each = |row: Chained| {
        told.written = goes_on();
        if told.written.is_err() {
            return ControlFlow::Break(());
        }
        match &row.entry {
            Some(entry) if filter.takes(entry) => {
                told.rows += 1;
                told.written = write_entry(sheet, entry, row.hash);
            }
            Some(_) => {}
            None => told.unread += 1,
        }
        if told.written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match newest {
        Some(most) => {
            // Whether it could be written is told.
            let _ = reading.newest_audit(filter, most)?.into_iter().try_for_each(each);
        }
        None => {
            reading.audit(&mut each)?;
        }
    }
    Ok(told)
}

/// The fields of an entry under their names, and its time and hash as people and other programs read them.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    at_ms: i64,
    by: &'static str,
    actor: &'a str,
    role: &'static str,
    thing: &'a str,
    shadow: &'a str,
    command: Option<u64>,
    trace: &'a str,
    event: &'static str,
    after_ms: Option<u64>,
    detail: &'a str,
    time: String,
    hash: String,
}

impl Line<'_> {
    fn of(entry: &Entry, hash: Hash) -> Line<'_> {
        let (actor, role) = entry.by.person().map_or(("", ""), |person| (person.name.as_str(), person.role.word()));
        Line {
            seq: entry.seq,
            at_ms: entry.at_ms.0,
            by: entry.by.code(),
            actor,
            role,
            thing: &entry.thing,
            shadow: &entry.shadow,
            command: entry.command.map(|command| command.0),
            trace: &entry.trace,
            event: entry.event.code(),
            after_ms: entry.after_ms,
            detail: &entry.detail,
            time: rfc3339(entry.at_ms),
            hash: hash.to_string(),
        }
    }
}

fn write_entry(sheet: &mut Sheet<'_>, entry: &Entry, hash: Hash) -> io::Result<()> {
    sheet.write(&Line::of(entry, hash), || {
        let fields = entry.fields().into_iter().map(|field| harmless(&field));
        fields.chain([rfc3339(entry.at_ms), hash.to_string()])
    })
}
