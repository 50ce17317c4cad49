//! A street on Mosquitto: bins, a lamp and a vehicle, which say only what the test says, and profiles to look at them with.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::{ProfileText, fire, full};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The name of the profile that is used first.
pub const PROFILE: &str = "Street";

/// The name of another that can be chosen, on a broker that guarantees nothing.
pub const OTHER_PROFILE: &str = "Harbour";

/// How many bins stand close together.
pub const BINS: usize = 20;

/// How long a bin must be full before it is an alarm, in seconds, as the rule has it.
pub const ON_DELAY_S: u64 = 2;

/// When a person is needed here.
fn rules() -> String {
    let causes = "cause = \"hot ash\"\nconsequence = \"it spreads\"";
    let fire = fire(&format!("deadband = 15\n{causes}"));
    let full = full(&format!("for = \"{ON_DELAY_S} s\"\ndeadband = 10"));
    fire + full.as_str() + OTHERS
}

/// Of the lamp and the vehicle.
const OTHERS: &str = r#"
[[alarm]]
id = "stubborn"
name = "does not obey"
kind = "lamp"
when = "not converged"
for = "3 s"
what_to_do = "look at its driver"

[[alarm]]
id = "silent"
kind = "vehicle"
when = "silent"
what_to_do = "check power and radio"
"#;

/// The street and everything behind it.
pub struct Street {
    /// Its broker.
    pub broker: Mosquitto,
    /// A lamp that reports and obeys nothing.
    pub lamp: Lamp,
    bins: Peer,
    harbour: Mosquitto,
    service: ShadowService,
    data: PathBuf,
    profile: PathBuf,
}

impl Street {
    /// Everything described, nothing wrong yet; the profiles are written into a data folder. `None` without Mosquitto.
    pub async fn start(name: &str, data: &Path) -> Option<Street> {
        let broker = Mosquitto::start(name)?;
        let harbour = Mosquitto::start_without_guarantee(&format!("{name}-harbour"))?;
        let at = BrokerAt { url: broker.url(), credentials: None };
        let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
        service.ready().await;
        let lamp = Lamp::start(&broker.url(), "lamp-0042").await;
        let bins = Peer::connect(&broker.url(), &format!("{name}-bins"), &[]).await;
        for n in 1..=BINS {
            let (lat, lon) = (35.8978 + n as f64 * 1e-5, 14.5125 + (n % 5) as f64 * 1e-5);
            let meta = json!({ "kind": "bin", "name": title(n), "lat": lat, "lon": lon, "area": "Valletta",
                "street": "Triq il-Merkanti", "interval_s": 600, "units": { "fill_pct": "%", "temp_c": "°C" } });
            bins.publish_retained(&topic(n, "meta"), meta.to_string()).await;
        }
        let bus = json!({ "kind": "vehicle", "name": "Bus 7", "lat": 35.91, "lon": 14.50, "interval_s": 5 });
        bins.publish_retained("city/valletta/vehicle/bus-7/meta", bus.to_string()).await;
        let folder = data.join("profiles");
        fs::create_dir_all(&folder).unwrap();
        let write = |file: &str, text: String| {
            let path = folder.join(file);
            fs::write(&path, text).unwrap();
            path
        };
        let profile = write("street.toml", ProfileText::new(PROFILE, broker.url()).toml() + rules().as_str());
        write("harbour.toml", ProfileText::new(OTHER_PROFILE, harbour.url()).toml());
        write("broken.toml", "name = \"Broken\"\n[broker]\nurl = 5\n".to_owned());
        Some(Street { broker, lamp, bins, harbour, service, data: data.to_owned(), profile })
    }

    /// What the program is told.
    pub fn profile(&self) -> &str {
        self.profile.to_str().expect("a temporary folder has a plain name")
    }

    /// Every bin is calm, the lamp burns.
    pub async fn speaks(&self) {
        for n in 1..=BINS {
            self.bin(n, json!({ "fill_pct": 10, "temp_c": 21.0 })).await;
        }
        self.lamp.measure_now().await;
    }

    /// The bus speaks, and then never again: a minute later that is an alarm.
    pub async fn the_bus_speaks_for_the_last_time(&self) {
        self.bins.publish("city/valletta/vehicle/bus-7/telemetry", r#"{"values":{"speed_kmh":0}}"#).await;
    }

    /// What a bin measures now.
    pub async fn bin(&self, n: usize, values: Value) {
        self.bins.publish(&topic(n, "telemetry"), json!({ "values": values }).to_string()).await;
    }

    /// The lamp says something nobody can read.
    pub async fn lamp_stammers(&self) {
        self.bins.publish(LAMP_TOPIC, STAMMER).await;
    }

    /// Somebody else wants something of the lamp.
    pub async fn somebody_wants(&self, desired: Value) {
        let topic = format!("$aws/things/{}/shadow/update", self.lamp.name());
        self.bins.publish(&topic, json!({ "state": { "desired": desired } }).to_string()).await;
    }

    /// On the other broker a bin says more at once than anybody can keep, and never waits for an answer.
    pub async fn the_harbour_chatters(&self) {
        let connect = b"\x10\x17\x00\x04MQTT\x04\x02\x00\x3c\x00\x0bharbour-bin";
        let disconnect = b"\xe0\x00";
        let mut chatter = Vec::new();
        for n in 0..CHATTER {
            let payload = json!({ "values": { "fill_pct": n % 100 } }).to_string();
            let rest = u8::try_from(2 + HARBOUR_TOPIC.len() + payload.len()).expect("one byte says the length");
            assert!(rest < 128, "a longer packet has a longer length");
            chatter.extend([0x30, rest, 0, HARBOUR_TOPIC.len() as u8]);
            chatter.extend(HARBOUR_TOPIC.bytes());
            chatter.extend(payload.bytes());
        }
        let mut bin = TcpStream::connect(self.harbour.url().trim_start_matches("mqtt://"))
            .await
            .expect("the harbour's broker listens");
        bin.write_all(connect).await.expect("the harbour's broker reads");
        let mut answer = [0; 4];
        bin.read_exact(&mut answer).await.expect("the harbour's broker answers");
        assert_eq!(answer, [0x20, 2, 0, 0], "the harbour's broker takes everybody");
        bin.write_all(&chatter).await.expect("the harbour's broker reads on");
        bin.write_all(disconnect).await.expect("the harbour's broker reads to the end");
    }

    /// Nothing can be written into the cache of the harbour until what this returns is dropped: a backup program holds it.
    pub fn the_harbours_cache_is_held(&self) -> Connection {
        let cache = fs::read_dir(&self.data)
            .expect("the data folder is there")
            .map(|entry| entry.expect("and can be read").path())
            .find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("profile-harbour") && name.ends_with(".db")
            })
            .expect("the harbour has a cache");
        let held = Connection::open(cache).expect("the cache opens");
        held.busy_timeout(Duration::from_secs(5)).expect("it takes a time-out");
        held.execute_batch("BEGIN IMMEDIATE").expect("between two of the program's own transactions");
        held
    }

    /// The broker is started again, and everybody is back on it.
    pub async fn broker_comes_back(&mut self) {
        self.broker.start_again();
        self.bins.wait_until_up().await;
        self.lamp.peer().wait_until_up().await;
    }

    /// Ends what runs in this program.
    pub async fn end(self) {
        self.bins.leave().await;
        self.service.stop().await;
    }
}

/// Where the harbour's bin speaks, and how often at once: more than the engine and the inbox of its link hold together.
pub const HARBOUR_TOPIC: &str = "city/harbour/bin/bin-77/telemetry";
const CHATTER: usize = 100_000;

/// Where the lamp speaks.
pub const LAMP_TOPIC: &str = "city/valletta/lamp/lamp-0042/telemetry";

/// What it says when it stammers.
pub const STAMMER: &str = r#"{"values": {"dim_pct": 1"#;

/// What people call a bin.
pub fn title(n: usize) -> String {
    format!("Bin {n:02}")
}

/// A bin's name.
pub fn name(n: usize) -> String {
    format!("bin-{n:02}")
}

fn topic(n: usize, last: &str) -> String {
    format!("city/valletta/bin/{}/{last}", name(n))
}
