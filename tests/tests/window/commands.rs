//! What waits is changed, and many are commanded at once, in the real window.

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;

use super::both::{bulk, edit, told};
use super::{alone, open, screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_changed_before_it_leaves() {
    let _alone = alone().await;
    let Some(mut broker) = Mosquitto::start("window-edit") else { return };
    let Some(display) = screen("window-edit") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Edit", broker.url()).write(data.path());
    let arguments = ["--profile", profile.to_str().unwrap(), "--theme", "light"];
    let Some(window) = open("window-edit", &display, data.path(), &arguments).await else { return };
    window.open_thing("lamp-0042").await;
    lamp.measure_now().await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
    edit::is_filled_in(&window, &mut broker).await;
    edit::is_changed(&window).await;
    edit::goes_out_as_it_is_then(&window, &mut broker, &mut lamp).await;
    window.wait_for_text("[data-testid=history] [data-testid=order]", SOON, |text| text.contains("Settled")).await;
    window.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_commands_many_at_once() {
    let _alone = alone().await;
    let Some(display) = screen("window-bulk") else { return };
    let data = tempfile::tempdir().unwrap();
    let Some(window) = open("window-bulk", &display, data.path(), &["--theme", "light"]).await else { return };
    window.wait_until_live().await;
    bulk::lamps_are_chosen(&window).await;
    bulk::a_dry_run_is_looked_at(&window, 45).await;
    bulk::it_goes_through(&window).await;
    bulk::what_is_dangerous_is_said_in_words(&window).await;
    window.click("[data-testid=confirm][open] [data-testid=confirm-no]").await;
    window.wait_until_gone("[data-testid=confirm][open]", SOON).await;
    window.click("[data-testid=bulk-sheet][open] [data-testid=bulk-cancel]").await;
    window.wait_until_gone("[data-testid=bulk-sheet][open]", SOON).await;
    told("many at once in the real window: chosen, looked at, sent, and asked before what is dangerous");
    window.close().await;
}
