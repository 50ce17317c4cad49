//! Who may not steer sees no controls, and the engine would refuse them anyway (tests/offline.rs).

use std::path::Path;

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::window::{Window, by_testid};

use super::both::{rail, told};
use super::{alone, open, screen};

/// What the technician asks of the lamp, which never obeys.
const ASKED: &str = "Dim to 40 %";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_and_a_viewer_see_no_controls() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("window-roles") else { return };
    let Some(display) = screen("window-roles") else { return };
    let mut service =
        ShadowService::start(&BrokerAt { url: broker.url(), credentials: None }, Shadows::default()).unwrap();
    service.ready().await;
    let lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();

    // Nobody asks the lamp for anything before the technician does.
    let Some(window) = start("technician", "Technician", &display, data.path(), &broker).await else { return };
    window.open_thing(lamp.name()).await;
    // A thing that has said nothing yet is a page like any other; then it speaks.
    assert!(window.cards().await.is_empty());
    speaks(&window, &lamp).await;
    has_controls(&window, true).await;
    window.dim(40).await;
    window.wait_for_timeline("the command to be accepted", SOON, |t| t.has("accepted")).await;
    assert_eq!(commands_with_a_way_back(&window).await, 1, "who may command may take it back");
    window.close().await;
    told("technician: controls, and a command that waits can be taken back");

    // The same computer, and somebody who only looks.
    let Some(window) = start("viewer", "Viewer", &display, data.path(), &broker).await else { return };
    window.open_thing(lamp.name()).await;
    speaks(&window, &lamp).await;
    window
        .wait_for_timeline("the command that waits", SOON, |t| t.title.contains("40 %") && t.standing == "waiting")
        .await;
    has_controls(&window, false).await;
    assert_eq!(window.count(&by_testid("cancel")).await, 0, "a viewer is offered to take back on the thing's page");
    assert_eq!(commands_with_a_way_back(&window).await, 0, "a viewer is offered to take back in the outbox");
    window.close().await;
    told("viewer: no controls, and a command that waits is seen and cannot be taken back");

    // A driver has car parks and nothing else (tests/driver.rs).
    let Some(window) = start("driver", "Driver", &display, data.path(), &broker).await else { return };
    window.wait_for_text(&by_testid("no-lots"), SOON, |text| text == "No car park is known here.").await;
    let drawn = "return document.documentElement.dataset.things ?? ''";
    let is_drawn = |things: String| if things.is_empty() { Err("no picture yet".to_owned()) } else { Ok(()) };
    window.wait_for("the map with its ground", SOON, drawn, is_drawn).await;
    window.still(300, SOON).await;
    window.screenshot("driver-nothing-1440").await;
    let count = window.count(&by_testid("find")).await + window.count(".rail [data-testid=rail-things]").await;
    assert_eq!(count, 0, "a driver finds car parks only");
    has_controls(&window, false).await;
    window.close().await;
    told("driver: no controls");
    service.stop().await;
}

/// The app as somebody of a role, always with the same cache.
async fn start(role: &'static str, label: &str, display: &Display, data: &Path, broker: &Mosquitto) -> Option<Window> {
    let profile = ProfileText { role, ..ProfileText::new("Roles", broker.url()) }.write(data);
    let arguments = ["--profile", profile.to_str().expect("a temporary folder has a plain name")];
    let window = open(&format!("window-role-{role}"), display, data, &arguments).await?;
    window.wait_for_text(&by_testid("status-who"), SOON, |who| who.contains(label)).await;
    Some(window)
}

async fn speaks(window: &Window, lamp: &Lamp) {
    lamp.measure_now().await;
    window
        .wait_for_cards("the lamp's values", SOON, |cards| {
            cards.get("/power_w").is_some_and(|card| card.tone == "live")
        })
        .await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
}

async fn has_controls(window: &Window, may_command: bool) {
    if may_command {
        window.wait_for_element(&by_testid("control"), SOON).await;
    }
    for testid in ["controls", "control", "send", "slider"] {
        let count = window.count(&by_testid(testid)).await;
        assert_eq!(count > 0, may_command, "there are {count} of {testid}");
    }
}

/// The outbox has the one command that waits; how often it can be taken back there.
async fn commands_with_a_way_back(window: &Window) -> usize {
    rail::go(window, "commands").await;
    let outbox = by_testid("outbox");
    window.wait_for_text(&format!("{outbox} [data-testid=order]"), SOON, |text| text.contains(ASKED)).await;
    window.count(&format!("{outbox} [data-testid=cancel]")).await
}
