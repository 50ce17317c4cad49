//! Devices that announce themselves by Home Assistant's discovery.

use fleetlens_ipc::rows::Rows;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::SOON;
use super::square::{Square, offered};

#[tokio::test(flavor = "multi_thread")]
async fn a_discovered_device_speaks_on_topics_of_its_own_choice() {
    let convention = "[[convention]]\nname = \"home-assistant\"\n";
    let Some(mut square) = Square::start("discovery", convention, &["works/+/cmd"]).await else { return };
    let device = json!({ "ids": ["shelter-7"], "name": "Bus shelter 7", "sa": "Floriana" });
    let light = json!({
        "~": "works/shelter7", "name": "Light", "uniq_id": "shelter7_light", "schema": "json", "brightness": true,
        "cmd_t": "~/cmd", "stat_t": "~/light", "avty_t": "~/alive", "dev": device,
    });
    let temperature = json!({
        "name": "Temperature", "uniq_id": "shelter7_temp", "dev_cla": "temperature", "unit_of_meas": "°C",
        "stat_t": "works/shelter7/env", "val_tpl": "{{ value_json.t | round(1) }}", "avty_t": "works/shelter7/alive", "dev": device,
    });
    let devices = &square.devices;
    devices.publish_retained("homeassistant/light/shelter7/light/config", light.to_string()).await;
    devices.publish_retained("homeassistant/sensor/shelter7/temp/config", temperature.to_string()).await;
    devices.publish_retained("works/shelter7/alive", "online").await;
    devices.publish_retained("works/shelter7/light", r#"{"state":"ON","brightness":120}"#).await;
    devices.publish_retained("works/shelter7/env", r#"{"t":21.456,"h":40}"#).await;
    let page = square.page("shelter-7", "/temp", &Value::Number(21.5)).await;
    square.is(page, |freshness| freshness == Freshness::Live).await;
    let head = &square.desk.page(page).head;
    assert_eq!((head.title.as_str(), head.area.as_str()), ("Bus shelter 7", "Floriana"));
    let temperature = square.desk.value(page, "/temp").unwrap();
    assert_eq!((temperature.label.as_str(), temperature.unit.as_str()), ("Temperature", "°C"));
    square.says(page, "/light", &Value::Flag(true)).await;
    assert_eq!(offered(&square.desk, page), ["/light", "/light/brightness"]);

    let off = square.send(page, "/light", "false").await;
    let sent: serde_json::Value = serde_json::from_slice(&square.heard("works/shelter7/cmd").await).unwrap();
    assert_eq!(sent, json!({ "state": "OFF" }));
    square.devices.publish_retained("works/shelter7/light", r#"{"state":"OFF"}"#).await;
    square.settles(page, off).await;

    // A wrong word is refused with its reason, and harms nothing.
    square.devices.publish("homeassistant/sensor/shelter7/bad/config", "{").await;
    let status = square.status;
    square
        .desk
        .wait_for("the refusal", SOON, |desk| {
            let status = desk.status(status);
            if status.refused > 0 {
                Ok(())
            } else {
                Err(format!("{:?}", desk.rows(page).map(|rows| matches!(rows, Rows::Thing(_)))))
            }
        })
        .await;
    square.devices.publish_retained("works/shelter7/alive", "offline").await;
    square.is(page, |freshness| matches!(freshness, Freshness::Silent { .. })).await;
    square.end().await;
}
