//! `cargo xtask bench query`: how long a day of one series in buckets of ten seconds takes and a month in hours, out of a cache of
//! 30 days of 80 series, beside a clustered table with the same samples and the same questions.
//!
//! ```text
//! cargo xtask bench query --json -- --days 30 --cold 9 --warm 200
//! ```
//!
//! *Cold* is the first question to a file that was just opened and of which the system holds nothing in memory; *warm* are
//! questions to series that were asked for before. Both answers are compared: what is fast and wrong fails.

use std::path::Path;
use std::time::Instant;

use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::HistoryQuery;
use fleetlens_store::Store;
use fleetlens_tests::bench::filling::{self, PROFILE};
use fleetlens_tests::bench::plain::{Layout, Plain};
use fleetlens_tests::bench::samples::{BEGIN, EVERY_MS};
use fleetlens_tests::bench::{Arguments, Failure, Report, folder_on_a_disk, forget_pages, median, ms, quantile};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;
const SERIES: u32 = 80;
/// Samples in one transaction.
const BATCH: usize = 10_000;
/// Series that are asked for in turn when warm: as many as a person may have open.
const WARM_SERIES: u32 = 8;

/// A question with the milliseconds it may take, cold and warm.
struct Question {
    name: &'static str,
    span_ms: i64,
    bucket_ms: u64,
    cold_ms: f64,
    warm_ms: f64,
}

/// Milliseconds of each, sorted.
struct Times {
    cold: Vec<f64>,
    warm: Vec<f64>,
}

impl Times {
    fn as_json(&self) -> Value {
        let of =
            |times: &[f64]| json!({ "median_ms": median(times), "p90_ms": quantile(times, 0.9), "times": times.len() });
        json!({ "cold": of(&self.cold), "warm": of(&self.warm) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["days", "cold", "warm"])?;
    let days: i64 = arguments.number("days", 30, 3)?;
    let cold: u32 = arguments.number("cold", 9, 3)?;
    let warm: u32 = arguments.number("warm", 200, 40)?;
    let samples = u64::try_from(days * DAY_MS / EVERY_MS)? * u64::from(SERIES);

    let folder = folder_on_a_disk()?;
    let (cache, table) = (folder.path().join("cache.db"), folder.path().join("clustered.db"));
    let filled = filling::cache(&cache, SERIES, samples, BATCH).await?;
    let plain = filling::plain(&table, Layout::Clustered, SERIES, samples, BATCH)?;

    let mut report = Report::new("query");
    report.setting("samples", filled.samples);
    report.setting("series", SERIES);
    report.setting("days", days);
    report.figure("cache_bytes", filled.bytes);
    report.figure("clustered_bytes", plain.bytes);
    let questions = [
        Question { name: "day", span_ms: DAY_MS, bucket_ms: 10_000, cold_ms: 2.0, warm_ms: 0.3 },
        Question { name: "month", span_ms: days * DAY_MS, bucket_ms: 3_600_000, cold_ms: 10.0, warm_ms: 1.0 },
    ];
    for question in &questions {
        compare(&cache, &table, question, days).await?;
        let ours = of_cache(&cache, question, days, cold, warm).await?;
        let theirs = of_table(&table, question, days, cold, warm)?;
        let name = question.name;
        report.figure(&format!("cache_{name}"), ours.as_json());
        report.figure(&format!("clustered_{name}"), theirs.as_json());
        report.ratio(&format!("{name}_cold_to_clustered"), median(&ours.cold), median(&theirs.cold));
        report.ratio(&format!("{name}_warm_to_clustered"), median(&ours.warm), median(&theirs.warm));
        report.at_most(&format!("{name}_cold_ms"), median(&ours.cold), question.cold_ms);
        report.at_most(&format!("{name}_warm_ms"), median(&ours.warm), question.warm_ms);
    }
    report.print(&arguments);
    Ok(())
}

/// The `n`th of these questions: another series each time, and another stretch of the past where there is one.
fn query(question: &Question, n: u32, days: i64) -> HistoryQuery {
    let spans = (days * DAY_MS / question.span_ms).max(1);
    let from_ms = BEGIN.plus(i64::from(n * 7) % spans * question.span_ms);
    HistoryQuery {
        // Of each kind of value in turn.
        series: SeriesKey(n * 11 % SERIES + 1),
        from_ms,
        to_ms: from_ms.plus(question.span_ms),
        bucket_ms: question.bucket_ms,
        up_to_seq: u64::MAX,
    }
}

async fn of_cache(path: &Path, question: &Question, days: i64, cold: u32, warm: u32) -> Result<Times, Failure> {
    let mut times = Times { cold: Vec::new(), warm: Vec::new() };
    for n in 0..cold {
        let (store, _) = Store::open(path, PROFILE, 1)?;
        // The start reads what the last picture needs; only what the question needs is measured.
        forget_pages(path)?;
        let start = Instant::now();
        some(&store.history(query(question, n, days)).await?)?;
        times.cold.push(ms(start.elapsed()));
        store.close().await?;
    }
    let (store, _) = Store::open(path, PROFILE, 1)?;
    for n in 0..warm + WARM_SERIES {
        let start = Instant::now();
        some(&store.history(query(question, n % WARM_SERIES, days)).await?)?;
        if n >= WARM_SERIES {
            times.warm.push(ms(start.elapsed()));
        }
    }
    store.close().await?;
    times.sort();
    Ok(times)
}

fn of_table(path: &Path, question: &Question, days: i64, cold: u32, warm: u32) -> Result<Times, Failure> {
    let mut times = Times { cold: Vec::new(), warm: Vec::new() };
    for n in 0..cold {
        let table = Plain::open(path)?;
        forget_pages(path)?;
        let start = Instant::now();
        some(&table.history(&query(question, n, days))?)?;
        times.cold.push(ms(start.elapsed()));
    }
    let table = Plain::open(path)?;
    for n in 0..warm + WARM_SERIES {
        let start = Instant::now();
        some(&table.history(&query(question, n % WARM_SERIES, days))?)?;
        if n >= WARM_SERIES {
            times.warm.push(ms(start.elapsed()));
        }
    }
    times.sort();
    Ok(times)
}

impl Times {
    fn sort(&mut self) {
        self.cold.sort_by(f64::total_cmp);
        self.warm.sort_by(f64::total_cmp);
    }
}

/// An answer without anything is none, however fast it comes.
fn some(buckets: &[Bucket]) -> Result<(), Failure> {
    if buckets.is_empty() { Err("a question was answered with nothing".into()) } else { Ok(()) }
}

/// Whether both say the same, but for the last digit of a sum.
async fn compare(cache: &Path, table: &Path, question: &Question, days: i64) -> Result<(), Failure> {
    let (store, _) = Store::open(cache, PROFILE, 1)?;
    let plain = Plain::open(table)?;
    for n in 0..WARM_SERIES {
        let query = query(question, n, days);
        let (ours, theirs) = (store.history(query).await?, plain.history(&query)?);
        let same = |a: &Bucket, b: &Bucket| {
            (a.start_ms, a.min, a.max, a.last, a.count) == (b.start_ms, b.min, b.max, b.last, b.count)
                && (a.sum - b.sum).abs() <= 1e-9 * b.sum.abs().max(1.0)
        };
        if ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(|(a, b)| same(a, b)) {
            let name = question.name;
            return Err(format!("the {name} of series {} differs from the plain table's", query.series.0).into());
        }
    }
    Ok(store.close().await?)
}
