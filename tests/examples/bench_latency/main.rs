//! `cargo xtask bench latency`: from the moment a thing speaks until what it said is on the disk, and until the frame that shows it
//! is handed to a window, at 10 000 messages a second of 10 000 things through Mosquitto, at QoS 0 and 1.
//!
//! ```text
//! cargo xtask bench latency --json -- --per-s 10000 --things 10000 --seconds 60
//! ```
//!
//! Who speaks is a process of its own ([`publisher`]) that writes the time into each message; here is the whole host, with a window
//! attached that looks at the status and the map and says at once that it has seen what it was given.
//!
//! *Stored* is when another reader of the cache's file finds the sample: it sees only what is committed, and with `synchronous=FULL`
//! SQLite shows a commit after its fsync. One more thing speaks every 10 ms among the others, on the same connection, and its series
//! is asked for again and again; how long a round of asking takes is told, because by so much a time may be too long. (The counters
//! of the host would not do: they are told with the frames, ten times a second.)
//!
//! *Shown* is when the bytes are handed to the window's sink. Each lamp's level on the map counts its messages, so a row says which
//! message it shows. The baseline is the link alone at the same rate, which acknowledges at once and keeps nothing: what the
//! publisher, the broker and the way cost.

mod publisher;
mod shown;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fleetlens_host::{Counters, Host, HostOptions, Profile};
use fleetlens_ipc::map::read;
use fleetlens_ipc::rows::{Change, Rows};
use fleetlens_ipc::{CONTRACT, Call, Frame, Look, Parcel, ViewId, decode, encode};
use fleetlens_link::{Event, Link, LinkConfig};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;
use fleetlens_store::Reading;
use fleetlens_tests::bench::{Arguments, Failure, Report, cpu_s, folder_on_a_disk, now_us, quantile};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::profile::ProfileText;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::publisher::{PROBE, Said, Stream};
use crate::shown::{Row, Sent};

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Tells this program to be the publisher; the stream as JSON and the file for the times come after it.
const PUBLISHER: &str = "be-the-publisher";
/// What 99 of 100 messages may take until they are stored, in milliseconds.
const STORED_P99_MS: f64 = 120.0;
/// What they may take until a window is told: the interval of frames, and a little.
const SHOWN_P99_MS: f64 = 100.0 + 30.0;
/// The beginning of a stream, in which things are made known, is not measured.
const WARM_UP_S: u32 = 10;
/// How long the cache's reader rests between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long after the last message everything must be stored.
const DONE_WITHIN: Duration = Duration::from_secs(60);

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [child, stream, sent] = words.as_slice()
        && child == PUBLISHER
    {
        let said = publisher::speak(&serde_json::from_str(stream)?, Path::new(sent))?;
        println!("{}", serde_json::to_string(&said)?);
        return Ok(());
    }
    let arguments = Arguments::read(&["per-s", "things", "seconds"])?;
    let per_s: u32 = arguments.number("per-s", 10_000, 2_000)?;
    let things: u32 = arguments.number("things", 10_000, 2_000)?;
    let seconds: u32 = arguments.number("seconds", 60, 10)?;
    let mut report = Report::new("latency");
    report.setting("per_s", per_s);
    report.setting("things", things);
    report.setting("seconds", seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for qos in [0, 1] {
        let stream = |broker: &Mosquitto| Stream {
            authority: authority(broker),
            qos,
            per_s,
            seconds: seconds + WARM_UP_S,
            things,
        };
        let app = runtime.block_on(app(stream))?;
        let bare = runtime.block_on(bare(stream))?;
        report.figure(&format!("app_qos{qos}"), app.as_json());
        report.figure(&format!("link_alone_qos{qos}"), bare.as_json());
        let p99 = |sorted: &[f64]| quantile(sorted, 0.99);
        report.ratio(&format!("stored_p99_to_link_alone_qos{qos}"), p99(&app.stored_ms), p99(&bare.received_ms));
        report.ratio(&format!("shown_p99_to_link_alone_qos{qos}"), p99(&app.shown_ms), p99(&bare.received_ms));
        report.at_most(&format!("stored_p99_ms_qos{qos}"), p99(&app.stored_ms), STORED_P99_MS);
        report.at_most(&format!("shown_p99_ms_qos{qos}"), p99(&app.shown_ms), SHOWN_P99_MS);
        report.at_most(&format!("lost_qos{qos}"), app.lost() as f64, 0.0);
    }
    report.print(&arguments);
    Ok(())
}

fn authority(broker: &Mosquitto) -> String {
    broker.url().trim_start_matches("mqtt://").to_owned()
}

fn spread(sorted: &[f64]) -> Value {
    json!({
        "p50_ms": quantile(sorted, 0.5), "p99_ms": quantile(sorted, 0.99), "worst_ms": quantile(sorted, 1.0),
        "messages": sorted.len(),
    })
}

/// What came of the whole app. Times sorted.
struct App {
    said: Said,
    counters: Counters,
    stored_ms: Vec<f64>,
    shown_ms: Vec<f64>,
    /// Rounds of asking the cache.
    rounds_ms: Vec<f64>,
    /// Of a core, by the host with its window and the reader.
    cpu_share: f64,
}

impl App {
    /// Messages that were said and are not in the cache.
    fn lost(&self) -> u64 {
        let said = self.said.descriptions + self.said.messages + self.said.probes;
        said.saturating_sub(self.counters.stored + self.counters.repeated)
    }

    fn as_json(&self) -> Value {
        let Counters { things, received, stored, refused, shed, repeated, .. } = self.counters;
        json!({
            "stored": spread(&self.stored_ms), "shown": spread(&self.shown_ms), "asking_the_cache": spread(&self.rounds_ms),
            "things": things, "received": received, "in_the_cache": stored, "refused": refused, "shed": shed,
            "repeated": repeated, "lost": self.lost(), "cpu_share": self.cpu_share, "publisher": said(&self.said),
        })
    }
}

fn said(said: &Said) -> Value {
    json!({
        "per_s": said.messages as f64 / said.seconds, "late_p99_ms": said.late_p99_ms, "acknowledged": said.acknowledged,
        "messages": said.messages + said.probes,
    })
}

/// The times of a stream, said by a process of its own.
async fn speak(stream: &Stream, folder: &Path) -> Result<(Said, Sent), Failure> {
    let sent = folder.join("sent");
    let output = tokio::process::Command::new(std::env::current_exe()?)
        .arg(PUBLISHER)
        .arg(serde_json::to_string(stream)?)
        .arg(&sent)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    if !output.status.success() {
        return Err("the publisher failed".into());
    }
    let said: Said = serde_json::from_slice(&output.stdout)?;
    Ok((said, Sent::read(&sent, stream)?))
}

async fn app(stream: impl Fn(&Mosquitto) -> Stream) -> Result<App, Failure> {
    let broker = Mosquitto::start_shipped("bench-latency").ok_or("the benchmark needs mosquitto")?;
    let stream = stream(&broker);
    let folder = folder_on_a_disk()?;
    let text = ProfileText { shadows: false, ..ProfileText::new("Latency", broker.url()) };
    let profile = text.write(folder.path());
    let cache = folder.path().join("data").join(Profile::read(&profile)?.cache_file());
    let options = HostOptions { profile: Some(profile), demo: None, ..HostOptions::demo(folder.path().join("data")) };
    let host = Arc::new(Host::start(options).await?);
    let window = tokio::spawn(window(Arc::clone(&host)).await?);
    let over = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let (cache, over) = (cache.clone(), Arc::clone(&over));
        move || watch(&cache, &over).map_err(|error| error.to_string())
    });

    let cpu = cpu_s(std::process::id());
    let start = Instant::now();
    let (said, sent) = speak(&stream, folder.path()).await?;
    let cpu = cpu_s(std::process::id()).zip(cpu).map_or(f64::NAN, |(after, before)| after - before);
    let cpu_share = cpu / start.elapsed().as_secs_f64();
    let all = said.descriptions + said.messages + said.probes;
    let mut counters = host.counters().await;
    // What is lost does not come later either; it is counted below.
    let _ = tokio::time::timeout(DONE_WITHIN, counters.wait_for(|now| now.stored + now.repeated >= all)).await;
    over.store(true, Ordering::Relaxed);
    let (probes, rounds_ms) = reader.join().map_err(|_| "the reader of the cache ended badly")??;
    let counters = *counters.borrow();
    host.stop().await;
    // With it the window's sink goes.
    drop(host);
    let rows = tokio::time::timeout(DONE_WITHIN, window).await??;

    let begin_us = sent.begin_us() + i64::from(WARM_UP_S) * 1_000_000;
    let stored = probes.into_iter().filter(|probe| probe.sent_ms * 1_000 >= begin_us);
    let mut app = App {
        stored_ms: stored.map(|probe| probe.found_us as f64 / 1e3 - probe.sent_ms as f64).collect(),
        shown_ms: sent.shown(&rows, &names(&cache)?, begin_us),
        said,
        counters,
        rounds_ms,
        cpu_share,
    };
    for times in [&mut app.stored_ms, &mut app.shown_ms, &mut app.rounds_ms] {
        times.sort_by(f64::total_cmp);
    }
    Ok(app)
}

/// Attaches a window; the future applies what it is given until the host lets go of it, and returns the rows of its map.
async fn window(host: Arc<Host>) -> Result<impl Future<Output = Vec<Row>> + Send + 'static, Failure> {
    let (given, mut parcels) = mpsc::unbounded_channel();
    let sink = move |bytes: Vec<u8>| match given.send((now_us(), bytes)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let window = host.attach(Box::new(sink)).await?;
    let area = GeoBox { west_deg: -180.0, south_deg: -85.0, east_deg: 180.0, north_deg: 85.0 };
    for call in [
        Call::Hello { contract: CONTRACT },
        Call::Look { view: ViewId(1), at: Look::Status },
        Call::Look { view: ViewId(2), at: Look::Map { area } },
    ] {
        host.call(window, &encode(&call)?).await?;
    }
    let host = Arc::downgrade(&host);
    Ok(async move {
        let mut rows = Vec::new();
        while let Some((at_us, bytes)) = parcels.recv().await {
            let Ok(parcel) = decode::<Parcel>(&bytes) else { break };
            let seen = encode(&Call::Seen { parcel: parcel.number });
            match (host.upgrade(), seen) {
                // It fails once everything ends, and then nothing more comes.
                (Some(host), Ok(seen)) => _ = host.call(window, &seen).await,
                (None, _) | (_, Err(_)) => break,
            }
            for packed in parcel.frames.into_iter().flat_map(of_map) {
                rows.extend(read(&packed).map(|row| Row { at_us, thing: row.thing, level: row.level }));
            }
        }
        rows
    })
}

/// The packed rows of the map in a frame.
fn of_map(frame: Frame) -> Vec<Vec<u8>> {
    if let Frame::Snapshot { rows: Rows::Map(packed), .. } = frame {
        vec![packed]
    } else if let Frame::Patch { changes, .. } = frame {
        let packed = |change| if let Change::Map(packed) = change { Some(packed) } else { None };
        changes.into_iter().filter_map(packed).collect()
    } else {
        Vec::new()
    }
}

/// A sample of the probe, found in the cache.
struct Probe {
    /// When it was sent, as it says itself.
    sent_ms: i64,
    found_us: i64,
}

/// Asks the cache for the probe's samples until all is over; returns them, and what each round of asking took, in milliseconds.
fn watch(cache: &Path, over: &AtomicBool) -> Result<(Vec<Probe>, Vec<f64>), Failure> {
    let reading = Reading::open(cache)?;
    let series = loop {
        if over.load(Ordering::Relaxed) {
            return Err("the probe never came into the cache".into());
        }
        let probe = reading.things()?.into_iter().find(|(_, name, _)| name.as_str() == PROBE);
        let series = match probe {
            Some((probe, ..)) => reading.series()?.into_iter().find(|(_, thing, p)| *thing == probe && p == "/dim_pct"),
            None => None,
        };
        match series {
            Some((series, ..)) => break series,
            // To read all things takes a while, and the stream has only begun.
            None => std::thread::sleep(Duration::from_millis(500)),
        }
    };
    let (mut probes, mut rounds_ms) = (Vec::<Probe>::new(), Vec::new());
    let mut next = WallMs(0);
    while !over.load(Ordering::Relaxed) {
        let (start, before) = (Instant::now(), probes.len());
        reading.samples(series, next..WallMs(i64::MAX), |sample| {
            probes.push(Probe { sent_ms: sample.device_ms.0, found_us: 0 });
            ControlFlow::Continue(())
        })?;
        let found_us = now_us();
        probes.iter_mut().skip(before).for_each(|probe| probe.found_us = found_us);
        if let Some(last) = probes.last() {
            next = WallMs(last.sent_ms + 1);
        }
        std::thread::sleep(LOOK_EVERY);
        rounds_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok((probes, rounds_ms))
}

/// What the things of a cache are called.
fn names(cache: &Path) -> Result<HashMap<ThingKey, String>, Failure> {
    let things = Reading::open(cache)?.things()?;
    Ok(things.into_iter().map(|(thing, name, _)| (thing, name.as_str().to_owned())).collect())
}

/// What came of the link alone. Times sorted.
struct Bare {
    said: Said,
    received_ms: Vec<f64>,
}

impl Bare {
    fn as_json(&self) -> Value {
        json!({ "received": spread(&self.received_ms), "publisher": said(&self.said) })
    }
}

async fn bare(stream: impl Fn(&Mosquitto) -> Stream) -> Result<Bare, Failure> {
    let broker = Mosquitto::start_shipped("bench-latency-bare").ok_or("the benchmark needs mosquitto")?;
    let stream = stream(&broker);
    let folder = folder_on_a_disk()?;
    let config = LinkConfig {
        filters: vec![("city/+/+/+/telemetry".into(), 1)],
        ..LinkConfig::new(broker.url(), "bench-latency-bare")
    };
    let (link, mut events) = Link::start(config)?;
    while !matches!(events.recv().await.ok_or("the link ended")?, Event::Up { .. }) {}
    let heard = Arc::new(AtomicU64::new(0));
    let receiving = tokio::spawn({
        let (link, heard) = (link.clone(), Arc::clone(&heard));
        async move {
            let mut times = Vec::new();
            while let Some(event) = events.recv().await {
                let Event::Received(message) = event else { continue };
                if let Some(sent_ms) = sent_ms(&message.payload) {
                    times.push((sent_ms, now_us()));
                }
                if let Some(delivery) = message.delivery {
                    link.acknowledge(delivery);
                }
                heard.fetch_add(1, Ordering::Relaxed);
            }
            times
        }
    });
    let (said, sent) = speak(&stream, folder.path()).await?;
    let end = Instant::now() + DONE_WITHIN;
    while heard.load(Ordering::Relaxed) < said.messages + said.probes && Instant::now() < end {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // The events end with it.
    link.stop().await;
    let times = receiving.await?;
    let begin_us = sent.begin_us() + i64::from(WARM_UP_S) * 1_000_000;
    let measured = times.into_iter().filter(|(sent_ms, _)| sent_ms * 1_000 >= begin_us);
    let mut received_ms: Vec<f64> = measured.map(|(sent_ms, at_us)| at_us as f64 / 1e3 - sent_ms as f64).collect();
    received_ms.sort_by(f64::total_cmp);
    Ok(Bare { said, received_ms })
}

/// The time a message says it was sent, read without reading the rest of it.
fn sent_ms(payload: &[u8]) -> Option<i64> {
    let rest = payload.strip_prefix(b"{\"ts\":")?;
    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
