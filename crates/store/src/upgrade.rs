//! Moves the rows of an older schema into the shape of a newer one, within the transaction that makes it.

use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, Row};

use crate::building::Building;
use crate::codec::Kept;
use crate::table::latest::{self, Latest};
use crate::table::packets::{Packets, Rows};
use crate::table::run::{self, RunKey, Tier};
use crate::table::{count, unreadable};

/// One row a sample, as schema 3 had them, becomes a run; it is settled and rolled up later like any other.
pub(crate) fn to_4(db: &Connection) -> rusqlite::Result<()> {
    const COLUMNS: &str = "series, device_ms, seq, received_ms, kind, value, source, quality, timed";
    let last_seq: i64 = db.query_one("SELECT coalesce(max(seq), 0) FROM sample_3", [], |row| row.get(0))?;
    let key = RunKey(1);
    run::begin(db, key)?;
    let mut building = Building::new(key, Tier::Samples, 1, (0, count(0, last_seq)?));
    let mut samples = db.prepare(&format!("SELECT {COLUMNS} FROM sample_3 ORDER BY series, device_ms, seq"))?;
    let mut rows = samples.query([])?;
    while let Some(row) = rows.next()? {
        let sample = sample(row)?;
        building.samples(sample.series, [Kept::of(&sample)]);
        for block in building.take() {
            run::add(db, key, &block)?;
        }
    }
    let (blocks, made) = building.finish();
    for block in blocks {
        run::add(db, key, &block)?;
    }
    match made {
        Some(made) => run::finish(db, &made)?,
        None => run::give_up(db, key)?,
    }

    let mut newest = Latest::default();
    db.prepare(&format!("SELECT {COLUMNS} FROM latest_3"))?
        .query_map([], sample)?
        .try_for_each(|sample| sample.map(|sample| newest.offer(sample)))?;
    for (block, data) in newest.rows(db)? {
        latest::put(db, block, &data)?;
    }

    let mut packets = Packets::default();
    db.prepare("SELECT packet_id, digest FROM unacked_3 ORDER BY packet_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
        .try_for_each(|packet| packet.map(|(packet_id, digest)| packets.push(packet_id, digest)))?;
    if !packets.is_empty() {
        Rows::default().put(db, &packets)?;
    }
    db.execute_batch(
        "DROP TABLE sample_3; DROP TABLE latest_3; DROP TABLE unacked_3;
         DELETE FROM meta WHERE name IN ('samples', 'oldest_ms');",
    )
}

fn sample(row: &Row<'_>) -> rusqlite::Result<Sample> {
    Ok(Sample {
        series: SeriesKey(row.get(0)?),
        device_ms: WallMs(row.get(1)?),
        seq: count(2, row.get(2)?)?,
        received_ms: WallMs(row.get(3)?),
        value: match row.get(4)? {
            0 => Value::Number(row.get(5)?),
            1 => Value::Flag(row.get(5)?),
            2 => Value::Text(row.get(5)?),
            other => return Err(unreadable(4, format!("{other} is no kind of value"))),
        },
        source: match row.get(6)? {
            0 => Source::Live,
            1 => Source::Retained,
            2 => Source::Cached,
            other => return Err(unreadable(6, format!("{other} is no source"))),
        },
        quality: match row.get(7)? {
            0 => Quality::Good,
            1 => Quality::Stale,
            2 => Quality::Estimated,
            3 => Quality::Synthetic,
            other => return Err(unreadable(7, format!("{other} is no quality"))),
        },
        timed: match row.get(8)? {
            0 => Timed::ByUs,
            1 => Timed::ByDevice,
            other => return Err(unreadable(8, format!("{other} is nobody's clock"))),
        },
    })
}
