use fleetlens_model::id::{ThingKey, ThingName};
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};

use super::*;
use crate::transaction;

const KEEP: Retention = Retention { keep_days: 30, max_mb: 10 };
const DAY: i64 = 86_400_000;
/// Some moment of 2026.
const T0: i64 = 1_780_000_000_000;

struct Cache {
    db: Connection,
    path: std::path::PathBuf,
    totals: Totals,
    purge: Purge,
    seq: u64,
    _folder: tempfile::TempDir,
}

/// A cache with a thing of two series: number 1, and number 2, whose device has no clock.
fn cache() -> Cache {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("malta.db");
    let (db, _) = open::open(&path, "malta", 1).unwrap();
    let mut cache = Cache { db, path, totals: Totals::default(), purge: Purge::new(None), seq: 0, _folder: folder };
    let series =
        |key, pointer: &str| Write::Series { series: SeriesKey(key), thing: ThingKey(1), pointer: pointer.into() };
    cache.write(&[
        Write::Thing { thing: ThingKey(1), name: ThingName::new("lamp-1").unwrap(), meta: Default::default() },
        series(1, "/state"),
        series(2, "/fault"),
    ]);
    cache
}

impl Cache {
    fn write(&mut self, writes: &[Write]) {
        let tally = transaction::whole(&mut self.db, &self.totals, writes.iter()).unwrap();
        self.purge.heard(&tally);
        self.totals = tally.totals;
    }

    /// Some 450 bytes, dated by the device.
    fn sample(&mut self, series: u32, device_ms: i64) -> Write {
        self.seq += 1;
        Write::Sample(Sample {
            series: SeriesKey(series),
            device_ms: WallMs(device_ms),
            received_ms: WallMs(T0),
            seq: self.seq,
            value: Value::Text("x".repeat(400)),
            source: Source::Live,
            quality: Quality::Good,
            timed: Timed::ByDevice,
        })
    }

    /// One step; false when there is nothing to do.
    fn step(&mut self, now_ms: i64) -> bool {
        let totals = self.purge.step(&mut self.db, &self.path, KEEP, Some(WallMs(now_ms)), &self.totals).unwrap();
        self.totals = totals.unwrap_or(self.totals);
        totals.is_some()
    }

    /// Everything there is to do.
    fn steps(&mut self, now_ms: i64) {
        while self.step(now_ms) {}
    }

    /// As after a restart.
    fn reopened(mut self, opened_ms: i64) -> Cache {
        self.purge = Purge::new(Some(WallMs(opened_ms)));
        self
    }
}

#[test]
fn a_device_that_goes_on_saying_1970_does_not_keep_a_full_cache_full() {
    let mut cache = cache();
    let minutes: Vec<Write> = (0..20_000).map(|n| cache.sample(1, T0 + n * 60_000)).collect();
    minutes.chunks(1_000).for_each(|some| cache.write(some));
    let now = T0 + 20_000 * 60_000;
    let used = |cache: &Cache| Used::measure(&cache.db, &cache.path).unwrap().bytes();
    assert!(used(&cache) > 12_000_000);
    let mut steps = 0;
    while used(&cache) > limit(KEEP) {
        let clockless = cache.sample(2, steps);
        cache.write(&[clockless]);
        cache.step(now);
        steps += 1;
        assert!(steps < 3_000, "{} bytes are left", used(&cache));
    }
    assert!(cache.totals.samples > 2_000, "not more than had to: {:?}", cache.totals);
}

#[test]
fn a_time_years_ahead_makes_nothing_old_before_it_has_gone_on_for_a_day() {
    let mut cache = cache();
    let days: Vec<Write> = (0..20).map(|n| cache.sample(1, T0 - n * DAY)).collect();
    cache.write(&days);
    let ahead = T0 + 3_650 * DAY;
    let left = |cache: &mut Cache, now_ms: i64| {
        cache.steps(now_ms);
        cache.totals.samples
    };
    assert_eq!(left(&mut cache, T0), 20);
    for hours in [0, 1, 2, 12] {
        assert_eq!(left(&mut cache, ahead + hours * DAY / 24), 20, "{hours} hours of a wrong clock");
    }
    // It is put right; a restart meanwhile knows only the wrong time.
    cache = cache.reopened(ahead + DAY / 2);
    assert_eq!(left(&mut cache, T0 + DAY), 20);
    assert_eq!(left(&mut cache, T0 + 20 * DAY), 11, "and what is old by the right one goes");
    // It is the right one after all: somebody comes back after ten years, and with a restart stays for a day.
    assert_eq!(left(&mut cache, ahead + 20 * DAY), 11);
    cache = cache.reopened(ahead + 20 * DAY);
    assert_eq!(left(&mut cache, ahead + 20 * DAY + DAY / 2), 11);
    assert_eq!(left(&mut cache, ahead + 21 * DAY), 0);
}

#[test]
fn a_cache_that_was_never_aged_knows_the_time_it_was_opened_with() {
    let mut cache = cache().reopened(T0);
    let old = cache.sample(1, T0 - 10 * DAY);
    cache.write(&[old]);
    cache.steps(T0 + 40 * DAY);
    assert_eq!(cache.totals.samples, 1);
    cache.steps(T0 + 41 * DAY);
    assert_eq!(cache.totals.samples, 0);
}
