//! Who is connected, as AWS tells it, through Mosquitto in its place.

use fleetlens_model::freshness::Freshness;
use serde_json::json;

use super::SOON;
use super::listener::Listener;

const PROFILE: &str = r#"name = "presence"
broker.url = "mqtt://127.0.0.1:1"
[shadows]
enabled = true
presence = true
[[telemetry]]
template = "city/{kind}/{thing}"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thing_that_left_is_silent_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("presence.toml");
    std::fs::write(&profile, PROFILE).unwrap();
    let Some(mut listener) = Listener::start(&profile).await else { return };
    let event = |client: &str, word: &str, version: u64| {
        let topic = format!("$aws/events/presence/{word}/{client}");
        let payload = json!({"clientId": client, "eventType": word, "timestamp": 1_700_000_000_000_u64 + version,
            "versionNumber": version, "disconnectReason": "CONNECTION_LOST"});
        (topic, payload.to_string())
    };
    listener.feed.publish("city/lamp/lamp-1", r#"{"power_w":60}"#).await;
    listener.wait_for_all(1).await;
    let page = listener.desk.look_at_thing("lamp-1").await;
    // A client that is no thing, an event that says nothing, and the end of the lamp's connection.
    let (topic, payload) = event("somebody", "disconnected", 1);
    listener.feed.publish(&topic, payload).await;
    listener.feed.publish("$aws/events/presence/disconnected/lamp-1", "{}").await;
    let (topic, payload) = event("lamp-1", "disconnected", 7);
    listener.feed.publish(&topic, payload).await;
    listener
        .desk
        .wait_for("the lamp to be gone", SOON, |desk| {
            let freshness = desk.page(page).head.freshness;
            matches!(freshness, Freshness::Silent { .. }).then_some(()).ok_or_else(|| format!("{freshness:?}"))
        })
        .await;
    let (topic, payload) = event("lamp-1", "connected", 8);
    listener.feed.publish(&topic, payload).await;
    listener
        .desk
        .wait_for("the lamp to be back", SOON, |desk| {
            let freshness = desk.page(page).head.freshness;
            (freshness == Freshness::Live).then_some(()).ok_or_else(|| format!("{freshness:?}"))
        })
        .await;
    listener.wait_for_all(5).await;
    let cached = listener.end().await;
    assert_eq!(cached.things.len(), 1, "a client is no thing");
    let reasons: Vec<&str> = cached.refused.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["the field \"eventType\" is missing"]);
}
