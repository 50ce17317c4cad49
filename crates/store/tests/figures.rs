//! What a cache tells of itself is true of its file, and is told without disturbing anybody.

#![cfg(test)]

mod common;

use std::time::Duration;

use common::{block_on, commit, sample, series, thing};
use fleetlens_model::figures::{CacheFigures, CacheKind};
use fleetlens_model::record::Write;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Beside, Reading, SCHEMA, Store};

const ALL: u64 = 5_000;

fn of(figures: &CacheFigures, wanted: CacheKind) -> (u64, u64) {
    let (_, share) = figures.kinds.iter().find(|(kind, _)| *kind == wanted).unwrap();
    (share.entries, share.bytes)
}

/// When nothing changes any more.
fn at_rest(store: &Store) -> CacheFigures {
    common::at_rest(|| CacheFigures { read_in_ms: 0, ..block_on(store.figures()).unwrap() })
}

/// All kinds together are the pages of the file, in use or not.
fn adds_up(figures: &CacheFigures, path: &std::path::Path) {
    let told: u64 = figures.kinds.iter().map(|(_, share)| share.bytes).sum();
    assert_eq!(told % figures.page_bytes, 0, "{figures:?}");
    assert!(figures.kinds.iter().map(|(kind, _)| *kind).eq(CacheKind::ALL), "every kind once");
    assert_eq!(figures.schema, SCHEMA);
    assert_eq!(figures.file_bytes, std::fs::metadata(path).unwrap().len());
}

#[test]
fn what_is_not_yet_packed_and_what_is_are_told_apart_and_add_up_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    let empty = block_on(store.figures()).unwrap();
    assert_eq!(
        (empty.oldest_ms, empty.newest_ms, empty.oldest_unpacked_ms, empty.link_seen_ms),
        (None, None, None, None)
    );
    adds_up(&empty, &path);

    commit(&store, vec![thing(1, "lamp"), series(1, 1, "/power_w")]).unwrap();
    for n in 0..ALL / 100 {
        let samples = (n * 100..(n + 1) * 100).map(|n| Write::Sample(sample(1, n + 1, n as i64 * 1_000, n as f64)));
        commit(&store, samples.collect()).unwrap();
    }
    let before = block_on(store.figures()).unwrap();
    assert_eq!(before.unpacked_batches, ALL / 100);
    assert_eq!((of(&before, CacheKind::Tail).0, of(&before, CacheKind::Samples).0), (ALL, 0));
    assert_eq!(before.oldest_unpacked_ms, Some(WallMs(common::T0)));
    assert_eq!(before.newest_ms, Some(WallMs(common::T0 + (ALL as i64 - 1) * 1_000)));
    assert_eq!((of(&before, CacheKind::Things).0, of(&before, CacheKind::Series).0), (1, 1));
    adds_up(&before, &path);
    let writer = store.writer_figures();
    assert_eq!((writer.waiting, writer.unpacked_samples, writer.duplicates), (0, ALL, 0));
    assert!(writer.unpacked_bytes > 0);

    block_on(store.settle()).unwrap();
    let after = at_rest(&store);
    assert_eq!((after.unpacked_batches, after.oldest_unpacked_ms), (0, None));
    assert_eq!((of(&after, CacheKind::Tail), of(&after, CacheKind::Samples).0), ((0, 0), ALL));
    assert!(of(&after, CacheKind::Samples).1 > 0 && of(&after, CacheKind::Minutes).0 > 0, "{after:?}");
    assert_eq!((after.oldest_ms, after.newest_ms), (Some(WallMs(common::T0)), before.newest_ms));
    adds_up(&after, &path);
    assert_eq!(store.writer_figures().unpacked_samples, 0);

    // From outside, while it is in use, the same.
    let outside = Reading::open(&path).unwrap();
    let seen = CacheFigures { read_in_ms: after.read_in_ms, ..outside.figures().unwrap() };
    assert_eq!(seen, after);
    assert_eq!(outside.quick_check(Duration::from_secs(20)), Ok(Some(Vec::new())));
    commit(&store, vec![thing(2, "bin")]).unwrap();
    block_on(store.close()).unwrap();
}

#[test]
fn a_quick_check_sees_a_broken_page_and_what_lies_beside_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, (1..2_000).map(|n| thing(n, &format!("lamp-{n:05}"))).collect()).unwrap();
    block_on(store.close()).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let found = Reading::open(&path).unwrap().quick_check(Duration::from_secs(20));
    assert!(!matches!(found, Ok(Some(ref sentences)) if sentences.is_empty()), "{found:?}");

    assert_eq!(Beside::of(&path), Beside::default());
    std::fs::write(folder.path().join("malta.db.damaged"), "a page").unwrap();
    for name in ["malta.db.broken-7", "malta.db.broken-7-wal", "other.db.broken-1"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let beside = Beside::of(&path);
    assert!(beside.damaged.is_some_and(|noted| noted.contains("a page")));
    assert_eq!(beside.moved_aside, [folder.path().join("malta.db.broken-7")]);
}
