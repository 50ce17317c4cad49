//! A rejected and an expired command are told apart, in whichever page.

use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::page::Page;
use fleetlens_tests::person::SOON;
use fleetlens_tests::wait::until;
use serde_json::json;

/// The limit of a document, in bytes (shadow-protocol.md, "Limits").
const DOCUMENT_MAX_BYTES: usize = 8 * 1024;

/// With the page of a lamp open that obeys nothing, under a profile that lets dimming wait 4 s. `dim` does what a person does to dim
/// it, and returns the expiry beside Send.
pub async fn are_told_apart(page: &Page, lamp: &mut Lamp, dim: impl AsyncFn(u8) -> String, pictures: [&str; 2]) {
    // Expired: the service takes it, the lamp never obeys, the profile's four seconds pass.
    assert_eq!(dim(40).await, "4 s", "the profile's expiry stands beside Send");
    let accepted = page.wait_for_timeline("the command to be accepted", SOON, |t| t.has("accepted")).await;
    assert_eq!(accepted.standing, "waiting", "{accepted:?}");
    assert_eq!(leaf(&lamp.document().await, "desired", "/dim_pct"), json!(40), "the service should want it by now");
    let expired = page.wait_for_timeline("the command to expire", SOON, |t| t.standing == "never-obeyed").await;
    assert!(expired.sentence.contains("accepted and") && expired.sentence.contains("obeyed"), "{expired:?}");
    let withdrawn = page.wait_for_timeline("the command to be withdrawn", SOON, |t| t.has("withdrawn")).await;
    assert_eq!(withdrawn.taken(), ["asked", "accepted", "expired", "withdrawn"], "{withdrawn:?}");
    until("the service to want it no more", SOON, async || {
        let wanted = leaf(&lamp.document().await, "desired", "/dim_pct");
        if wanted.is_null() { Ok(()) } else { Err(wanted.to_string()) }
    })
    .await;
    page.screenshot(pictures[0]).await;

    // Asked again, it is a command of its own, with its own time; of the first there is nothing left to ask.
    let sheet = "[data-testid=conflict][open]";
    page.click("[data-testid=ask-again]").await;
    page.wait_for_text(sheet, SOON, |text| text.contains("Ask for this again?") && text.contains("40 %")).await;
    page.screenshot(&format!("again-{}", pictures[0])).await;
    page.click(&format!("{sheet} [data-testid=conflict-yes]:not([disabled])")).await;
    page.wait_until_gone(sheet, SOON).await;
    page.wait_for_timeline("it to be accepted again", SOON, |t| t.standing == "waiting" && t.has("accepted")).await;
    page.wait_until_gone("[data-testid=ask-again]", SOON).await;
    page.wait_for_timeline("it to be withdrawn again", SOON, |t| t.has("withdrawn")).await;
    page.wait_for_element("[data-testid=ask-again]", SOON).await;

    // Rejected: the lamp's report fills the document, so that the service has no room for another wish.
    let room =
        DOCUMENT_MAX_BYTES - serde_json::to_vec(&json!({ "state": state(&lamp.document().await) })).unwrap().len();
    fill(lamp, room).await;
    page.wait_for_leaf("/filler", |_, reported| reported.len() > 100).await;
    dim(60).await;
    let rejected = page.wait_for_timeline("the command to be rejected", SOON, |t| t.standing == "rejected").await;
    assert!(rejected.title.contains("60 %"), "{rejected:?}");
    assert!(rejected.text.contains("413"), "the refusal must say why: {rejected:?}");
    assert!(!rejected.has("accepted") && !rejected.has("expired"), "{rejected:?}");
    assert!(leaf(&lamp.document().await, "desired", "/dim_pct").is_null(), "a refused wish stands in the shadow");
    assert_ne!(rejected.sentence, expired.sentence);
    page.screenshot(pictures[1]).await;
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
