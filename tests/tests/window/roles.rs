//! Who may not steer sees no controls, and the engine would refuse them anyway (tests/offline.rs).

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::window::{Window, by_testid};

use super::both::told;
use super::{alone, open, screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_and_a_viewer_see_no_controls() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("window-roles") else { return };
    let Some(display) = screen("window-roles") else { return };
    let mut service =
        ShadowService::start(&BrokerAt { url: broker.url(), credentials: None }, Shadows::default()).unwrap();
    service.ready().await;
    let lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    for (role, label, may_command) in
        [("driver", "Driver", false), ("viewer", "Viewer", false), ("technician", "Technician", true)]
    {
        let data = tempfile::tempdir().unwrap();
        let profile = ProfileText { role, ..ProfileText::new("Roles", broker.url()) }.write(data.path());
        let name = format!("window-role-{role}");
        let Some(window) = open(&name, &display, data.path(), &["--profile", profile.to_str().unwrap()]).await else {
            return;
        };
        if role == "driver" {
            // A driver has car parks and nothing else (tests/driver.rs).
            window.wait_for_text(&by_testid("no-lots"), SOON, |text| text == "No car park is known here.").await;
            window.screenshot("driver-nothing-1440").await;
            let count = window.count(&by_testid("find")).await + window.count(".rail [data-testid=rail-things]").await;
            assert_eq!(count, 0, "a driver finds car parks only");
        } else {
            a_lamp_is_opened(&window, &lamp).await;
        }
        let who = window.text("status-who").await.unwrap_or_default();
        assert!(who.contains(label), "the status bar must say who is here: {who}");
        for testid in ["controls", "control", "send", "slider"] {
            let count = window.count(&by_testid(testid)).await;
            assert_eq!(count > 0, may_command, "{role} has {count} of {testid}");
        }
        window.close().await;
        told(&format!("{role}: {}", if may_command { "controls" } else { "no controls" }));
    }
    service.stop().await;
}

async fn a_lamp_is_opened(window: &Window, lamp: &Lamp) {
    window.open_thing("lamp-0042").await;
    // A thing that has said nothing yet is a page like any other; then it speaks.
    assert!(window.cards().await.is_empty());
    lamp.measure_now().await;
    window.wait_for_cards("the lamp's values", SOON, |cards| cards.contains_key("/power_w")).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
}
