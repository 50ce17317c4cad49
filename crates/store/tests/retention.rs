//! Retention on real files: what is too old or too much goes, what must stay stays, and no batch waits for it.

#![cfg(test)]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{T0, alarm, block_on, command, commit, sample, series, stands, thing};
use fleetlens_model::command::Phase;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Restored, Retention, StoreStats, Write};
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;

const DAY_MS: i64 = 86_400_000;
const MEGABYTE: u64 = 1_000_000;

fn place(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("malta.db")
}

fn open(folder: &tempfile::TempDir) -> (Store, Restored) {
    Store::open(&place(folder), "malta", 1).unwrap()
}

fn stats(store: &Store) -> StoreStats {
    block_on(store.stats()).unwrap()
}

/// As long as something changes it is waited for: others may have the processor.
fn until(what: &str, store: &Store, condition: impl Fn(&StoreStats) -> bool) -> StoreStats {
    let (mut since, mut last) = (Instant::now(), StoreStats::default());
    loop {
        let now = stats(store);
        if condition(&now) {
            return now;
        }
        if now != last {
            (since, last) = (Instant::now(), now);
        }
        assert!(since.elapsed() < Duration::from_secs(60), "waited in vain until {what}: {now:?}");
        std::thread::yield_now();
    }
}

/// As it is when nothing has changed for a second.
fn at_rest(store: &Store) -> StoreStats {
    common::at_rest(|| stats(store))
}

/// How many numbers of a series there are in buckets of this width, and the start of the first and the last after [`T0`].
fn what_is_left(store: &Store, key: u32, bucket_ms: u64) -> (u64, Option<(i64, i64)>) {
    let (from_ms, to_ms) = (WallMs(T0 - 400 * DAY_MS), WallMs(T0 + 400 * DAY_MS));
    let query = HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms, up_to_seq: u64::MAX };
    let buckets = block_on(store.history(query)).unwrap();
    let ends = buckets.first().zip(buckets.last()).map(|(a, b)| (a.start_ms.0 - T0, b.start_ms.0 - T0));
    (buckets.iter().map(|bucket| u64::from(bucket.count)).sum(), ends)
}

/// A text of some hundred bytes like no other, a minute after the one before in every series.
fn heavy(of_series: u32, round: u64) -> Sample {
    let seq = 1 + round * 1_000 + u64::from(of_series);
    let ms = round.cast_signed() * 60_000;
    Sample { value: Value::Text(format!("{seq:0400}")), ..sample(of_series, seq, ms, 0.0) }
}

/// Things with a series each and `rounds` samples in each: some 450 bytes a sample.
fn fill(store: &Store, all: u32, rounds: u64) {
    let described = (1..=all).flat_map(|key| [thing(key, &format!("lamp-{key}")), series(key, key, "/state")]);
    commit(store, described.collect()).unwrap();
    let samples: Vec<Write> =
        (0..rounds).flat_map(|round| (1..=all).map(move |key| Write::Sample(heavy(key, round)))).collect();
    // As a stream brings them, but not so many transactions that the test waits for the disk most of the time.
    samples.chunks(4_000).for_each(|some| commit(store, some.to_vec()).unwrap());
}

#[test]
fn by_age_samples_ended_commands_and_ended_alarms_go_and_everything_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder);
    let mut writes = vec![thing(1, "lamp-1"), series(1, 1, "/power_w"), thing(2, "quiet"), series(2, 2, "/power_w")];
    // One a day for sixty days, the last one today; the other lamp spoke once, long ago.
    writes.push(Write::Sample(sample(2, 1, -50 * DAY_MS, 7.0)));
    writes.extend((0..60).map(|n| Write::Sample(sample(1, 10 + n, (n.cast_signed() - 59) * DAY_MS, n as f64))));
    let long_ago = |mut asked: fleetlens_model::command::Command| {
        asked.steps.iter_mut().for_each(|(_, at)| at.0 -= 40 * DAY_MS);
        Write::Command(Box::new(asked))
    };
    writes.extend([long_ago(command(1, 1, Phase::Settled)), long_ago(command(2, 1, Phase::Sent))]);
    writes.push(Write::Command(Box::new(command(3, 1, Phase::Settled))));
    writes.push(Write::Alarm(Box::new(alarm(1, 1, Some(-31 * DAY_MS)))));
    writes.push(Write::Alarm(Box::new(alarm(2, 1, Some(-29 * DAY_MS)))));
    let open_alarm = stands(alarm(3, 1, None), |state| state.raised_ms = Some(WallMs(T0 - 90 * DAY_MS)));
    writes.push(Write::Alarm(Box::new(open_alarm)));
    writes.push(Write::LinkSeen { at_ms: WallMs(T0) });
    commit(&store, writes).unwrap();
    assert_eq!(stats(&store).samples, 61, "until somebody says so, everything stays");

    store.set_retention(Retention { keep_days: 30, ..Retention::default() });
    let after = until("the old ones are gone", &store, |s| s.oldest_ms.is_some_and(|at| at.0 >= T0 - 30 * DAY_MS));
    assert_eq!((after.samples, after.oldest_ms), (31, Some(WallMs(T0 - 30 * DAY_MS))));
    assert_eq!(
        what_is_left(&store, 1, 1),
        (31 + 29, Some((-59 * DAY_MS - 40_000, 0))),
        "where samples are gone, minutes answer"
    );
    assert_eq!(what_is_left(&store, 1, 86_400_000).0, 60);
    block_on(store.close()).unwrap();
    let (store, restored) = open(&folder);
    assert_eq!(restored.stats.samples, 31);
    let latest: Vec<(u32, u64)> = restored.latest.iter().map(|s| (s.series.0, s.seq)).collect();
    assert_eq!(latest, [(1, 69), (2, 1)], "the last that was heard of a thing stays, however old");
    assert_eq!(restored.commands.iter().map(|c| c.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(restored.alarms.iter().map(|a| a.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((restored.last_command, restored.last_alarm), (3, 3));

    // An hour by what is heard is when it is looked again; a minute is not.
    store.set_retention(Retention { keep_days: 30, ..Retention::default() });
    commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + 60_000) }]).unwrap();
    commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + 2 * 3_600_000) }]).unwrap();
    let aged_at = |db: &rusqlite::Connection| -> i64 {
        db.query_row("SELECT value FROM meta WHERE name = 'aged_ms'", [], |row| row.get(0)).unwrap()
    };
    let db = rusqlite::Connection::open(place(&folder)).unwrap();
    // More than a day at once would be taken for a wrong clock.
    until("it was looked again", &store, |_| aged_at(&db) == T0 + 2 * 3_600_000);
    drop(db);
    commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + DAY_MS + 1) }]).unwrap();
    until("a day later another one is gone", &store, |s| s.samples == 29);
}

#[test]
fn by_size_the_oldest_samples_of_every_series_go_until_the_file_is_small_and_the_disk_has_its_space_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder);
    fill(&store, 100, 800);
    let before = stats(&store);
    assert!(before.bytes > 30 * MEGABYTE, "{before:?}");

    store.set_retention(Retention { keep_days: 365, max_mb: 16, ..Retention::default() });
    until("the file is small", &store, |now| now.bytes < 21 * MEGABYTE);
    let after = at_rest(&store);
    // A step may take the older half of a run that is nearly all there is, so what is left is half of what fits beside the log.
    assert!(after.samples > 15_000, "not more than had to: {after:?}");
    block_on(store.close()).unwrap();

    let (store, restored) = open(&folder);
    assert_eq!(restored.latest.len(), 100, "no latest value goes");
    assert!(restored.latest.iter().all(|sample| sample.seq / 1_000 == 799));
    let truth = std::fs::metadata(place(&folder)).unwrap().len();
    assert!(truth < 17 * MEGABYTE + 4_200_000, "{truth} bytes in the file");
    block_on(store.close()).unwrap();
}

#[test]
fn a_stream_over_a_full_cache_goes_on_and_the_cache_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder);
    store.set_retention(Retention { keep_days: 365, max_mb: 16, ..Retention::default() });
    fill(&store, 100, 1_200);
    let after = until("it is under its limit", &store, |now| now.bytes < 22 * MEGABYTE);
    assert!(after.samples > 10_000, "{after:?}");
    assert_eq!(after.samples, stats(&store).samples);
}

#[test]
fn a_cache_of_an_older_schema_does_not_shrink_but_uses_its_free_space_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schema-2.db"), place(&folder)).unwrap();
    let (store, _) = open(&folder);
    let described = (11..=60).flat_map(|key| [thing(key, &format!("x-{key}")), series(key, key, "/state")]);
    commit(&store, described.collect()).unwrap();
    let rounds = |from: u64, to: u64| {
        let samples = (from..to).flat_map(|n| (11..=60).map(move |key| Write::Sample(heavy(key, n))));
        commit(&store, samples.collect()).unwrap();
    };
    rounds(0, 1_200);
    let full = stats(&store);
    assert!(full.bytes > 25 * MEGABYTE, "{full:?}");
    store.set_retention(Retention { keep_days: 365, max_mb: 16, ..Retention::default() });
    let after = until("there is less in it", &store, |now| now.samples < 40_000);
    assert!(after.samples > 10_000, "{after:?}");
    (12..14).for_each(|hundred| rounds(hundred * 100, hundred * 100 + 100));
    let file = std::fs::metadata(place(&folder)).unwrap().len();
    assert!(file <= full.bytes, "{file} bytes after {}", full.bytes);
}

#[test]
fn a_batch_that_comes_during_a_purge_does_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder);
    fill(&store, 200, 400);
    let before = stats(&store);
    commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + 40 * DAY_MS) }]).unwrap();
    store.set_retention(Retention { keep_days: 1, max_mb: 16, ..Retention::default() });
    let mut waits = Vec::new();
    let mut during = 0;
    while stats(&store).samples > 0 {
        let began = Instant::now();
        commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + 40 * DAY_MS) }]).unwrap();
        waits.push(began.elapsed());
        during += u32::from(stats(&store).samples < before.samples);
    }
    waits.sort();
    assert!(during > 3, "the purge was over before anything could wait for it");
    // The slowest may have met another program's use of the disk.
    let (all, slow) = (waits.len(), waits.iter().filter(|wait| wait.as_millis() >= 100).count());
    assert!(slow * 8 <= all, "{slow} of {all} waited 100 ms and more: {waits:?}");
}
