//! The history says what was said, wherever it lies: in the journal, in runs of any level, in roll-ups; late, repeated, or in order.

#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use common::{T0, block_on, commit, sample, series, thing};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::telemetry::{Sample, Timed, Value};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store};
use proptest::prelude::*;

/// What happens to a cache.
#[derive(Clone, Debug)]
enum Event {
    /// A batch of samples: series, time after [`T0`], value, dated by the device.
    Said(Vec<(u32, i64, i32, bool)>),
    /// The batch of some turns ago again, in new packets.
    Again(usize),
    Settled,
    Reopened,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Mostly forward, sometimes hours back.
    let one =
        (1_u32..4, prop_oneof![4 => 0_i64..120_000, 1 => -20_000_000_i64..0], -50_i32..50, prop::bool::weighted(0.9));
    let said = prop::collection::vec(one, 1..60).prop_map(Event::Said);
    let event = prop_oneof![6 => said, 1 => (1_usize..4).prop_map(Event::Again), 2 => Just(Event::Settled), 1 => Just(Event::Reopened)];
    prop::collection::vec(event, 1..25)
}

/// What a plain list of everything would answer: start, smallest, largest, sum, last, how many.
fn plainly(all: &[Sample], query: &HistoryQuery) -> Vec<(i64, f64, f64, f64, f64, u32)> {
    let mut of_series: Vec<&Sample> = all.iter().filter(|sample| sample.series == query.series).collect();
    of_series.sort_by_key(|sample| (sample.device_ms, sample.seq));
    let mut buckets: BTreeMap<i64, (f64, f64, f64, f64, u32)> = BTreeMap::new();
    for sample in of_series.iter().filter(|sample| (query.from_ms..query.to_ms).contains(&sample.device_ms)) {
        let Some(number) = sample.value.as_number() else { continue };
        let width = query.bucket_ms.cast_signed();
        let start = sample.device_ms.0.div_euclid(width) * width;
        let bucket = buckets.entry(start).or_insert((number, number, 0.0, number, 0));
        *bucket = (bucket.0.min(number), bucket.1.max(number), bucket.2 + number, number, bucket.4 + 1);
    }
    buckets.into_iter().map(|(start, (min, max, sum, last, count))| (start, min, max, sum, last, count)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_history_is_what_was_said_each_thing_once(events in events()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let open = || Store::open(&path, "malta", 1).unwrap().0;
        let mut store = open();
        let described = (1..4).flat_map(|key| [thing(key, &format!("lamp-{key}")), series(key, key, "/power_w")]);
        commit(&store, described.collect()).unwrap();
        let (mut seq, mut clock) = (0, 0);
        let mut batches: Vec<Vec<Sample>> = Vec::new();
        let mut all: Vec<Sample> = Vec::new();
        for event in events {
            let batch: Vec<Sample> = match event {
                Event::Said(said) => {
                    clock += 90_000;
                    said.into_iter().map(|(series, ms, value, by_device)| {
                        let timed = if by_device { Timed::ByDevice } else { Timed::ByUs };
                        let value = if value % 7 == 0 { Value::Flag(value % 2 == 0) } else { Value::Number(f64::from(value) / 10.0) };
                        Sample { timed, value, ..sample(series, 0, clock + ms, 0.0) }
                    }).collect()
                }
                Event::Again(ago) => {
                    let Some(batch) = batches.len().checked_sub(ago).and_then(|at| batches.get(at)) else { continue };
                    batch.iter().filter(|sample| sample.timed == Timed::ByDevice).cloned().collect()
                }
                Event::Settled => {
                    block_on(store.settle()).unwrap();
                    continue;
                }
                Event::Reopened => {
                    block_on(store.close()).unwrap();
                    store = open();
                    continue;
                }
            };
            let batch: Vec<Sample> = batch.into_iter().map(|sample| { seq += 1; Sample { seq, ..sample } }).collect();
            commit(&store, batch.iter().cloned().map(Write::Sample).collect()).unwrap();
            for sample in &batch {
                let again = |old: &Sample| {
                    (old.series, old.device_ms, &old.value, old.timed) == (sample.series, sample.device_ms, &sample.value, sample.timed)
                };
                if sample.timed == Timed::ByUs || !all.iter().any(again) {
                    all.push(sample.clone());
                }
            }
            batches.push(batch);
        }
        for settled in [false, true] {
            if settled {
                block_on(store.settle()).unwrap();
                prop_assert_eq!(block_on(store.stats()).unwrap().samples, all.len() as u64);
            }
            for key in 1..4 {
                for bucket_ms in [1, 10_000, 60_000, 300_000, 3_600_000, 86_400_000] {
                    let start = |ms: i64| WallMs((T0 + ms).div_euclid(bucket_ms) * bucket_ms);
                    for (from_ms, to_ms) in [(WallMs(0), WallMs(i64::MAX)), (start(-3_600_000), start(600_000)), (WallMs(T0 - 3_700_123), WallMs(T0 + 455_001))] {
                        let bucket_ms = bucket_ms.cast_unsigned();
                        let query = HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms, up_to_seq: u64::MAX };
                        let told = block_on(store.history(query)).unwrap();
                        let want = plainly(&all, &query);
                        prop_assert_eq!(told.len(), want.len(), "{:?}", query);
                        for (told, want) in told.iter().zip(want) {
                            prop_assert!((told.sum - want.3).abs() < 1e-6, "{:?}: {:?} {:?}", query, told, want);
                            let told = (told.start_ms.0, told.min, told.max, want.3, told.last, told.count);
                            prop_assert_eq!(told, want, "{:?}", query);
                        }
                    }
                }
                let mut read = Vec::new();
                let reading = Reading::open(&path).unwrap();
                let span = WallMs(i64::MIN)..WallMs(i64::MAX);
                reading.samples(SeriesKey(key), span, |one| {
                    read.push((one.device_ms, one.value));
                    ControlFlow::Continue(())
                }).unwrap();
                let mut want: Vec<&Sample> = all.iter().filter(|sample| sample.series == SeriesKey(key)).collect();
                want.sort_by_key(|sample| (sample.device_ms, sample.seq));
                let want: Vec<_> = want.into_iter().map(|sample| (sample.device_ms, sample.value.clone())).collect();
                prop_assert_eq!(read, want);
            }
        }
        block_on(store.close()).unwrap();
    }
}
