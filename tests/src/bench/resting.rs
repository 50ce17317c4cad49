//! The cache of a city at rest: what a start reads before anybody has said a word.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleetlens_host::Profile;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::{Document, Object};
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use serde_json::json;

use super::Failure;
use super::samples::{POINTERS, SERIES};
use crate::lamp::now_ms;
use crate::profile::ProfileText;

/// Every third thing has a shadow.
pub const SHADOWED: u32 = 3;

const NAME: &str = "Startup";

/// Makes a folder with `profile.toml`, whose broker is not there, and `data` with its cache of so many things; returns where that is.
pub async fn cache(folder: &Path, things: u32) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder.join("data"))?;
    // The port of "discard": nobody listens, and who connects is told so at once.
    let profile = ProfileText::new(NAME, "mqtt://127.0.0.1:9".to_owned()).write(folder);
    let cache = folder.join("data").join(Profile::read(&profile)?.cache_file());
    let (store, _) = Store::open(&cache, NAME, 1)?;
    for batch in city(things).chunks(20_000) {
        store.commit(Arc::new(batch.to_vec())).await?;
    }
    store.close().await?;
    Ok(cache)
}

/// What a cache of so many things holds: each with a description, five series with a latest value, and every third with a shadow.
pub fn city(things: u32) -> Vec<Write> {
    let mut writes = Vec::new();
    let now = now_ms();
    for thing in 1..=things {
        // In the streets that the map begins with, so that its first picture has them on it.
        let at = LonLat {
            lon_deg: 14.48 + f64::from(thing % 400) / 8_000.0,
            lat_deg: 35.88 + f64::from(thing / 400) / 8_000.0,
        };
        let meta = Meta {
            kind: Kind::Lamp,
            title: format!("Lamp {thing:06}"),
            at: Some(at),
            area: format!("Area {}", thing % 68),
            street: format!("Triq {}", thing % 3_000),
            units: [("/dim_pct", "%"), ("/power_w", "W"), ("/temp_c", "°C")]
                .map(|(p, u)| (p.to_owned(), u.to_owned()))
                .to_vec(),
            ..Meta::default()
        };
        let Ok(name) = ThingName::new(format!("lamp-{thing:06}")) else { continue };
        let thing_key = ThingKey(thing);
        writes.push(Write::Thing { thing: thing_key, name, meta: Box::new(meta) });
        for (n, pointer) in (0..).zip(POINTERS) {
            let series = SeriesKey((thing - 1) * SERIES + n + 1);
            writes.push(Write::Series { series, thing: thing_key, pointer: pointer.to_owned() });
            writes.push(Write::Sample(Sample {
                series,
                device_ms: WallMs(now - i64::from(thing % 60) * 1_000),
                received_ms: WallMs(now),
                seq: u64::from(series.0),
                value: if n == 1 { Value::Flag(true) } else { Value::Number(f64::from(thing % 1_000) / 10.0) },
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            }));
        }
        if thing % SHADOWED == 0 {
            let section = |dim_pct: u32| -> Object {
                let leaves = [("dim_pct", json!(dim_pct)), ("on", json!(true)), ("firmware", json!("2.4.1"))];
                leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            };
            let document =
                Document { desired: Some(section(80)), reported: Some(section(80)), version: 3, ..Document::default() };
            writes.push(Write::Shadow {
                thing: thing_key,
                name: String::new(),
                document: Some(Box::new(document)),
                heard_ms: WallMs(now),
            });
        }
    }
    writes
}
