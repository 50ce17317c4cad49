//! `latest`: a copy of the sample of each series that is the newest news of it, as [`Sample::supersedes`] decides. It makes a start
//! a walk over as many rows as there are series, however many samples there are, and outlives the samples' retention.

use fleetlens_model::telemetry::{FUTURE_TOLERANCE_MS, Sample};
use rusqlite::Connection;

use super::sample;

/// Puts the sample there if it [supersedes](Sample::supersedes) the one that is: the same rule, said in SQL so that a burst needs no
/// reading back. (A difference too large for SQLite's integers becomes a REAL and keeps its sign.)
pub(crate) fn offer(db: &Connection, offered: &Sample) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO latest (series, device_ms, seq, received_ms, kind, value, source, quality, timed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (series) DO UPDATE SET
           device_ms = excluded.device_ms, seq = excluded.seq, received_ms = excluded.received_ms,
           kind = excluded.kind, value = excluded.value, source = excluded.source,
           quality = excluded.quality, timed = excluded.timed
         WHERE CASE WHEN excluded.timed = 0 OR latest.device_ms - excluded.received_ms > ?10
           THEN excluded.seq >= latest.seq
           ELSE (excluded.device_ms, excluded.seq) >= (latest.device_ms, latest.seq)
         END",
    )?;
    sample::bind(&mut statement, offered)?;
    statement.raw_bind_parameter(10, FUTURE_TOLERANCE_MS)?;
    statement.raw_execute().map(drop)
}

/// Everything, in the order of the series.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Sample>> {
    db.prepare_cached(&format!("SELECT {} FROM latest ORDER BY series", sample::COLUMNS))?
        .query_map([], sample::of_row)?
        .collect()
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
    use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
    use fleetlens_model::time::WallMs;

    use super::*;
    use crate::table::{series, thing};

    fn at(seq: u64, device_ms: i64, received_ms: i64, timed: Timed) -> Sample {
        Sample {
            series: SeriesKey(1),
            device_ms: WallMs(device_ms),
            received_ms: WallMs(received_ms),
            seq,
            value: Value::Flag(true),
            source: Source::Live,
            quality: Quality::Good,
            timed,
        }
    }

    fn cache() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let (db, _) = crate::open::open(&folder.path().join("malta.db"), "malta", 1).unwrap();
        thing::put(&db, ThingKey(1), &ThingName::new("lamp-1").unwrap(), &Default::default()).unwrap();
        series::put(&db, SeriesKey(1), ThingKey(1), "/on").unwrap();
        (folder, db)
    }

    /// Whether the table takes `new` for newer than `old`.
    fn supersedes(db: &Connection, new: &Sample, old: &Sample) -> bool {
        db.execute("DELETE FROM latest", []).unwrap();
        offer(db, old).unwrap();
        offer(db, new).unwrap();
        let stands = all(db).unwrap();
        assert!(stands == [new.clone()] || stands == [old.clone()], "{stands:?}");
        stands == [new.clone()]
    }

    #[test]
    fn the_table_and_the_model_agree_on_what_is_newer() {
        use Timed::{ByDevice, ByUs};
        let (_folder, db) = cache();
        let day = 86_400_000;
        for (name, new, old, want) in [
            ("in order", at(2, 20, 20, ByDevice), at(1, 10, 10, ByDevice), true),
            ("late", at(2, 10, 20, ByDevice), at(1, 15, 15, ByDevice), false),
            ("equal times", at(2, 10, 20, ByDevice), at(1, 10, 10, ByDevice), true),
            ("our clock was a day ahead", at(2, 20, 20, ByUs), at(1, day, day, ByUs), true),
            ("and the device has a clock", at(2, 20, 20, ByDevice), at(1, day, day, ByDevice), true),
            ("ahead as far as is believed", at(2, 20, 20, ByDevice), at(1, 120_020, 0, ByDevice), false),
            ("and a millisecond more", at(2, 20, 20, ByDevice), at(1, 120_021, 0, ByDevice), true),
            ("dated by us and earlier in sequence", at(1, 20, 20, ByUs), at(2, 10, 10, ByDevice), false),
        ] {
            assert_eq!(new.supersedes(&old), want, "the model: {name}");
            assert_eq!(supersedes(&db, &new, &old), want, "the table: {name}");
        }
    }

    #[test]
    fn they_agree_at_the_ends_of_time_too() {
        let (_folder, db) = cache();
        let times = [i64::MIN, -1, 0, 120_000, 120_001, i64::MAX];
        let sample = |seq, device: usize, received: usize, timed| at(seq, times[device], times[received], timed);
        let some = |seq: u64| {
            let dated = (0..times.len()).flat_map(|device| (0..times.len()).map(move |received| (device, received)));
            dated.flat_map(move |(device, received)| {
                [Timed::ByUs, Timed::ByDevice].map(|timed| sample(seq, device, received, timed))
            })
        };
        // One transaction: without it each of these thousands would wait for the disk.
        let transaction = db.unchecked_transaction().unwrap();
        for old in some(5) {
            for new in some(4).chain(some(6)) {
                assert_eq!(supersedes(&transaction, &new, &old), new.supersedes(&old), "{new:?} after {old:?}");
            }
        }
    }
}
