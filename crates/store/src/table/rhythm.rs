//! `rhythm`: what was learned of a series for rules that ask what is usual for it, a row for each day of the week. `hours` are the hours
//! of that day with their last weeks ([`Day`]), with a checksum. A row is written when an hour is over.

use fleetlens_model::alarm::rhythm::Day;
use fleetlens_model::id::SeriesKey;
use rusqlite::{Connection, params};

use super::{cannot_keep, damaged};
use crate::codec::Damaged;
use crate::codec::bytes::{seal, sealed, unsealed};

const VERSION: u8 = 1;

/// Replaces what is known of a day.
pub(crate) fn put(db: &Connection, series: SeriesKey, weekday: u8, day: &Day) -> rusqlite::Result<()> {
    let mut hours = unsealed(VERSION);
    hours.extend(day.to_bytes());
    seal(&mut hours);
    db.prepare_cached(
        "INSERT INTO rhythm (weekday, series, hours) VALUES (?1, ?2, ?3)
         ON CONFLICT (weekday, series) DO UPDATE SET hours = excluded.hours",
    )?
    .execute(params![weekday, series.0, hours])
    .map(drop)
}

/// Forgets what was learned of a series.
pub(crate) fn forget(db: &Connection, series: SeriesKey) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM rhythm WHERE series = ?1")?.execute([series.0]).map(drop)
}

/// Takes a row over from another file, if it is whole.
pub(crate) fn take_over(db: &Connection, weekday: i64, series: SeriesKey, hours: &[u8]) -> rusqlite::Result<()> {
    let weekday = u8::try_from(weekday).map_err(cannot_keep)?;
    put(db, series, weekday, &of_bytes(hours)?)
}

/// Every day of every series.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(SeriesKey, u8, Day)>> {
    db.prepare_cached("SELECT series, weekday, hours FROM rhythm ORDER BY weekday, series")?
        .query_map([], |row| Ok((SeriesKey(row.get(0)?), row.get(1)?, of_bytes(row.get_ref(2)?.as_blob()?)?)))?
        .collect()
}

fn of_bytes(bytes: &[u8]) -> rusqlite::Result<Day> {
    let broken = || damaged("what is usual");
    let input = sealed(bytes, VERSION).map_err(|Damaged| broken())?;
    Day::from_bytes(input.0).ok_or_else(broken)
}
