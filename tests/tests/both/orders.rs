//! The outbox and the history: what waits, for how long yet, the way back, and what came of it.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;

use super::street::Street;
use super::{rail, table, told};

/// The street's lamp obeys nothing: what is asked of it stands in the outbox until it is taken back.
pub async fn a_command_waits_in_sight_and_is_taken_back(page: &Page, street: &Street) {
    page.open_thing(street.lamp.name()).await;
    page.dim(40).await;
    page.wait_for_timeline("the command to be accepted", SOON, |t| t.has("accepted")).await;
    let (_, wanted, reported) = page.wait_for_leaf("/dim_pct", |wanted, _| wanted == "40").await;
    assert_eq!((wanted.as_str(), reported.as_str()), ("40", "100"));
    assert_eq!(
        page.count("[data-shadow=\"\"] tr.differs[data-pointer=\"/dim_pct\"]").await,
        1,
        "what is not so yet is marked"
    );
    page.click(&by_testid("close")).await;

    rail::go(page, "things").await;
    page.click_word("[data-testid=things] .segmented", "Pending").await;
    let total = format!("1 of {} things", super::street::BINS + 2);
    assert_eq!(table::names_of(page, &total).await, [street.lamp.name()]);
    page.click_word("[data-testid=things] .segmented", "All").await;

    rail::go(page, "commands").await;
    page.wait_for_text(&by_testid("outbox-total"), SOON, |text| text == "1 wanted and not yet so").await;
    let badge = page.text("badge-commands").await;
    assert_eq!(badge.as_deref(), Some("1"));
    let order = "[data-testid=outbox] [data-testid=order]";
    let words = page.wait_for_text(order, SOON, |text| text.contains("expires in")).await;
    for part in ["Accepted", "Dim to 40 %", "accepted, not yet obeyed", "Lamp 0042", "T. Ester"] {
        assert!(words.contains(part), "the outbox does not say {part}: {words}");
    }
    page.click(&format!("{order} [data-testid=steps]")).await;
    let steps = page.wait_for_text(&format!("{order} .order-steps"), SOON, |text| text.contains("Asked")).await;
    assert!(steps.contains("waits for the device") && steps.contains("nothing → 40"), "{steps}");
    page.click(&format!("{order} [data-testid=cancel]")).await;
    let ended = "[data-testid=history] [data-testid=order]";
    let words = page.wait_for_text(ended, SOON, |text| text.contains("Taken back")).await;
    assert!(words.contains("Dim to 40 %") && !words.contains("expires in"), "{words}");
    page.wait_for_text(&by_testid("outbox-total"), SOON, |text| text == "none waits").await;
    // What ended stands where it stood while the pointer is on it; away from it the lists close up.
    page.click(&by_testid("outbox-total")).await;
    page.wait_until_gone(order, SOON).await;
    page.click(&format!("{ended} [data-testid=order-choose]")).await;
    page.wait_for_title(street.lamp.name()).await;
    page.wait_for_leaf("/dim_pct", |wanted, _| wanted == "–").await;
    page.click(&by_testid("close")).await;
    told("a command waits in the outbox with its expiry, is taken back, and stands in the history");
}
