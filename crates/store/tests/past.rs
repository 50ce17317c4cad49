//! What was known at a moment is what had been received by then, however it came and wherever it lies by now.

#![cfg(test)]

mod common;

use std::collections::BTreeMap;

use common::{T0, block_on, commit, sample, series, thing};
use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::id::{AlarmId, SeriesKey, ThingKey};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::record::{ShadowThen, Write};
use fleetlens_model::shadow::change::{Author, Change, between};
use fleetlens_model::shadow::{Document, Object};
use fleetlens_model::telemetry::{Sample, Timed, Value};
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use proptest::prelude::*;
use serde_json::json;

/// What happens to a cache.
#[derive(Clone, Debug)]
enum Event {
    /// A batch of samples: series, how late in seconds (to that our own time is kept in runs), value, dated by the device.
    Said(Vec<(u32, i64, i32, bool)>),
    /// A shadow says this.
    Shadow(u32, u32),
    Settled,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Mostly at once, sometimes half an hour late or a little ahead of our clock.
    let late = prop_oneof![5 => 0_i64..3, 1 => 0_i64..1_800, 1 => -60_i64..0];
    let one = (1_u32..4, late, -50_i32..50, prop::bool::weighted(0.7));
    let said = prop::collection::vec(one, 1..12).prop_map(Event::Said);
    let shadow = (1_u32..3, 0_u32..4).prop_map(|(thing, dim)| Event::Shadow(thing, dim));
    prop::collection::vec(prop_oneof![6 => said, 2 => shadow, 1 => Just(Event::Settled)], 2..24)
}

fn document(version: u64, dim: u32) -> Document {
    let section: Object = json!({"dim": dim, "on": dim > 0}).as_object().cloned().unwrap();
    Document { reported: Some(section), version, ..Document::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn at_each_moment_is_known_what_had_been_received_and_playing_on_leads_to_the_same(
        events in events(), steps in prop::collection::vec(0.0_f64..1.0, 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("malta.db"), "malta", 1).unwrap().0;
        let described = (1..4).flat_map(|key| [thing(key, &format!("lamp-{key}")), series(key, key, "/power_w")]);
        commit(&store, described.collect()).unwrap();
        let (mut seq, mut clock, mut number) = (0, T0, 0);
        let mut said: Vec<Sample> = Vec::new();
        let mut shadows: BTreeMap<u32, (Document, Vec<(i64, Document)>)> = BTreeMap::new();
        for event in events {
            clock += 90_000;
            match event {
                Event::Said(batch) => {
                    let mut writes = Vec::new();
                    for (key, late, value, by_device) in batch {
                        (seq, clock) = (seq + 1, clock + 1_000);
                        let (timed, measured) = if by_device { (Timed::ByDevice, clock - late * 1_000) } else { (Timed::ByUs, clock) };
                        let sample = Sample {
                            seq, timed, device_ms: WallMs(measured), received_ms: WallMs(clock),
                            value: Value::Number(f64::from(value)), ..sample(key, 0, 0, 0.0)
                        };
                        writes.push(Write::Sample(sample.clone()));
                        // What is said again in its own time is heard once.
                        let again = |old: &Sample| {
                            (old.series, old.device_ms, &old.value, old.timed) == (sample.series, sample.device_ms, &sample.value, Timed::ByDevice)
                        };
                        if timed == Timed::ByUs || !said.iter().any(again) {
                            said.push(sample);
                        }
                    }
                    commit(&store, writes).unwrap();
                }
                Event::Shadow(key, dim) => {
                    let (before, history) = shadows.entry(key).or_default();
                    let after = document(before.version + 1, dim);
                    let (leaves, more) = between(before, &after, WallMs(clock));
                    let mut writes = Vec::new();
                    let (thing, name) = (ThingKey(key), String::new());
                    if !leaves.is_empty() {
                        number += 1;
                        let change = Change { seq: number, version: after.version, heard_ms: WallMs(clock), by: Author::Device, leaves, more };
                        writes.push(Write::ShadowChanged { thing, name: name.clone(), change: Box::new(change) });
                    }
                    writes.push(Write::Shadow { thing, name, document: Some(Box::new(after.clone())), heard_ms: WallMs(clock) });
                    commit(&store, writes).unwrap();
                    history.push((clock, after.clone()));
                    *before = after;
                }
                Event::Settled => block_on(store.settle()).unwrap(),
            }
        }
        let reading = store.reading().unwrap();
        let end = clock + 5_000;
        let mut moments: Vec<i64> = steps.into_iter().map(|part| T0 + ((end - T0) as f64 * part) as i64).collect();
        moments.sort_unstable();
        let mut latest: BTreeMap<SeriesKey, Sample> = BTreeMap::new();
        let mut played = WallMs(0);
        for at in moments {
            let told = reading.as_it_was(WallMs(at)).unwrap();
            prop_assert_eq!((told.shadows_unknown, told.alarms_unknown), (0, 0));
            let mut want: BTreeMap<SeriesKey, Sample> = BTreeMap::new();
            for sample in said.iter().filter(|sample| sample.received_ms.0 <= at) {
                if want.get(&sample.series).is_none_or(|latest| sample.supersedes(latest)) {
                    want.insert(sample.series, sample.clone());
                }
            }
            let plain = |sample: &Sample| (sample.device_ms, sample.received_ms, sample.value.clone());
            let got: BTreeMap<_, _> = told.restored.latest.iter().map(|sample| (sample.series, plain(sample))).collect();
            let want: BTreeMap<_, _> = want.iter().map(|(series, sample)| (*series, plain(sample))).collect();
            prop_assert_eq!(&got, &want, "at {}", at - T0);
            prop_assert_eq!(told.heard_ms, want.values().map(|(_, received, _)| *received).max());
            for (key, (_, history)) in &shadows {
                let want = history.iter().rev().find(|(heard, _)| *heard <= at).map(|(_, document)| document.reported.clone());
                let got = told.restored.shadows.iter().find(|(thing, ..)| thing.0 == *key).map(|(_, _, packed, _)| packed.open().reported);
                prop_assert_eq!(got, want, "shadow {} at {}", key, at - T0);
            }

            // What comes in between, played, in slices of a few.
            while played < WallMs(at) {
                let passage = reading.between(played, WallMs(at), 5).unwrap();
                prop_assert!(passage.until > played && passage.until <= WallMs(at));
                for sample in passage.samples {
                    prop_assert!(sample.received_ms > played && sample.received_ms <= passage.until);
                    seq += 1;
                    let sample = Sample { seq, ..sample };
                    if latest.get(&sample.series).is_none_or(|known| sample.supersedes(known)) {
                        latest.insert(sample.series, sample);
                    }
                }
                for ShadowThen { heard_ms: heard, thing, document, .. } in passage.shadows {
                    let history = &shadows[&thing.0].1;
                    let want = history.iter().find(|(at, _)| *at == heard.0).and_then(|(_, document)| document.reported.clone());
                    prop_assert_eq!(document.and_then(|document| document.reported), want);
                }
                played = passage.until;
            }
            let got: BTreeMap<_, _> = latest.iter().map(|(series, sample)| (*series, plain(sample))).collect();
            prop_assert_eq!(got, want, "played to {}", at - T0);
        }
        drop(reading);
        block_on(store.close()).unwrap();
    }
}

fn alarm(id: u64, state: State) -> Write {
    let (rule, name, sentence) = ("full".to_owned(), "nearly full".to_owned(), "fill 96 %".to_owned());
    let (what_to_do, assigned) = (String::new(), String::new());
    let priority = Priority::Warning;
    Write::Alarm(Box::new(Alarm {
        id: AlarmId(id),
        thing: ThingKey(1),
        rule,
        name,
        priority,
        sentence,
        what_to_do,
        assigned,
        state,
    }))
}

#[test]
fn alarms_stand_as_they_stood_and_are_counted_where_they_were_raised() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("malta.db"), "malta", 1).unwrap().0;
    let at = |s: i64| WallMs(T0 + s * 1_000);
    let by = Actor { name: "Rita".into(), role: Role::Operator };
    let seen = Acknowledgement { by, at_ms: at(30), comment: String::new() };
    let over = State::told(at(10), Some(at(20)), 1, Some(seen));
    let again = State::told(at(50), None, 2, None);
    commit(
        &store,
        vec![thing(1, "bin-1"), alarm(1, over), alarm(2, again), alarm(3, State::told(at(40), None, 1, None))],
    )
    .unwrap();
    let reading = store.reading().unwrap();
    let open = |s: i64| {
        let told = reading.as_it_was(at(s)).unwrap();
        let open = told.restored.alarms.iter().filter(|alarm| alarm.ended_ms().is_none());
        (open.map(|alarm| (alarm.id.0, alarm.is_active())).collect::<Vec<_>>(), told.alarms_unknown)
    };
    assert_eq!(open(9), (vec![], 1));
    assert_eq!(open(15), (vec![(1, true)], 1));
    assert_eq!(open(25), (vec![(1, false)], 1));
    assert_eq!(open(45), (vec![(3, true)], 1), "what the second was before it came again is not kept");
    assert_eq!(open(55), (vec![(2, true), (3, true)], 0));
    let became: Vec<(i64, u64)> = reading
        .between(at(12), at(52), 100)
        .unwrap()
        .alarms
        .iter()
        .map(|(when, alarm)| ((when.0 - T0) / 1_000, alarm.id.0))
        .collect();
    assert_eq!(became, [(20, 1), (30, 1), (40, 3), (50, 2)]);
    let mut told_again = State::told(at(13), None, 1, None);
    told_again.raised_ms = Some(at(58));
    commit(&store, vec![alarm(4, told_again)]).unwrap();
    let begins = reading.between(at(12), at(15), 100).unwrap().alarms;
    assert_eq!(
        begins.iter().map(|(_, alarm)| alarm.id.0).collect::<Vec<_>>(),
        [4],
        "told again later, it has been so since"
    );
    assert!(reading.between(at(20), at(25), 100).unwrap().alarms.is_empty(), "what is raised later is not of it");
    assert_eq!(reading.alarms_raised(&(at(0)..at(60)), 6).unwrap(), [0, 1, 0, 0, 1, 2]);
    drop(reading);
    block_on(store.close()).unwrap();
}

#[test]
fn a_slice_of_a_long_stretch_holds_the_first_that_came_and_what_came_together_stays_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("malta.db"), "malta", 1).unwrap().0;
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/power_w")]).unwrap();
    let at = |s: i64| WallMs(T0 + s * 1_000);
    // Two hundred that came one after the other, then a hundred at once.
    let said = |s: i64, came: i64| Sample { device_ms: at(s), received_ms: at(came), ..sample(1, 0, 0, s as f64) };
    let all = (0_i64..300).map(|s| Sample { seq: s.cast_unsigned() + 1, ..said(s, s.min(200)) });
    commit(&store, all.map(Write::Sample).collect()).unwrap();
    for settled in [false, true] {
        if settled {
            block_on(store.settle()).unwrap();
        }
        let reading = store.reading().unwrap();
        let (mut after, mut slices) = (at(-1), Vec::new());
        while after < at(200) {
            let passage = reading.between(after, at(200), 40).unwrap();
            slices.push(passage.samples.len());
            after = passage.until;
        }
        assert_eq!(slices, [40, 40, 40, 40, 40, 100], "settled: {settled}");
    }
    block_on(store.close()).unwrap();
}
