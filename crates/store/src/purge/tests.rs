use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::Retention;
use fleetlens_model::shadow::change::{Author, Change, ChangedLeaf, Side};
use fleetlens_model::telemetry::Value;
use fleetlens_model::thing::Meta;

use super::*;
use crate::building::Building;
use crate::codec::rolled::Rolled;
use crate::codec::{Kept, Marks};
use crate::table::run::{RunKey, SETTLED};
use crate::table::thing;

const KEEP: Retention = Retention { keep_days: 30, minutes_days: 60, hours_days: None, max_mb: 10 };
const DAY: i64 = 86_400_000;
/// Some moment of 2026.
const T0: i64 = 1_780_000_000_000;

struct Cache {
    db: Connection,
    path: std::path::PathBuf,
    purge: Purge,
    runs: u64,
    _folder: tempfile::TempDir,
}

fn cache() -> Cache {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (db, _) = open::open(&path, "malta", 1).unwrap();
    Cache { db, path, purge: Purge::new(None), runs: 0, _folder: folder }
}

impl Cache {
    /// A run of one text of so many bytes at this time.
    fn run(&mut self, level: u32, device_ms: i64, bytes: usize) {
        self.runs += 1;
        let key = RunKey(self.runs.cast_signed());
        let mut building = Building::new(key, Tier::Samples, level, (self.runs, self.runs));
        let marks = Marks::of_byte(0).unwrap();
        // Each its own, so that they do not pack.
        let text = |n: usize| Value::Text(format!("{n:01000}"));
        let texts =
            (0..bytes.div_ceil(1_000)).map(|n| Kept { device_ms, received_ms: device_ms, value: text(n), marks });
        building.samples(SeriesKey(1), texts);
        run::begin(&self.db, key).unwrap();
        let (blocks, run) = building.finish();
        blocks.iter().for_each(|block| run::add(&self.db, key, block).unwrap());
        run::finish(&self.db, &run.unwrap()).unwrap();
    }

    /// One step; false when there is nothing to do.
    fn step(&mut self, now_ms: i64) -> bool {
        self.purge.step(&mut self.db, &self.path, Some(KEEP.into()), Some(WallMs(now_ms))).unwrap()
    }

    /// Everything there is to do; how many runs are left.
    fn left(&mut self, now_ms: i64) -> usize {
        while self.step(now_ms) {}
        run::live(&self.db).unwrap().len()
    }

    /// As after a restart.
    fn reopened(mut self, opened_ms: i64) -> Cache {
        self.purge = Purge::new(Some(WallMs(opened_ms)));
        self
    }
}

#[test]
fn by_size_what_was_said_first_goes_whatever_time_it_has_and_what_is_not_settled_stays() {
    let mut cache = cache();
    // The first is dated by a clock that is years ahead.
    cache.run(SETTLED, T0 + 3_650 * DAY, 1_000_000);
    (1..20).for_each(|n| cache.run(SETTLED, T0 + n * 60_000, 1_000_000));
    cache.run(1, T0 - 10 * DAY, 1_000);
    let left = cache.left(T0 + DAY);
    let runs = run::live(&cache.db).unwrap();
    assert!((5..10).contains(&left), "{left} are left");
    assert!(runs.iter().any(|run| run.level == 1));
    assert!(runs.iter().all(|run| run.level == 1 || run.first_seq > 11), "{runs:?}");
    let gone = meta::gone(&cache.db, Tier::Samples).unwrap().unwrap();
    assert!(gone.0 <= T0 + 20 * 60_000, "a wrong clock does not make everything gone: {gone:?}");
    assert!(Used::measure(&cache.db, &cache.path).unwrap().bytes() <= limit(&KEEP.into()));
}

#[test]
fn a_time_years_ahead_makes_nothing_old_before_it_has_gone_on_for_a_day() {
    let mut cache = cache();
    (0..20).rev().for_each(|n| cache.run(SETTLED, T0 - n * DAY, 1));
    let ahead = T0 + 3_650 * DAY;
    assert_eq!(cache.left(T0), 20);
    for hours in [0, 1, 2, 12] {
        assert_eq!(cache.left(ahead + hours * DAY / 24), 20, "{hours} hours of a wrong clock");
    }
    // It is put right; a restart meanwhile knows only the wrong time.
    cache = cache.reopened(ahead + DAY / 2);
    assert_eq!(cache.left(T0 + DAY), 20);
    // Ahead by less than is kept it would take most of it, too.
    assert_eq!(cache.left(T0 + 20 * DAY), 20);
    assert_eq!(cache.left(T0 + 21 * DAY), 10, "and what is old by the right one goes");
    // It is the right one after all: somebody comes back after ten years, and with a restart stays for a day.
    assert_eq!(cache.left(ahead + 20 * DAY), 10);
    cache = cache.reopened(ahead + 20 * DAY);
    assert_eq!(cache.left(ahead + 20 * DAY + DAY / 2), 10);
    assert_eq!(cache.left(ahead + 21 * DAY), 0);
}

#[test]
fn a_minute_is_too_old_when_all_of_it_is() {
    let mut cache = cache();
    let key = RunKey(1);
    let start_ms = T0 / 60_000 * 60_000;
    let mut building = Building::new(key, Tier::Minutes, SETTLED, (1, 1));
    building.buckets(SeriesKey(1), &[Rolled::of(start_ms, start_ms + 59_999, 1.0)]);
    run::begin(&cache.db, key).unwrap();
    let (blocks, run) = building.finish();
    blocks.iter().for_each(|block| run::add(&cache.db, key, block).unwrap());
    run::finish(&cache.db, &run.unwrap()).unwrap();
    cache = cache.reopened(start_ms + 60 * DAY);
    assert_eq!(cache.left(start_ms + 60 * DAY + 59_999), 1, "its last value is just as old as it may be");
    cache = cache.reopened(start_ms + 60 * DAY);
    assert_eq!(cache.left(start_ms + 60 * DAY + 60_000), 0);
}

#[test]
fn a_cache_that_was_never_aged_knows_the_time_it_was_opened_with() {
    let mut cache = cache().reopened(T0);
    cache.run(SETTLED, T0 - 10 * DAY, 1);
    assert_eq!(cache.left(T0 + 40 * DAY), 1);
    assert_eq!(cache.left(T0 + 41 * DAY), 0);
    let gone: i64 = cache.db.query_one("SELECT count(*) FROM block", [], |row| row.get(0)).unwrap();
    assert_eq!(gone, 0, "and its blocks with it");
}

#[test]
fn by_size_changes_of_shadows_go_before_samples_of_a_later_time_and_no_others() {
    let mut cache = cache();
    let lamp = ThingKey(1);
    thing::put(&cache.db, lamp, &ThingName::new("lamp-1").unwrap(), &Meta::default()).unwrap();
    let leaf = ChangedLeaf {
        side: Side::Desired,
        pointer: "/on".into(),
        before: None,
        after: Some("true".into()),
        at_ms: WallMs(T0),
    };
    // A day apart, like the runs.
    for n in 1..=20_u64 {
        let at = T0 + n.cast_signed() * DAY;
        let (by, leaves) = (Author::Device, vec![leaf.clone()]);
        let change = Change { seq: n, version: n, heard_ms: WallMs(at - 1), by, leaves, more: 0 };
        shadow_change::add(&cache.db, lamp, "", &change).unwrap();
        cache.run(SETTLED, at, 1_000_000);
    }
    cache.left(T0 + 20 * DAY);
    let first = run::live(&cache.db).unwrap().iter().map(|run| run.from_ms).min().unwrap();
    let changes = shadow_change::newest(&cache.db, lamp, "", None, 100).unwrap();
    let oldest = changes.last().unwrap().heard_ms.0;
    assert!(first > T0 + 10 * DAY, "runs went");
    assert!((first - DAY..first).contains(&oldest), "{} h before the runs", (first - oldest) / 3_600_000);
}
