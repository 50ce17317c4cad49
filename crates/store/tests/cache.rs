//! What goes in comes back: after a commit, after a reopening, in any order, once.

#![cfg(test)]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::{
    T0, alarm, block_on, command, commit, entry, job, one_of_everything, sample, seen_at, series, stands, thing,
    without_bytes,
};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::command::Phase;
use fleetlens_model::id::{AlarmId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::job::ThingJob;
use fleetlens_model::record::{ENDED_ALARMS_RESTORED, HistoryQuery, Restored, Write};
use fleetlens_model::shadow::Document;
use fleetlens_model::telemetry::{Sample, Timed, Value};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store, StoreError};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &tempfile::TempDir) -> (Store, Restored) {
    Store::open(&folder.path().join("malta.db"), "malta", 4711).unwrap()
}

/// A store with thing 1 and its series 1.
fn with_a_series(folder: &tempfile::TempDir) -> Store {
    let (store, _) = open(folder);
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/power_w")]).unwrap();
    store
}

/// Closes the store and reads what a start brings back.
fn reopened(store: Store, folder: &tempfile::TempDir) -> Restored {
    block_on(store.close()).unwrap();
    let (store, restored) = open(folder);
    block_on(store.close()).unwrap();
    restored
}

fn whole(series: u32) -> HistoryQuery {
    let (from_ms, to_ms) = (WallMs(T0 - 1_000_000), WallMs(T0 + 10_000_000));
    HistoryQuery { series: SeriesKey(series), from_ms, to_ms, bucket_ms: 10_000, up_to_seq: u64::MAX }
}

#[test]
fn a_new_cache_is_empty_and_keeps_its_installation_number() {
    let folder = folder();
    let (store, restored) = open(&folder);
    assert_eq!(restored.installation, 4711);
    assert!(restored.things.is_empty() && restored.latest.is_empty() && restored.link_seen_ms.is_none());
    block_on(store.close()).unwrap();
    let (_store, again) = Store::open(&folder.path().join("malta.db"), "malta", 1).unwrap();
    assert_eq!(again.installation, 4711, "a later number changes nothing");
}

#[test]
fn one_of_everything_comes_back_as_it_was() {
    let folder = folder();
    let (writes, want) = one_of_everything();
    let (store, _) = open(&folder);
    commit(&store, writes).unwrap();
    block_on(store.close()).unwrap();
    let (_store, restored) = open(&folder);
    assert!(restored.stats.bytes > 4096);
    assert_eq!(without_bytes(restored), want);
}

#[test]
fn dropping_the_store_keeps_what_was_queued() {
    let folder = folder();
    let (writes, want) = one_of_everything();
    let (store, _) = open(&folder);
    drop(store.commit(Arc::new(writes)));
    drop(store);
    assert_eq!(without_bytes(open(&folder).1), want);
}

#[test]
fn a_closed_store_says_so_and_closing_again_does_nothing() {
    let folder = folder();
    let store = with_a_series(&folder);
    let other = store.clone();
    block_on(store.close()).unwrap();
    assert_eq!(commit(&other, vec![thing(2, "b")]), Err(StoreError::Closed));
    assert_eq!(block_on(other.stats()), Err(StoreError::Closed));
    assert_eq!(block_on(other.close()), Ok(()));
    assert!(!folder.path().join("malta.db-wal").exists(), "the log is in the file");
}

#[test]
fn the_latest_is_the_one_with_the_latest_device_time_whatever_the_order_of_arrival() {
    for (name, arrivals, want_seq) in [
        ("in order", vec![(1, 0), (2, 10)], 2),
        ("a late one", vec![(1, 10), (2, 0)], 1),
        ("a tie goes to the later sequence", vec![(1, 10), (2, 10)], 2),
    ] {
        for one_batch in [true, false] {
            let folder = folder();
            let store = with_a_series(&folder);
            let writes = arrivals.iter().map(|(seq, ms)| Write::Sample(sample(1, *seq, *ms, *seq as f64)));
            if one_batch {
                commit(&store, writes.collect()).unwrap();
            } else {
                writes.for_each(|write| commit(&store, vec![write]).unwrap());
            }
            block_on(store.close()).unwrap();
            let restored = open(&folder).1;
            let seqs: Vec<u64> = restored.latest.iter().map(|sample| sample.seq).collect();
            assert_eq!(seqs, [want_seq], "{name}, one batch: {one_batch}");
            assert_eq!(restored.stats.samples, 2, "{name}");
            assert_eq!(restored.last_seq, 2, "{name}");
        }
    }
}

#[test]
fn a_sample_dated_by_the_device_is_stored_once_however_often_it_comes() {
    let ours = |s: Sample| Sample { timed: Timed::ByUs, ..s };
    let text = |s: Sample, t: &str| Sample { value: Value::Text(t.to_owned()), ..s };
    for (name, first, second, both) in [
        ("the same again", sample(1, 1, 0, 5.0), sample(1, 2, 0, 5.0), false),
        ("another value", sample(1, 1, 0, 5.0), sample(1, 2, 0, 6.0), true),
        ("another time", sample(1, 1, 0, 5.0), sample(1, 2, 1, 5.0), true),
        ("a text again", text(sample(1, 1, 0, 0.0), "5"), text(sample(1, 2, 0, 0.0), "5"), false),
        ("a number and the text of it", sample(1, 1, 0, 5.0), text(sample(1, 2, 0, 0.0), "5"), true),
        ("one is a flag", sample(1, 1, 0, 1.0), Sample { value: Value::Flag(true), ..sample(1, 2, 0, 0.0) }, true),
        ("dated by us, twice at one moment", ours(sample(1, 1, 0, 5.0)), ours(sample(1, 2, 0, 5.0)), true),
        ("the very same row again", ours(sample(1, 1, 0, 5.0)), ours(sample(1, 1, 0, 5.0)), false),
    ] {
        for moved in [false, true] {
            let (first, second, folder) = (first.clone(), second.clone(), folder());
            let store = with_a_series(&folder);
            commit(&store, vec![Write::Sample(first.clone())]).unwrap();
            if moved {
                block_on(store.settle()).unwrap();
            }
            commit(&store, vec![Write::Sample(second.clone())]).unwrap();
            let count = |store: &Store| -> u64 {
                let texts = Reading::open(&folder.path().join("malta.db")).unwrap();
                let mut read = 0;
                let all = texts.samples(SeriesKey(1), WallMs(0)..WallMs(i64::MAX), |_| {
                    read += 1;
                    ControlFlow::Continue(())
                });
                assert!(all.unwrap());
                let minutes = HistoryQuery { bucket_ms: 60_000, ..whole(1) };
                let numbers: u32 = block_on(store.history(minutes)).unwrap().iter().map(|bucket| bucket.count).sum();
                assert!(u64::from(numbers) <= read, "{name}");
                read
            };
            assert_eq!(count(&store), 1 + u64::from(both), "{name}, as it is read at once");
            block_on(store.settle()).unwrap();
            assert_eq!(count(&store), 1 + u64::from(both), "{name}");
            assert_eq!(store.duplicates(), u64::from(!both), "{name}");
            assert_eq!(block_on(store.stats()).unwrap().samples, 1 + u64::from(both), "{name}");
            block_on(store.close()).unwrap();
            let restored = open(&folder).1;
            // A repetition is the newer news all the same.
            let same_row = first.seq == second.seq;
            assert_eq!(restored.latest, [if same_row { first } else { second }], "{name}");
        }
    }
}

/// Writes that no cache can take, and how each is told.
fn bad() -> Vec<(&'static str, Write, &'static str)> {
    let shadow = |thing, version| Write::Shadow {
        thing: ThingKey(thing),
        name: String::new(),
        document: Some(Box::new(Document { version, ..Document::default() })),
        heard_ms: WallMs(T0),
    };
    let stranger = Write::Command(Box::new(command(7, 9, Phase::Pending)));
    let endless = Write::Alarm(Box::new(Alarm { id: AlarmId(u64::MAX), ..alarm(1, 1, None) }));
    let uncounted = Write::Audit(Box::new(entry(u64::MAX)));
    vec![
        ("a thing renamed", thing(1, "lamp-2"), "a thing was left out: its key has another name"),
        ("a name given twice", thing(2, "lamp-1"), "a thing was left out: UNIQUE constraint failed: thing.name"),
        ("a series of another pointer", series(1, 1, "/on"), "a series was left out: its key is another series"),
        ("a series twice", series(2, 1, "/power_w"), "a series was left out: UNIQUE"),
        (
            "a sample of an unknown series",
            Write::Sample(sample(77, 9, 9, 1.0)),
            "a sample was left out: there is no such series",
        ),
        ("a number that is none", Write::Sample(sample(1, 9, 9, f64::NAN)), "a sample was left out: it is no number"),
        ("a sequence beyond counting", Write::Sample(sample(1, u64::MAX, 9, 1.0)), "a sample was left out: a count"),
        ("a shadow of nobody", shadow(9, 1), "a shadow was left out: FOREIGN KEY"),
        (
            "a version beyond counting",
            shadow(1, i64::MAX.cast_unsigned() + 1),
            "a shadow was left out: a count is above",
        ),
        ("a command for nobody", stranger, "a command was left out: FOREIGN KEY"),
        ("an alarm of nobody", Write::Alarm(Box::new(alarm(7, 9, None))), "an alarm was left out: FOREIGN KEY"),
        ("an id beyond counting", endless, "an alarm was left out: a count is above"),
        ("a row beyond counting", uncounted, "an entry of the audit log was left out: a count is above"),
        ("silence of nobody", Write::Silent { thing: ThingKey(9), silent: true }, "a thing's silence was left out"),
        (
            "a packet without an id",
            Write::Unacked { packet_id: 0, digest: 1 },
            "a packet id was left out: no packet has the id 0",
        ),
    ]
}

#[test]
fn a_write_that_breaks_a_rule_is_left_out_told_and_changes_nothing() {
    for (name, write, reason) in bad() {
        let folder = folder();
        let store = with_a_series(&folder);
        commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 - 5) }]).unwrap();
        let before = without_bytes(reopened(store, &folder));
        let (store, _) = open(&folder);
        let is_waited_for = matches!(write, Write::Command(_) | Write::Alarm(_) | Write::Audit(_));
        let outcome = commit(&store, vec![write]);
        assert_eq!(outcome.is_err_and(|error| error.is_permanent()), is_waited_for, "{name}");
        assert_eq!(store.left_out(), 1, "{name}");
        let told = block_on(store.refusals()).unwrap();
        assert_eq!((told.len(), told[0].topic.as_str(), told[0].count), (1, "cache", 1), "{name}: {told:?}");
        assert!(told[0].reason.starts_with(reason), "{name}: {told:?}");
        assert!(told[0].last_ms.0 >= T0 - 5, "{name}: {told:?}");
        assert_eq!(without_bytes(reopened(store, &folder)), before, "{name}");
    }
}

#[test]
fn what_is_there_already_may_be_said_again() {
    let folder = folder();
    let store = with_a_series(&folder);
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/power_w")]).unwrap();
    assert_eq!(store.left_out(), 0);
}

#[test]
fn bad_writes_do_not_take_the_good_ones_of_their_batch_with_them() {
    let folder = folder();
    let store = with_a_series(&folder);
    let good = |n: u64| Write::Sample(sample(1, n, n as i64 * 1_000, n as f64));
    let bad = bad();
    let mut writes = vec![good(1)];
    for (n, (_, write, _)) in (2..).zip(&bad) {
        writes.extend([write.clone(), good(n)]);
    }
    let last = 1 + bad.len() as u64;
    writes.push(Write::Unacked { packet_id: 3, digest: 17 });
    let told = commit(&store, writes.clone()).unwrap_err();
    assert!(matches!(&told, StoreError::LeftOut { which, .. } if which.starts_with("command 7 ")), "{told:?}");
    assert!(told.is_permanent() && told.to_string().ends_with("the rest of its batch is stored"), "{told}");
    assert_eq!(store.left_out(), bad.len() as u64);
    let told = block_on(store.refusals()).unwrap();
    // The newest time in the batch is that of its last sample.
    assert!(told.iter().all(|refusal| refusal.last_ms.0 == T0 + last as i64 * 1_000 + 40), "{told:?}");
    let count: u64 = told.iter().map(|refusal| refusal.count).sum();
    assert_eq!(count, bad.len() as u64, "{told:?}");

    commit(&store, vec![good(last + 1)]).unwrap();
    let buckets = block_on(store.history(whole(1))).unwrap();
    assert_eq!(buckets.iter().map(|bucket| u64::from(bucket.count)).sum::<u64>(), last + 1);
    assert_eq!(block_on(store.stats()).unwrap().samples, last + 1, "the count is the truth");
    let restored = reopened(store, &folder);
    assert_eq!(
        (restored.last_seq, restored.last_command, restored.last_alarm),
        (last + 1, 0, 0),
        "numbers of what was left out do not count"
    );
    assert_eq!((restored.latest[0].seq, restored.unacked), (last + 1, vec![(3, 17)]));
    assert_eq!((restored.things.len(), restored.shadows.len(), restored.commands.len()), (1, 0, 0));
}

#[test]
fn batches_that_share_a_transaction_with_a_bad_write_are_whole() {
    let folder = folder();
    let store = with_a_series(&folder);
    let outcomes = block_on(async {
        // Queued before the writer can take the first one, so that some of them share a transaction.
        let stranger = |n: u64| vec![Write::Sample(sample(1, n, 50, 1.0)), Write::Sample(sample(77, n, 51, 1.0))];
        let batches: Vec<_> = (1..=40u64)
            .map(|n| {
                let writes =
                    if n % 10 == 3 { stranger(n) } else { vec![Write::Sample(sample(1, n, n as i64 * 100, 1.0))] };
                store.commit(Arc::new(writes))
            })
            .collect();
        let mut outcomes = Vec::new();
        for batch in batches {
            outcomes.push(batch.await);
        }
        outcomes
    });
    assert_eq!(outcomes, vec![Ok(()); 40]);
    block_on(store.settle()).unwrap();
    assert_eq!((store.left_out(), store.duplicates()), (4, 3), "the four bad batches hold the same good row");
    assert_eq!(block_on(store.stats()).unwrap().samples, 37);
    let buckets = block_on(store.history(whole(1))).unwrap();
    assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u32>(), 37, "the count is the truth");
    let told = block_on(store.refusals()).unwrap();
    assert_eq!((told.len(), told[0].count), (1, 4), "one fault is one refusal: {told:?}");
}

#[test]
fn a_description_is_replaced_and_a_packet_id_is_used_again() {
    let folder = folder();
    let store = with_a_series(&folder);
    let meta = Box::new(fleetlens_model::thing::Meta { title: "new".into(), ..Default::default() });
    let name = fleetlens_model::id::ThingName::new("lamp-1").unwrap();
    let writes = vec![
        Write::Thing { thing: ThingKey(1), name, meta },
        Write::Unacked { packet_id: 5, digest: 1 },
        Write::Unacked { packet_id: 5, digest: 2 },
    ];
    commit(&store, writes).unwrap();
    block_on(store.close()).unwrap();
    let restored = open(&folder).1;
    assert_eq!(&*restored.things[0].2.title, "new");
    assert_eq!(restored.unacked, [(5, 2)]);
}

#[test]
fn a_start_brings_back_every_open_command_and_the_newest_twenty_ended_of_each_thing() {
    let folder = folder();
    let (store, _) = open(&folder);
    commit(&store, vec![thing(1, "a"), thing(2, "b")]).unwrap();
    let mut writes: Vec<Write> = Vec::new();
    for id in 1..=60 {
        let phase = if id % 10 == 0 { Phase::Sent } else { Phase::Settled };
        writes.push(Write::Command(Box::new(command(id, 1 + u32::from(id > 50), phase))));
    }
    commit(&store, writes).unwrap();
    let ended_first = command(61, 1, Phase::Pending);
    commit(&store, vec![Write::Command(Box::new(ended_first.clone()))]).unwrap();
    commit(
        &store,
        vec![Write::Command(Box::new(fleetlens_model::command::Command { phase: Phase::Settled, ..ended_first }))],
    )
    .unwrap();
    block_on(store.close()).unwrap();
    let restored = open(&folder).1;
    let ids: Vec<u64> = restored.commands.iter().map(|command| command.id.0).collect();
    let mut want: Vec<u64> = vec![10, 20, 30, 40, 50, 60];
    let of_one = (1..=50).rev().filter(|id| id % 10 != 0).take(19);
    want.extend(of_one.chain(51..=59).chain([61]));
    want.sort_unstable();
    assert_eq!(ids, want);
    assert_eq!(restored.last_command, 61);
    assert_eq!(restored.commands.last().map(|command| command.id), Some(CommandId(61)));
}

#[test]
fn a_start_brings_back_every_open_alarm_and_the_newest_ended_ones() {
    let folder = folder();
    let (store, _) = open(&folder);
    let many = ENDED_ALARMS_RESTORED as u64 + 100;
    let mut writes = vec![thing(1, "a"), Write::Alarm(Box::new(alarm(1, 1, None)))];
    // The older ones ended last.
    let ended = |id: u64| alarm(id, 1, Some((many + 2 - id).cast_signed() * 1_000));
    writes.extend((2..2 + many).map(|id| Write::Alarm(Box::new(ended(id)))));
    let seen = stands(alarm(many + 2, 1, None), |state| (state.acknowledged, state.owed) = (Some(seen_at(2)), false));
    let returned =
        stands(alarm(many + 3, 1, None), |state| (state.active, state.cleared_ms) = (false, Some(WallMs(T0))));
    writes.extend([seen, returned].map(|alarm| Write::Alarm(Box::new(alarm))));
    commit(&store, writes).unwrap();
    let restored = reopened(store, &folder);
    let ids: Vec<u64> = restored.alarms.iter().map(|alarm| alarm.id.0).collect();
    let want: Vec<u64> = (1..2 + ENDED_ALARMS_RESTORED as u64).chain([many + 2, many + 3]).collect();
    assert_eq!(ids, want);
    assert_eq!(restored.last_alarm, many + 3);
}

#[test]
fn refusals_are_counted_and_only_the_newest_thousand_stay() {
    let folder = folder();
    let (store, _) = open(&folder);
    let refused = |n: i64, at: i64| Write::Refused { topic: format!("t/{n}"), reason: "no".into(), at_ms: WallMs(at) };
    commit(&store, (0..1_500).map(|n| refused(n, T0 + n)).collect()).unwrap();
    commit(&store, vec![refused(1_499, T0 + 9_000), refused(1_499, T0)]).unwrap();
    let kept = block_on(store.refusals()).unwrap();
    assert_eq!(kept.len(), 1000);
    assert_eq!((kept[0].topic.as_str(), kept[0].count, kept[0].last_ms), ("t/1499", 3, WallMs(T0 + 9_000)));
    assert_eq!(kept[999].topic, "t/500", "the oldest went");
}

#[test]
fn history_is_downsampled_between_its_ends() {
    let folder = folder();
    let store = with_a_series(&folder);
    let mut writes: Vec<Write> =
        (0..100).map(|n| Write::Sample(sample(1, n + 1, n as i64 * 1_000, n as f64))).collect();
    writes.push(series(2, 1, "/on"));
    let flag = |seq, ms, on| Write::Sample(Sample { value: Value::Flag(on), ..sample(2, seq, ms, 0.0) });
    writes.extend([flag(200, 0, true), flag(201, 1_000, false)]);
    writes.push(Write::Sample(Sample { value: Value::Text("open".into()), ..sample(2, 202, 2_000, 0.0) }));
    commit(&store, writes).unwrap();

    let query = HistoryQuery { from_ms: WallMs(T0 + 10_000), to_ms: WallMs(T0 + 30_000), ..whole(1) };
    let buckets = block_on(store.history(query)).unwrap();
    let seen: Vec<_> = buckets.iter().map(|b| (b.start_ms.0 - T0, b.min, b.max, b.last, b.count)).collect();
    assert_eq!(seen, [(10_000, 10.0, 19.0, 19.0, 10), (20_000, 20.0, 29.0, 29.0, 10)]);

    let earlier = HistoryQuery { up_to_seq: 25, ..query };
    let counts: Vec<u32> = block_on(store.history(earlier)).unwrap().iter().map(|b| b.count).collect();
    assert_eq!(counts, [10, 5], "what came after the question is not in the answer");

    let flags = block_on(store.history(whole(2))).unwrap();
    assert_eq!((flags[0].min, flags[0].max, flags[0].last, flags[0].count), (0.0, 1.0, 0.0, 2), "and no text");
    assert_eq!(block_on(store.history(whole(99))).unwrap(), []);
}

#[test]
fn many_read_while_one_writes() {
    let folder = folder();
    let store = with_a_series(&folder);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let reads: Vec<_> = (0..20).map(|_| tokio::spawn(store.history(whole(1)))).collect();
        for n in 1..=50u64 {
            store.commit(Arc::new(vec![Write::Sample(sample(1, n, n as i64, 1.0))])).await.unwrap();
        }
        for read in reads {
            read.await.unwrap().unwrap();
        }
        let after: u32 = store.history(whole(1)).await.unwrap().iter().map(|bucket| bucket.count).sum();
        assert_eq!(after, 50, "a read after a commit sees it");
    });
}

#[test]
fn a_job_is_replaced_and_goes_with_everything_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    let ((first, parts), (second, others)) = (job("first"), job("second"));
    let part = |part: &ThingJob| Write::ThingJob(Box::new(part.clone()));
    let mut writes = vec![Write::Job(Box::new(first)), Write::Job(Box::new(second.clone()))];
    writes.extend(parts.iter().chain(&others).map(part));
    writes.push(Write::JobGone("first".into()));
    // Said again, it is there once.
    writes.push(Write::Job(Box::new(second.clone())));
    writes.extend(others.iter().map(part));
    commit(&store, writes).unwrap();
    let of_nobody = commit(&store, vec![part(&parts[0])]);
    assert!(of_nobody.is_ok(), "what breaks a rule is left out: {of_nobody:?}");
    block_on(store.close()).unwrap();
    let restored = Store::open(&path, "malta", 0).unwrap().1;
    assert_eq!((restored.jobs, restored.thing_jobs), (vec![second], others));
}
