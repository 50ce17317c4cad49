//! The wall clock jumps by a year, ahead and back again or behind and back again, while samples come: nothing is lost, nothing goes by
//! its age, what we date ourselves keeps the order it came in, and charts answer.

#![cfg(test)]

mod common;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{T0, block_on, commit, sample, series, thing};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Retention, Write};
use fleetlens_model::telemetry::{Sample, Timed};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store};

const DAY: i64 = 86_400_000;
const YEAR: i64 = 365 * DAY;
/// Samples before the jump, during it, and after it.
const STRETCH: u64 = 400;
/// Dated by us, and by the device, whose clock is right.
const OURS: u32 = 1;
const DEVICES: u32 = 2;

fn said(series: u32, seq: u64, received_ms: i64, device_ms: i64) -> Write {
    let by_us = series == OURS;
    Write::Sample(Sample {
        received_ms: WallMs(received_ms),
        device_ms: WallMs(if by_us { received_ms } else { device_ms }),
        timed: if by_us { Timed::ByUs } else { Timed::ByDevice },
        ..sample(series, seq, 0, seq as f64)
    })
}

#[test]
fn a_clock_that_jumps_a_year_either_way_and_back_costs_nothing() {
    for (what, jump_ms) in [("ahead", YEAR), ("behind", -YEAR)] {
        for settle_between in [false, true] {
            let what = format!("{what}, settled between: {settle_between}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("malta.db");
            let (store, _) = Store::open(&path, "malta", 1).unwrap();
            store.set_retention(Retention { keep_days: 30, ..Retention::default() });
            commit(&store, vec![thing(1, "lamp-1"), series(OURS, 1, "/ours"), series(DEVICES, 1, "/devices")]).unwrap();
            let mut seq = 0;
            for stretch in 0..3 {
                for n in 0..STRETCH {
                    let real_ms = T0 + (stretch * STRETCH + n).cast_signed() * 1_000;
                    let ours_ms = if stretch == 1 { real_ms + jump_ms } else { real_ms };
                    let batch = [OURS, DEVICES].map(|key| {
                        seq += 1;
                        said(key, seq, ours_ms, real_ms)
                    });
                    let mut batch = batch.to_vec();
                    batch.push(Write::LinkSeen { at_ms: WallMs(ours_ms) });
                    commit(&store, batch).unwrap();
                }
                if settle_between {
                    block_on(store.settle()).unwrap();
                }
            }
            block_on(store.settle()).unwrap();
            assert_eq!(block_on(store.stats()).unwrap().samples, seq, "{what}: nothing is lost");
            for bucket_ms in [1_000, 60_000, 86_400_000] {
                for key in [OURS, DEVICES] {
                    let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
                    let query = HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms, up_to_seq: u64::MAX };
                    let buckets = block_on(store.history(query)).unwrap();
                    let count: u64 = buckets.iter().map(|bucket| u64::from(bucket.count)).sum();
                    assert_eq!(count, 3 * STRETCH, "{what}: series {key} in buckets of {bucket_ms}");
                    assert!(buckets.is_sorted_by_key(|bucket| bucket.start_ms), "{what}");
                }
            }
            let reading = Reading::open(&path).unwrap();
            let mut told: Vec<(i64, u64)> = Vec::new();
            let each = |one: Sample| {
                told.push((one.device_ms.0, one.value.as_number().unwrap() as u64));
                ControlFlow::Continue(())
            };
            reading.samples(SeriesKey(OURS), WallMs(i64::MIN)..WallMs(i64::MAX), each).unwrap();
            drop(reading);
            // Within what one setting of the clock dated, the order is the order of arrival.
            let jumped = |at: i64| (at - T0).abs() > YEAR / 2;
            for side in [false, true] {
                let of_side: Vec<u64> = told.iter().filter(|(at, _)| jumped(*at) == side).map(|(_, n)| *n).collect();
                let want = if side { STRETCH } else { 2 * STRETCH };
                assert_eq!(of_side.len() as u64, want, "{what}");
                assert!(of_side.is_sorted(), "{what}");
            }
            block_on(store.close()).unwrap();

            let (store, restored) = Store::open(&path, "malta", 1).unwrap();
            assert_eq!(restored.stats.samples, seq, "{what}: nor by a start");
            assert_eq!(restored.link_seen_ms, Some(WallMs(T0 + (3 * STRETCH - 1).cast_signed() * 1_000)), "{what}");
            let last = restored.latest.iter().map(|latest| latest.value.as_number().unwrap() as u64);
            assert_eq!(last.collect::<Vec<_>>(), [seq - 1, seq], "{what}: the newest news is what came last");
            block_on(store.close()).unwrap();
        }
    }
}

/// Waits until a number of `meta` is this.
fn until_noted(path: &Path, name: &str, wanted: i64) {
    let db = rusqlite::Connection::open(path).unwrap();
    let start = Instant::now();
    loop {
        let noted = db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, i64>(0)).ok();
        if noted == Some(wanted) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{name} is {noted:?}, not {wanted}");
        // A writer beside us does it when it rests; asking on and on would keep it from that.
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn after_a_clock_that_was_ahead_for_days_charts_are_made_of_samples_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    store.set_retention(Retention { keep_days: 30, ..Retention::default() });
    let at = |ms: i64| Write::LinkSeen { at_ms: WallMs(T0 + ms) };
    let described = [thing(1, "lamp-1"), series(DEVICES, 1, "/v"), at(0)];
    commit(&store, described.to_vec()).unwrap();
    until_noted(&path, "aged_ms", T0);
    let said_at = |n: u64, ms: i64| Write::Sample(sample(DEVICES, n, ms, n as f64));
    let believed = 41 * DAY + 3_600_000;
    commit(&store, vec![at(40 * DAY)]).unwrap();
    until_noted(&path, "ahead_ms", T0 + 40 * DAY);
    commit(&store, vec![at(believed)]).unwrap();
    until_noted(&path, "aged_ms", T0 + believed);
    // The device's clock is right, so this is too old by ours.
    commit(&store, vec![said_at(1, 1_000), at(believed)]).unwrap();
    block_on(store.settle()).unwrap();
    commit(&store, vec![at(2_000)]).unwrap();
    until_noted(&path, "aged_ms", T0 + 2_000);
    commit(&store, vec![said_at(2, 3_600_000)]).unwrap();
    block_on(store.settle()).unwrap();
    let (from_ms, to_ms) = (WallMs(T0 - DAY), WallMs(T0 + DAY));
    let query = HistoryQuery { series: SeriesKey(DEVICES), from_ms, to_ms, bucket_ms: 1, up_to_seq: u64::MAX };
    let starts: Vec<i64> = block_on(store.history(query)).unwrap().iter().map(|one| one.start_ms.0 - T0).collect();
    assert_eq!(starts, [-40_000, 3_600_000], "what is gone by its minute, what is not by itself");
    block_on(store.close()).unwrap();
}
