//! What waits in the outbox is changed before it leaves, goes out as it is then, and says where its time went.

use std::time::Duration;

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::{edit, told};
use super::export;

/// Generous: a link that failed some times waits up to half a minute.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_changed_before_it_leaves_and_says_where_its_time_went() {
    let _alone = alone().await;
    let Some(mut broker) = Mosquitto::start("browser-outbox") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Outbox", broker.url()).write(data.path());
    let serve = Serve::start("outbox", data.path(), &["--profile", profile.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-outbox", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.open_thing("lamp-0042").await;
    lamp.measure_now().await;
    page.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;

    edit::is_filled_in(&page, &mut broker).await;
    assert_accessible(&page, "the sheet that changes a command").await;
    page.screenshot("edit-1440").await;
    edit::is_changed(&page).await;
    edit::goes_out_as_it_is_then(&page, &mut broker, &mut lamp).await;
    let ended = "[data-testid=history] [data-testid=order]";
    page.wait_for_text(ended, SOON, |text| text.contains("Settled")).await;
    page.click(&format!("{ended} [data-testid=steps]")).await;
    page.wait_for_element(&format!("{ended} [data-testid=legs] [data-leg=reported]"), SOON).await;
    let legs = page.texts_of(&format!("{ended} [data-testid=legs] dt")).await;
    assert_eq!(legs, ["on the disk", "published", "with the broker", "accepted", "reported"]);
    page.wait_for_element("[data-testid=leg-figures] [data-leg=reported] [data-testid=p99]", SOON).await;
    page.screenshot("legs-1440").await;
    page.resize(PHONE.0, PHONE.1).await;
    page.screenshot("legs-390").await;
    page.resize(DESKTOP.0, DESKTOP.1).await;
    told("a command shows where its time went, and so do all of them together");

    page.click(&by_testid("to-audit")).await;
    page.click("[data-testid=audit-row][data-event=settled] [data-testid=audit-only]").await;
    page.wait_for_element(&by_testid("audit-all"), SOON).await;
    let first = page.wait_for_text("[data-testid=audit-row]", SOON, |text| text.contains("/dim_pct = 40")).await;
    assert!(first.contains("Asked"), "one command is told from its beginning: {first}");
    page.wait_for_text("[data-testid=audit-row][data-event=edited]", SOON, |text| {
        text.contains("/dim_pct = 60") && text.contains("T. Ester")
    })
    .await;
    told("the log of one command begins with who asked for it, and says who changed it");
    let sheet = export::saved(&page, "fleetlens-audit-").await;
    assert!(sheet[0].starts_with("seq,") && sheet[0].ends_with(",time,hash"), "{sheet:?}");
    let shown = page.count(&by_testid("audit-row")).await;
    assert_eq!(sheet.len(), shown + 1, "what is shown is what is saved: {sheet:?}");
    page.screenshot("audit-saved-1440").await;
    told("what the log tells of a command is saved as a sheet");
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
    service.stop().await;
}
