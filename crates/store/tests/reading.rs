//! Looking into a cache from outside: beside the program that has it open, of any schema there was, and never changing it.

#![cfg(test)]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use common::{T0, alarm, block_on, commit, sample, series, thing};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store, StoreError};

/// The values of series 1 between two times after [`T0`], at most so many.
fn values(reading: &Reading, from_ms: i64, to_ms: i64, at_most: usize) -> Vec<u64> {
    let mut seen: Vec<u64> = Vec::new();
    let take = |sample: Sample| {
        seen.push(sample.value.as_number().unwrap() as u64);
        if seen.len() < at_most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let all = reading.samples(SeriesKey(1), WallMs(T0 + from_ms)..WallMs(T0 + to_ms), take).unwrap();
    assert_eq!(all, seen.len() < at_most);
    seen
}

#[test]
fn samples_are_read_in_the_order_of_time_while_the_app_writes_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    // Two at each moment, more than one transaction of a reader holds.
    let of = |n: u64| Write::Sample(sample(1, n + 1, (n / 2).cast_signed(), n as f64));
    let mut writes = vec![thing(1, "lamp-1"), series(1, 1, "/power_w"), series(2, 1, "/on")];
    writes.extend((0..5_001).map(of));
    commit(&store, writes).unwrap();
    let reading = Reading::open(&path).unwrap();
    assert_eq!(reading.profile().unwrap(), "malta");
    assert_eq!(values(&reading, 0, 10_000, usize::MAX), (0..5_001).collect::<Vec<_>>());
    assert_eq!(values(&reading, 1, 3, usize::MAX), [2, 3, 4, 5], "the end is not included");
    assert_eq!(values(&reading, 0, 10_000, 3), [0, 1, 2]);
    assert!(values(&reading, 20_000, 30_000, usize::MAX).is_empty());
    block_on(store.settle()).unwrap();
    assert_eq!(values(&reading, 0, 10_000, usize::MAX), (0..5_001).collect::<Vec<_>>(), "wherever they are");
    commit(&store, vec![of(5_001)]).unwrap();
    assert_eq!(reading.latest().unwrap()[0].seq, 5_002, "what is committed meanwhile is seen");
    assert_eq!((reading.things().unwrap().len(), reading.series().unwrap().len()), (1, 2));
}

#[test]
fn of_a_span_every_alarm_is_read_whose_life_touches_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    // Raised as many ms after T0 as their number says; over at the time given.
    let alarms = [(1_000, Some(5_000)), (2_000, None), (30_000, Some(40_000)), (50_000, None)];
    let writes = alarms.map(|(id, ended_ms)| Write::Alarm(Box::new(alarm(id, 1, ended_ms))));
    commit(&store, [vec![thing(1, "lamp-1")], writes.to_vec()].concat()).unwrap();
    let reading = Reading::open(&path).unwrap();
    for (name, from, to, want) in [
        ("all of it", 0, 60_000, vec![1_000, 2_000, 30_000, 50_000]),
        ("one that is over is gone", 5_001, 30_000, vec![2_000]),
        ("one that ends with its beginning", 5_000, 5_001, vec![1_000, 2_000]),
        ("one that is raised at its end is not in it", 6_000, 30_001, vec![2_000, 30_000]),
        ("in the middle of a life", 35_000, 35_001, vec![2_000, 30_000]),
        ("before everything", -10, 0, vec![]),
    ] {
        let found = reading.alarms(&(WallMs(T0 + from)..WallMs(T0 + to))).unwrap();
        assert_eq!(found.iter().map(|alarm| alarm.id.0).collect::<Vec<_>>(), want, "{name}");
    }
    assert_eq!(reading.alarms(&(WallMs(T0)..WallMs(T0 + 2_000))).unwrap(), [alarm(1_000, 1, Some(5_000))]);
    drop(reading);
    block_on(store.close()).unwrap();
}

#[test]
fn who_is_silent_and_when_somebody_last_listened_is_read_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    let reading = Reading::open(&path).unwrap();
    assert_eq!((reading.silent().unwrap(), reading.link_seen().unwrap()), (vec![], None));
    let silent = |key, silent| Write::Silent { thing: ThingKey(key), silent };
    let things = vec![thing(1, "lamp-1"), thing(2, "lamp-2"), thing(3, "lamp-3")];
    let said = vec![silent(3, true), silent(1, true), silent(3, false), Write::LinkSeen { at_ms: WallMs(T0) }];
    commit(&store, [things, said].concat()).unwrap();
    assert_eq!((reading.silent().unwrap(), reading.link_seen().unwrap()), (vec![ThingKey(1)], Some(WallMs(T0))));
    drop(reading);
    block_on(store.close()).unwrap();
}

#[test]
fn the_newest_schema_is_read_as_it_is_and_an_older_or_newer_one_is_refused() {
    for schema in 1..=9 {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{schema}.db"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        fs::copy(golden, &path).unwrap();
        let before = fs::read(&path).unwrap();
        match Reading::open(&path) {
            Ok(reading) => {
                assert_eq!(schema, 9);
                assert_eq!(reading.latest().unwrap().len(), 3);
                assert_eq!((reading.stats().unwrap().samples, reading.refusals().unwrap().len()), (3, 1));
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Older { found, known: 9, .. } if found == schema), "{error}");
                assert!(error.to_string().ends_with("open it once in the app, which brings it up to date"), "{error}");
            }
        }
        assert_eq!(fs::read(&path).unwrap(), before, "schema {schema}: not a byte is changed");
        let mut newer = before;
        newer[60..64].copy_from_slice(&10u32.to_be_bytes());
        fs::write(&path, newer).unwrap();
        assert!(matches!(Reading::open(&path).unwrap_err(), StoreError::Newer { found: 10, .. }), "schema {schema}");
    }
}

#[test]
fn what_is_no_cache_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    assert!(matches!(Reading::open(&path), Err(StoreError::Io { .. })));
    assert!(!path.exists(), "and not made");
    for content in ["", "a shopping list"] {
        fs::write(&path, content).unwrap();
        assert!(matches!(Reading::open(&path), Err(StoreError::NotADatabase { .. })), "{content:?}");
    }
}

/// The names of what lies in a folder.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn reading_leaves_nothing_beside_a_cache_that_nobody_has_open_and_everything_beside_one_that_somebody_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))]).unwrap();
    block_on(store.close()).unwrap();
    let (before, bytes) = (names(folder.path()), fs::read(&path).unwrap());
    assert_eq!(before, ["malta.db", "malta.db.lock"]);
    let two = (Reading::open(&path).unwrap(), Reading::open(&path).unwrap());
    assert_eq!((two.0.latest().unwrap().len(), two.1.latest().unwrap().len()), (1, 1));
    drop(two.0);
    assert_eq!(two.1.things().unwrap().len(), 1, "the other goes on reading");
    drop(two.1);
    assert_eq!(names(folder.path()), before);
    assert!(fs::read(&path).unwrap() == bytes, "not a byte is changed");

    // The app has it open, before the reader or since.
    let reading = Reading::open(&path).unwrap();
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, vec![Write::Sample(sample(1, 2, 5, 2.0))]).unwrap();
    drop(reading);
    drop(Reading::open(&path).unwrap());
    let all = ["malta.db", "malta.db-shm", "malta.db-wal", "malta.db.lock"];
    assert_eq!(names(folder.path()), all);
    commit(&store, vec![Write::Sample(sample(1, 3, 6, 3.0))]).unwrap();
    assert_eq!(Reading::open(&path).unwrap().latest().unwrap()[0].seq, 3);
    // Whoever is killed leaves a log: that is read, and stays.
    let killed = tempfile::tempdir().unwrap();
    for name in ["malta.db", "malta.db-wal"] {
        fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let before = fs::read(killed.path().join("malta.db-wal")).unwrap();
    assert_eq!(Reading::open(&killed.path().join("malta.db")).unwrap().latest().unwrap()[0].seq, 3);
    assert_eq!(fs::read(killed.path().join("malta.db-wal")).unwrap(), before);
    block_on(store.close()).unwrap();
}
