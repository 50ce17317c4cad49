//! A bridge of Zigbee2MQTT with a lamp behind it.

use fleetlens_model::freshness::Freshness;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::square::{Square, offered};

#[tokio::test(flavor = "multi_thread")]
async fn a_zigbee_device_is_known_by_what_its_bridge_exposes() {
    let convention = "[[convention]]\nname = \"zigbee2mqtt\"\n";
    let Some(mut square) = Square::start("zigbee2mqtt", convention, &["zigbee2mqtt/+/set"]).await else { return };
    let devices = json!([
        { "ieee_address": "0x00124b0000000001", "type": "Coordinator", "friendly_name": "Coordinator", "definition": null },
        { "ieee_address": "0x00124b0000000002", "type": "Router", "friendly_name": "arcade_lamp", "supported": true,
          "definition": { "model": "LED1", "vendor": "Example", "description": "Dimmable lamp", "exposes": [
            { "type": "light", "features": [
                { "type": "binary", "name": "state", "property": "state", "label": "State", "access": 7,
                  "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE" },
                { "type": "numeric", "name": "brightness", "property": "brightness", "label": "Brightness", "access": 7,
                  "value_min": 0, "value_max": 254 } ] },
            { "type": "numeric", "name": "linkquality", "property": "linkquality", "label": "Linkquality", "access": 1,
              "unit": "lqi", "value_min": 0, "value_max": 255 } ] } }
    ]);
    square.devices.publish_retained("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#).await;
    square.devices.publish_retained("zigbee2mqtt/bridge/devices", devices.to_string()).await;
    square.devices.publish_retained("zigbee2mqtt/arcade_lamp/availability", r#"{"state":"online"}"#).await;
    square.devices.publish("zigbee2mqtt/arcade_lamp", r#"{"state":"ON","brightness":215,"linkquality":131}"#).await;
    let page = square.page("arcade_lamp", "/brightness", &Value::Number(215.0)).await;
    square.says(page, "/state", &Value::Flag(true)).await;
    square.is(page, |freshness| freshness == Freshness::Live).await;
    assert_eq!(offered(&square.desk, page), ["/state", "/brightness"]);

    let off = square.send(page, "/state", "false").await;
    assert_eq!(square.heard_text("zigbee2mqtt/arcade_lamp/set").await, r#"{"state":"OFF"}"#);
    // What it says meanwhile about something else settles nothing.
    square.devices.publish("zigbee2mqtt/arcade_lamp", r#"{"state":"ON","brightness":100}"#).await;
    square.says(page, "/brightness", &Value::Number(100.0)).await;
    assert!(square.desk.command_row(page, off).unwrap().phase.is_waiting());
    square.devices.publish("zigbee2mqtt/arcade_lamp", r#"{"state":"OFF","brightness":100}"#).await;
    square.settles(page, off).await;

    // A bridge that is gone takes everything behind it along.
    square.devices.publish_retained("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#).await;
    square.is(page, |freshness| matches!(freshness, Freshness::Silent { .. })).await;
    square.end().await;
}
