//! `cargo xtask bench city`: a city of 10 000 things that says 5 000 messages a second for a minute through Mosquitto, and what of it is
//! on the disk afterwards; with the configuration of Mosquitto that Fleetlens ships and, beside it, with Mosquitto's own. With `--json`
//! one object is printed, without it sentences.

use std::fmt;
use std::time::{Duration, Instant};

use fleetlens_host::{CityOptions, Counters, Host, HostOptions};
use fleetlens_sim::{BrokerAt, City};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use serde_json::{Value, json};

/// A broken run ends here.
const WITHIN: Duration = Duration::from_secs(300);

type Failure = Box<dyn std::error::Error>;

/// How many things, and how many messages a second they say together.
const THINGS: usize = 10_000;
const PER_S: f64 = 5_000.0;
/// How long they are listened to once all have spoken.
const LISTEN: Duration = Duration::from_secs(60);
/// How often Mosquitto says how it does, by default 10 s; twice that is surely after the last message.
const SYS_WITHIN: Duration = Duration::from_secs(22);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let shipped = measure(Config::Shipped).await?;
    let plain = measure(Config::MosquittosOwn).await?;
    if as_json {
        let own = plain.as_json();
        println!("{}", json!({ "name": "city", "shipped": shipped.as_json(), "mosquittos_own_configuration": own }));
    } else {
        println!("as shipped:  {shipped}");
        println!("Mosquitto's own: {plain}");
    }
    Ok(())
}

/// How Mosquitto is configured.
#[derive(Clone, Copy)]
enum Config {
    /// As `assets/mosquitto/fleetlens.conf` says.
    Shipped,
    /// As it is without a word of ours.
    MosquittosOwn,
}

/// What came of it.
struct Minute {
    seconds: f64,
    /// Counts between the beginning and the end of the minute.
    said: u64,
    received: u64,
    /// At the end, when nothing was on its way any more.
    last: Counters,
    dropped: u64,
    behind: Duration,
}

impl Minute {
    /// Whether every message that was said is on the disk.
    fn is_all_stored(&self) -> bool {
        let Counters { received, stored, shed, repeated, .. } = self.last;
        stored + repeated == received && shed == 0 && self.dropped == 0
    }

    /// For a program.
    fn as_json(&self) -> Value {
        json!({
            "things": self.last.things, "seconds": self.seconds,
            "said_per_s": (self.said as f64 / self.seconds).round(), "received_per_s": (self.received as f64 / self.seconds).round(),
            "received": self.last.received, "stored": self.last.stored, "refused": self.last.refused, "shed": self.last.shed,
            "repeated": self.last.repeated, "dropped_by_broker": self.dropped,
            "behind_at_the_end_s": self.behind.as_secs_f64(),
            "all_stored": self.is_all_stored(),
        })
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { things, received, stored, refused, shed, .. } = self.last;
        write!(
            f,
            "{things} things, {:.0} messages/s said, {:.0} received: {received} received, {stored} stored, {refused} refused, \
             {shed} shed, {} dropped by the broker, {:.1} s behind at the end",
            self.said as f64 / self.seconds,
            self.received as f64 / self.seconds,
            self.dropped,
            self.behind.as_secs_f64(),
        )
    }
}

/// Starts a broker, the app without a window, and a city; listens a minute, then lets everything arrive.
async fn measure(config: Config) -> Result<Minute, Failure> {
    let broker = match config {
        Config::Shipped => Mosquitto::start_shipped("bench-city"),
        Config::MosquittosOwn => Mosquitto::start_plain("bench-city-plain"),
    };
    let broker = broker.ok_or("the benchmark needs mosquitto")?;
    let folder = tempfile::tempdir()?;
    let profile = ProfileText::new("Bench city", broker.url()).write(folder.path());
    let host = Host::start(HostOptions {
        profile: Some(profile),
        demo: None,
        started: Instant::now(),
        ..HostOptions::demo(folder.path().join("data"))
    })
    .await?;
    let mut counters = host.counters().await;
    let onlooker = Peer::connect(&broker.url(), "bench-sys", &["$SYS/broker/publish/messages/dropped"]).await;
    let city = fleetlens_sim::start(CityOptions {
        things: THINGS,
        rate: Some(PER_S),
        broker: Some(BrokerAt { url: broker.url(), credentials: None }),
        ..CityOptions::default()
    })
    .await?;
    let all = u64::try_from(city.things())?;
    tokio::time::timeout(WITHIN, counters.wait_for(|now| now.things >= all && now.stored > 3 * all)).await??;

    let (start, before, said) = (Instant::now(), *counters.borrow(), said(&city));
    tokio::time::sleep(LISTEN).await;
    let (seconds, after) = (start.elapsed().as_secs_f64(), *counters.borrow());
    let said = self::said(&city) - said;
    city.stop().await;
    let end = Instant::now();
    let still = settled(&host).await;
    // It is told only when it changed, so there is nothing to wait for but the time.
    tokio::time::sleep(SYS_WITHIN).await;
    let mut dropped = None;
    onlooker.count(|message| {
        dropped = std::str::from_utf8(&message.payload).ok().and_then(|text| text.parse().ok());
        true
    });
    onlooker.leave().await;
    let last = *counters.borrow();
    host.stop().await;
    Ok(Minute {
        seconds,
        said,
        received: after.received - before.received,
        last,
        dropped: dropped.ok_or("mosquitto never said how many messages it dropped")?,
        behind: still.saturating_duration_since(end),
    })
}

fn said(city: &City) -> u64 {
    city.counts().published
}

/// When the last message came.
async fn settled(host: &Host) -> Instant {
    let mut counters = host.counters().await;
    loop {
        let (last, received) = (Instant::now(), counters.borrow().received);
        let more = counters.wait_for(|now| now.received > received);
        if tokio::time::timeout(Duration::from_secs(2), more).await.is_err() {
            return last;
        }
    }
}
