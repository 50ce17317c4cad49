//! How many samples a second the cache takes, against one INSERT a transaction, and how long a start takes.
//!
//! ```text
//! cargo run --release -p fleetlens-store --example bench_store -- [--json] [--samples N] [--things N] [--folder DIR]
//! ```
//!
//! The folder should be on a real disk (the default is below `target`): on a RAM disk an fsync costs nothing, and the whole
//! difference is the fsync.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use rusqlite::{Connection, params};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Series of each thing.
const SERIES: u32 = 5;
/// Batches as a quiet, a busy and an overloaded link makes them.
const BATCHES: [usize; 3] = [20, 200, 2_000];

struct Arguments {
    json: bool,
    samples: usize,
    things: u32,
    folder: PathBuf,
}

fn arguments() -> Outcome<Arguments> {
    let mut read = Arguments { json: false, samples: 100_000, things: 10_000, folder: "target".into() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--json" => read.json = true,
            "--samples" => read.samples = value()?.parse()?,
            "--things" => read.things = value()?.parse()?,
            "--folder" => read.folder = value()?.into(),
            _ => return Err(format!("{word} is none of --json, --samples, --things, --folder").into()),
        }
    }
    Ok(read)
}

fn main() -> Outcome<()> {
    let Arguments { json, samples, things, folder } = arguments()?;
    std::fs::create_dir_all(&folder)?;
    let folder = tempfile::tempdir_in(folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let few = samples.min(1_000);
    let naive = naive(&folder.path().join("naive.db"), few, "DELETE")?;
    let naive_wal = naive_wal(folder.path(), few)?;
    let mut rates = Vec::new();
    for batch in BATCHES {
        let path = folder.path().join(format!("batch-{batch}.db"));
        // A batch of 20 is an fsync for each 20: fewer samples tell the same.
        let count = samples.min(batch * 500);
        rates.push(runtime.block_on(store(&path, things, count, batch))?);
    }

    let path = folder.path().join("batch-2000.db");
    let start = Instant::now();
    let (cache, restored) = Store::open(&path, "bench", 1)?;
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let (series, latest) = (restored.series.len(), restored.latest.len());
    let stats = runtime.block_on(cache.stats())?;
    let start = Instant::now();
    let query = HistoryQuery {
        series: SeriesKey(1),
        from_ms: WallMs(0),
        to_ms: WallMs(i64::MAX),
        bucket_ms: 60_000,
        up_to_seq: u64::MAX,
    };
    let buckets = runtime.block_on(cache.history(query))?.len();
    let history_ms = start.elapsed().as_secs_f64() * 1e3;
    runtime.block_on(cache.close())?;

    let best = rates.iter().copied().fold(0.0, f64::max);
    if json {
        let batches: serde_json::Map<String, serde_json::Value> =
            BATCHES.iter().zip(&rates).map(|(batch, rate)| (batch.to_string(), rate.round().into())).collect();
        let result = serde_json::json!({
            "bench": "store",
            "samples_per_s": batches,
            "naive_per_s": naive.round(),
            "naive_wal_per_s": naive_wal.round(),
            "ratio": (best / naive_wal * 10.0).round() / 10.0,
            "things": things,
            "series": series,
            "open_ms": (open_ms * 10.0).round() / 10.0,
            "bytes": stats.bytes,
        });
        println!("{result}");
    } else {
        println!("one INSERT a transaction, as rusqlite comes   {naive:>10.0} samples/s");
        println!("one INSERT a transaction, log and fsync       {naive_wal:>10.0} samples/s");
        for (batch, rate) in BATCHES.iter().zip(&rates) {
            println!("batches of {batch:<5}                              {rate:>10.0} samples/s");
        }
        println!("ratio                                         {:>10.1}", best / naive_wal);
        println!("start with {things} things, {series} series, {latest} latest: {open_ms:.1} ms");
        println!(
            "{} bytes, {} samples; a history of {buckets} buckets: {history_ms:.1} ms",
            stats.bytes, stats.samples
        );
    }
    Ok(())
}

/// What one writes first.
fn naive(path: &Path, samples: usize, journal: &str) -> Outcome<f64> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", journal)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE sample (series INTEGER, device_ms INTEGER, value REAL)")?;
    let start = Instant::now();
    for n in 0..samples as i64 {
        db.execute(
            "INSERT INTO sample (series, device_ms, value) VALUES (?1, ?2, ?3)",
            params![n % 5_000, n, n as f64 / 7.0],
        )?;
    }
    Ok(samples as f64 / start.elapsed().as_secs_f64())
}

fn naive_wal(folder: &Path, samples: usize) -> Outcome<f64> {
    naive(&folder.join("naive-wal.db"), samples, "WAL")
}

/// Samples a second through the store, one batch after the other, as the engine gives them.
async fn store(path: &Path, things: u32, samples: usize, batch: usize) -> Outcome<f64> {
    let (store, _) = Store::open(path, "bench", 1)?;
    let mut city = Vec::new();
    for key in 1..=things {
        let name = ThingName::new(format!("lamp-{key:05}"))?;
        let meta = Meta { kind: Kind::Lamp, title: format!("Triq {key}"), area: "Valletta".into(), ..Meta::default() };
        city.push(Write::Thing { thing: ThingKey(key), name, meta });
        for n in 0..SERIES {
            let pointer = format!("/value_{n}");
            city.push(Write::Series { series: SeriesKey((key - 1) * SERIES + n + 1), thing: ThingKey(key), pointer });
        }
    }
    store.commit(Arc::new(city)).await?;
    let batches: Vec<Arc<Vec<Write>>> = (0..samples)
        .step_by(batch)
        .map(|from| Arc::new((from..samples.min(from + batch)).map(|n| Write::Sample(sample(n, things))).collect()))
        .collect();
    let start = Instant::now();
    for batch in batches {
        store.commit(batch).await?;
    }
    let rate = samples as f64 / start.elapsed().as_secs_f64();
    store.close().await?;
    Ok(rate)
}

fn sample(n: usize, things: u32) -> Sample {
    let at = WallMs(1_780_000_000_000 + n as i64);
    Sample {
        // As things speak: all values of one together, the things in no order of theirs.
        series: SeriesKey(((n as u32 / SERIES).wrapping_mul(7_919) % things) * SERIES + n as u32 % SERIES + 1),
        device_ms: at,
        received_ms: at.plus(40),
        seq: n as u64 + 1,
        value: Value::Number(n as f64 / 7.0),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
    }
}
