//! Parking feeds with nothing but the profiles we ship: ParkAPI 3 and DATEX II. The samples are written after the formats, with
//! what sources really do: numbers as texts, −1 for nobody knows, documents with a type.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{ParkingRow, Rows};
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::listener::Listener;

/// The car parks that the window shows near a place, once there are so many with a number.
async fn wait_for_parking(listener: &mut Listener, lat_deg: f64, lon_deg: f64, parks: usize) -> Vec<ParkingRow> {
    let view = listener.desk.look(Look::Parking { from: LonLat { lon_deg, lat_deg }, limit: 50 }).await;
    let rows = listener.desk.wait_for("the car parks", super::SOON, |desk| match desk.rows(view) {
        Some(Rows::Parking(rows)) if rows.iter().filter(|row| row.all.free.is_some()).count() == parks => {
            Ok(rows.clone())
        }
        other => Err(format!("{other:?}")),
    });
    rows.await
}

fn free(row: &ParkingRow) -> [Option<u32>; 3] {
    [&row.all, &row.accessible, &row.charging].map(|spaces| spaces.free.as_ref().map(|free| free.count))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parkapis_sites_and_spaces_are_read() {
    let Some(mut listener) = Listener::start_shipped("parkapi").await else { return };
    let site = json!({"id": 1, "source_id": 3, "original_uid": "12717250", "name": "Parkhaus Hofdiener", "type": "CAR_PARK",
        "address": "Schellingstraße 2, 70174 Stuttgart", "lat": "48.7791000", "lon": "9.1732000", "has_realtime_data": true,
        "static_data_updated_at": "2023-12-12T12:27:54Z", "realtime_data_updated_at": "2025-06-24T11:54:45Z",
        "realtime_opening_status": "OPEN", "capacity": 158, "realtime_capacity": 150, "realtime_free_capacity": 15,
        "capacity_disabled": 11, "realtime_free_capacity_disabled": 2, "capacity_charging": 4,
        "realtime_free_capacity_charging": "3", "opening_hours": "24/7", "description": "x".repeat(4_000)});
    let space = json!({"id": 77, "name": "Platz 77", "lat": "48.7800000", "lon": "9.1740000", "has_realtime_data": true,
        "realtime_data_updated_at": "2025-06-24T11:50:00Z", "realtime_status": "TAKEN"});
    let unknown = json!({"id": 5, "name": "Am Bahnhof", "lat": "48.7900000", "lon": "9.18", "capacity": 20,
        "realtime_data_updated_at": "2025-06-24T11:50:00Z", "realtime_free_capacity": -1});
    listener
        .feed
        .publish("parkapi/sites", json!({"items": [site, space, unknown], "total_count": 3}).to_string())
        .await;
    let push = json!({"realtime_free_capacity": 14, "realtime_data_updated_at": "2025-06-24T11:59:45Z"});
    listener.feed.publish("parkapi/site/1", push.to_string()).await;
    for payload in [json!({"id": 1, "power_w": 3}), json!({"uid": "1", "realtime_free_capacity": "viele"})] {
        listener.feed.publish("parkapi/site/1", payload.to_string()).await;
    }
    listener.wait_for_all(4).await;
    let rows = wait_for_parking(&mut listener, 48.7791, 9.1732, 2).await;
    assert_eq!((rows[0].title.as_str(), free(&rows[0])), ("Parkhaus Hofdiener", [Some(14), Some(2), Some(3)]));
    assert_eq!(
        (rows[0].all.capacity, rows[0].accessible.capacity, rows[0].charging.capacity),
        (Some(150), Some(11), Some(4))
    );
    assert_eq!((rows[1].title.as_str(), free(&rows[1])), ("Platz 77", [Some(0), None, None]));
    assert_eq!((rows[2].title.as_str(), free(&rows[2])), ("Am Bahnhof", [None; 3]), "−1 is no count");
    let cached = listener.end().await;
    let at_ms: Vec<i64> = cached.samples("1", "/free").into_iter().map(|(at_ms, _)| at_ms).collect();
    assert_eq!(at_ms, [1_750_766_085_000, 1_750_766_385_000]);
    assert_eq!((cached.things.len(), cached.things["1"].interval_s), (3, 900));
    for reason in ["\"realtime_free_capacity\" is missing", "is \"viele\"; it must be a number"] {
        assert!(cached.refused.keys().any(|refused| refused.contains(reason)), "{reason}: {:?}", cached.refused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publications_of_datex_ii_are_read() {
    let Some(mut listener) = Listener::start_shipped("datex2").await else { return };
    let table = r#"<?xml version="1.0" encoding="UTF-8"?>
        <d2:payload xmlns:d2="http://datex2.eu/schema/3/d2Payload" xmlns:par="http://datex2.eu/schema/3/parking"
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="par:ParkingTablePublication">
        <par:parkingTable id="T" version="1">
        <par:parkingRecord xsi:type="par:UrbanParkingSite" id="P1" version="1">
            <par:parkingName><values><value lang="fr">Aire de Berchem</value></values></par:parkingName>
            <par:parkingNumberOfSpaces>106</par:parkingNumberOfSpaces>
            <par:parkingLocation><pointByCoordinates><pointCoordinates>
                <latitude>49.543915</latitude><longitude>6.1201115</longitude></pointCoordinates></pointByCoordinates>
            </par:parkingLocation>
            <par:groupOfParkingSpaces groupIndex="1"><par:parkingSpaceBasics><par:onlyAssignedParking>
                <par:applicableForUser>disabled</par:applicableForUser></par:onlyAssignedParking>
                <par:parkingNumberOfSpaces>4</par:parkingNumberOfSpaces></par:parkingSpaceBasics></par:groupOfParkingSpaces>
        </par:parkingRecord></par:parkingTable></d2:payload>"#;
    let status = r#"<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"><payloadPublication>
        <parkingRecordStatus><parkingRecordReference id="P1" version="1"/>
        <parkingStatusOriginTime>2026-10-05T04:40:00</parkingStatusOriginTime>
        <parkingOccupancy><parkingNumberOfVacantSpaces>3</parkingNumberOfVacantSpaces></parkingOccupancy>
        <groupOfParkingSpacesStatus groupIndex="1"><groupOfParkingSpacesStatus>
            <parkingNumberOfVacantSpaces>1</parkingNumberOfVacantSpaces></groupOfParkingSpacesStatus></groupOfParkingSpacesStatus>
        <parkingSiteStatus>spacesAvailable</parkingSiteStatus></parkingRecordStatus></payloadPublication></d2LogicalModel>"#;
    listener.feed.publish_retained("datex2/parking/table", table).await;
    listener.feed.publish("datex2/parking/status", status).await;
    let bomb = r#"<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>"#;
    for payload in [bomb, "{}", "<feed/>", "<a><b></a>"] {
        listener.feed.publish("datex2/parking/status", payload).await;
    }
    listener.wait_for_all(6).await;
    let rows = wait_for_parking(&mut listener, 49.54, 6.12, 1).await;
    assert_eq!((rows[0].title.as_str(), free(&rows[0])), ("Aire de Berchem", [Some(3), Some(1), None]));
    assert_eq!((rows[0].all.capacity, rows[0].accessible.capacity), (Some(106), Some(4)));
    let cached = listener.end().await;
    assert_eq!(cached.things["P1"].kind, Kind::Parking);
    // The profile's zone: two hours ahead of UTC until the end of October.
    assert_eq!(cached.samples("P1", "/free"), [(1_791_168_000_000, Some(3.0))]);
    let status = &cached.latest[&("P1".to_owned(), "/status".to_owned())];
    assert_eq!(status.value, Value::Text("spacesAvailable".into()));
    for reason in
        ["declares a document type", "text outside its root", "\"feed\"; it must be a Parking", "cannot be read"]
    {
        assert!(cached.refused.keys().any(|refused| refused.contains(reason)), "{reason}: {:?}", cached.refused);
    }
}
