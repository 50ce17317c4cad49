//! `cargo xtask bench ingest`: what a message costs from the broker onto the disk, beside the simplest programs that hear the same.
//!
//! Through Mosquitto at QoS 0 and 1: 10 000 things at a steady rate that everybody keeps up with, so that the figure is processor
//! time (user and system) a message of the subscriber's process, after a warm-up in which every thing has spoken. Against a broker of our own that
//! sends as fast as it is read: messages a second besides. At QoS 0 the app sheds what it cannot keep up with, at QoS 1 it has the
//! broker wait. Each subscriber, and who sends, is a process of its own.
//!
//! With `--json` one object is printed, without it a table.

#![expect(clippy::indexing_slicing, reason = "a JSON value has a place for every name")]

mod child;
mod sender;
mod subscriber;
mod traffic;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::place;
use serde_json::{Value, json};

use child::{Cpu, Role};
use traffic::THINGS;

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// How long everybody listens in each measurement, in seconds.
const SECONDS: usize = 5;
/// Messages a second through Mosquitto by QoS; it takes about twice that on two cores.
const PER_S: [usize; 2] = [30_000, 12_000];
/// What is said before anything is measured: twice by every thing, in a second.
const WARM_UP: usize = 2 * THINGS;
/// A subscriber that has not heard everything by then never will.
const WITHIN: Duration = Duration::from_secs(60);
/// A broken run ends here; what it started ends with its stdin.
const ALL_WITHIN: Duration = Duration::from_secs(600);
/// From the start of `mosquitto_sub`, and from when the app's host has started, until they have subscribed, of which they say nothing.
const SUBSCRIBES_WITHIN: Duration = Duration::from_millis(700);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A lock that one of its holders may have died with: what it guards has no half-changed state.
fn locked<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Fleetlens,
    /// The same at MQTT 5, where rumqttc writes each PUBACK by itself. Everybody else speaks 3.1.1, as `mosquitto_sub` does.
    FleetlensMqtt5,
    /// The first without its cache.
    WithoutCache,
    /// A bare rumqttc that counts.
    Bare,
    /// rumqttc, serde_json, one wide row a message.
    Wide,
    MosquittoSub,
}

impl Who {
    fn word(self) -> &'static str {
        match self {
            Who::Fleetlens => "fleetlens",
            Who::FleetlensMqtt5 => "fleetlens_mqtt5",
            Who::WithoutCache => "fleetlens_without_cache",
            Who::Bare => "rumqttc_counting",
            Who::Wide => "rumqttc_json_wide_row",
            Who::MosquittoSub => "mosquitto_sub",
        }
    }

    /// Whether it says what became of the messages.
    fn counts(self) -> bool {
        matches!(self, Who::Fleetlens | Who::FleetlensMqtt5 | Who::WithoutCache)
    }
}

/// What one subscriber did in one measurement.
struct Figures {
    who: Who,
    sent: u64,
    /// From the first order to its last answer.
    seconds: f64,
    cpu: Cpu,
    counts: Value,
    lost: u64,
}

impl Figures {
    fn us(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.sent as f64
    }

    fn cpu_us(&self) -> f64 {
        self.us(self.cpu.all_s)
    }

    /// The thread that writes the cache.
    fn store_us(&self) -> f64 {
        self.us(self.cpu.threads_s.get("fleetlens-store").copied().unwrap_or_default())
    }

    fn per_s(&self) -> f64 {
        self.sent as f64 / self.seconds
    }

    fn as_json(&self) -> Value {
        let mut figures = json!({
            "messages": self.sent, "seconds": rounded(self.seconds), "messages_per_s": self.per_s().round(),
            "cpu_us_per_message": rounded(self.cpu_us()), "lost": self.lost,
        });
        if self.who.counts() {
            figures["cpu_us_per_message_of_the_store_thread"] = rounded(self.store_us()).into();
            figures["counts"] = self.counts.clone();
            let stored = self.counts["stored"].as_f64().unwrap_or_default();
            figures["stored_per_s"] = (stored / self.seconds).round().into();
        }
        figures
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["role", role @ ..] => play(role),
        _ => conduct(arguments.contains(&"--json"), arguments.iter().find(|word| !word.starts_with("--")).copied()),
    }
}

/// A process of a measurement.
fn play(role: &[&str]) -> Result<(), Failure> {
    match role {
        ["stub", qos] => sender::stub(qos.parse()?),
        ["publisher", address, qos] => sender::publisher(address, qos.parse()?),
        // As many threads as the app's own programs have.
        ["fleetlens", address, protocol, folder] => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(subscriber::app(&format!("mqtt://{address}"), protocol, Path::new(folder))),
        ["without_cache", address, protocol, folder] => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(subscriber::without_cache(&format!("mqtt://{address}"), protocol, Path::new(folder))),
        ["bare", address, qos] => one_thread()?.block_on(subscriber::bare(address, qos.parse()?)),
        ["wide", address, qos, folder] => {
            one_thread()?.block_on(subscriber::wide(address, qos.parse()?, Path::new(folder)))
        }
        _ => Err(format!("there is no role {role:?}").into()),
    }
}

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Measures everything, or what has this word in its name, and prints it.
fn conduct(as_json: bool, only: Option<&str>) -> Result<(), Failure> {
    let is_wanted = |name: &str| only.is_none_or(|word| name.contains(word));
    // A watchdog with nothing else to do.
    std::thread::spawn(|| {
        std::thread::sleep(ALL_WITHIN);
        eprintln!("the benchmark does not come to an end");
        std::process::exit(1);
    });
    let mut measured = Vec::new();
    for (name, qos) in [("mosquitto_qos0", 0), ("mosquitto_qos1", 1)] {
        if is_wanted(name) {
            measured.push((name, through_mosquitto(qos)?));
        }
    }
    for (name, qos) in [("stub_qos0", 0), ("stub_qos1", 1)] {
        if is_wanted(name) {
            measured.push((name, against_the_stub(qos)?));
        }
    }
    if as_json {
        println!("{}", report(&measured));
    } else {
        table(&measured);
    }
    Ok(())
}

/// A subscriber on its way up.
fn subscribe(who: Who, address: &str, qos: u8, folder: &Path) -> Result<Role, Failure> {
    let (qos, folder) = (qos.to_string(), folder.to_str().ok_or("a folder whose name is text")?);
    match who {
        Who::Fleetlens => Role::start(&["fleetlens", address, "3.1.1", folder]),
        Who::FleetlensMqtt5 => Role::start(&["fleetlens", address, "5", folder]),
        Who::WithoutCache => Role::start(&["without_cache", address, "3.1.1", folder]),
        Who::Bare => Role::start(&["bare", address, &qos]),
        Who::Wide => Role::start(&["wide", address, &qos, folder]),
        Who::MosquittoSub => {
            let program = place::system_program("mosquitto_sub").ok_or("the benchmark needs mosquitto_sub")?;
            let (host, port) = address.rsplit_once(':').ok_or("an address has a port")?;
            let total = (WARM_UP + SECONDS * PER_S[usize::from(qos != "0")]).to_string();
            Role::start_other(
                Command::new(program).args(["-h", host, "-p", port, "-t", "city/#", "-q", &qos, "-C", &total]),
            )
        }
    }
}

/// Everybody in turn, at a steady rate.
fn through_mosquitto(qos: u8) -> Result<Vec<Figures>, Failure> {
    let per_s = PER_S[usize::from(qos)];
    let mut figures = Vec::new();
    for who in [Who::MosquittoSub, Who::Bare, Who::Wide, Who::WithoutCache, Who::Fleetlens, Who::FleetlensMqtt5] {
        let broker = Mosquitto::start_shipped("bench-ingest").ok_or("the benchmark needs mosquitto")?;
        let url = broker.url();
        let address = url.trim_start_matches("mqtt://");
        let folder = tempfile::tempdir()?;
        let mut publisher = Role::start(&["publisher", address, &qos.to_string()])?;
        publisher.hear("up")?;
        let mut subscriber = subscribe(who, address, qos, folder.path())?;
        if who != Who::MosquittoSub {
            subscriber.hear("up")?;
        }
        // There is nothing to wait for: neither says when its SUBACK came.
        if who == Who::MosquittoSub || who.counts() {
            std::thread::sleep(SUBSCRIBES_WITHIN);
        }
        let of = |count: usize, per_s: usize| format!("count {count} {per_s}");
        figures.push(measure(who, &mut subscriber, &mut publisher, &of(SECONDS * per_s, per_s))?);
    }
    Ok(figures)
}

/// Everybody in turn, as fast as they read.
fn against_the_stub(qos: u8) -> Result<Vec<Figures>, Failure> {
    let mut figures = Vec::new();
    for who in [Who::Bare, Who::Wide, Who::WithoutCache, Who::Fleetlens] {
        let folder = tempfile::tempdir()?;
        let mut stub = Role::start(&["stub", &qos.to_string()])?;
        let address = format!("127.0.0.1:{}", stub.hear("port")?);
        let mut subscriber = subscribe(who, &address, qos, folder.path())?;
        subscriber.hear("up")?;
        figures.push(measure(who, &mut subscriber, &mut stub, &format!("seconds {SECONDS}"))?);
    }
    Ok(figures)
}

/// Warms up, then has everything sent, and looks at what the subscriber took for it.
fn measure(who: Who, subscriber: &mut Role, sender: &mut Role, order: &str) -> Result<Figures, Failure> {
    let is_ours = who != Who::MosquittoSub;
    sender.tell(&format!("count {WARM_UP} {WARM_UP}"))?;
    let warm: u64 = sender.hear("sent")?.parse()?;
    let before = if is_ours {
        subscriber.tell(&warm.to_string())?;
        serde_json::from_str(&subscriber.hear("done")?)?
    } else {
        Value::Null
    };
    let (cpu, start) = (subscriber.cpu()?, Instant::now());
    sender.tell(order)?;
    let sent: u64 = sender.hear("sent")?.parse()?;
    let mut counts = Value::Null;
    let mut lost = 0;
    if is_ours {
        subscriber.tell(&(warm + sent).to_string())?;
        counts = serde_json::from_str(&subscriber.hear("done")?)?;
        if let (Value::Object(counts), Value::Object(before)) = (&mut counts, &before) {
            for (name, count) in counts {
                let was = before.get(name).and_then(Value::as_u64).unwrap_or_default();
                *count = count.as_u64().unwrap_or_default().saturating_sub(was).into();
            }
        }
        let of = |name: &str| counts[name].as_u64().unwrap_or_default();
        let kept = if who.counts() { of("stored") + of("shed") } else { of("received") };
        lost = sent.saturating_sub(kept);
    } else if !subscriber.ends_within(WITHIN)? {
        return Err("mosquitto_sub did not hear everything".into());
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Figures { who, sent, seconds, cpu: subscriber.cpu()?.since(&cpu), counts, lost })
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// What each measurement is to show: the app's processor time a message over another's, and at most how much that may be.
const GOALS: [(&str, Who, f64); 4] = [
    ("mosquitto_qos0", Who::MosquittoSub, 1.15),
    ("mosquitto_qos1", Who::MosquittoSub, 1.0),
    ("stub_qos0", Who::Wide, 1.5),
    ("stub_qos1", Who::Wide, 1.5),
];

/// Messages a second that the app is to take from the stub.
const STUB_PER_S: f64 = 600_000.0;

fn report(measured: &[(&str, Vec<Figures>)]) -> Value {
    let mut whole = json!({
        "name": "ingest", "things": THINGS,
        "guarantee": "at QoS 1 stored and on the disk before it is acknowledged",
    });
    for (name, figures) in measured {
        let app = figures.iter().find(|figures| figures.who == Who::Fleetlens);
        let mut one = json!({});
        for figures in figures {
            one[figures.who.word()] = figures.as_json();
        }
        if let Some(app) = app {
            for other in figures.iter().filter(|other| !matches!(other.who, Who::Fleetlens | Who::FleetlensMqtt5)) {
                one[format!("cpu_ratio_to_{}", other.who.word())] = rounded(app.cpu_us() / other.cpu_us()).into();
            }
            for (_, other, goal) in GOALS.iter().filter(|(of, ..)| of == name) {
                one["goal"][format!("cpu_ratio_to_{}", other.word())] = (*goal).into();
            }
            one["goal"]["lost"] = 0.into();
            if name.starts_with("stub") {
                one["goal"]["messages_per_s"] = STUB_PER_S.into();
            }
        }
        whole[*name] = one;
    }
    whole
}

fn table(measured: &[(&str, Vec<Figures>)]) {
    for (name, figures) in measured {
        println!("{name}");
        let app = figures.iter().find(|figures| figures.who == Who::Fleetlens).map(Figures::cpu_us);
        for one in figures {
            let ratio = app.map_or(f64::NAN, |app| app / one.cpu_us());
            println!(
                "  {:<22} {:>9.0} messages/s  {:>7.3} µs a message  (Fleetlens is {ratio:.2} of it)  {} lost",
                one.who.word(),
                one.per_s(),
                one.cpu_us(),
                one.lost,
            );
            if one.who.counts() {
                println!("    {}; without the store's thread {:.3} µs", one.counts, one.cpu_us() - one.store_us());
                for (thread, s) in &one.cpu.threads_s {
                    println!("    {thread:<20} {:.3} µs", one.us(*s));
                }
            }
        }
    }
}
