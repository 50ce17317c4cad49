//! kill -9 in the middle of writing, while the journal is packed in the background: whatever was said to be committed is there, once,
//! and no batch is there by half.

#![cfg(test)]

mod common;

use std::io::{BufRead, BufReader, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{block_on, sample, series, thing};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Retention, Write};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store};

/// Where the child finds the cache.
const PATH: &str = "FLEETLENS_TEST_KILL";
/// Samples in each batch: some kilobytes of texts and numbers, so that the journal is packed every few batches.
const BATCH: u64 = 700;
/// Series that they are of.
const SERIES: u64 = 7;
/// Lives of the child, each on the file that the killed one before it left.
const LIVES: u64 = 50;

/// Every second series says texts like no other, which fill the journal fast.
fn said(seq: u64) -> Write {
    let mut sample = sample(1 + (seq % SERIES) as u32, seq, seq.cast_signed() * 10, seq as f64);
    if seq % SERIES % 2 == 1 {
        sample.value = Value::Text(format!("{seq:060}"));
    }
    Write::Sample(sample)
}

/// The child: this same test program, told by the parent to run only this.
#[test]
#[ignore = "the child of `what_was_said_to_be_committed_survives_kill_9`; runs until it is killed"]
fn child_writes_until_it_is_killed() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let (store, restored) = Store::open(&path, "malta", 1).unwrap();
    // A small cache packs and settles often; nothing is old enough to go.
    store.set_retention(Retention { keep_days: 3_650, max_mb: 64, ..Retention::default() });
    block_on(async {
        let described = (1..=SERIES as u32).map(|key| series(key, 1, &format!("/v{key}")));
        store.commit(Arc::new(std::iter::once(thing(1, "lamp-1")).chain(described).collect())).await.unwrap();
        let mut confirmed = restored.last_seq;
        println!("committed {confirmed}");
        for round in 0_u64.. {
            // Several at once, so that they share transactions.
            let batches: Vec<_> = (0..4)
                .map(|n| {
                    let from = confirmed + n * BATCH;
                    store.commit(Arc::new((from + 1..=from + BATCH).map(said).collect()))
                })
                .collect();
            for batch in batches {
                batch.await.unwrap();
                confirmed += BATCH;
                println!("committed {confirmed}");
                std::io::stdout().flush().unwrap();
            }
            if round % 8 == 7 {
                store.settle().await.unwrap();
            }
        }
    });
}

fn child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Any number below this, another one each time.
fn any(below: u64) -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0) % below
}

#[test]
fn what_was_said_to_be_committed_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    for life in 1..=LIVES {
        let mut child = child(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: &str| line.strip_prefix("committed ").and_then(|n| n.parse::<u64>().ok());
        // From when it writes on any moment will do: in a transaction, between two, while a run is made.
        let mut confirmed = lines.by_ref().find_map(|line| number(&line.unwrap())).expect("it says where it begins");
        std::thread::sleep(Duration::from_millis(any(120)));
        child.kill().unwrap();
        // What it said before it died counts; a line cut off does not.
        for line in lines.map_while(Result::ok) {
            confirmed = confirmed.max(number(&line).filter(|n| n % BATCH == 0).unwrap_or(0));
        }
        assert!(!child.wait().unwrap().success(), "life {life}: it was killed");

        let (store, restored) = Store::open(&path, "malta", 1).unwrap();
        let stored = restored.last_seq;
        assert!(stored >= confirmed, "life {life}: {confirmed} were confirmed, {stored} are there");
        assert_eq!(stored % BATCH, 0, "life {life}: a batch is there by half");
        assert_eq!(restored.stats.samples, stored, "life {life}: the count is the truth");
        assert_eq!(restored.latest.iter().map(|latest| latest.seq).max().unwrap_or(0), stored, "life {life}");
        if life % 10 == 0 || life == LIVES {
            everything_is_there(&store, &path, stored);
        }
        block_on(store.close()).unwrap();
    }
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    let stored = block_on(store.stats()).unwrap().samples;
    block_on(store.settle()).unwrap();
    everything_is_there(&store, &path, stored);
    assert_eq!(store.duplicates(), 0, "nothing was there twice");
}

/// Each sample that was ever stored, by its value, and each number in the roll-ups.
fn everything_is_there(store: &Store, path: &Path, stored: u64) {
    let reading = Reading::open(path).unwrap();
    let mut there = vec![false; stored as usize + 1];
    for key in 1..=SERIES as u32 {
        let all = reading.samples(SeriesKey(key), WallMs(0)..WallMs(i64::MAX), |sample| {
            let seq = match sample.value {
                Value::Number(number) => number as usize,
                Value::Text(text) => text.parse().unwrap(),
                Value::Flag(_) => unreachable!("nobody said one"),
            };
            assert!(!std::mem::replace(&mut there[seq], true), "{seq} is there twice");
            ControlFlow::Continue(())
        });
        assert!(all.unwrap());
        let span = (WallMs(0), WallMs(i64::MAX));
        let hours = HistoryQuery {
            series: SeriesKey(key),
            from_ms: span.0,
            to_ms: span.1,
            bucket_ms: 3_600_000,
            up_to_seq: u64::MAX,
        };
        let rolled: u64 = block_on(store.history(hours)).unwrap().iter().map(|hour| u64::from(hour.count)).sum();
        let said =
            (1..=stored).filter(|seq| seq % SERIES == u64::from(key - 1) && (seq % SERIES).is_multiple_of(2)).count();
        assert_eq!(rolled, said as u64, "series {key}");
    }
    let missing: Vec<usize> =
        there.iter().enumerate().skip(1).filter(|(_, there)| !**there).map(|(seq, _)| seq).collect();
    assert!(missing.is_empty(), "{} are missing, the first is {:?}", missing.len(), missing.first());
}
