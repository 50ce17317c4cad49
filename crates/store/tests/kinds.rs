//! Ages of single kinds on real files: what is too old for its kind goes, of the others nothing, over restarts and other kinds.

#![cfg(test)]

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::{T0, block_on, commit, sample, series, until};
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::keeping::{Ages, Keeping};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::{HistoryQuery, Retention, Write};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store};

const DAY: i64 = 86_400_000;
/// Days of history that there are, the last one today.
const DAYS: i64 = 20;

/// Two lamps, a bin, and a thing that nobody described: series 1, 2, 3 and 4.
const KINDS: [Kind; 4] = [Kind::Lamp, Kind::Lamp, Kind::Bin, Kind::Other];

fn thing(key: u32, kind: Kind) -> Write {
    let meta = Box::new(Meta { kind, ..Meta::default() });
    Write::Thing { thing: ThingKey(key), name: ThingName::new(format!("x-{key}")).unwrap(), meta }
}

fn open(folder: &Path) -> (Store, PathBuf) {
    let path = folder.join("malta.db");
    (Store::open(&path, "malta", 1).unwrap().0, path)
}

/// A sample a day of each, and of each day a run in every tier.
fn city(folder: &Path) -> (Store, PathBuf) {
    let (store, path) = open(folder);
    let described = (1..).zip(KINDS).flat_map(|(key, kind)| [thing(key, kind), series(key, key, "/v")]);
    commit(&store, described.collect()).unwrap();
    for day in 0..DAYS {
        let of_day = (1..=4).map(|key| {
            let seq = day.cast_unsigned() * 10 + u64::from(key);
            Write::Sample(sample(key, seq, (day - DAYS + 1) * DAY, f64::from(key)))
        });
        commit(&store, of_day.chain([at(0)]).collect()).unwrap();
        block_on(store.settle()).unwrap();
    }
    (store, path)
}

fn at(ms: i64) -> Write {
    Write::LinkSeen { at_ms: WallMs(T0 + ms) }
}

/// Lamps a week and their minutes twelve days; everything else a month.
fn lamps_a_week() -> Keeping {
    let ages = Ages { keep_days: Some(7), minutes_days: Some(12), hours_days: None };
    Keeping::with(Retention { keep_days: 30, ..Retention::default() }, [(Kind::Lamp, ages)])
}

/// Of how many days a chart in buckets of a second has what a series said, by what answers: samples, minutes, hours and days.
fn charted(store: &Store, key: u32) -> [usize; 4] {
    let query = HistoryQuery {
        series: SeriesKey(key),
        from_ms: WallMs(T0 - 400 * DAY),
        to_ms: WallMs(T0 + 2 * DAY),
        bucket_ms: 1_000,
        up_to_seq: u64::MAX,
    };
    let buckets = block_on(store.history(query)).unwrap();
    assert!(buckets.iter().all(|bucket| bucket.count == 1 && bucket.last == f64::from(key)), "{buckets:?}");
    // The bucket of a minute, an hour or a day begins before what is in it.
    let of = |width_ms: i64| {
        let begins = |start_ms: i64| (T0 - start_ms) % DAY == T0 % width_ms;
        buckets.iter().filter(|bucket| begins(bucket.start_ms.0)).count()
    };
    let told = [of(1), of(60_000), of(3_600_000), of(DAY)];
    assert_eq!(told.iter().sum::<usize>(), buckets.len(), "{buckets:?}");
    told
}

/// The days before today of which the samples themselves are there.
fn samples(path: &Path, key: u32) -> Vec<i64> {
    let mut days = Vec::new();
    let reading = Reading::open(path).unwrap();
    let all = WallMs(T0 - 400 * DAY)..WallMs(T0 + 400 * DAY);
    let each = |sample: fleetlens_model::telemetry::Sample| {
        days.push((T0 - sample.device_ms.0) / DAY);
        ControlFlow::Continue(())
    };
    assert!(reading.samples(SeriesKey(key), all, each).unwrap());
    days
}

/// The last days there are, today included.
fn last(days: i64) -> Vec<i64> {
    (0..days).rev().collect()
}

/// Whether what was begun has been brought to its end.
fn is_cut(path: &Path) -> bool {
    let db = rusqlite::Connection::open(path).unwrap();
    let noted: Option<String> = db.query_row("SELECT value FROM meta WHERE name = 'cuts'", [], |row| row.get(0)).ok();
    noted.is_some_and(|noted| !noted.contains("\"by\":null"))
}

#[test]
fn lamps_go_after_a_week_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    store.set_retention(lamps_a_week());
    until("lamps are cut", || is_cut(&path));
    for lamp in [1, 2] {
        assert_eq!(samples(&path, lamp), last(8), "the last one is a week old to the millisecond");
        // The twelve days begin within a minute, which stays, and within an hour: all of that is the hour's.
        assert_eq!(
            charted(&store, lamp),
            [8, 4, 8, 0],
            "where samples are gone minutes answer, and hours before those"
        );
    }
    for other in [3, 4] {
        assert_eq!((samples(&path, other), charted(&store, other)), (last(20), [20, 0, 0, 0]), "of thing {other}");
    }
    // What comes late is kept as long as what came in time.
    let late = |key: u32, seq: u64| Write::Sample(sample(key, seq, -15 * DAY + 1_000, f64::from(key)));
    commit(&store, vec![late(1, 1_000), late(3, 1_001), at(0)]).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!((samples(&path, 1).len(), samples(&path, 3).len()), (8, 21));
    assert_eq!(block_on(store.history(whole_days(1))).unwrap().iter().map(|day| day.count).sum::<u32>(), 21);
    block_on(store.close()).unwrap();
}

/// What happened on each day.
fn whole_days(key: u32) -> HistoryQuery {
    let (from_ms, to_ms) = (WallMs(T0 - 400 * DAY), WallMs(T0 + DAY));
    HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms: DAY.unsigned_abs(), up_to_seq: u64::MAX }
}

#[test]
fn what_one_kind_is_kept_longer_stays_alone_and_goes_when_it_is_as_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    let week = Retention { keep_days: 7, minutes_days: 7, hours_days: Some(12), ..Retention::default() };
    let for_long = Ages { keep_days: Some(400), ..Ages::default() };
    store.set_retention(Keeping::with(week, [(Kind::Bin, for_long)]));
    until("all but bins are cut", || is_cut(&path));
    for other in [1, 2, 4] {
        assert_eq!((samples(&path, other), charted(&store, other)), (last(8), [8, 0, 4, 8]), "of thing {other}");
        let days = block_on(store.history(whole_days(other))).unwrap();
        assert_eq!(days.len(), 20, "what happened on each day stays");
    }
    assert_eq!((samples(&path, 3), charted(&store, 3)), (last(20), [20, 0, 0, 0]));
    block_on(store.close()).unwrap();

    let (store, _) = open(folder.path());
    assert_eq!((samples(&path, 3), charted(&store, 3), charted(&store, 1)), (last(20), [20, 0, 0, 0], [8, 0, 4, 8]));
    store.set_retention(week);
    until("bins are gone as well", || samples(&path, 3).len() < 9);
    assert_eq!((samples(&path, 3), samples(&path, 1)), (last(8), last(8)));
    block_on(store.close()).unwrap();
}

#[test]
fn a_thing_that_becomes_another_kind_is_kept_as_that_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    store.set_retention(lamps_a_week());
    until("lamps are cut", || is_cut(&path));
    // The bin was a lamp all the time, and the second lamp a bin.
    commit(&store, vec![thing(3, Kind::Lamp), thing(2, Kind::Bin)]).unwrap();
    commit(&store, vec![at(DAY)]).unwrap();
    until("it is cut like a lamp", || samples(&path, 3).len() < 20 && is_cut(&path));
    assert_eq!(samples(&path, 3), last(7));
    assert_eq!((samples(&path, 1), samples(&path, 2)), (last(7), last(8)), "of what is a bin now nothing more goes");
    assert_eq!(samples(&path, 4), last(20));
    block_on(store.close()).unwrap();
}

/// A number of `meta`.
fn noted(path: &Path, name: &str) -> Option<i64> {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).ok()
}

/// Whether it was brought to its end for these ages of lamps.
fn is_cut_by(path: &Path, lamps: &str) -> bool {
    let db = rusqlite::Connection::open(path).unwrap();
    let noted: Option<String> = db.query_row("SELECT value FROM meta WHERE name = 'cuts'", [], |row| row.get(0)).ok();
    noted.is_some_and(|noted| noted.contains(&format!("lamp: {lamps}")))
}

#[test]
fn a_clock_that_was_ahead_for_days_costs_nothing_of_what_is_said_when_it_is_right_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    store.set_retention(lamps_a_week());
    until("lamps are cut", || is_cut(&path));
    let sees = |ms: i64| commit(&store, vec![at(ms)]).unwrap();
    sees(10 * DAY);
    until("the time is seen to be ahead", || noted(&path, "ahead_ms").is_some());
    let believed = 11 * DAY + 3_600_000;
    sees(believed);
    until("it is believed, and nothing of lamps is young enough", || samples(&path, 1).is_empty() && is_cut(&path));
    assert_eq!(noted(&path, "aged_ms"), Some(T0 + believed));
    sees(DAY);
    until("the clock is right again", || noted(&path, "aged_ms") == Some(T0 + DAY));
    let said = [1, 3].map(|key| Write::Sample(sample(key, 1_000 + u64::from(key), DAY, f64::from(key))));
    commit(&store, said.to_vec()).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(
        (samples(&path, 1), samples(&path, 2), samples(&path, 3)[..2].to_vec()),
        (vec![-1], vec![], vec![18, 17])
    );
    assert_eq!(charted(&store, 1), [1, 1, 19, 0], "and it is shown, not only its minute");
    block_on(store.close()).unwrap();
}

#[test]
fn what_comes_late_is_kept_by_the_age_there_is_now_also_where_a_shorter_one_took_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    let lamps = |days| {
        let ages = Ages { keep_days: Some(days), ..Ages::default() };
        Keeping::with(Retention { keep_days: 30, ..Retention::default() }, [(Kind::Lamp, ages)])
    };
    store.set_retention(lamps(3));
    until("lamps are cut", || is_cut_by(&path, "values 3 days"));
    assert_eq!(samples(&path, 1), last(4));
    store.set_retention(lamps(20));
    until("it is done by the longer age", || is_cut_by(&path, "values 20 days"));
    // A gateway that was away for ten days, and one that was away for too long.
    let late = |seq: u64, day: i64| Write::Sample(sample(1, seq, -day * DAY + 1_000, 1.0));
    commit(&store, vec![late(1_000, 10), late(1_001, 25), at(0)]).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(samples(&path, 1), [9, 3, 2, 1, 0]);
    block_on(store.close()).unwrap();
}

#[test]
fn ages_that_were_the_same_for_all_meanwhile_are_gone_through_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    store.set_retention(lamps_a_week());
    until("lamps are cut", || is_cut(&path));
    store.set_retention(Retention { keep_days: 30, ..Retention::default() });
    until("it is noted that they are no more", || !is_cut(&path));
    commit(&store, vec![Write::Sample(sample(1, 1_000, -15 * DAY + 1_000, 1.0)), at(0)]).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(samples(&path, 1).len(), 9, "a month as of all others");
    store.set_retention(lamps_a_week());
    until("a week again", || samples(&path, 1).len() == 8 && is_cut(&path));
    block_on(store.close()).unwrap();
}

#[test]
fn a_minute_goes_when_all_of_it_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = city(folder.path());
    store.set_retention(lamps_a_week());
    until("lamps are cut", || is_cut(&path));
    let db = rusqlite::Connection::open(&path).unwrap();
    let live = "SELECT sum(entries) FROM run WHERE tier = 1 AND state = 'live'";
    let minutes: i64 = db.query_row(live, [], |row| row.get(0)).unwrap();
    // Twelve days end within a minute, which has what is just young enough.
    assert_eq!(minutes, 2 * 20 + 2 * 13);
    drop(db);
    block_on(store.close()).unwrap();
}

#[test]
fn wherever_it_is_stopped_it_is_brought_to_its_end_and_no_other_kind_loses_anything() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, path) = city(folder.path());
    let mut left = 20;
    let mut stops = 0;
    while !is_cut(&path) {
        store.set_retention(lamps_a_week());
        until("a bit of it is done", || samples(&path, 1).len() < left || is_cut(&path));
        block_on(store.close()).unwrap();
        left = samples(&path, 1).len();
        stops += 1;
        for other in [3, 4] {
            assert_eq!(samples(&path, other), last(20), "of thing {other} after {stops} stops");
        }
        store = open(folder.path()).0;
        assert_eq!((charted(&store, 1), charted(&store, 3)), ([8, 4, 8, 0], [20, 0, 0, 0]), "after {stops} stops");
    }
    assert_eq!((samples(&path, 1), samples(&path, 2)), (last(8), last(8)));
    assert!(stops > 1, "it was never stopped before its end");
    block_on(store.close()).unwrap();
}
