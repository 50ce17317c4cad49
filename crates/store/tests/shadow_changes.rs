//! The history of shadows on the disk: added once, of each shadow the newest, by age and by size no more than the rest of the history.

#![cfg(test)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{T0, block_on, change, changed, commit, one_of_everything, thing};
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::{Retention, Write};
use fleetlens_model::shadow::change::{CHANGES_KEPT, Change};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Store, StoreError};

fn place(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("malta.db")
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&place(folder), "malta", 4711).unwrap().0
}

fn told(store: &Store, shadow: &str, before: Option<u64>, most: usize) -> Vec<Change> {
    block_on(store.shadow_changes(ThingKey(1), shadow.to_owned(), before, most)).unwrap()
}

fn numbers(store: &Store, shadow: &str, before: Option<u64>, most: usize) -> Vec<u64> {
    told(store, shadow, before, most).iter().map(|change| change.seq).collect()
}

#[test]
fn changes_come_back_by_shadow_newest_first_page_by_page_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let classic = || (1..=9).filter(|seq| seq % 3 > 0).map(|seq| changed(1, "", seq));
    let batch =
        || [thing(1, "lamp-1"), thing(2, "lamp-2")].into_iter().chain(classic()).chain([changed(1, "light", 11)]);
    commit(&store, batch().collect()).unwrap();
    // Given again, with one of another thing.
    commit(&store, batch().chain([changed(2, "", 12)]).collect()).unwrap();
    assert_eq!(told(&store, "", None, 100), [8, 7, 5, 4, 2, 1].map(change));
    assert_eq!(numbers(&store, "", None, 2), [8, 7]);
    assert_eq!(numbers(&store, "", Some(7), 2), [5, 4]);
    assert_eq!(numbers(&store, "", Some(4), 100), [2, 1]);
    assert!(numbers(&store, "", Some(1), 100).is_empty());
    assert_eq!(numbers(&store, "light", None, 100), [11]);
    assert!(numbers(&store, "none such", None, 100).is_empty());
    assert_eq!(store.left_out(), 0);
    block_on(store.close()).unwrap();
    assert_eq!(Store::open(&place(&folder), "malta", 0).unwrap().1.last_change, 12);
}

#[test]
fn of_a_shadow_that_never_rests_the_newest_are_kept_and_its_neighbour_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    commit(&store, vec![thing(1, "lamp-1"), changed(1, "calm", 1)]).unwrap();
    let last = 1 + CHANGES_KEPT + 25;
    for seq in 2..=last {
        commit(&store, vec![changed(1, "", seq)]).unwrap();
    }
    let kept = numbers(&store, "", None, usize::MAX);
    assert_eq!((kept.len() as u64, kept[0], kept[kept.len() - 1]), (CHANGES_KEPT, last, last - CHANGES_KEPT + 1));
    assert_eq!(numbers(&store, "calm", None, 10), [1]);
}

#[test]
fn a_change_of_a_thing_that_is_not_there_is_left_out_and_what_comes_with_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    commit(&store, vec![thing(1, "lamp-1"), changed(1, "", 1), changed(7, "", 2), changed(1, "", 3)]).unwrap();
    assert_eq!(numbers(&store, "", None, 10), [3, 1]);
    assert_eq!(store.left_out(), 1);
}

#[test]
fn a_change_is_gone_by_its_age_like_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    const DAY_MS: i64 = 86_400_000;
    let fresh = Change { heard_ms: WallMs(T0 + 2 * DAY_MS), ..change(900) };
    let fresh = Write::ShadowChanged { thing: ThingKey(1), name: String::new(), change: Box::new(fresh) };
    let mut writes = vec![thing(1, "lamp-1")];
    writes.extend((1..=450).map(|seq| changed(1, "", seq)));
    writes.push(fresh);
    commit(&store, writes).unwrap();
    store.set_retention(Retention { keep_days: 1, ..Retention::default() });
    let start = std::time::Instant::now();
    while numbers(&store, "", None, usize::MAX) != [900] {
        assert!(start.elapsed().as_secs() < 20, "{} changes are left", numbers(&store, "", None, usize::MAX).len());
        std::thread::yield_now();
    }
}

#[test]
fn a_salvage_takes_the_changes_over_and_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    commit(&store, one_of_everything().0).unwrap();
    let before = told(&store, "", None, 100);
    block_on(store.close()).unwrap();
    fs::write(folder.path().join("malta.db.damaged"), "somebody says so").unwrap();
    let (store, restored, note) = Store::open_or_quarantine(&place(&folder), "malta", 8, WallMs(7)).unwrap();
    assert_eq!(note.map(|note| (note.salvaged.lost_pages, note.salvaged.lost_rows)), Some((0, 0)));
    assert_eq!((told(&store, "", None, 100), restored.last_change), (before, 7));
    commit(&store, vec![changed(1, "", 8)]).unwrap();
    assert_eq!(numbers(&store, "", None, 2), [8, 6]);
}

#[test]
fn a_cache_that_cannot_be_written_tells_its_changes_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    commit(&store, one_of_everything().0).unwrap();
    block_on(store.close()).unwrap();
    let (store, restored) = Store::look(&place(&folder), "malta", StoreError::Closed).unwrap();
    assert_eq!((numbers(&store, "", None, 2), restored.last_change), (vec![6, 5], 7));
    assert_eq!(commit(&store, vec![changed(1, "", 8)]), Err(StoreError::Closed));
}
