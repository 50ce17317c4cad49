//! How fast a backlog of QoS 1 comes from Mosquitto onto the disk, beside the simplest program that keeps the same promise: one
//! message, one transaction, one acknowledgement.
//!
//! Both drain the same backlog, which the broker holds in a persistent session: so nobody competes with a publisher for the
//! processor, and the broker sends as fast as it is acknowledged.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{Host, HostOptions};
use fleetlens_link::{Event, Link, LinkConfig};
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

use crate::{Failure, WITHIN};

/// Messages of the app's backlog; three values each, as a lamp's.
pub const MESSAGES: u64 = 60_000;
/// Messages of the baseline's, which is slower; a rate needs no more.
const BASELINE_MESSAGES: u64 = 6_000;
/// Things that send them.
const THINGS: u64 = 1_000;
const FILTER: &str = "city/+/+/+/telemetry";

/// What came of it.
pub struct Rates {
    /// Messages a second of the whole app without a window.
    pub fleetlens: f64,
    /// Messages a second of the simplest program.
    pub baseline: f64,
}

/// Measures both.
pub async fn measure() -> Result<Rates, Failure> {
    let broker = Mosquitto::start("bench-ingest").ok_or("the benchmark needs mosquitto")?;
    let folder = tempfile::tempdir()?;
    let fleetlens = app(&broker, folder.path()).await?;
    let baseline = baseline(&broker, folder.path()).await?;
    Ok(Rates { fleetlens, baseline })
}

/// Fills a session's backlog: somebody subscribed, left, and this was published meanwhile.
async fn fill(broker: &Mosquitto, messages: u64) -> Result<(), Failure> {
    let onlooker = Peer::connect(&broker.url(), "bench-onlooker", &["bench/end"]).await;
    let publisher = Peer::connect(&broker.url(), "bench-publisher", &[]).await;
    let start_ms = now_ms() - i64::try_from(messages)?;
    for n in 0..messages {
        let payload = json!({ "ts": start_ms + i64::try_from(n)?, "values": { "dim_pct": n % 101, "power_w": n, "temp_c": 21.5 } });
        publisher.publish(&format!("city/bench/lamp/lamp-{:04}/telemetry", n % THINGS), payload.to_string()).await;
    }
    publisher.publish("bench/end", "").await;
    onlooker.wait_for_within("the backlog to be with the broker", WITHIN, |_| Some(())).await;
    publisher.leave().await;
    onlooker.leave().await;
    Ok(())
}

/// Messages a second of the whole app without a window: link, decoding, engine, store.
async fn app(broker: &Mosquitto, folder: &Path) -> Result<f64, Failure> {
    let profile = ProfileText::new("Bench", broker.url()).write(folder);
    let options = || HostOptions {
        profile: Some(profile.clone()),
        demo: None,
        started: Instant::now(),
        ..HostOptions::demo(folder.join("data"))
    };
    // Once, so that the broker has a session to keep messages for.
    let first = Host::start(options()).await?;
    let marker = Peer::connect(&broker.url(), "bench-marker", &[]).await;
    let mut counters = first.counters().await;
    while counters.borrow_and_update().stored == 0 {
        marker.publish("city/bench/lamp/lamp-0000/telemetry", json!({ "values": { "on": 1 } }).to_string()).await;
        let _ = tokio::time::timeout(Duration::from_millis(100), counters.changed()).await;
    }
    marker.leave().await;
    first.stop().await;
    fill(broker, MESSAGES).await?;

    let host = Host::start(options()).await?;
    let mut counters = host.counters().await;
    tokio::time::timeout(WITHIN, counters.wait_for(|now| now.received > 0)).await??;
    let start = Instant::now();
    tokio::time::timeout(WITHIN, counters.wait_for(|now| now.stored >= MESSAGES)).await??;
    let rate = MESSAGES as f64 / start.elapsed().as_secs_f64();
    host.stop().await;
    Ok(rate)
}

/// Messages a second of the simplest program that keeps the promise.
async fn baseline(broker: &Mosquitto, folder: &Path) -> Result<f64, Failure> {
    let config = || LinkConfig { filters: vec![(FILTER.into(), 1)], ..LinkConfig::new(broker.url(), "bench-baseline") };
    let (link, mut events) = Link::start(config())?;
    while !matches!(events.recv().await.ok_or("the link ended")?, Event::Up { .. }) {}
    link.stop().await;
    fill(broker, BASELINE_MESSAGES).await?;

    let (store, _) = Store::open(&folder.join("baseline.db"), "baseline", 1)?;
    let (mut things, mut series, mut seq) = (HashMap::new(), HashMap::new(), 0);
    let (link, mut events) = Link::start(config())?;
    let mut start = None;
    let mut stored = 0;
    while stored < BASELINE_MESSAGES {
        let Some(event) = tokio::time::timeout(WITHIN, events.recv()).await? else {
            return Err("the link ended".into());
        };
        let Event::Received(message) = event else { continue };
        start.get_or_insert_with(Instant::now);
        let payload: serde_json::Value = serde_json::from_slice(&message.payload)?;
        let received_ms = WallMs(now_ms());
        let device_ms = payload.get("ts").and_then(serde_json::Value::as_i64).map_or(received_ms, WallMs);
        let mut writes = Vec::new();
        let thing = match things.get(&message.topic) {
            Some(thing) => *thing,
            None => {
                let thing = ThingKey(u32::try_from(things.len() + 1)?);
                let name = ThingName::new(message.topic.split('/').nth(3).ok_or("a topic without a thing")?)?;
                writes.push(Write::Thing { thing, name, meta: Meta::default() });
                things.insert(message.topic.clone(), thing);
                thing
            }
        };
        for (name, value) in payload.get("values").and_then(serde_json::Value::as_object).ok_or("no values")? {
            let next = SeriesKey(u32::try_from(series.len() + 1)?);
            let series = *series.entry((thing, name.clone())).or_insert_with(|| {
                writes.push(Write::Series { series: next, thing, pointer: format!("/{name}") });
                next
            });
            seq += 1;
            writes.push(Write::Sample(Sample {
                series,
                seq,
                device_ms,
                received_ms,
                value: Value::Number(value.as_f64().unwrap_or_default()),
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            }));
        }
        store.commit(Arc::new(writes)).await?;
        if let Some(delivery) = message.delivery {
            link.acknowledge(delivery);
        }
        stored += 1;
    }
    let took = start.map_or(f64::NAN, |start| start.elapsed().as_secs_f64());
    link.stop().await;
    store.close().await?;
    Ok(BASELINE_MESSAGES as f64 / took)
}
