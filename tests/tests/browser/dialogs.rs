//! What stands over the rest only for a while, and what axe-core says of it: questions, cards, keys, unfolded lines, the notice that the
//! link is down.

use fleetlens_tests::axe::{assert_accessible, assert_part_accessible};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use serde_json::json;
use thirtyfour::Key;

use super::both::street::{OTHER_PROFILE, Street};
use super::both::{rail, told};

/// The bin that is full and the bin that burns, of both of which nobody has seen anything yet.
const UNSEEN: [usize; 2] = [4, 5];

/// Something stands in the banner, can be acknowledged, and was refused.
pub async fn have_something_to_say(page: &Page, street: &Street) {
    street.bin(UNSEEN[0], json!({ "fill_pct": 96 })).await;
    street.bin(UNSEEN[1], json!({ "temp_c": 80.0 })).await;
    street.lamp_stammers().await;
    page.wait_for_text(&by_testid("critical"), SOON, |text| text.contains("is burning")).await;
}

/// Everything but the notice, which needs the broker gone.
pub async fn are_accessible(page: &Page, theme: &str) {
    rail::go(page, "map").await;
    page.wait_for_element(&by_testid("attention-row"), SOON).await;
    assert_accessible(page, &format!("the map with a banner, {theme}")).await;

    page.click(&by_testid("rail-keys")).await;
    is_accessible(page, "dialog[open]", "the keys", theme).await;
    for card in ["status-link", "status-traffic", "status-sheds", "status-refused", "status-store"] {
        page.click(&by_testid(card)).await;
        is_accessible(page, &by_testid(&format!("{card}-card")), card, theme).await;
    }

    rail::go(page, "alarms").await;
    page.wait_for_element(&by_testid("alarm"), SOON).await;
    // What was chosen in the other theme still is.
    if page.count("[data-testid=acknowledge][disabled]").await > 0 {
        page.click(&by_testid("alarm-all")).await;
    }
    page.click("[data-testid=acknowledge]:not([disabled])").await;
    let dialog = "[data-testid=acknowledge-dialog][open]";
    page.wait_for_element(&format!("{dialog} [data-testid=comment]"), SOON).await;
    page.screenshot(&format!("acknowledge-{theme}-1440")).await;
    is_accessible(page, dialog, "the question at acknowledging", theme).await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "History").await;
    page.wait_for_element("[data-testid=alarm][data-state=ended]", SOON).await;
    assert_accessible(page, &format!("the history of alarms, {theme}")).await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Open").await;

    rail::go(page, "commands").await;
    let order = "[data-testid=history] [data-testid=order]";
    page.click(&format!("{order} [data-testid=steps]")).await;
    page.wait_for_element(&format!("{order} .order-steps"), SOON).await;
    assert_accessible(page, &format!("a command with its steps, {theme}")).await;
    page.click(&format!("{order} [data-testid=steps]")).await;

    rail::go(page, "settings").await;
    page.click(&format!("[data-testid=profile][data-profile=\"{OTHER_PROFILE}\"] [data-testid=profile-use]")).await;
    is_accessible(page, "[data-testid=confirm][open]", "the question at another profile", theme).await;
    told(&format!("axe-core finds nothing in banner, keys, cards, questions, history and steps, {theme}"));
}

/// The question before a charger is taken out of service, which stays in it.
pub async fn the_question_is_accessible(page: &Page) {
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        page.open_thing("charger-0002").await;
        page.wait_for_leaf("/enabled", |_, reported| reported == "true").await;
        let service = "[data-testid=control][data-pointer=\"/enabled\"]";
        page.click_word(service, "No").await;
        page.click(&format!("{service} [data-testid=send]:not([disabled])")).await;
        is_accessible(page, "[data-testid=confirm][open]", "the question before a command", theme).await;
        page.close_thing().await;
        page.wait_until_gone(&by_testid("title"), SOON).await;
    }
    told("axe-core finds nothing in the question before a command, dark and light");
}

/// The notice that the link is down.
pub async fn the_offline_notice_is_accessible(page: &Page, street: &mut Street) {
    rail::go(page, "map").await;
    street.broker.stop();
    page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        assert_accessible(page, &format!("the notice that the link is down, {theme}")).await;
    }
    street.broker_comes_back().await;
    page.wait_until_gone(&by_testid("offline"), SOON).await;
    told("axe-core finds nothing while the link is down, dark and light");
}

/// Axe-core on one part, which Escape closes.
async fn is_accessible(page: &Page, css: &str, what: &str, theme: &str) {
    assert_part_accessible(page, css, &format!("{what}, {theme}")).await;
    page.press(Key::Escape).await;
    page.wait_until_gone(css, SOON).await;
}
