//! What is usual for each of many series, in the cache: what it takes there, to write when an hour is over, and to read at a start.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fleetlens_model::alarm::rhythm::{Day, Rhythm};
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::Write;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use fleetlens_tests::bench::Failure;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Writes of one transaction.
const BATCH: usize = 1_000;

const PROFILE: &str = "usual";

/// Eight weeks of a value every half hour.
fn days() -> Result<Vec<Day>, Failure> {
    let mut rhythm = Rhythm::default();
    for half in 0..=8 * 7 * 48_i32 {
        rhythm.hear(60.0 + f64::from(half % 48), WallMs(i64::from(half) * 1_800_000));
    }
    (0..7).map(|weekday| Ok(rhythm.day(weekday).ok_or("a day that was not learned")?.clone())).collect()
}

/// Commits writes in batches; how long that takes, in seconds.
fn commit(runtime: &Runtime, store: &Store, writes: impl Iterator<Item = Write>) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut writes = writes.peekable();
    while writes.peek().is_some() {
        let batch: Vec<Write> = writes.by_ref().take(BATCH).collect();
        runtime.block_on(store.commit(Arc::new(batch)))?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// How long it takes to open the cache, in seconds; and how many bytes it has.
fn opened(runtime: &Runtime, path: &Path) -> Result<(f64, u64), Failure> {
    let begun = Instant::now();
    let (store, restored) = Store::open(path, PROFILE, 1)?;
    let spent_s = begun.elapsed().as_secs_f64();
    runtime.block_on(store.close())?;
    Ok((spent_s, restored.stats.bytes))
}

/// The figures of so many series, each of a thing of its own.
pub fn figures(series: u32) -> Result<Value, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("usual.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (store, _) = Store::open(&path, PROFILE, 1)?;
    let mut made = Vec::new();
    for key in 1..=series {
        let name = ThingName::new(format!("lamp-{key}"))?;
        made.push(Write::Thing { thing: ThingKey(key), name, meta: Box::default() });
        made.push(Write::Series { series: SeriesKey(key), thing: ThingKey(key), pointer: "/power_w".into() });
    }
    commit(&runtime, &store, made.into_iter())?;
    runtime.block_on(store.close())?;
    let (without_s, without_bytes) = opened(&runtime, &path)?;

    let (store, _) = Store::open(&path, PROFILE, 1)?;
    let mut hour_s = 0.0;
    let days = days()?;
    let weekdays = || (0..).zip(&days);
    // The first day once more at last: that is what the end of an hour is.
    for (weekday, day) in weekdays().chain(weekdays().take(1)) {
        let writes =
            (1..=series).map(|key| Write::Rhythm { series: SeriesKey(key), weekday, day: Box::new(day.clone()) });
        hour_s = commit(&runtime, &store, writes)?;
    }
    runtime.block_on(store.close())?;
    let (with_s, bytes) = opened(&runtime, &path)?;
    let each = f64::from(series);
    Ok(json!({
        "series": series,
        "bytes_per_series": bytes.saturating_sub(without_bytes) as f64 / each,
        "us_to_write_an_hour_of_a_series": hour_s * 1e6 / each,
        "seconds_to_open": with_s,
        "seconds_to_open_without": without_s,
    }))
}
