//! What somebody has the city's things do from its start: a new firmware for the lamps of one district, a restart of gateways, new
//! certificates for chargers.

use std::collections::BTreeMap;

use fleetlens_model::kind::Kind;
use serde_json::json;

use crate::device::Device;
use crate::jobs::NewJob;
use crate::places::slug;

/// Lamps that are given the new firmware, at most.
const LAMPS: usize = 150;
/// Gateways that are restarted, at most.
const GATEWAYS: usize = 12;
/// Chargers that are given new certificates, at most.
const CHARGERS: usize = 40;

/// How jobs go in a city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobPace {
    /// After how long the first is, in milliseconds since the city began: whoever looks on should be there.
    pub begins_ms: u64,
    /// Things a minute that are given each, at least 1.
    pub per_minute: u32,
    /// How long a device takes for a step, from and to, in milliseconds.
    pub step_ms: (u32, u32),
}

impl Default for JobPace {
    fn default() -> Self {
        JobPace { begins_ms: 10_000, per_minute: 30, step_ms: (4_000, 12_000) }
    }
}

/// The jobs of a city with these devices. A kind of which there is none has none.
pub fn rollouts(devices: &[Device], pace: JobPace) -> Vec<NewJob> {
    let of_kind = |kind| devices.iter().filter(move |device| device.kind() == kind);
    let mut districts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for lamp in of_kind(Kind::Lamp) {
        districts.entry(&lamp.spot().area).or_default().push(lamp.thing().to_owned());
    }
    let district = districts.into_iter().max_by_key(|(_, lamps)| lamps.len());
    let names = |kind| of_kind(kind).map(|device| device.thing().to_owned()).collect::<Vec<_>>();
    let job = |id: String, document, mut targets: Vec<String>, most: usize| {
        targets.truncate(most);
        let JobPace { begins_ms, per_minute, .. } = pace;
        (!targets.is_empty()).then_some(NewJob { id, document, targets, per_minute, begins_ms })
    };
    let firmware = json!({
        "operation": "firmware_update", "version": "2.5.0", "url": "https://firmware.example/lamp/2.5.0.bin",
        "sha256": "0f4d2b7c1e5a98360c7f2b1d4e8a6359f0c1d2e3a4b5968778695a4b3c2d1e0f",
    });
    let lamps = district.and_then(|(area, lamps)| job(format!("lamps-{}-2-5-0", slug(area)), firmware, lamps, LAMPS));
    let gateways = job("gateways-restart".into(), json!({ "operation": "reboot" }), names(Kind::Gateway), GATEWAYS);
    let certificates = json!({ "operation": "rotate_certificate", "authority": "city-ca-2026" });
    let chargers = job("chargers-certificates-2026".into(), certificates, names(Kind::Charger), CHARGERS);
    lamps.into_iter().chain(gateways).chain(chargers).collect()
}
