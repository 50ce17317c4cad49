//! A valve controller that speaks Homie 5.

use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::SOON;
use super::square::{Square, offered};

const DEVICE: &str = "homie/5/garden-1";

async fn announce(square: &Square) {
    let description = json!({
        "homie": "5.0", "version": 7, "name": "City garden",
        "nodes": { "pump": { "name": "Pump", "properties": {
            "on": { "name": "Pump on", "datatype": "boolean", "settable": true },
            "rate": { "name": "Rate", "datatype": "integer", "format": "0:100:5", "unit": "%", "settable": true },
            "pressure": { "name": "Pressure", "datatype": "float", "unit": "kPa" },
            "mode": { "name": "Mode", "datatype": "enum", "format": "auto,manual,off", "settable": true },
        } } }
    });
    let devices = &square.devices;
    // A device's own order: init, description, values, ready.
    devices.publish_retained(&format!("{DEVICE}/$state"), "init").await;
    devices.publish_retained(&format!("{DEVICE}/$description"), description.to_string()).await;
    for (property, value) in [("on", "false"), ("rate", "40"), ("pressure", "212.5"), ("mode", "auto")] {
        devices.publish_retained(&format!("{DEVICE}/pump/{property}"), value).await;
    }
    devices.publish_retained(&format!("{DEVICE}/$state"), "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_homie_device_is_known_steered_and_missed() {
    let convention = "[[convention]]\nname = \"homie\"\n";
    let Some(mut square) = Square::start("homie", convention, &["homie/5/+/+/+/set"]).await else { return };
    announce(&square).await;
    let page = square.page("garden-1", "/pump/pressure", &Value::Number(212.5)).await;
    square.is(page, |freshness| freshness == Freshness::Live).await;
    let head = &square.desk.page(page).head;
    assert_eq!((head.title.as_str(), head.convention.as_str()), ("City garden", "homie"));
    assert_eq!(offered(&square.desk, page), ["/pump/mode", "/pump/on", "/pump/rate"]);
    let pressure = square.desk.value(page, "/pump/pressure").unwrap();
    assert_eq!((pressure.label.as_str(), pressure.unit.as_str()), ("Pressure", "kPa"));

    let on = square.send(page, "/pump/on", "true").await;
    assert_eq!(square.heard_text(&format!("{DEVICE}/pump/on/set")).await, "true");
    square.devices.publish_retained(&format!("{DEVICE}/pump/on"), "true").await;
    square.settles(page, on).await;
    let refused = square.desk.command(page, "/pump/rate", "130").await.unwrap_err();
    assert!(refused.message.contains("outside 0–100"), "{refused:?}");
    let refused = square.desk.command(page, "/pump/pressure", "1").await.unwrap_err();
    assert!(refused.message.contains("does not say that /pump/pressure can be set"), "{refused:?}");

    // What it raises itself is an alarm until it takes it back.
    square.devices.publish_retained(&format!("{DEVICE}/$alert/dry"), "No water before the pump").await;
    square
        .desk
        .wait_for("the device's own alarm", SOON, |desk| {
            let alarms = &desk.page(page).alarms;
            let told = alarms.iter().find(|alarm| alarm.active && alarm.sentence.contains("No water"));
            told.map(|_| ()).ok_or_else(|| format!("{alarms:?}"))
        })
        .await;
    square.devices.publish_retained(&format!("{DEVICE}/$alert/dry"), "").await;
    square
        .desk
        .wait_for("the alarm to clear", SOON, |desk| {
            let alarms = &desk.page(page).alarms;
            if alarms.iter().any(|alarm| alarm.active) { Err(format!("{alarms:?}")) } else { Ok(()) }
        })
        .await;

    // Its last will: what it said cannot be believed any more.
    square.devices.publish_retained(&format!("{DEVICE}/$state"), "lost").await;
    square.is(page, |freshness| matches!(freshness, Freshness::Silent { .. })).await;
    square.devices.publish_retained(&format!("{DEVICE}/$state"), "ready").await;
    square.is(page, |freshness| freshness == Freshness::Live).await;

    // A late joiner, and one that was away, end in the same state; what was sent and not obeyed is not sent again.
    let rate = square.send(page, "/pump/rate", "60").await;
    square.heard(&format!("{DEVICE}/pump/rate/set")).await;
    square.devices.forget();
    let mut square = square.start_again().await;
    let page = square.page("garden-1", "/pump/on", &Value::Flag(true)).await;
    square.is(page, |freshness| freshness == Freshness::Live).await;
    assert!(square.desk.page(page).values.iter().all(|row| row.value != Value::Number(60.0)));
    let row = square.phase(page, rate, |phase| *phase == Phase::Sent).await;
    assert!(row.direct && !row.can_cancel, "{row:?}");
    square.devices.publish_retained(&format!("{DEVICE}/pump/rate"), "60").await;
    square.settles(page, rate).await;
    assert_eq!(square.devices.count(|message| message.topic.ends_with("/set")), 0, "sent twice");
    square.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_to_a_device_that_never_obeys_expires_and_says_that_it_may_still_happen() {
    let convention = "[commands]\nexpiry_s = { \"/pump/mode\" = 2 }\n[[convention]]\nname = \"homie\"\n";
    let Some(mut square) = Square::start("homie-deaf", convention, &["homie/5/+/+/+/set"]).await else { return };
    announce(&square).await;
    let page = square.page("garden-1", "/pump/mode", &Value::Text("auto".into())).await;
    let mode = square.send(page, "/pump/mode", "\"off\"").await;
    let late = square.desk.ask(fleetlens_ipc::Intent::CancelCommand { command: mode }).await.unwrap_err();
    assert!(late.message.contains("no way to take it back"), "{late:?}");
    let row = square.phase(page, mode, |phase| !phase.is_open()).await;
    assert_eq!(row.phase, Phase::Expired { withdrawal: Withdrawal::Impossible });
    assert!(row.sentence.contains("may still happen"), "{}", row.sentence);
    square.end().await;
}
