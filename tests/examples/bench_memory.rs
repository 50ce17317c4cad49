//! `cargo xtask bench memory`: what the engine takes of memory while 10 000 and 100 000 things live, and whether that grows.
//!
//! ```text
//! cargo xtask bench memory --json -- --minutes 10 --few 10000 --many 100000
//! ```
//!
//! Three processes beside this one: Mosquitto as Fleetlens configures it; the demo city, whose things speak every 10 s (of the many
//! every 60 s), with descriptions and shadows as in every demo; and the app without a window, which is measured: this program once
//! more. The baseline is the same process before it has heard of a thing. *Steady* is the median of the last third of the time that
//! is measured, which begins when every thing has spoken; *growth* the slope over its second half.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fleetlens_host::{Host, HostOptions, Profile};
use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::bench::{
    Arguments, Failure, Memory, Report, bytes_of, cpu_s, folder_on_a_disk, growth_per_h, median,
};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::place;
use fleetlens_tests::process::{Group, Output};
use fleetlens_tests::profile::ProfileText;
use serde_json::{Value, json};

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Tells this program to be the app; the folder of the profile comes after it.
const APP: &str = "be-the-app";
/// Tells this program to be the city; the broker, how many things and how many messages a second come after it.
const CITY: &str = "be-the-city";

/// Memory an engine may take, and what each thing adds, in bytes.
const ENGINE: f64 = 60e6;
const THING: f64 = 1e3;
/// Growth that ten minutes cannot tell from none: pages that come and go, in megabytes an hour.
const GROWTH_MB_PER_H: f64 = 3.0;
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(10);
/// How long the app is looked at before there are things.
const ALONE: Duration = Duration::from_secs(10);
/// How long all things may take to have spoken.
const ALL_WITHIN: Duration = Duration::from_secs(900);

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match words.as_slice() {
        [APP, folder] => runtime()?.block_on(be_the_app(Path::new(folder))),
        [CITY, url, things, rate] => runtime()?.block_on(be_the_city(url, things.parse()?, rate.parse()?)),
        _ => measure(),
    }
}

/// A city to be measured with: how many things, and how many seconds between two messages of one.
struct Size {
    name: &'static str,
    things: usize,
    every_s: f64,
}

fn measure() -> Result<(), Failure> {
    let arguments = Arguments::read(&["minutes", "few", "many"])?;
    let minutes: f64 = arguments.number("minutes", 10.0, 1.0)?;
    let few: usize = arguments.number("few", 10_000, 10_000)?;
    let many: usize = arguments.number("many", 100_000, 0)?;
    let mut report = Report::new("memory");
    report.setting("minutes", minutes);
    report.setting("window", false);
    let sizes = [Size { name: "few", things: few, every_s: 10.0 }, Size { name: "many", things: many, every_s: 60.0 }];
    // None of a size: it is not wanted.
    for size in sizes.iter().filter(|size| size.things > 0) {
        let lived = live(size, Duration::from_secs_f64(minutes * 60.0))?;
        let name = size.name;
        report.setting(&format!("things_{name}"), size.things);
        report.setting(&format!("every_s_{name}"), size.every_s);
        report.figure(name, lived.as_json());
        report.ratio(&format!("steady_to_alone_{name}"), lived.steady(), lived.alone);
        report.at_most(&format!("steady_mb_{name}"), lived.steady() / 1e6, (ENGINE + THING * size.things as f64) / 1e6);
        report.at_most(&format!("growth_mb_per_h_{name}"), lived.growth_per_h() / 1e6, GROWTH_MB_PER_H);
    }
    report.print(&arguments);
    Ok(())
}

/// What was seen of one size. Bytes.
struct Lived {
    things: usize,
    /// Before it had heard of a thing.
    alone: f64,
    /// The most at any time since exec.
    peak: f64,
    /// Seconds since every thing had spoken, resident, and what of it is no file's.
    seen: Vec<(f64, f64, f64)>,
    /// Of the processor while that was seen.
    cpu_share: f64,
    cache_bytes: u64,
    /// What the app says of itself at the end.
    told: Value,
}

impl Lived {
    fn steady(&self) -> f64 {
        let last: Vec<f64> = self.seen.iter().skip(self.seen.len() * 2 / 3).map(|seen| seen.1).collect();
        median(&last)
    }

    /// Over the second half.
    fn growth_per_h(&self) -> f64 {
        let half: Vec<(f64, f64)> = self.seen.iter().skip(self.seen.len() / 2).map(|seen| (seen.0, seen.1)).collect();
        growth_per_h(&half)
    }

    fn as_json(&self) -> Value {
        let mb = |bytes: f64| (bytes / 1e4).round() / 100.0;
        let seen =
            |of: fn(&(f64, f64, f64)) -> f64| -> Vec<f64> { self.seen.iter().map(|seen| mb(of(seen))).collect() };
        json!({
            "alone_mb": mb(self.alone), "peak_mb": mb(self.peak), "steady_mb": mb(self.steady()),
            "bytes_a_thing": (self.steady() - self.alone) / self.things as f64,
            "growth_mb_per_h": self.growth_per_h() / 1e6,
            "resident_mb": seen(|seen| seen.1), "anonymous_mb": seen(|seen| seen.2),
            "cpu_share": self.cpu_share, "cache_mb": mb(self.cache_bytes as f64), "told": self.told,
        })
    }
}

fn live(size: &Size, time: Duration) -> Result<Lived, Failure> {
    let broker = Mosquitto::start_shipped("bench-memory").ok_or("the benchmark needs mosquitto")?;
    let folder = folder_on_a_disk()?;
    let profile = Profile::read(&ProfileText::new("Memory", broker.url()).write(folder.path()))?;
    let (summary, log) = (folder.path().join("summary.json"), place::log("bench-memory"));
    let us = std::env::current_exe()?;

    let mut command = Command::new(&us);
    let app = Group::spawn(command.arg(APP).arg(folder.path()), &log, Output::Logged);
    std::thread::sleep(ALONE);
    let alone = Memory::of(app.id()).ok_or_else(|| place::tail(&log))?.resident as f64;

    let rate = size.things as f64 / size.every_s;
    let mut command = Command::new(&us);
    command.args([CITY, &broker.url(), &size.things.to_string(), &rate.to_string()]);
    let city = Group::spawn(&mut command, &log, Output::Logged);
    let all = u64::try_from(size.things)?;
    let begun = Instant::now();
    loop {
        let told = read(&summary).unwrap_or_default();
        let count = |name: &str| told.get(name).and_then(Value::as_u64).unwrap_or(0);
        // Descriptions, shadows, and telemetry of each.
        if count("things") >= all && count("stored") >= 3 * all {
            break;
        }
        if begun.elapsed() > ALL_WITHIN {
            return Err(format!(
                "not all things came within {} s: {told}; {}",
                ALL_WITHIN.as_secs(),
                place::tail(&log)
            )
            .into());
        }
        std::thread::sleep(Duration::from_secs(1));
    }

    let (start, cpu) = (Instant::now(), cpu_s(app.id()));
    let mut seen = Vec::new();
    while start.elapsed() < time {
        std::thread::sleep(EVERY.min(time / 6));
        let memory = Memory::of(app.id()).ok_or_else(|| place::tail(&log))?;
        seen.push((start.elapsed().as_secs_f64(), memory.resident as f64, memory.anonymous as f64));
    }
    let peak = Memory::of(app.id()).ok_or_else(|| place::tail(&log))?.peak as f64;
    let cpu = cpu_s(app.id()).zip(cpu).map_or(f64::NAN, |(after, before)| after - before);
    let told = read(&summary)?;
    city.kill();
    app.kill();
    let cache_bytes = bytes_of(&folder.path().join("data").join(profile.cache_file()));
    Ok(Lived {
        things: size.things,
        alone,
        peak,
        seen,
        cpu_share: cpu / start.elapsed().as_secs_f64(),
        cache_bytes,
        told,
    })
}

fn read(summary: &Path) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&std::fs::read_to_string(summary)?)?)
}

/// The app without a window, until it is killed.
async fn be_the_app(folder: &Path) -> Result<(), Failure> {
    let host = Host::start(HostOptions {
        profile: Some(folder.join("profile.toml")),
        demo: None,
        summary: Some(folder.join("summary.json")),
        ..HostOptions::demo(folder.join("data"))
    })
    .await?;
    Err(host.failed().await.into())
}

/// The city, until it is killed.
async fn be_the_city(url: &str, things: usize, rate: f64) -> Result<(), Failure> {
    let broker = Some(BrokerAt { url: url.to_owned(), credentials: None });
    let _city =
        fleetlens_sim::start(CityOptions { things, rate: Some(rate), broker, ..CityOptions::default() }).await?;
    std::future::pending().await
}
