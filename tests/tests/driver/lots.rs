//! Car parks around Valletta that say what the test says: free, full, old, never counted, and one for charging. And a lamp, and a
//! bin on fire, which are none of a driver's business.

use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::Page;
use fleetlens_tests::peer::Peer;
use serde_json::{Value, json};

use super::super::both::told;
use super::screen;

/// How old the count of the old one is; its interval is a minute, and three of these are old.
pub const OLD_MIN: i64 = 26;

/// A described car park.
pub struct Park {
    /// Its name on the broker.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// In all, accessible, charging; `None` is not described.
    capacities: [Option<u32>; 3],
}

impl Park {
    /// Whether it stands between the others.
    pub fn is_in_the_middle(&self) -> bool {
        self.title == CHARGING
    }
}

/// Has 20 of 50 spaces, 2 of 4 accessible ones and 1 of 2 charging ones.
pub const FREE: &str = "Harbour";
/// Has none, of either class.
pub const FULL: &str = "Bastion";
/// Never said a number.
pub const SILENT: &str = "Granary";
/// Said 12 long ago.
pub const OLD: &str = "Arsenal";
/// Has no accessible spaces, and says so; both charging ones are free.
pub const CHARGING: &str = "Sparks";

/// All of them, far enough apart on a phone for each pin to have its words.
pub const PARKS: [Park; 5] = [
    Park { name: "parking-free", title: FREE, lon: 14.5115, lat: 35.8983, capacities: [Some(50), Some(4), Some(2)] },
    Park { name: "parking-full", title: FULL, lon: 14.5025, lat: 35.8983, capacities: [Some(30), Some(2), None] },
    Park { name: "parking-silent", title: SILENT, lon: 14.5025, lat: 35.8938, capacities: [Some(80), None, None] },
    Park { name: "parking-old", title: OLD, lon: 14.5115, lat: 35.8938, capacities: [Some(40), None, None] },
    Park {
        name: "parking-sparks",
        title: CHARGING,
        lon: 14.507,
        lat: 35.8960,
        capacities: [Some(9), Some(0), Some(2)],
    },
];

/// The client through which they speak.
pub struct Lots {
    peer: Peer,
}

impl Lots {
    /// Describes everything (retained), and says what was said before anybody looked: the old count, the fire.
    pub async fn describe(url: &str) -> Lots {
        let lots = Lots { peer: Peer::connect(url, "lots", &["city/x/parking/+/telemetry"]).await };
        for park in &PARKS {
            let mut meta = json!({ "kind": "parking", "name": park.title, "lat": park.lat, "lon": park.lon,
                "area": "Valletta", "street": "Triq il-Kanun", "interval_s": 60 });
            for (key, capacity) in ["capacity", "capacity_accessible", "capacity_charging"].iter().zip(park.capacities)
            {
                if let Some(capacity) = capacity {
                    meta[*key] = capacity.into();
                }
            }
            lots.retained("parking", park.name, "meta", meta).await;
        }
        for (kind, name) in [("lamp", "lamp-7"), ("bin", "bin-7")] {
            let meta = json!({ "kind": kind, "name": format!("Burning {kind}"), "lat": 35.8955, "lon": 14.5045, "interval_s": 600 });
            lots.retained(kind, name, "meta", meta).await;
        }
        let now = now_ms();
        lots.retained("bin", "bin-7", "telemetry", json!({ "ts": now, "values": { "temp_c": 80, "fill_pct": 9 } }))
            .await;
        lots.retained("lamp", "lamp-7", "telemetry", json!({ "ts": now, "values": { "dim_pct": 77 } })).await;
        let long_ago = now - OLD_MIN * 60_000;
        lots.retained("parking", "parking-old", "telemetry", json!({ "ts": long_ago, "values": { "free": 12 } })).await;
        // Who comes now finds all of it there.
        lots.peer.wait_for("the broker to have it", |m| m.topic.contains("parking-old").then_some(())).await;
        lots
    }

    /// What is counted while somebody looks.
    pub async fn count(&self) {
        self.say("parking-free", now_ms(), json!({ "free": 20, "free_accessible": 2, "free_charging": 1 })).await;
        self.say("parking-full", now_ms(), json!({ "free": 0, "free_accessible": 0 })).await;
        self.say("parking-sparks", now_ms(), json!({ "free": 5, "free_charging": 2 })).await;
    }

    /// Other accessible spaces than before, now.
    pub async fn count_accessible(&self, free: u32) {
        self.say("parking-free", now_ms(), json!({ "free": 20, "free_accessible": free, "free_charging": 1 })).await;
    }

    /// A count that was on its way for ten minutes comes after a newer one.
    pub async fn a_late_count_changes_nothing(&self, page: &Page) {
        let late = now_ms() - 600_000;
        self.say("parking-free", late, json!({ "free": 3, "free_accessible": 1, "free_charging": 2 })).await;
        self.say("parking-sparks", now_ms(), json!({ "free": 6, "free_charging": 2 })).await;
        screen::wait_for_lots(page, "the count after the late one", |lots| screen::lot(lots, CHARGING).count == "6")
            .await;
        let lots = screen::lots(page).await;
        let free = screen::lot(&lots, FREE);
        assert_eq!(free.count, "20", "a late count replaced a newer one");
        assert!(free.age_s().is_some_and(|age| age < 180), "{free:?}");
        told("a count that comes late replaces no newer one");
    }

    /// Says goodbye.
    pub async fn leave(self) {
        self.peer.leave().await;
    }

    async fn say(&self, name: &str, ts: i64, values: Value) {
        let payload = json!({ "ts": ts, "values": values }).to_string();
        self.peer.publish(&format!("city/x/parking/{name}/telemetry"), payload).await;
    }

    async fn retained(&self, kind: &str, name: &str, last: &str, payload: Value) {
        self.peer.publish_retained(&format!("city/x/{kind}/{name}/{last}"), payload.to_string()).await;
    }
}
