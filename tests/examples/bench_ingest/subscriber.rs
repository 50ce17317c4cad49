//! Who listens, each in a process of its own: the whole app without a window, and the two simplest programs it is compared with. Each
//! says `up`, is told by a line how many messages there are, and answers `done` with its counts when it has them all.

use std::future::Future;
use std::io::{BufRead, stdin};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetlens_engine::port::{self, LinkEvent, StoreFault, WindowId};
use fleetlens_engine::run::{Ports, start};
use fleetlens_host::ipc::Parcel;
use fleetlens_host::{Counters, Host, HostOptions, Profile};
use fleetlens_link::{self as link, Link, Next};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::{History, HistoryQuery, Restored, StoreStats, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::{Failure, locked};

/// What all of them subscribe to.
const FILTER: &str = "city/#";

/// How often the simple programs look at what has come: in batches, because to be woken for each would double what they cost.
const POLL: Duration = Duration::from_millis(10);

/// What stdin says, as it comes.
fn orders() -> impl Iterator<Item = u64> {
    stdin().lock().lines().map_while(Result::ok).filter_map(|line| line.parse().ok())
}

/// Answers each order once so many messages have come.
fn answer_when_here(count: Arc<AtomicU64>) {
    std::thread::spawn(move || {
        for total in orders() {
            while count.load(Ordering::Relaxed) < total {
                std::thread::sleep(POLL);
            }
            println!("done {}", json!({ "received": count.load(Ordering::Relaxed) }));
        }
        // Whoever measured has gone.
        std::process::exit(0);
    });
}

/// Fleetlens: link, decoding, fleet with the demo city's rules, cache.
pub async fn app(url: &str, protocol: &str, folder: &Path) -> Result<(), Failure> {
    let host = Host::start(HostOptions {
        profile: Some(profile(url, protocol, folder)?),
        demo: None,
        started: Instant::now(),
        ..HostOptions::demo(folder.join("data"))
    })
    .await?;
    let mut counters = host.counters().await;
    println!("up");
    answer(&mut counters).await?;
    host.stop().await;
    Ok(())
}

/// Answers each order once so many messages were taken and, but for those that were shed, stored.
async fn answer(counters: &mut watch::Receiver<Counters>) -> Result<(), Failure> {
    let (told, mut totals) = mpsc::unbounded_channel();
    std::thread::spawn(move || orders().try_for_each(|total| told.send(total)));
    while let Some(total) = totals.recv().await {
        let all_is_here = |now: &Counters| {
            now.received + now.shed >= total && now.stored + now.repeated + now.refused >= now.received
        };
        let now = *counters.wait_for(all_is_here).await?;
        let counts = json!({
            "received": now.received, "stored": now.stored, "refused": now.refused, "shed": now.shed, "repeated": now.repeated,
        });
        println!("done {counts}");
    }
    Ok(())
}

/// Fleetlens without its cache: link, decoding and fleet, whose writes are dropped. Says what of the whole is not the disk.
pub async fn without_cache(url: &str, protocol: &str, folder: &Path) -> Result<(), Failure> {
    let profile = Profile::read(&profile(url, protocol, folder)?)?;
    let fleet = profile.fleet_config(String::new());
    let config = profile.link_config(1, fleet.filters());
    let (link, mut heard) = Link::start(config)?;
    let (events, events_in) = mpsc::channel(2);
    let ports = Ports { link: LinkPort(link), store: NoStore, ui: NoUi, clock: Clock(Instant::now()) };
    let engine = start(fleet, Restored::default(), events_in, ports);
    let mut counters = engine.counters();
    tokio::spawn(async move {
        while let Some(next) = heard.recv_together().await {
            let event = match next {
                Next::Messages(batch) => LinkEvent::Messages(batch),
                Next::Event(link::Event::Up { session_present, granted }) => {
                    LinkEvent::Up { resumed: session_present, granted }
                }
                Next::Event(link::Event::Shed { topics }) => LinkEvent::Shed { topics },
                Next::Event(_) => continue,
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
    println!("up");
    answer(&mut counters).await?;
    engine.stop().await;
    Ok(())
}

struct LinkPort(Link);

impl port::Link for LinkPort {
    fn publish(&mut self, _: port::Publish, _: u64) -> Result<(), port::NotSent> {
        Ok(())
    }

    fn subscribe(&mut self, filters: Vec<String>) {
        self.0.subscribe(filters);
    }

    fn acknowledge(&mut self, deliveries: Vec<port::Delivery>) {
        self.0.acknowledge_all(deliveries.into_iter().map(|delivery| delivery.0));
    }
}

struct NoStore;

impl port::Store for NoStore {
    fn commit(&mut self, _: Arc<Vec<Write>>) -> impl Future<Output = Result<(), StoreFault>> + Send + 'static {
        std::future::ready(Ok(()))
    }

    fn history(&mut self, _: HistoryQuery) -> impl Future<Output = Result<History, StoreFault>> + Send + 'static {
        std::future::ready(Ok(History::default()))
    }

    fn alarms_of(
        &mut self,
        _: ThingKey,
        _: Range<WallMs>,
        _: usize,
    ) -> impl Future<Output = Result<Vec<Alarm>, StoreFault>> + Send + 'static {
        std::future::ready(Ok(Vec::new()))
    }

    fn stats(&mut self) -> impl Future<Output = Result<StoreStats, StoreFault>> + Send + 'static {
        std::future::ready(Ok(StoreStats::default()))
    }
}

struct NoUi;

impl port::Ui for NoUi {
    fn push(&mut self, _: WindowId, _: Parcel) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn close(&mut self, _: WindowId) {}

    fn alert(&mut self, _: port::Alert) {}

    fn happened(&mut self, _: port::Happened) {}
}

struct Clock(Instant);

impl port::Clock for Clock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { wall: WallMs(wall.as_millis() as i64), mono: MonoMs(self.0.elapsed().as_millis() as u64) }
    }
}

/// The demo city's profile with its rules, for this broker.
fn profile(url: &str, protocol: &str, folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let demo = include_str!("../../../assets/profiles/demo.toml");
    let replaced = [
        ("name = \"Demo city\"", "name = \"Bench\"".to_owned()),
        ("url = \"mqtt://127.0.0.1:1883\"", format!("url = \"{url}\"")),
        ("protocol = \"5\"", format!("protocol = \"{protocol}\"")),
    ];
    let mut text = demo.to_owned();
    for (line, with) in replaced {
        if !text.contains(line) {
            return Err(format!("the demo's profile has no line {line:?} any more").into());
        }
        text = text.replacen(line, &with, 1);
    }
    let path = folder.join("profile.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// The connection of the programs that are compared with.
fn connection(address: &str, manual: bool) -> Result<(AsyncClient, EventLoop), Failure> {
    let (host, port) = address.rsplit_once(':').ok_or("an address has a port")?;
    let mut options = MqttOptions::new("bench-bare", host, port.parse()?);
    options.set_manual_acks(manual).set_max_packet_size(1 << 20, 1 << 20);
    // As many acknowledgements as there are packet ids must fit.
    Ok(AsyncClient::new(options, 70_000))
}

fn qos_of(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

/// A bare subscriber that only counts.
pub async fn bare(address: &str, qos: u8) -> Result<(), Failure> {
    let (client, mut events) = connection(address, false)?;
    client.subscribe(FILTER, qos_of(qos)).await?;
    let count = Arc::new(AtomicU64::new(0));
    answer_when_here(Arc::clone(&count));
    loop {
        match events.poll().await? {
            Event::Incoming(Packet::SubAck(_)) => println!("up"),
            Event::Incoming(Packet::Publish(_)) => {
                count.fetch_add(1, Ordering::Relaxed);
            }
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}

/// The simplest program that keeps what it hears: JSON read into a tree, one wide row a message, one transaction for what has gathered,
/// which is handed over in batches; at QoS 1 it acknowledges after the commit.
pub async fn wide(address: &str, qos: u8, folder: &Path) -> Result<(), Failure> {
    let (client, mut events) = connection(address, qos > 0)?;
    client.subscribe(FILTER, qos_of(qos)).await?;
    let heard: Arc<Mutex<Vec<Publish>>> = Arc::default();
    let stored = Arc::new(AtomicU64::new(0));
    answer_when_here(Arc::clone(&stored));
    let (file, waiting) = (folder.join("wide.db"), Arc::clone(&heard));
    std::thread::spawn(move || {
        if let Err(error) = keep(&file, &client, &waiting, &stored) {
            eprintln!("the wide table: {error}");
            std::process::exit(1);
        }
    });
    loop {
        match events.poll().await? {
            Event::Incoming(Packet::SubAck(_)) => println!("up"),
            Event::Incoming(Packet::Publish(publish)) => locked(&heard).push(publish),
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}

/// The columns of the wide table, which are the names of all values of the city.
const COLUMNS: [&str; 13] = [
    "dim_pct",
    "on",
    "power_w",
    "temp_c",
    "burning_h",
    "fill_pct",
    "battery_pct",
    "free",
    "free_accessible",
    "free_charging",
    "state",
    "power_kw",
    "energy_kwh",
];

fn keep(file: &Path, client: &AsyncClient, heard: &Mutex<Vec<Publish>>, stored: &AtomicU64) -> Result<(), Failure> {
    let mut connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let columns = COLUMNS.map(|column| format!("\"{column}\"")).join(", ");
    connection.execute_batch(&format!("CREATE TABLE wide (topic TEXT NOT NULL, ts INTEGER NOT NULL, {columns})"))?;
    let marks = (3..COLUMNS.len() + 3).map(|n| format!(", ?{n}")).collect::<String>();
    let insert = format!("INSERT INTO wide (topic, ts, {columns}) VALUES (?1, ?2{marks})");
    loop {
        std::thread::sleep(POLL);
        let batch = std::mem::take(&mut *locked(heard));
        if batch.is_empty() {
            continue;
        }
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare_cached(&insert)?;
        for publish in &batch {
            let payload: Value = serde_json::from_slice(&publish.payload)?;
            statement.raw_bind_parameter(1, publish.topic.as_str())?;
            statement.raw_bind_parameter(2, payload.get("ts").and_then(Value::as_i64).ok_or("no time")?)?;
            let values = payload.get("values").ok_or("no values")?;
            for (n, column) in COLUMNS.iter().enumerate() {
                let at = n + 3;
                match values.get(column) {
                    Some(Value::Number(number)) => statement.raw_bind_parameter(at, number.as_f64())?,
                    Some(Value::Bool(flag)) => statement.raw_bind_parameter(at, flag)?,
                    Some(Value::String(text)) => statement.raw_bind_parameter(at, text.as_str())?,
                    Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
                        statement.raw_bind_parameter(at, rusqlite::types::Null)?;
                    }
                }
            }
            statement.raw_execute()?;
        }
        drop(statement);
        transaction.commit()?;
        for publish in batch.iter().filter(|publish| publish.qos != QoS::AtMostOnce) {
            client.try_ack(publish)?;
        }
        stored.fetch_add(batch.len() as u64, Ordering::Relaxed);
    }
}
