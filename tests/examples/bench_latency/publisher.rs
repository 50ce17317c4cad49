//! Who speaks: a bare MQTT 3.1.1 client on one connection, which writes into every message when it was sent. It is a process of its
//! own and does nothing else, so that it takes little of the processor that is to be measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fleetlens_link::Protocol;
use fleetlens_tests::bench::{Failure, now_us, quantile};
use fleetlens_tests::impostor::{packet, publish_as};
use serde::{Deserialize, Serialize};

/// The thing by whose samples it is seen when something is stored.
pub const PROBE: &str = "lamp-probe";
/// How often it speaks.
pub const PROBE_EVERY: Duration = Duration::from_millis(10);
/// What is due is sent so often.
const TURN: Duration = Duration::from_millis(1);
/// Descriptions a second before the stream begins.
const DESCRIPTIONS_PER_S: u32 = 4_000;
/// How long the broker may take to acknowledge the last message.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(60);

/// What is to be said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    /// Of the broker, `host:port`.
    pub authority: String,
    /// 0 or 1.
    pub qos: u8,
    /// Messages a second, beside the probe's.
    pub per_s: u32,
    /// For how long.
    pub seconds: u32,
    /// How many things say them, one after the other.
    pub things: u32,
}

/// What was said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Said {
    /// Descriptions before the stream.
    pub descriptions: u64,
    /// Messages of the stream.
    pub messages: u64,
    /// Messages of the probe.
    pub probes: u64,
    /// Seconds from the first to the last.
    pub seconds: f64,
    /// How late messages were sent that were due, at most of 99 in a hundred, in milliseconds.
    pub late_p99_ms: f64,
    /// Those of QoS 1 that the broker has acknowledged.
    pub acknowledged: u64,
}

/// The name of the `n`th thing.
pub fn name(n: u32) -> String {
    format!("lamp-{n:05}")
}

/// What a lamp shows on the map after its `k`th message: 0–100.
pub fn level(k: u64) -> u8 {
    (k % 101) as u8
}

/// Says it all, and writes into `sent` when each message of the stream was sent: microseconds, 8 bytes each, little-endian.
pub fn speak(stream: &Stream, sent: &Path) -> Result<Said, Failure> {
    let mut broker = TcpStream::connect(&stream.authority)?;
    broker.set_nodelay(true)?;
    // MQTT 3.1.1, 3.1: the protocol's name and level, a clean session, no keep-alive, our name.
    broker.write_all(&packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x0ffleetlens-bench"))?;
    let mut connack = [0; 4];
    broker.read_exact(&mut connack)?;
    if connack != [0x20, 2, 0, 0] {
        return Err(format!("the broker answers {connack:02x?}").into());
    }
    let acknowledged = Arc::new(AtomicU64::new(0));
    let counting = thread::spawn({
        let (broker, acknowledged) = (broker.try_clone()?, Arc::clone(&acknowledged));
        move || count(broker, &acknowledged)
    });

    let mut descriptions = 0;
    for things in (0..stream.things).collect::<Vec<_>>().chunks((DESCRIPTIONS_PER_S / 100) as usize) {
        let mut bytes = Vec::new();
        things.iter().for_each(|n| bytes.extend(description(&name(*n), *n)));
        descriptions += things.len() as u64;
        broker.write_all(&bytes)?;
        // A hundredth of what is to go out in a second, a hundred times: not so fast that the app is still at it when the stream begins.
        thread::sleep(Duration::from_millis(10));
    }
    broker.write_all(&description(PROBE, stream.things))?;

    let mut speaker = Speaker { qos: stream.qos, packet_id: 0, bytes: Vec::new() };
    let all = u64::from(stream.per_s) * u64::from(stream.seconds);
    let (mut times_us, mut late_ms, mut probes) = (Vec::new(), Vec::new(), 0);
    let start = Instant::now();
    while (times_us.len() as u64) < all {
        let since = start.elapsed();
        let due = ((since.as_secs_f64() * f64::from(stream.per_s)) as u64 + 1).min(all);
        while (times_us.len() as u64) < due {
            let n = times_us.len() as u64;
            let (thing, k) = ((n % u64::from(stream.things)) as u32, n / u64::from(stream.things));
            late_ms.push((since.as_secs_f64() - n as f64 / f64::from(stream.per_s)) * 1e3);
            times_us.push(speaker.say(&name(thing), k));
        }
        if since >= PROBE_EVERY * probes {
            speaker.say(PROBE, u64::from(probes));
            probes += 1;
        }
        broker.write_all(&speaker.bytes)?;
        speaker.bytes.clear();
        thread::sleep(TURN);
    }
    let seconds = start.elapsed().as_secs_f64();
    std::fs::write(sent, times_us.iter().flat_map(|at: &i64| at.to_le_bytes()).collect::<Vec<u8>>())?;

    let wanted = if stream.qos == 0 { 0 } else { all + u64::from(probes) };
    let end = Instant::now() + ACKNOWLEDGED_WITHIN;
    while acknowledged.load(Ordering::Relaxed) < wanted && Instant::now() < end {
        thread::sleep(TURN);
    }
    // DISCONNECT: the broker reads everything before it, then closes.
    broker.write_all(&[0xe0, 0])?;
    counting.join().map_err(|_| "nobody counted the acknowledgements")?;
    late_ms.sort_by(f64::total_cmp);
    Ok(Said {
        descriptions: descriptions + 1,
        messages: all,
        probes: u64::from(probes),
        seconds,
        late_p99_ms: quantile(&late_ms, 0.99),
        acknowledged: acknowledged.load(Ordering::Relaxed),
    })
}

/// Counts PUBACKs until the connection ends: four bytes each, and the broker says nothing else.
fn count(mut broker: TcpStream, acknowledged: &AtomicU64) {
    let (mut bytes, mut buffer) = (0, [0; 16_384]);
    while let Ok(n @ 1..) = broker.read(&mut buffer) {
        bytes += n as u64;
        acknowledged.store(bytes / 4, Ordering::Relaxed);
    }
}

/// Builds messages.
struct Speaker {
    qos: u8,
    packet_id: u16,
    bytes: Vec<u8>,
}

impl Speaker {
    /// Appends the `k`th message of a thing; returns when, in microseconds.
    fn say(&mut self, thing: &str, k: u64) -> i64 {
        let at_us = now_us();
        let power_w = f64::from(level(k)) * 0.7;
        let payload = format!(
            "{{\"ts\":{},\"values\":{{\"dim_pct\":{},\"on\":true,\"power_w\":{power_w:.1},\"temp_c\":21.5}}}}",
            at_us / 1_000,
            level(k)
        );
        let packet_id = (self.qos > 0).then(|| {
            self.packet_id = self.packet_id.checked_add(1).unwrap_or(1);
            self.packet_id
        });
        let topic = format!("city/bench/lamp/{thing}/telemetry");
        self.bytes.extend(publish_as(Protocol::V4, topic.as_bytes(), packet_id, payload.as_bytes()));
        at_us
    }
}

/// A retained description at QoS 0: without a place a thing is on no map.
fn description(thing: &str, n: u32) -> Vec<u8> {
    const RETAIN: u8 = 0x01;
    let (lat, lon) = (35.8 + f64::from(n / 200) / 1_000.0, 14.2 + f64::from(n % 200) / 1_000.0);
    let payload = format!(
        "{{\"kind\":\"lamp\",\"name\":\"{thing}\",\"lat\":{lat:.6},\"lon\":{lon:.6},\"area\":\"Bench\",\"interval_s\":10}}"
    );
    let topic = format!("city/bench/lamp/{thing}/meta");
    let mut bytes = publish_as(Protocol::V4, topic.as_bytes(), None, payload.as_bytes());
    if let Some(first) = bytes.first_mut() {
        *first |= RETAIN;
    }
    bytes
}
