//! The locks by which other programs see that the app has its cache: whatever the app does with the file beside, they stay. Else whoever
//! looks into the cache with other tools takes its log away under the writer.

#![cfg(test)]
#![cfg(unix)]

mod common;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{block_on, commit, sample, series, thing};
use fleetlens_model::record::Write;
use fleetlens_store::{Reading, Store, StoreError};
use rusqlite::Connection;

/// Where the child finds the cache.
const PATH: &str = "FLEETLENS_TEST_LOCKS";

/// The child: this same test program, told by the parent to run only this. Another program with the rights to write, that looks.
#[test]
#[ignore = "the child of the other tests here; another program that has the cache for a moment"]
fn child_looks_into_the_cache_and_closes_it() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let db = Connection::open(path).unwrap();
    let things: i64 = db.query_one("SELECT count(*) FROM thing", [], |row| row.get(0)).unwrap();
    println!("things: {things}.");
    db.close().unwrap();
}

/// How many things another program finds.
fn things_for_others(path: &Path) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_looks_into_the_cache_and_closes_it", "--ignored", "--nocapture"]).env(PATH, path);
    let said = child.output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let things = text.split("things: ").nth(1).and_then(|rest| rest.split('.').next());
    things.and_then(|things| things.parse().ok()).unwrap_or_else(|| panic!("{said:?}"))
}

/// What the app does beside its writing.
type Way = fn(&Store, &Path);

fn log_of(path: &Path) -> Option<u64> {
    let log = path.with_file_name("malta.db-wal");
    std::fs::metadata(log).ok().map(|about| about.ino())
}

#[test]
fn whoever_looks_into_the_cache_leaves_its_log_to_the_app_whatever_that_did_with_the_file() {
    let first = |store: &Store| {
        let writes = vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))];
        commit(store, writes).unwrap();
    };
    let ways: [(&str, Way); 4] = [
        ("nothing", |_, _| {}),
        ("a reading of its own", |store, _| {
            assert_eq!(store.reading().unwrap().latest().unwrap().len(), 1);
        }),
        ("a reading as from outside", |_, path| {
            assert_eq!(Reading::open(path).unwrap().latest().unwrap().len(), 1);
        }),
        ("a second opening, refused", |_, path| {
            assert!(matches!(Store::open(path, "malta", 1), Err(StoreError::InUse { .. })));
            assert!(!Store::may_be_written(path));
        }),
    ];
    for (name, way) in ways {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let (store, _) = Store::open(&path, "malta", 1).unwrap();
        first(&store);
        let log = log_of(&path);
        assert!(log.is_some());
        way(&store, &path);
        assert_eq!(things_for_others(&path), 1, "{name}");
        assert_eq!(log_of(&path), log, "{name}: the log was taken away");
        commit(&store, vec![thing(2, "lamp-2"), Write::Sample(sample(1, 2, 5, 2.0))]).unwrap();
        assert_eq!(things_for_others(&path), 2, "{name}: what is committed since");
        block_on(store.close()).unwrap();
    }
}

#[test]
fn a_cache_that_is_opened_anew_while_its_old_reader_reads_on_is_locked_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))]).unwrap();
    let old = store.reading().unwrap();
    assert!(old.latest().unwrap().len() == 1 && !old.is_closed());
    let again = store.clone();
    block_on(store.close()).unwrap();
    assert!(old.is_closed() && matches!(again.reading(), Err(StoreError::Closed)));
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, vec![thing(2, "lamp-2"), Write::Sample(sample(1, 2, 5, 2.0))]).unwrap();
    let log = log_of(&path);
    assert_eq!(things_for_others(&path), 2);
    assert_eq!(log_of(&path), log, "the log was taken away");
    assert_eq!(old.latest().unwrap()[0].seq, 2, "the old one reads on");
    block_on(store.close()).unwrap();
}
