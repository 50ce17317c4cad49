//! Bulk commands: a thing's row is there with its command or not at all, and what came of each is kept.

#![cfg(test)]

mod common;

use std::fs;
use std::ops::ControlFlow;

use common::{block_on, bulk, bulk_writes, command, commit, thing};
use fleetlens_model::bulk::{Head, Progress, Row, State};
use fleetlens_model::command::Phase;
use fleetlens_model::id::{BulkId, CommandId, ThingKey};
use fleetlens_model::record::Write;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store, StoreError};

fn asked(command: u64, phase: Phase) -> Progress {
    Progress::Asked { command: CommandId(command), phase, at_ms: WallMs(7), never_obeyed: false }
}

fn row(bulk: u64, place: u32, thing: u32, progress: Progress) -> Write {
    let row = Row { thing: ThingKey(thing), progress };
    Write::BulkRows { bulk: BulkId(bulk), rows: Box::new([(place, row)]) }
}

/// Three lamps and a bulk command for them.
fn lamps(store: &Store) {
    let described = (1..=3).map(|key| thing(key, &format!("lamp-{key}")));
    commit(store, described.chain(bulk_writes(&bulk(1, State::Running))).collect()).unwrap();
}

#[test]
fn a_thing_is_asked_by_one_command_and_no_command_asks_two() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    lamps(&store);
    for (what, wrong) in [
        ("a command that another thing has", row(1, 1, 2, asked(1, Phase::Pending))),
        ("a thing in a second place", row(1, 3, 2, Progress::Waits)),
        ("a thing nobody knows", row(1, 3, 77, Progress::Waits)),
        ("a bulk command nobody knows", row(9, 0, 1, Progress::Waits)),
    ] {
        let error = commit(&store, vec![wrong]).unwrap_err();
        assert!(matches!(error, StoreError::LeftOut { .. }), "{what}: {error:?}");
    }
    // The same batch again changes nothing.
    let batch = vec![Write::Command(Box::new(command(2, 2, Phase::Pending))), row(1, 1, 2, asked(2, Phase::Pending))];
    commit(&store, batch.clone()).unwrap();
    commit(&store, batch).unwrap();
    block_on(store.close()).unwrap();
    let (_store, restored) = Store::open(&path, "malta", 1).unwrap();
    let [(head, rows)] = &restored.bulks[..] else { panic!("{:?}", restored.bulks) };
    assert_eq!((head, rows.len()), (&bulk(1, State::Running).0, 3));
    assert_eq!(rows[1].progress, asked(2, Phase::Pending));
}

#[test]
fn what_came_of_each_is_told_by_its_command_until_that_has_ended_and_stays_when_that_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    lamps(&store);
    let told = || {
        let mut told = Vec::new();
        Reading::open(&path)
            .unwrap()
            .bulk_rows(BulkId(1), |thing, progress| {
                told.push((thing.to_owned(), progress));
                ControlFlow::Continue(())
            })
            .unwrap();
        told
    };
    assert_eq!(
        told()[0],
        (
            "lamp-1".to_owned(),
            Progress::Asked {
                command: CommandId(1),
                phase: Phase::Pending,
                at_ms: WallMs(common::T0 + 1),
                never_obeyed: false
            }
        )
    );
    let accepted = Phase::Accepted { version: 7 };
    commit(&store, vec![Write::Command(Box::new(command(1, 1, accepted.clone())))]).unwrap();
    assert!(matches!(&told()[0].1, Progress::Asked { phase, .. } if *phase == accepted), "{:?}", told());
    assert_eq!(told()[1], ("lamp-2".to_owned(), Progress::Waits));
    // A bulk command that goes takes its rows with it, and no command.
    commit(&store, vec![Write::BulkGone(BulkId(1))]).unwrap();
    assert!(told().is_empty() && Reading::open(&path).unwrap().bulks().unwrap().is_empty());
    block_on(store.close()).unwrap();
    let (_store, restored) = Store::open(&path, "malta", 1).unwrap();
    assert_eq!((restored.bulks.len(), restored.commands.len()), (0, 1));
}

#[test]
fn a_salvage_takes_bulk_commands_over_without_gaps_and_leaves_out_what_belongs_to_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    lamps(&store);
    block_on(store.close()).unwrap();
    // Lamp 2 is called what no thing is: it is lost, and with it its row.
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 6).filter(|at| &bytes[*at..*at + 6] == b"lamp-2").collect();
    places.iter().for_each(|at| bytes[*at] = 0);
    assert!(!places.is_empty());
    // And the start has to look.
    bytes[18] = 9;
    fs::write(&path, &bytes).unwrap();
    let (_store, restored, note) = Store::open_or_quarantine(&path, "malta", 8, WallMs(77)).unwrap();
    assert!(note.is_some());
    let [(head, rows)] = &restored.bulks[..] else { panic!("{:?}", restored.bulks) };
    let (want, all) = bulk(1, State::Running);
    let State::Held { why } = &head.state else { panic!("{:?}", head.state) };
    assert!(why.starts_with("what came of some things was lost"), "{why}");
    assert_eq!(*head, Head { state: head.state.clone(), ..want });
    assert_eq!(rows[..], [all[0].clone(), all[2].clone()]);
}

#[test]
fn a_salvage_gives_no_command_the_number_of_a_lost_one_and_holds_nothing_that_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    lamps(&store);
    commit(&store, vec![row(1, 1, 2, asked(7_000, Phase::Settled))]).unwrap();
    block_on(store.close()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // Nobody says any more which number the last one had, and the start has to look.
    let name = b"last_command";
    let places: Vec<usize> = (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    places.iter().for_each(|at| bytes[*at] = b'x');
    bytes[18] = 9;
    fs::write(&path, &bytes).unwrap();
    let (_store, restored, note) = Store::open_or_quarantine(&path, "malta", 8, WallMs(77)).unwrap();
    assert!(note.is_some());
    assert_eq!((restored.last_command, &restored.bulks[0].0.state), (7_000, &State::Running));
}
