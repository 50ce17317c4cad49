//! A city's own list beside the profile: its things are there before anybody speaks, and what it says stays said.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::Rows;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;

use super::listener::Listener;

const CSV: &str = "asset_id;name;kind;lat;lon;capacity;interval_s\n\
    p-1;Salitre;parking;36.7117;-4.4318;342;900\n\
    p-2;Cervantes;parking;north;-4.42;;\n\
    p-3;;;;;;\n";

const GEOJSON: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","geometry":{"type":"Point","coordinates":[-4.4318,36.7117]},
     "properties":{"asset_id":"p-1","name":"Salitre","kind":"parking","capacity":342,"interval_s":900}},
    {"type":"Feature","geometry":{"type":"Point","coordinates":["north",36]},"properties":{"asset_id":"p-2"}},
    {"type":"Feature","geometry":null,"properties":{"asset_id":"p-3"}}]}"#;

async fn listen(file: &str, text: &str, mistake: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    let profile = folder.path().join(format!("registry-{}.toml", file.replace('.', "-")));
    let written = format!(
        "name = \"registry\"\nbroker.url = \"mqtt://127.0.0.1:1\"\n\
         [registry]\nfile = \"{file}\"\ncolumns.thing = \"asset_id\"\n\
         [[telemetry]]\ntemplate = \"city/{{area}}/{{kind}}/{{thing}}\"\ndescribe.name = \"/label\"\n\
         meta = \"city/{{area}}/{{kind}}/{{thing}}/meta\"\n"
    );
    std::fs::write(&profile, written).unwrap();
    let Some(mut listener) = Listener::start(&profile).await else { return };
    let from = LonLat { lon_deg: -4.43, lat_deg: 36.71 };
    let view = listener.desk.look(Look::Parking { from, limit: 50 }).await;
    let rows = listener.desk.wait_for("the car park of the list", super::SOON, |desk| match desk.rows(view) {
        Some(Rows::Parking(rows)) if rows.len() == 1 => Ok(rows.clone()),
        other => Err(format!("{other:?}")),
    });
    let [row] = rows.await.try_into().unwrap();
    assert_eq!((row.title.as_str(), row.all.capacity, row.all.free), ("Salitre", Some(342), None));
    assert_eq!((row.at, row.freshness), (LonLat { lon_deg: -4.4318, lat_deg: 36.7117 }, Freshness::Never));

    let meta = r#"{"name":"described","street":"Calle Salitre","kind":"bin","lat":1,"lon":1,"capacity":1}"#;
    listener.feed.publish_retained("city/centro/parking/p-1/meta", meta).await;
    listener.feed.publish("city/centro/bin/p-3", r#"{"label":"said","fill_pct":40}"#).await;
    listener.feed.publish("city/centro/parking/p-1", r#"{"label":"said","free":7}"#).await;
    // Beside the messages the row that cannot be read.
    listener.wait_for_all(3 + 1).await;
    let cached = listener.end().await;
    let park = &cached.things["p-1"];
    assert_eq!(
        (park.kind, park.title.as_str(), park.capacity, park.at),
        (Kind::Parking, "Salitre", Some(342), Some(row.at))
    );
    assert_eq!((park.street.as_str(), park.area.as_str()), ("Calle Salitre", "centro"), "what the list leaves open");
    // A description is worth what it says; this one said nothing of how often.
    assert_eq!(park.interval_s, 900);
    let bin = &cached.things["p-3"];
    assert_eq!((bin.kind, bin.title.as_str(), bin.area.as_str()), (Kind::Bin, "said", "centro"));
    assert_eq!(cached.things.len(), 2);
    let told: Vec<&String> = cached.refused.keys().collect();
    assert!(told.len() == 1 && told[0].starts_with(mistake), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_as_csv_says_what_things_are_before_they_speak() {
    listen("things.csv", CSV, "line 3: lat is \"north\"; it must be a number").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_as_geojson_says_the_same() {
    listen("things.geojson", GEOJSON, "feature 2: lon is \"north\"; it must be a number").await;
}
