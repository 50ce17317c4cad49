//! `latest`: the sample of each series that is the newest news of it, as [`Sample::supersedes`] decides, as of what the mover has
//! taken out of the journal; with the journal gone through it is as of now. It makes a start as long as there are series, however
//! many samples there are, and outlives the samples' retention.
//!
//! A row holds the latest of [`SERIES`] neighbouring series: `block` is the key of a series divided by that. `data` are the samples
//! ([`crate::codec::batch`]).

use std::collections::BTreeMap;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Sample;
use rusqlite::{Connection, OptionalExtension, params};

use super::{damaged, journal, room_for};
use crate::codec::Damaged;
use crate::codec::batch::{self, Batch};

/// Series whose latest stand in one row: some kilobytes, so that a start reads long stretches and a move writes few.
const SERIES: u32 = 256;

/// The latest of some series.
#[derive(Debug, Default)]
pub(crate) struct Latest(BTreeMap<SeriesKey, Sample>);

impl Latest {
    /// Takes in a sample; they come in the order of their sequence.
    pub fn offer(&mut self, sample: Sample) {
        match self.0.get_mut(&sample.series) {
            Some(latest) if sample.supersedes(latest) => *latest = sample,
            Some(_) => {}
            None => drop(self.0.insert(sample.series, sample)),
        }
    }

    /// [`rows_with`] these.
    pub fn rows(self, db: &Connection) -> rusqlite::Result<Vec<(u32, Vec<u8>)>> {
        rows_with(db, self.0.into_values().collect())
    }
}

/// The rows as they are to be when these are taken in: one sample a series, in the order of the series.
pub(crate) fn rows_with(db: &Connection, newest: Vec<Sample>) -> rusqlite::Result<Vec<(u32, Vec<u8>)>> {
    let mut rows = Vec::new();
    let mut newest = newest.into_iter().peekable();
    while let Some(first) = newest.peek() {
        let number = first.series.0 / SERIES;
        let mut known = of_block(db, number)?.into_iter().peekable();
        let mut batch = Batch::default();
        while let Some(new) = newest.next_if(|new| new.series.0 / SERIES == number) {
            while let Some(before) = known.next_if(|known| known.series < new.series) {
                batch.push(&before);
            }
            let kept = known.next_if(|known| known.series == new.series).filter(|known| !new.supersedes(known));
            batch.push(kept.as_ref().unwrap_or(&new));
        }
        known.for_each(|rest| batch.push(&rest));
        rows.push((number, batch.seal().to_vec()));
    }
    Ok(rows)
}

/// In the order of the series.
fn of_block(db: &Connection, block: u32) -> rusqlite::Result<Vec<Sample>> {
    let mut latest = Vec::new();
    let data: Option<Vec<u8>> = db
        .prepare_cached("SELECT data FROM latest WHERE block = ?1")?
        .query_one([block], |row| row.get(0))
        .optional()?;
    if let Some(data) = data {
        batch::each(&data, |sample| latest.push(sample)).map_err(|Damaged| damaged("the latest values"))?;
    }
    Ok(latest)
}

/// Writes a row.
pub(crate) fn put(db: &Connection, block: u32, data: &[u8]) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO latest (block, data) VALUES (?1, ?2) ON CONFLICT (block) DO UPDATE SET data = excluded.data",
    )?
    .execute(params![block, data])
    .map(drop)
}

/// The latest of every series that has one, in the order of the series.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Sample>> {
    let mut latest: Vec<Sample> = room_for(db, "SELECT max(series) FROM series")?;
    let mut statement = db.prepare_cached("SELECT data FROM latest ORDER BY block")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let data = row.get_ref(0)?.as_blob()?;
        batch::each(data, |sample| latest.push(sample)).map_err(|Damaged| damaged("the latest values"))?;
    }
    let mut newer = Latest::default();
    journal::all(db, |sample| {
        let known = latest.binary_search_by_key(&sample.series, |known| known.series);
        match known.ok().and_then(|at| latest.get_mut(at)) {
            Some(known) if sample.supersedes(known) => *known = sample,
            Some(_) => {}
            None => newer.offer(sample),
        }
    })?;
    latest.extend(newer.0.into_values());
    latest.sort_by_key(|sample| sample.series);
    Ok(latest)
}
