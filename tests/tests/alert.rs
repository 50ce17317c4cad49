//! A critical alarm is told by the desktop itself, and choosing it opens the thing: over D-Bus, with the real app and a
//! notification server of the test's own.
#![cfg(test)]

use std::time::Duration;

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::notices::Notices;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use fleetlens_tests::window::Window;
use serde_json::json;

/// How long the app may take from a message to a notification.
const SOON: Duration = Duration::from_secs(30);

/// A rule whose alarm needs a person at once, and one that does not.
const RULES: &str = r#"
[[alarm]]
id = "fire"
name = "is burning"
kind = "bin"
when = "/temp_c >= 60"
priority = "critical"
what_to_do = "call the fire brigade"

[[alarm]]
id = "full"
name = "nearly full"
kind = "bin"
when = "/fill_pct >= 90"
what_to_do = "put it on the next round"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_alarm_is_told_by_the_desktop_and_opens_its_thing() {
    let Some(broker) = Mosquitto::start("alert") else { return };
    let Some(display) = Display::open("alert", 1600, 1000) else { return };
    let Some(bus) = display.bus() else { return };
    let notices = Notices::start(bus).await;
    let folder = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Alert", broker.url());
    let file = folder.path().join("profile.toml");
    std::fs::write(&file, profile.toml() + RULES).unwrap();
    let data = folder.path().join("data");
    let arguments = ["--profile", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let Some(window) = Window::open("alert", "fleetlens-desktop", &display, arguments).await else { return };
    let bins = Peer::connect(&broker.url(), "alert-bins", &[]).await;
    for (name, title) in [("bin-1", "Bin <one>"), ("bin-2", "Bin two")] {
        let meta = json!({ "kind": "bin", "name": title, "lat": 35.9, "lon": 14.5, "interval_s": 600 });
        bins.publish_retained(&format!("city/west/bin/{name}/meta"), meta.to_string()).await;
    }
    let say = async |name: &str, values: serde_json::Value| {
        bins.publish(&format!("city/west/bin/{name}/telemetry"), json!({ "values": values }).to_string()).await;
    };
    window.wait_until_live().await;
    // What is not critical comes first: had it been told, it would stand before the other.
    say("bin-2", json!({ "fill_pct": 97, "temp_c": 20 })).await;
    say("bin-1", json!({ "fill_pct": 10, "temp_c": 71.5 })).await;
    let notice = notices.wait_for("a notification", SOON, |notice| notice.program == "Fleetlens").await;
    assert_eq!((notice.summary.as_str(), notice.urgency), ("Bin <one> is burning", Some(2)), "{notice:?}");
    assert!(notice.body.contains("call the fire brigade") && notice.body.contains("71.5"), "{notice:?}");
    assert_eq!(notice.actions.first().map(String::as_str), Some("default"));

    // The app listens for the choice a moment after it has shown, which nobody outside can see; a person is slower than that.
    until("the bin on the screen", SOON, async || {
        notices.choose(&notice).await;
        let title = window.text("title").await;
        if title.as_deref() == Some("Bin <one>") { Ok(()) } else { Err(format!("{title:?}")) }
    })
    .await;
    window.screenshot("alert").await;
    // Still burning is not news.
    say("bin-1", json!({ "temp_c": 72.5 })).await;
    say("bin-2", json!({ "temp_c": 65 })).await;
    notices.wait_for("the other bin's", SOON, |notice| notice.summary == "Bin two is burning").await;
    assert_eq!(notices.shown().len(), 2, "{:?}", notices.shown());
    bins.leave().await;
    window.close().await;
}
