//! Filling a cache and the plain tables with the same samples, and what that takes.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fleetlens_model::record::Write;
use fleetlens_store::Store;
use serde_json::{Value, json};

use super::plain::{Layout, Plain};
use super::samples::City;
use super::{Failure, bytes_of, cpu_s};

/// What the profile of these caches is called.
pub const PROFILE: &str = "bench";

/// What it took.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// Samples stored.
    pub samples: u64,
    /// Seconds until the last commit was confirmed.
    pub committed_s: f64,
    /// Seconds until the file was closed, with everything that was put off till then.
    pub closed_s: f64,
    /// Of the processor, by the whole process: making the samples too.
    pub cpu_s: f64,
    /// Of the file with its log, closed.
    pub bytes: u64,
}

impl Filled {
    /// Of the file, by the samples in it.
    pub fn bytes_per_sample(&self) -> f64 {
        self.bytes as f64 / self.samples as f64
    }

    /// With everything that was put off: what a cache can take all day.
    pub fn samples_per_s(&self) -> f64 {
        self.samples as f64 / self.closed_s
    }

    /// For a report.
    pub fn as_json(&self) -> Value {
        json!({
            "samples": self.samples, "bytes": self.bytes, "bytes_per_sample": self.bytes_per_sample(),
            "samples_per_s": self.samples_per_s(), "samples_per_s_until_committed": self.samples as f64 / self.committed_s,
            "cpu_us_per_sample": self.cpu_s * 1e6 / self.samples as f64,
        })
    }
}

/// Fills a new cache, one batch after the other as the engine gives them: the next is made while one is on its way to the disk.
pub async fn cache(path: &Path, series: u32, samples: u64, batch: usize) -> Result<Filled, Failure> {
    let (store, _) = Store::open(path, PROFILE, 1)?;
    let mut city = City::new(series);
    store.commit(Arc::new(city.known())).await?;
    let (start, cpu) = (Instant::now(), cpu_s(std::process::id()));
    let (mut stored, mut on_its_way) = (0, None);
    while stored < samples {
        let next = city.next(batch);
        stored += next.len() as u64;
        let writes = Arc::new(next.into_iter().map(Write::Sample).collect());
        if let Some(before) = on_its_way.take() {
            done(before).await?;
        }
        // Queued by the call itself.
        on_its_way = Some(store.commit(writes));
    }
    if let Some(last) = on_its_way {
        done(last).await?;
    }
    let committed_s = start.elapsed().as_secs_f64();
    if store.left_out() + store.duplicates() > 0 {
        return Err(format!("{} samples were left out, {} were doubles", store.left_out(), store.duplicates()).into());
    }
    // A cache that is used does so as it goes; here everything that was put off counts.
    store.settle().await?;
    let mut filled = filled(path, stored, committed_s, start, cpu);
    given_back(&store).await?;
    store.close().await?;
    filled.bytes = bytes_of(path);
    Ok(filled)
}

/// Waits until what runs were made of is removed and its space is the disk's again.
async fn given_back(store: &Store) -> Result<(), Failure> {
    let mut before = 0;
    loop {
        let bytes = store.stats().await?.bytes;
        if bytes == before {
            return Ok(());
        }
        before = bytes;
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    }
}

async fn done(commit: impl Future<Output = Result<(), fleetlens_store::StoreError>>) -> Result<(), Failure> {
    Ok(commit.await?)
}

/// Fills a plain table with the same.
pub fn plain(path: &Path, layout: Layout, series: u32, samples: u64, batch: usize) -> Result<Filled, Failure> {
    let mut table = Plain::create(path, layout)?;
    let mut city = City::new(series);
    let (start, cpu) = (Instant::now(), cpu_s(std::process::id()));
    let mut stored = 0;
    while stored < samples {
        let next = city.next(batch);
        stored += next.len() as u64;
        table.commit(&next)?;
    }
    let committed_s = start.elapsed().as_secs_f64();
    table.close()?;
    Ok(filled(path, stored, committed_s, start, cpu))
}

fn filled(path: &Path, samples: u64, committed_s: f64, start: Instant, cpu_before: Option<f64>) -> Filled {
    let closed_s = start.elapsed().as_secs_f64();
    let cpu_s = cpu_s(std::process::id()).zip(cpu_before).map_or(f64::NAN, |(after, before)| after - before);
    Filled { samples, committed_s, closed_s, cpu_s, bytes: bytes_of(path) }
}
