//! A rejected and an expired command are told apart, on a broker with a real shadow service and one lamp that obeys nothing.

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use serde_json::json;

use super::{alone, open, screen, told};

/// The limit of a document, in bytes (shadow-protocol.md, "Limits").
const DOCUMENT_MAX_BYTES: usize = 8 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_and_an_expired_command_are_told_apart() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("window-refusals") else { return };
    let Some(display) = screen("window-refusals") else { return };
    let mut service =
        ShadowService::start(&BrokerAt { url: broker.url(), credentials: None }, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();
    let text = ProfileText { expiry_s: vec![("/dim_pct", 4)], ..ProfileText::new("Refusals", broker.url()) };
    let profile = text.write(data.path());
    let arguments = ["--profile", profile.to_str().unwrap(), "--theme", "dark"];
    let Some(window) = open("window-refusals", &display, data.path(), &arguments).await else { return };
    window.open_thing("lamp-0042").await;
    lamp.measure_now().await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;

    // Expired: the service takes it, the lamp never obeys, the profile's four seconds pass.
    assert_eq!(window.dim(40).await, "4 s", "the profile's expiry stands beside Send");
    let accepted = window.wait_for_timeline("the command to be accepted", SOON, |t| t.has("accepted")).await;
    assert_eq!(accepted.standing, "waiting", "{accepted:?}");
    assert_eq!(leaf(&lamp.document().await, "desired", "/dim_pct"), json!(40), "the service should want it by now");
    let expired = window.wait_for_timeline("the command to expire", SOON, |t| t.standing == "expired").await;
    assert!(expired.sentence.contains("expired"), "{expired:?}");
    let withdrawn = window.wait_for_timeline("the command to be withdrawn", SOON, |t| t.has("withdrawn")).await;
    assert_eq!(withdrawn.taken(), ["asked", "accepted", "expired", "withdrawn"], "{withdrawn:?}");
    until("the service to want it no more", SOON, async || {
        let wanted = leaf(&lamp.document().await, "desired", "/dim_pct");
        if wanted.is_null() { Ok(()) } else { Err(wanted.to_string()) }
    })
    .await;
    told("an accepted command that is not obeyed expires and is taken out of the shadow again");
    window.screenshot("expired-1440").await;

    // Rejected: the lamp's report fills the document, so that the service has no room for another wish.
    let room =
        DOCUMENT_MAX_BYTES - serde_json::to_vec(&json!({ "state": state(&lamp.document().await) })).unwrap().len();
    fill(&mut lamp, room).await;
    window.wait_for_leaf("/filler", |_, reported| reported.len() > 100).await;
    window.dim(60).await;
    let rejected = window.wait_for_timeline("the command to be rejected", SOON, |t| t.standing == "rejected").await;
    assert!(rejected.title.contains("60 %"), "{rejected:?}");
    assert!(rejected.text.contains("413"), "the refusal must say why: {rejected:?}");
    assert!(!rejected.has("accepted") && !rejected.has("expired"), "{rejected:?}");
    assert!(leaf(&lamp.document().await, "desired", "/dim_pct").is_null(), "a refused wish stands in the shadow");
    assert_ne!(rejected.sentence, expired.sentence);
    told("a refused command says so with its reason, and looks otherwise than an expired one");
    window.screenshot("rejected-1440").await;
    window.close().await;
    service.stop().await;
}

fn state(document: &fleetlens_model::shadow::Document) -> serde_json::Value {
    json!({ "desired": document.desired, "reported": document.reported })
}

fn leaf(document: &fleetlens_model::shadow::Document, section: &str, pointer: &str) -> serde_json::Value {
    state(document)[section].pointer(pointer).cloned().unwrap_or_default()
}

/// Makes the lamp report text until the service takes no byte more.
async fn fill(lamp: &mut Lamp, room: usize) {
    let (mut fits, mut does_not) = (0, room + 64);
    while fits + 1 < does_not {
        let middle = usize::midpoint(fits, does_not);
        lamp.report(&json!({ "filler": "x".repeat(middle) })).await;
        let now = leaf(&lamp.document().await, "reported", "/filler").as_str().map_or(0, str::len);
        if now == middle { fits = middle } else { does_not = middle }
    }
    assert!(fits > 100, "there was no room at all");
}
