//! kill -9 in the middle of writing: whatever was said to be committed is there, and no batch is there by half.

#![cfg(test)]

mod common;

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{block_on, sample, series, thing};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;

/// Where the child finds the cache.
const PATH: &str = "FLEETLENS_TEST_KILL";
/// Samples in each batch.
const BATCH: u64 = 7;
/// Lives of the child, each on the file the killed one before it left.
const LIVES: u64 = 6;

/// The child: this same test program, told by the parent to run only this.
#[test]
#[ignore = "the child of `what_was_said_to_be_committed_survives_kill_9`; runs until it is killed"]
fn child_writes_until_it_is_killed() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let (store, restored) = Store::open(&path, "malta", 1).unwrap();
    let first = restored.last_seq;
    block_on(async {
        store.commit(Arc::new(vec![thing(1, "lamp-1"), series(1, 1, "/power_w")])).await.unwrap();
        let mut confirmed = first;
        loop {
            // Several at once, so that they share transactions.
            let batches: Vec<_> = (0..4u64)
                .map(|n| {
                    let from = confirmed + n * BATCH;
                    let samples = (from + 1..=from + BATCH).map(|seq| sample(1, seq, seq as i64, seq as f64));
                    store.commit(Arc::new(samples.map(Write::Sample).collect()))
                })
                .collect();
            for batch in batches {
                batch.await.unwrap();
                confirmed += BATCH;
                println!("committed {confirmed}");
                std::io::stdout().flush().unwrap();
            }
        }
    });
}

#[test]
fn what_was_said_to_be_committed_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let mut stored = 0;
    for life in 1..=LIVES {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Another moment in each life: some in the middle of a transaction, some between two.
        let enough = stored + BATCH * (3 + 11 * life);
        let mut confirmed = 0;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: String| line.strip_prefix("committed ").map(|n| n.parse::<u64>().unwrap());
        for line in lines.by_ref() {
            confirmed = number(line.unwrap()).unwrap_or(confirmed);
            if confirmed >= enough {
                break;
            }
        }
        child.kill().unwrap();
        // What it said before it died counts as well; a line cut off does not.
        for line in lines.map_while(Result::ok).filter(|line| line.starts_with("committed ")) {
            confirmed = confirmed.max(number(line).unwrap_or(0));
        }
        assert!(!child.wait().unwrap().success(), "it was killed");
        assert!(confirmed >= enough, "life {life}: the child ended before it was killed");

        let (store, restored) = Store::open(&path, "malta", 1).unwrap();
        stored = restored.last_seq;
        assert!(stored >= confirmed, "life {life}: {confirmed} were confirmed, {stored} are there");
        assert_eq!(stored % BATCH, 0, "life {life}: a batch is there by half");
        let everything = HistoryQuery {
            series: SeriesKey(1),
            from_ms: WallMs(0),
            to_ms: WallMs(i64::MAX),
            bucket_ms: 1_000_000,
            up_to_seq: u64::MAX,
        };
        let buckets = block_on(store.history(everything)).unwrap();
        assert_eq!(
            u64::from(buckets.iter().map(|b| b.count).sum::<u32>()),
            stored,
            "life {life}: none is missing between"
        );
        assert_eq!(restored.stats.samples, stored, "life {life}: the count is the truth");
        assert_eq!(restored.latest[0].seq, stored, "life {life}");
    }
}
