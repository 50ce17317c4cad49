//! The audit log on the disk: added to once, kept whatever goes, and found out where somebody was at it with other tools.

#![cfg(test)]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::{T0, block_on, command, commit, entry, thing};
use fleetlens_model::audit::chain::{Break, Head, Summary};
use fleetlens_model::audit::{Entry, Event, Filter};
use fleetlens_model::command::Phase;
use fleetlens_model::record::{Retention, Write};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store, StoreError};
use rusqlite::Connection;

fn place(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("malta.db")
}

fn open(path: &Path) -> (Store, u64) {
    let (store, restored) = Store::open(path, "malta", 4711).unwrap();
    (store, restored.last_audit)
}

fn entries(numbers: std::ops::RangeInclusive<u64>) -> Vec<Write> {
    numbers.map(|seq| Write::Audit(Box::new(entry(seq)))).collect()
}

/// A closed cache with so many entries.
fn log(folder: &tempfile::TempDir, entries_of_it: u64) -> PathBuf {
    let (store, _) = open(&place(folder));
    commit(&store, entries(1..=entries_of_it)).unwrap();
    block_on(store.close()).unwrap();
    place(folder)
}

fn verified(path: &Path, noted: &[Head]) -> Result<Summary, Break> {
    Reading::open(path).unwrap().verify_audit(noted).unwrap()
}

/// Everything in the log, as it lies there.
fn all(path: &Path) -> Vec<Entry> {
    let mut all = Vec::new();
    let whole = Reading::open(path).unwrap().audit(|row| {
        all.extend(row.entry);
        ControlFlow::Continue(())
    });
    assert!(whole.unwrap());
    all
}

#[test]
fn entries_are_added_once_in_order_over_batches_and_starts_and_make_a_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let (store, before) = open(&place(&folder));
    assert_eq!(before, 0);
    commit(&store, entries(1..=3)).unwrap();
    commit(&store, entries(1..=3)).unwrap();
    block_on(store.close()).unwrap();
    let (store, before) = open(&place(&folder));
    assert_eq!(before, 3);
    // One that was given before the start, and is given again with what is new.
    commit(&store, entries(3..=5)).unwrap();
    let summary = verified(&place(&folder), &[]).unwrap();
    assert_eq!((summary.head.seq, summary.first_ms, summary.last_ms), (5, Some(entry(1).at_ms), Some(entry(5).at_ms)));
    assert_eq!(all(&place(&folder)), (1..=5).map(entry).collect::<Vec<_>>());
    assert_eq!(store.left_out(), 0);
}

#[test]
fn another_entry_of_a_number_that_is_there_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&place(&folder));
    commit(&store, entries(1..=2)).unwrap();
    let other = Entry { event: Event::Rejected, ..entry(2) };
    let error = commit(&store, vec![Write::Audit(Box::new(other)), thing(1, "lamp-1")]).unwrap_err();
    assert!(
        matches!(&error, StoreError::LeftOut { reason, .. } if reason.ends_with("its number is another entry's")),
        "{error}"
    );
    commit(&store, entries(3..=3)).unwrap();
    assert_eq!(verified(&place(&folder), &[]).unwrap().head.seq, 3);
}

#[test]
fn an_entry_is_there_if_and_only_if_the_rest_of_its_batch_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&place(&folder));
    let asked = Write::Command(Box::new(command(1, 1, Phase::Pending)));
    commit(&store, vec![thing(1, "lamp-1"), asked, Write::Audit(Box::new(entry(1)))]).unwrap();
    // A copy of the file as it lies after the commit, with its log: what a kill would leave.
    let copy = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let name = format!("malta.db{end}");
        fs::copy(folder.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let (_store, restored) = Store::open(&place(&copy), "malta", 0).unwrap();
    assert_eq!((restored.commands.len(), restored.last_audit), (1, 1));
}

#[test]
fn whoever_changes_removes_or_moves_a_row_is_refused_and_past_that_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let whole = log(&folder, 9);
    for (name, sql, want) in [
        ("a detail changed", "UPDATE audit SET detail = 'nothing' WHERE seq = 4", Break::Changed { seq: 4 }),
        ("another person", "UPDATE audit SET actor = 'J. Borg' WHERE seq = 1", Break::Changed { seq: 1 }),
        ("a time changed", "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 9", Break::Changed { seq: 9 }),
        ("an event nobody knows", "UPDATE audit SET event = 'approved' WHERE seq = 5", Break::Changed { seq: 5 }),
        ("a hash changed", "UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", Break::Changed { seq: 3 }),
        ("the first removed", "DELETE FROM audit WHERE seq = 1", Break::Missing { first: 1, last: 1 }),
        ("some removed", "DELETE FROM audit WHERE seq IN (4, 5)", Break::Missing { first: 4, last: 5 }),
        ("the last removed", "DELETE FROM audit WHERE seq > 7", Break::Missing { first: 8, last: 9 }),
        ("all removed", "DELETE FROM audit", Break::Missing { first: 1, last: 9 }),
        (
            "two exchanged",
            "UPDATE audit SET seq = 100 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = 100",
            Break::OutOfOrder { seq: 3, at: 6 },
        ),
        ("one moved to the end", "UPDATE audit SET seq = 10 WHERE seq = 2", Break::OutOfOrder { seq: 2, at: 10 }),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(&whole, place(&folder)).unwrap();
        let db = Connection::open(place(&folder)).unwrap();
        let refused = db.execute_batch(sql).unwrap_err();
        assert!(refused.to_string().contains("the audit log is only added to"), "{name}: {refused}");
        db.execute_batch("DROP TRIGGER audit_unchanged; DROP TRIGGER audit_unshortened").unwrap();
        assert!(verified(&place(&folder), &[]).is_ok(), "{name}");
        db.execute_batch(sql).unwrap();
        assert_eq!(verified(&place(&folder), &[]), Err(want), "{name}");

        // It goes on behind what was noted, and the break stays what it was.
        drop(db);
        let (store, before) = open(&place(&folder));
        commit(&store, entries(before + 1..=before + 2)).unwrap();
        block_on(store.close()).unwrap();
        assert_eq!(verified(&place(&folder), &[]), Err(want), "{name}, after two more");
    }
}

#[test]
fn a_log_that_somebody_wrote_anew_is_known_by_a_head_that_was_noted_elsewhere() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let noted = verified(&log(&folder, 4), &[]).unwrap().head;
    let (store, _) = open(&place(&other));
    let anew = (1..=6).map(|seq| Write::Audit(Box::new(Entry { detail: "another".into(), ..entry(seq) })));
    commit(&store, anew.collect()).unwrap();
    block_on(store.close()).unwrap();
    assert!(verified(&place(&other), &[]).is_ok());
    assert_eq!(verified(&place(&other), &[noted]), Err(Break::WrittenAnew { seq: 4 }));
    assert_eq!(verified(&place(&folder), &[Head { seq: 7, ..noted }]), Err(Break::Missing { first: 5, last: 7 }));
}

#[test]
fn the_newest_come_first_as_many_as_are_asked_for_and_a_walk_sees_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder, 2_500);
    let reading = Reading::open(&path).unwrap();
    let newest = |filter: &Filter, most: usize| -> Vec<u64> {
        reading.newest_audit(filter, most).unwrap().iter().map(|row| row.seq).collect()
    };
    assert_eq!(newest(&Filter::default(), 3), [2_500, 2_499, 2_498]);
    assert!(newest(&Filter::default(), 0).is_empty());
    assert_eq!(newest(&Filter::default(), 9_999), (1..=2_500).rev().collect::<Vec<_>>());
    let early = Filter { to_ms: Some(entry(3).at_ms), ..Filter::default() };
    assert_eq!(newest(&early, 10), [2, 1], "however many there are behind it");
    assert_eq!(newest(&Filter { text: Some("step 1234".into()), ..Filter::default() }, 10), [1_234]);
    let mut seen = 0;
    assert!(
        !reading
            .audit(|_| {
                seen += 1;
                if seen < 1_500 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .unwrap()
    );
    assert_eq!((seen, all(&path).len()), (1_500, 2_500));
}

#[test]
fn it_outlives_the_retention_and_the_commands_that_it_tells_of() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&place(&folder));
    let mut writes = vec![thing(1, "lamp-1"), Write::Command(Box::new(command(1, 1, Phase::Settled)))];
    writes.extend(entries(1..=3));
    writes.push(Write::LinkSeen { at_ms: WallMs(T0 + 40 * 86_400_000) });
    commit(&store, writes).unwrap();
    store.set_retention(Retention { keep_days: 1, ..Retention::default() });
    let commands = || -> i64 {
        let db = Connection::open(place(&folder)).unwrap();
        db.query_one("SELECT count(*) FROM command", [], |row| row.get(0)).unwrap()
    };
    let start = std::time::Instant::now();
    while commands() > 0 {
        assert!(start.elapsed().as_secs() < 20, "the old command stays");
        std::thread::yield_now();
    }
    assert_eq!(verified(&place(&folder), &[]).unwrap().head.seq, 3);
}

#[test]
fn a_salvage_takes_it_over_and_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder, 40);
    let head = verified(&path, &[]).unwrap().head;
    fs::write(path.with_file_name("malta.db.damaged"), "somebody says so").unwrap();
    let (store, restored, note) = Store::open_or_quarantine(&path, "malta", 1, WallMs(7)).unwrap();
    assert!(note.is_some());
    assert_eq!(restored.last_audit, 40);
    assert_eq!(verified(&path, &[head]).unwrap().head, head);
    commit(&store, entries(41..=42)).unwrap();
    block_on(store.close()).unwrap();
    assert_eq!(verified(&path, &[head]).unwrap().head.seq, 42);
}

#[test]
fn what_a_salvage_cannot_read_is_missing_from_the_log_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder, 400);
    // A page with rows of the log's middle.
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.chunks_mut(4_096).find(|page| page.windows(8).any(|text| text == b"step 200")).unwrap();
    page[..8].fill(0xff);
    fs::write(&path, bytes).unwrap();
    fs::write(path.with_file_name("malta.db.damaged"), "a page").unwrap();
    let (store, restored, note) = Store::open_or_quarantine(&path, "malta", 1, WallMs(7)).unwrap();
    assert_eq!((note.unwrap().salvaged.lost_pages, restored.last_audit), (1, 400));
    let Err(Break::Missing { first, last }) = verified(&path, &[]) else { panic!("nothing is missing") };
    assert!(first <= 200 && 200 <= last, "{first} to {last}");
    let left: Vec<u64> = all(&path).iter().map(|entry| entry.seq).collect();
    assert_eq!(left, (1..first).chain(last + 1..=400).collect::<Vec<_>>());
    commit(&store, entries(401..=401)).unwrap();
    block_on(store.close()).unwrap();
}

#[test]
fn of_a_span_every_row_is_read_also_where_the_clock_was_set_while_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&place(&folder));
    // More than one read looks at; the clock of row 30 000 stood wrong.
    let of = |seq: u64| {
        let at_ms = if seq == 30_000 { WallMs(T0 + 5) } else { WallMs(T0 + seq.cast_signed()) };
        Write::Audit(Box::new(Entry { at_ms, ..entry(seq) }))
    };
    commit(&store, (1..=30_000).map(of).collect()).unwrap();
    let reading = store.reading().unwrap();
    let between = |from: i64, to: i64, most: usize| {
        let mut seen = Vec::new();
        let whole = reading.audit_between(&(WallMs(T0 + from)..WallMs(T0 + to)), |row| {
            seen.push(row.seq);
            if seen.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (seen, whole.unwrap())
    };
    assert_eq!(between(4, 7, 9), (vec![4, 5, 6, 30_000], true));
    assert_eq!(between(4, 7, 2), (vec![4, 5], false));
    assert_eq!(between(19_999, 20_003, 9).0, [19_999, 20_000, 20_001, 20_002], "over the end of a read");
    assert_eq!(between(-9, 1, 9), (vec![], true));
    drop(reading);
    block_on(store.close()).unwrap();
}
