//! Areas of a profile and what is suppressed by design, through a real broker and the whole host.
#![cfg(test)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::{AlarmRow, Rows};
use fleetlens_ipc::{AlarmScope, Look};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);

const RULES: &str = r#"
[[group]]
name = "Sweepers"
words = "sweeper"

[[area]]
name = "harbour"
file = "areas.geojson"
margin_m = 100

[[alarm]]
id = "in-harbour"
name = "is in the harbour"
kind = "vehicle"
group = "Sweepers"
when = "inside('harbour')"
unless = "mode = 'maintenance'"
what_to_do = "call its driver"
"#;

/// About 900 m by 1 100 m.
const AREAS: &str = r#"{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"name": "elsewhere"}, "geometry": {"type": "Polygon", "coordinates":
  [[[15.0, 35.0], [15.1, 35.0], [15.1, 35.1], [15.0, 35.0]]]}},
{"type": "Feature", "properties": {"name": "harbour"}, "geometry": {"type": "Polygon", "coordinates":
  [[[14.50, 35.89], [14.51, 35.89], [14.51, 35.90], [14.50, 35.90], [14.50, 35.89]]]}}]}"#;

fn where_it_is(lat: f64, mode: &str) -> String {
    json!({ "values": { "lat": lat, "lon": 14.505, "mode": mode } }).to_string()
}

async fn says(peer: &Peer, name: &str, lat: f64, mode: &str) {
    peer.publish(&format!("city/west/vehicle/{name}/telemetry"), where_it_is(lat, mode)).await;
}

/// Waits until the list of a scope holds alarms of just these things, with whether each is active.
async fn listed(desk: &mut Desk, scope: AlarmScope, want: &[(&str, bool)]) -> Vec<AlarmRow> {
    let view = desk.look(Look::Alarms { scope, limit: 100 }).await;
    let rows = desk
        .wait_for(&format!("{want:?} in {scope:?}"), SOON, |desk| match desk.rows(view) {
            Some(Rows::Alarms(list)) => {
                let mut have: Vec<(&str, bool)> =
                    list.rows.iter().map(|row| (row.thing_title.as_str(), row.active)).collect();
                have.sort_unstable();
                if have == want { Ok(list.rows.clone()) } else { Err(format!("{have:?}")) }
            }
            other => Err(format!("{other:?}")),
        })
        .await;
    desk.look_away(view).await;
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vehicle_drives_into_an_area_of_a_file_and_out_of_it_and_in_maintenance_nobody_is_told() {
    let Some(broker) = Mosquitto::start("areas") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    fs::write(&file, ProfileText::new("Areas", broker.url()).toml() + RULES).unwrap();
    fs::write(folder.path().join("areas.geojson"), AREAS).unwrap();
    let vehicles = Peer::connect(&broker.url(), "areas-vehicles", &[]).await;
    for (name, title) in [("v1", "Sweeper 1"), ("v2", "Sweeper 2"), ("v3", "Van 3")] {
        let meta = json!({ "kind": "vehicle", "name": title, "interval_s": 600 });
        vehicles.publish_retained(&format!("city/west/vehicle/{name}/meta"), meta.to_string()).await;
    }
    // What the broker has kept is the last word, whether it comes before our link counts as up or after.
    let (there, out) = (35.895, 35.91);
    vehicles.publish_retained("city/west/vehicle/v2/telemetry", where_it_is(there, "auto")).await;
    let options = HostOptions {
        profile: Some(file),
        demo: None,
        broker: BrokerChoice::Own,
        ..HostOptions::demo(folder.path().join("data"))
    };
    let host = Arc::new(Host::start(options).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let rows = listed(&mut desk, AlarmScope::Open, &[("Sweeper 2", true)]).await;
    assert_eq!((rows[0].title.as_str(), rows[0].sentence.as_str()), ("Sweeper 2 is in the harbour", "in harbour"));

    says(&vehicles, "v1", out, "auto").await;
    says(&vehicles, "v3", there, "auto").await;
    says(&vehicles, "v1", there, "auto").await;
    listed(&mut desk, AlarmScope::Open, &[("Sweeper 1", true), ("Sweeper 2", true)]).await;
    // 55 m beyond the edge is within the margin, 220 m are not.
    says(&vehicles, "v1", 35.9005, "auto").await;
    says(&vehicles, "v2", 35.902, "auto").await;
    listed(&mut desk, AlarmScope::Open, &[("Sweeper 1", true), ("Sweeper 2", false)]).await;

    says(&vehicles, "v1", there, "maintenance").await;
    let hidden = listed(&mut desk, AlarmScope::Hidden, &[("Sweeper 1", true)]).await;
    assert_eq!(hidden[0].suppressed, "mode maintenance");
    listed(&mut desk, AlarmScope::Open, &[("Sweeper 2", false)]).await;
    says(&vehicles, "v1", there, "auto").await;
    listed(&mut desk, AlarmScope::Open, &[("Sweeper 1", true), ("Sweeper 2", false)]).await;
    host.stop().await;
    vehicles.leave().await;
}
