//! One scripted lamp: what the demo city's devices say, said only when the test says so.

use fleetlens_model::shadow::Document;
use fleetlens_wire::shadow::{Answer, ShadowTopic, decode_answer, encode_get};
use serde_json::{Value, json};

use crate::peer::Peer;

/// A lamp in Valletta that speaks through a client of the test's.
pub struct Lamp {
    peer: Peer,
    name: String,
    asked: u64,
}

impl Lamp {
    /// Connects, describes itself (retained) and reports a classic shadow; it has not measured anything yet. Needs a shadow service on the broker.
    pub async fn start(url: &str, name: &str) -> Lamp {
        let shadow = format!("$aws/things/{name}/shadow/#");
        let peer = Peer::connect(url, name, &[&shadow]).await;
        let mut lamp = Lamp { peer, name: name.to_owned(), asked: 0 };
        let meta = json!({
            "kind": "lamp", "name": format!("Lamp {}", name.trim_start_matches("lamp-")), "lat": 35.8978, "lon": 14.5125,
            "area": "Valletta", "street": "Triq ir-Repubblika", "interval_s": 10, "synthetic": ["name"],
            "units": { "dim_pct": "%", "power_w": "W", "temp_c": "°C" },
        });
        let topic = lamp.topic("meta");
        lamp.peer.publish_retained(&topic, meta.to_string()).await;
        lamp.report(&json!({ "dim_pct": 100, "on": true, "firmware": "2.4.1" })).await;
        lamp.document().await;
        lamp
    }

    /// The client it speaks through.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What a lamp at full light measures, now.
    pub async fn measure_now(&self) {
        self.measure(now_ms(), &json!({ "dim_pct": 100, "power_w": 61.5, "temp_c": 24.0 })).await;
    }

    /// A message of telemetry, measured at `ts` (epoch milliseconds).
    pub async fn measure(&self, ts: i64, values: &Value) {
        self.peer.publish(&self.topic("telemetry"), json!({ "ts": ts, "values": values }).to_string()).await;
    }

    /// Reports leaves of its classic shadow.
    pub async fn report(&self, reported: &Value) {
        let topic = format!("$aws/things/{}/shadow/update", self.name);
        self.peer.publish(&topic, json!({ "state": { "reported": reported } }).to_string()).await;
    }

    /// Its classic shadow as the service holds it now.
    pub async fn document(&mut self) -> Document {
        self.asked += 1;
        let token = format!("test-{}", self.asked);
        self.peer.publish(&format!("$aws/things/{}/shadow/get", self.name), encode_get(&token)).await;
        self.peer
            .wait_for("the answer to a get", |message| {
                let topic = ShadowTopic::parse(&message.topic).ok()?;
                if let Answer::Got { document, token: answered } = decode_answer(&topic, &message.payload).ok()?
                    && answered.as_deref() == Some(&token)
                {
                    return Some(document);
                }
                None
            })
            .await
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn topic(&self, last: &str) -> String {
        format!("city/valletta/lamp/{}/{last}", self.name)
    }
}

/// The wall clock, epoch milliseconds.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
