//! Things without a shadow: one that its broker's last will gives away, and one that is asked again after it did not listen.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::alone;
use super::both::{rail, told};

/// What a plug of the sort that talks like Tasmota's firmware needs of a profile, and a convention for the shelter.
const PLAIN: &str = r#"
[[telemetry]]
template = "tele/{thing}/SENSOR"

[[availability]]
template = "tele/{thing}/LWT"
online = "Online"
offline = "Offline"

[[convention]]
name = "home-assistant"

[commands]
expiry_s = { "/light" = 15 }
"#;

/// MQTT 3.1.1, clean session, 60 s; the broker says `Offline` for it, retained and at QoS 1, when it goes without a word.
async fn plug(broker: &Mosquitto) -> TcpStream {
    let mut body = b"\x00\x04MQTT\x04\x2e\x00\x3c".to_vec();
    for part in ["plug-7", "tele/plug-7/LWT", "Offline"] {
        body.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        body.extend(part.as_bytes());
    }
    let mut connect = vec![0x10, u8::try_from(body.len()).unwrap()];
    connect.extend(body);
    let url = broker.url();
    let mut socket = TcpStream::connect(url.strip_prefix("mqtt://").unwrap()).await.unwrap();
    socket.write_all(&connect).await.unwrap();
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0], "the broker takes the plug");
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thing_without_a_shadow_is_known_to_be_gone_and_is_asked_again() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("browser-plain") else { return };
    let devices = Peer::connect(&broker.url(), "plain-devices", &["works/shelter7/cmd"]).await;
    let light = json!({ "~": "works/shelter7", "name": "Light", "uniq_id": "shelter7_light", "cmd_t": "~/cmd",
        "stat_t": "~/light", "dev": { "ids": ["shelter-7"], "name": "shelter-7", "sa": "Floriana" } });
    devices.publish_retained("homeassistant/switch/shelter7/light/config", light.to_string()).await;
    devices.publish_retained("works/shelter7/light", "ON").await;
    let data = tempfile::tempdir().unwrap();
    let mut text = ProfileText::new("Plain", broker.url());
    text.shadows = false;
    let profile = data.path().join("plain.toml");
    std::fs::write(&profile, text.toml() + PLAIN).unwrap();
    let serve = Serve::start("plain", data.path(), &["--profile", profile.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-plain", &serve, serve.window(), DESKTOP, "light").await else { return };

    let socket = plug(&broker).await;
    devices.publish_retained("tele/plug-7/LWT", "Online").await;
    devices.publish("tele/plug-7/SENSOR", r#"{"ENERGY":{"Power":42}}"#).await;
    page.open_thing("plug-7").await;
    page.wait_for_text(&by_testid("freshness"), SOON, |text| text.starts_with("Speaks")).await;
    drop(socket);
    page.wait_for_text(&by_testid("freshness"), SOON, |text| text.starts_with("Silent since")).await;
    page.screenshot("plain-gone-1440").await;
    let _back = plug(&broker).await;
    devices.publish_retained("tele/plug-7/LWT", "Online").await;
    page.wait_for_text(&by_testid("freshness"), SOON, |text| text.starts_with("Speaks")).await;
    told(
        "a thing whose connection broke is silent at once, by the last will its broker says, and speaks when it is back",
    );

    page.open_thing("shelter-7").await;
    let control = "[data-testid=control][data-pointer=\"/light\"]";
    page.click_word(control, "Off").await;
    page.click(&format!("{control} [data-testid=send]:not([disabled])")).await;
    let heard = devices.wait_for("the shelter to be told", |m| Some(m.payload.clone())).await;
    assert_eq!(heard, b"OFF");
    page.close_thing().await;
    rail::go(&page, "commands").await;
    let ended = "[data-testid=history] [data-testid=order]";
    page.wait_for_text(ended, SOON, |text| text.contains("Sent, never obeyed")).await;
    page.click(&format!("{ended} [data-testid=ask-again]")).await;
    let sheet = "[data-testid=conflict][open]";
    let words = page.wait_for_text(sheet, SOON, |text| text.contains("Ask for this again?")).await;
    page.still(1_500, Duration::from_secs(20)).await;
    assert_accessible(&page, "what is asked again without a shadow").await;
    page.screenshot("plain-again-1440").await;
    page.resize(PHONE.0, PHONE.1).await;
    page.screenshot("plain-again-390").await;
    page.resize(DESKTOP.0, DESKTOP.1).await;
    for part in ["Light it is now on", "you want off"] {
        assert!(words.contains(part), "the sheet does not say “{part}”: {words}");
    }
    devices.forget();
    page.click(&format!("{sheet} [data-testid=conflict-yes]:not([disabled])")).await;
    page.wait_until_gone(sheet, SOON).await;
    let heard = devices.wait_for("the shelter to be told again", |m| Some(m.payload.clone())).await;
    assert_eq!(heard, b"OFF");
    devices.publish_retained("works/shelter7/light", "OFF").await;
    // The list stands still under the pointer.
    page.click(&by_testid("outbox-total")).await;
    page.wait_for_text(ended, SOON, |text| text.contains("Settled")).await;
    told(
        "what a thing without a shadow did not hear is asked again, beside what it said last, and settles when it obeys",
    );
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
