//! The tables: for each one its meaning, its rows and its queries, in one file.
//!
//! Times are epoch milliseconds. Numbers of 64 bits without a sign are kept as the same bits with one where they are digests
//! or random, and refused above `i64::MAX` where they are counted.

pub(crate) mod alarm;
pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod command;
pub(crate) mod cuts;
pub(crate) mod job;
pub(crate) mod journal;
pub(crate) mod latest;
pub(crate) mod meta;
pub(crate) mod packets;
pub(crate) mod position;
pub(crate) mod refusal;
pub(crate) mod rhythm;
pub(crate) mod run;
pub(crate) mod series;
pub(crate) mod shadow;
pub(crate) mod shadow_change;
pub(crate) mod thing;

use rusqlite::Connection;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Damaged;

/// A counted number as SQLite holds it.
pub(crate) fn counted(n: u64) -> rusqlite::Result<i64> {
    i64::try_from(n).map_err(|_| cannot_keep(format!("a count is above {}", i64::MAX)))
}

/// A counted number as it was.
pub(crate) fn count(column: usize, n: i64) -> rusqlite::Result<u64> {
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}

/// Room for the rows of a table whose keys are handed out in order, so that a long list is not moved while it is read. `last` asks for
/// its highest key, which is an answer without a walk; a cache that somebody wrote by hand may hold any.
fn room_for<T>(db: &Connection, last: &str) -> rusqlite::Result<Vec<T>> {
    const ROOM_MAX: u32 = 1 << 20;
    let last: Option<u32> = db.prepare_cached(last)?.query_row([], |row| row.get(0))?;
    Ok(Vec::with_capacity(last.unwrap_or(0).min(ROOM_MAX) as usize))
}

/// A value that is kept whole, as JSON.
fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(cannot_keep)
}

/// A value that was kept as JSON.
pub(crate) fn from_json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// A value that breaks a rule of ours.
pub(crate) fn cannot_keep(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}

/// A stored value that none of ours could have been.
pub(crate) fn unreadable(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, why.into())
}

/// Stored bytes that fail their checksum.
pub(crate) fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, format!("{what} in it: {Damaged}").into())
}
