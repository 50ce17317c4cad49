//! The history of a shadow: who or what changed which value, and when.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;

use super::told;

/// The changes of the classic shadow.
const CHANGES: &str = "[data-testid=shadow][data-shadow=\"\"] [data-testid=shadow-change]";

/// A leaf of one change by somebody.
fn leaf(by: &str, side: &str) -> String {
    format!("{CHANGES}[data-by={by}] [data-side={side}][data-pointer=\"/dim_pct\"]")
}

/// Dims the open lamp to two values: the person and the device stand in its history, and what happens while that is open comes by
/// itself, above.
pub async fn of_a_lamp_tells_the_person_and_the_device(page: &Page, [first, second]: [u8; 2]) {
    page.dim(first).await;
    page.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    unfold(page).await;
    page.wait_for_text(&leaf("person", "wanted"), SOON, |text| text.ends_with(&format!("→ {first} %"))).await;
    page.wait_for_text(&leaf("device", "reported"), SOON, |text| text.ends_with(&format!("→ {first} %"))).await;
    let head = page.wait_for_text(&format!("{CHANGES}[data-by=person] .change-head"), SOON, |_| true).await;
    assert!(head.contains(" · command ") && head.contains("v "), "who, by which command, at which version: {head}");

    page.dim(second).await;
    let change = format!("{first} % → {second} %");
    for (by, side) in [("person", "wanted"), ("device", "reported")] {
        page.wait_for_text(&leaf(by, side), SOON, |text| text.ends_with(&change)).await;
    }
    let order: Vec<String> = page
        .ask("return [...document.querySelectorAll(arguments[0])].map(e => e.dataset.by)", vec![CHANGES.into()])
        .await;
    let first_of = |by: &str| order.iter().position(|other| other == by).unwrap_or(usize::MAX);
    assert!(first_of("device") < first_of("person"), "the newest stands first: {order:?}");
    told("the history of a lamp's shadow tells what the person wanted and what the device reported, as it happens");
}

/// What was told before is there after a start, also without a broker.
pub async fn outlives_the_program(page: &Page, pct: u8) {
    unfold(page).await;
    page.wait_for_text(&leaf("person", "wanted"), SOON, |text| text.ends_with(&format!("→ {pct} %"))).await;
    told("the history of a shadow is read from the cache");
}

/// Opens the list; whoever does it is not in it, so that it goes on.
async fn unfold(page: &Page) {
    if page.count(CHANGES).await == 0 {
        page.click(&by_testid("shadow-history-fold")).await;
    }
    page.wait_for_element(CHANGES, SOON).await;
}
