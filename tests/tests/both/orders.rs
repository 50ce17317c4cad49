//! The outbox, what was waited for in vain, and the history: what waits, for how long yet, the way back, what somebody else ran into,
//! and what came of it.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;

use serde_json::json;

use super::street::{self, Street};
use super::{rail, table, told};

/// The control that dims a lamp.
const DIM: &str = "[data-testid=control][data-pointer=\"/dim_pct\"]";

/// While a person chooses a value, somebody else wants another: nothing is sent before it is said whose holds.
async fn a_wish_that_somebody_ran_into_is_decided(page: &Page, street: &Street) {
    page.open_thing(street.lamp.name()).await;
    page.prepare_dim(40).await;
    // What the lamp reports already, so that nothing is late because of it.
    street.somebody_wants(json!({ "dim_pct": 100 })).await;
    page.wait_for_leaf("/dim_pct", |wanted, _| wanted == "100").await;
    page.click(&format!("{DIM} [data-testid=send]")).await;
    let sheet = "[data-testid=conflict][open]";
    let words = page.wait_for_text(sheet, SOON, |text| text.contains("Somebody changed this meanwhile")).await;
    for part in ["you saw", "nothing", "it is now", "100 %", "you want", "40 %"] {
        assert!(words.contains(part), "the sheet does not say “{part}”: {words}");
    }
    page.wait_for_element(&format!("{sheet} [data-testid=conflict-yes][disabled]"), SOON).await;
    assert_eq!(page.count(&by_testid("command")).await, 0, "something was sent before it was decided");
    page.still(2_500, SOON).await;
    page.screenshot("conflict-1440").await;
    page.click_word(&format!("{sheet} [data-testid=clash]"), "Theirs").await;
    page.wait_for_text(&format!("{sheet} [data-testid=conflict-yes]"), SOON, |text| text == "Leave it as it is").await;
    page.click_word(&format!("{sheet} [data-testid=clash]"), "Mine").await;
    page.click(&format!("{sheet} [data-testid=conflict-yes]:not([disabled])")).await;
    page.wait_until_gone(sheet, SOON).await;
    told("what somebody changed meanwhile is laid side by side, and nothing is sent before it is decided");
}

/// What was waited for in vain stands among the commands with its reason, and leads to its thing.
async fn what_is_not_so_for_long_is_listed(page: &Page, street: &Street) {
    // Of a silent thing its silence is told instead.
    street.lamp.measure_now().await;
    let leaf = "[data-testid=not-converged] [data-testid=open-leaf]";
    let words =
        page.wait_for_text(leaf, SOON, |text| text.contains("accepted, never obeyed · asked by T. Ester")).await;
    for part in ["Never obeyed", "wanted 40 %, reports 100 % for", "Lamp 0042"] {
        assert!(words.contains(part), "the list does not say “{part}”: {words}");
    }
    page.wait_for_text(&by_testid("badge-not-converged"), SOON, |text| text == "≠1").await;
    page.click(&format!("{leaf} [data-testid=order-choose]")).await;
    page.wait_for_title(street.lamp.name()).await;
    page.close_thing().await;
    told("what is wanted and not so for long is listed with its reason, counted on the rail, and leads to its thing");
}

/// The street's lamp obeys nothing: what is asked of it stands in the outbox until it is taken back.
pub async fn a_command_waits_in_sight_and_is_taken_back(page: &Page, street: &Street) {
    a_wish_that_somebody_ran_into_is_decided(page, street).await;
    page.wait_for_timeline("the command to be accepted", SOON, |t| t.has("accepted")).await;
    let (_, wanted, reported) = page.wait_for_leaf("/dim_pct", |wanted, _| wanted == "40").await;
    assert_eq!((wanted.as_str(), reported.as_str()), ("40", "100"));
    assert_eq!(
        page.count("[data-shadow=\"\"] tr.differs[data-pointer=\"/dim_pct\"]").await,
        1,
        "what is not so yet is marked"
    );
    page.close_thing().await;

    rail::go(page, "things").await;
    page.click_word("[data-testid=things] .segmented", "Pending").await;
    let total = format!("1 of {} things", street::BINS + 2);
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
    assert!(steps.contains("waits for the device") && steps.contains("100 → 40"), "{steps}");
    what_is_not_so_for_long_is_listed(page, street).await;
    page.click(&format!("{order} [data-testid=cancel]")).await;
    let ended = "[data-testid=history] [data-testid=order]";
    let words = page.wait_for_text(ended, SOON, |text| text.contains("Taken back")).await;
    assert!(words.contains("Dim to 40 %") && !words.contains("expires in"), "{words}");
    page.wait_for_text(&by_testid("outbox-total"), SOON, |text| text == "none waits").await;
    // What ended stands where it stood while the pointer is on it; away from it the lists close up.
    page.click(&by_testid("outbox-total")).await;
    page.wait_until_gone(order, SOON).await;
    page.wait_for_element(&by_testid("not-converged-none"), SOON).await;
    page.wait_until_gone(&by_testid("badge-not-converged"), SOON).await;
    // Another thing is open: its page goes before the one where it is asked comes.
    page.open_thing(&street::name(1)).await;
    rail::go(page, "commands").await;
    page.click(&format!("{ended} [data-testid=ask-again]")).await;
    let sheet = "[data-testid=conflict][open]";
    let words = page.wait_for_text(sheet, SOON, |text| text.contains("Ask for this again?")).await;
    assert!(words.contains("40 %"), "{words}");
    page.still(2_500, SOON).await;
    page.screenshot("ask-again-1440").await;
    page.click(&format!("{sheet} [data-testid=conflict-no]")).await;
    page.wait_until_gone(sheet, SOON).await;
    page.wait_for_title(street.lamp.name()).await;
    page.close_thing().await;
    page.click(&format!("{ended} [data-testid=order-choose]")).await;
    page.wait_for_title(street.lamp.name()).await;
    page.wait_for_leaf("/dim_pct", |wanted, _| wanted == "100").await;
    page.close_thing().await;
    told("a command waits in the outbox with its expiry, is taken back, and stands in the history");
    the_audit_log_tells_all_of_it(page).await;
}

/// Every step of the command stands in the audit log, and what is typed finds them.
async fn the_audit_log_tells_all_of_it(page: &Page) {
    let row = |event: &str| format!("[data-testid=audit-row][data-event={event}]");
    rail::go(page, "commands").await;
    page.click(&by_testid("to-audit")).await;
    let asked = page.wait_for_text(&row("asked"), SOON, |text| text.contains("/dim_pct")).await;
    assert!(asked.contains("lamp-0042") && asked.contains("T. Ester"), "{asked}");
    page.click(&format!("{} [data-testid=audit-only]", row("cancelled"))).await;
    page.wait_for_element(&by_testid("audit-all"), SOON).await;
    for event in ["asked", "committed", "published", "accepted", "cancelled", "withdrawn"] {
        page.wait_for_element(&row(event), SOON).await;
    }
    page.screenshot("audit-1440").await;
    page.type_into(&by_testid("audit-filter"), "no such word").await;
    page.wait_for_element(&by_testid("audit-none"), SOON).await;
    page.click(&by_testid("audit-back")).await;
    page.wait_for_element(&by_testid("outbox-total"), SOON).await;
    told("the audit log tells every step of a command, who asked for it and how long it took");
}
