//! The first start on a real broker: the question, a wrong port, the right one, what was heard, the profile in use; and then the
//! profile is changed. On the desk and in the hand.

use std::time::Duration;

use fleetlens_sim::{BrokerAt, City, CityOptions};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::{Mosquitto, free_port};
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE, Size};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;
use serde_json::json;

use super::alone;
use super::both::{rail, told};

/// Ten seconds of listening, and what a busy machine makes of the rest.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

const TEXT: &str = "[data-testid=profile-text]";
const THEMES: [&str; 2] = ["light", "dark"];

async fn a_city(broker: &Mosquitto) -> City {
    let at = BrokerAt { url: broker.url(), credentials: None };
    let options = CityOptions { broker: Some(at), things: 60, rate: Some(20.0), seed: 3, ..CityOptions::default() };
    fleetlens_sim::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_becomes_a_live_map_and_its_profile_is_changed() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("setup") else { return };
    let city = a_city(&broker).await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start_for_the_first_time("setup", data.path());
    let Some(browser) = Browser::open("browser-setup", &serve, serve.window(), DESKTOP, "dark").await else { return };
    the_question_is_asked(&browser, "1440").await;
    browser.click(&by_testid("choose-broker")).await;
    a_mistake_stands_beside_its_field(&browser, "1440").await;
    what_is_heard_becomes_a_profile(&browser, &broker.url(), "1440").await;
    browser.click(&by_testid("save-and-use")).await;
    browser.wait_until_live().await;
    assert_eq!(browser.count(&by_testid("welcome")).await, 0);
    browser.screenshot("setup-live-1440").await;
    told("what a broker says is a live map after one look at it");

    rail::go(&browser, "settings").await;
    browser.wait_for_element("[data-testid=profile][data-profile=\"My city\"].active", SOON).await;
    for theme in THEMES {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the settings with profiles, {theme}")).await;
        browser.screenshot(&format!("setup-settings-{theme}-1440")).await;
    }
    the_profile_is_edited(&browser).await;
    the_demo_city_is_only_copied(&browser).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_set_up_with_a_thumb() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("setup-phone") else { return };
    let city = a_city(&broker).await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start_for_the_first_time("setup-phone", data.path());
    let Some(phone) = Browser::open("browser-setup-phone", &serve, serve.phone(), PHONE, "light").await else { return };
    the_question_is_asked(&phone, "390").await;
    phone.click(&by_testid("choose-broker")).await;
    a_mistake_stands_beside_its_field(&phone, "390").await;
    nothing_is_too_small_or_too_wide(&phone, PHONE).await;
    what_is_heard_becomes_a_profile(&phone, &broker.url(), "390").await;
    nothing_is_too_small_or_too_wide(&phone, PHONE).await;
    phone.click(&by_testid("save-and-use")).await;
    phone.wait_until_live().await;
    phone.click(&by_testid("to-settings")).await;
    phone.wait_for_element("[data-testid=settings-sheet][open] [data-testid=profile-edit]", SOON).await;
    phone.screenshot("setup-settings-light-390").await;
    phone.click(&by_testid("profile-edit")).await;
    phone.wait_for_text(&by_testid("text-told"), SOON, |text| text.contains("No mistake")).await;
    phone.screenshot("setup-edit-light-390").await;
    phone.click(&by_testid("setup-close")).await;
    assert_eq!(phone.faults().await, Vec::<String>::new(), "something went wrong in the page");
    phone.close().await;
    serve.close().await;
    city.stop().await;
}

/// Both answers stand there, and nothing moves behind them.
async fn the_question_is_asked(page: &Browser, width: &str) {
    page.wait_for_element(&by_testid("choose-demo"), SOON).await;
    page.wait_for_element(&by_testid("choose-broker"), SOON).await;
    assert_eq!(page.count("[data-testid=map]").await, 0, "no map before somebody says of what");
    for theme in THEMES {
        page.set_theme(theme).await;
        assert_accessible(page, &format!("the first question, {theme}")).await;
        page.screenshot(&format!("setup-question-{theme}-{width}")).await;
    }
    told("at the first start the window asks: the demo city, or a broker");
}

/// A port where nobody listens, everything, and a file that is not there: each is told at its place.
async fn a_mistake_stands_beside_its_field(page: &Page, width: &str) {
    page.replace(&by_testid("setup-url"), &format!("mqtt://127.0.0.1:{}", free_port())).await;
    page.click(&by_testid("connect")).await;
    let wrong =
        page.wait_for_text(&by_testid("wrong-url"), SOON, |text| text.starts_with("No broker listens at")).await;
    page.wait_for_element("[data-testid=setup-url][aria-invalid=true]", SOON).await;
    for theme in THEMES {
        page.set_theme(theme).await;
        assert_accessible(page, &format!("the form with a wrong port, {theme}")).await;
        page.screenshot(&format!("setup-wrong-port-{theme}-{width}")).await;
    }
    page.replace(&by_testid("setup-filters"), "#").await;
    page.click(&by_testid("connect")).await;
    page.wait_for_text(&by_testid("wrong-filters"), SOON, |text| text.contains("everything a broker has")).await;
    page.wait_for_text(&by_testid("wrong-url"), SOON, str::is_empty).await;
    page.replace(&by_testid("setup-filters"), "depot/#").await;

    page.replace(&by_testid("setup-url"), "mqtts://127.0.0.1:1").await;
    page.click(&by_testid("fold-certificates")).await;
    page.replace(&by_testid("setup-ca"), "not-there.pem").await;
    page.click(&by_testid("fold-certificates")).await;
    page.click(&by_testid("connect")).await;
    let ca = page.wait_for_text(&by_testid("wrong-ca"), SOON, |text| text.contains("not-there.pem")).await;
    // The fold opened by itself, so that the sentence can be read.
    page.wait_for_element(&by_testid("wrong-ca"), SOON).await;
    page.screenshot(&format!("setup-wrong-ca-{width}")).await;
    page.ask::<()>(&set(&by_testid("setup-ca"), ""), Vec::new()).await;
    told(&format!("each mistake stands beside its field: {wrong} | {ca}"));
}

/// Connected, listened to, proposed; a mistake in the text is told with its line and nothing can be saved until it is mended.
async fn what_is_heard_becomes_a_profile(page: &Page, url: &str, width: &str) {
    page.replace(&by_testid("setup-url"), url).await;
    page.click(&by_testid("connect")).await;
    page.wait_for_text(&by_testid("progress"), HEARD_WITHIN, |text| text.contains("Listening")).await;
    page.wait_for_element(&by_testid("heard-topic"), HEARD_WITHIN).await;
    page.screenshot(&format!("setup-listening-{width}")).await;
    page.wait_for_element(TEXT, HEARD_WITHIN).await;
    page.wait_for_text(&by_testid("text-told"), SOON, |text| text.contains("No mistake")).await;
    let summary = page.wait_for_text(&by_testid("preview-summary"), SOON, |text| text.contains("things")).await;
    page.wait_for_element(&by_testid("preview-row"), SOON).await;
    let text: String = page.ask(&format!("return document.querySelector('{TEXT}').value"), Vec::new()).await;
    assert!(text.contains("template = \"city/{area}/{kind}/{thing}/telemetry\""), "{text}");
    for theme in THEMES {
        page.set_theme(theme).await;
        assert_accessible(page, &format!("the text and what it would read, {theme}")).await;
        page.screenshot(&format!("setup-text-{theme}-{width}")).await;
    }
    change(page, "envelope =", "envelop =").await;
    let wrong = page.wait_for_text(&by_testid("text-wrong"), SOON, |text| text.contains("unknown field")).await;
    assert!(wrong.starts_with("Line "), "{wrong}");
    page.wait_for_element("[data-testid=save-and-use][disabled]", SOON).await;
    page.screenshot(&format!("setup-mistake-{width}")).await;
    change(page, "envelop =", "envelope =").await;
    page.wait_for_element("[data-testid=save-and-use]:not([disabled])", SOON).await;
    told(&format!("what was heard is a profile: {summary} | {wrong}"));
}

/// A mistake is told and keeps what was there; what is right replaces it, and the fleet begins anew with it.
async fn the_profile_is_edited(page: &Page) {
    let open = "[data-testid=setup][open]";
    page.click("[data-testid=profile][data-profile=\"My city\"] [data-testid=profile-edit]").await;
    page.wait_for_text(&by_testid("text-told"), SOON, |text| text.contains("No mistake")).await;
    let preview = page.text("preview").await.unwrap_or_default();
    assert!(preview.contains("Nothing was heard yet"), "{preview}");
    assert_eq!(page.count(&by_testid("save-and-use")).await, 0, "it is in use already");
    change(page, "role = \"operator\"", "role = \"boss\"").await;
    page.wait_for_text(&by_testid("text-wrong"), SOON, |text| text.contains("unknown variant")).await;
    page.wait_for_element("[data-testid=save-profile][disabled]", SOON).await;
    page.press(thirtyfour::Key::Escape).await;
    assert_eq!(page.count(open).await, 1, "what was typed is not lost by a key");
    assert_accessible(page, "a profile with a mistake").await;

    change(page, "role = \"boss\"", "name = \"R. Borg\"\nrole = \"technician\"").await;
    page.wait_for_element("[data-testid=save-profile]:not([disabled])", SOON).await;
    // Once more what the broker says, without leaving the profile that is in use.
    page.click(&by_testid("look")).await;
    page.wait_for_text(&by_testid("look-told"), HEARD_WITHIN, |text| text.starts_with("Heard")).await;
    page.wait_for_element(&by_testid("preview-row"), SOON).await;
    page.screenshot("setup-edit-1440").await;
    page.click(&by_testid("save-profile")).await;
    page.wait_for_text(&by_testid("save-told"), SOON, |text| text.contains("My city is saved")).await;
    page.click(&by_testid("setup-close")).await;
    page.wait_until_gone(open, SOON).await;
    page.wait_for_text(&by_testid("status-who"), SOON, |text| text == "Technician · R. Borg").await;
    rail::go(page, "map").await;
    page.wait_until_live().await;
    told("a profile is edited: a mistake is told by its line, what is right is in use at once");
}

async fn the_demo_city_is_only_copied(page: &Page) {
    rail::go(page, "settings").await;
    let demo = "[data-testid=profile][data-profile=\"Demo city\"]";
    page.wait_for_element(&format!("{demo} [data-testid=profile-copy]"), SOON).await;
    assert_eq!(page.count(&format!("{demo} [data-testid=profile-edit]")).await, 0, "it is built in");
    page.click(&format!("{demo} [data-testid=profile-copy]")).await;
    page.wait_for_text(&by_testid("text-told"), SOON, |text| text.contains("No mistake")).await;
    page.click(&by_testid("save-profile")).await;
    page.wait_for_text(&by_testid("save-told"), SOON, |text| text.contains("Demo city copy is saved")).await;
    page.click(&by_testid("setup-close")).await;
    page.wait_for_element("[data-testid=profile][data-profile=\"Demo city copy\"]", SOON).await;
    told("the demo city cannot be edited, but copied");
}

/// Every button and field can be hit with a glove, and nothing has to be scrolled sideways.
async fn nothing_is_too_small_or_too_wide(page: &Page, (width, _): Size) {
    let script = "const shown = e => e.getClientRects().length > 0; \
        const hit = e => (e.closest('label') ?? e).getBoundingClientRect(); \
        const small = [...document.querySelectorAll('.welcome :is(button, input, select)')].filter(shown) \
            .filter(e => hit(e).height < 44).map(e => e.dataset.testid ?? e.innerText); \
        return [small.join(', '), String(document.querySelector('.welcome').scrollWidth)]";
    let [small, wide]: [String; 2] = page.ask(script, Vec::new()).await;
    assert_eq!(small, "", "smaller than 44 pixels");
    assert!(wide.parse::<u32>().is_ok_and(|wide| wide <= width), "{wide} pixels wide");
}

/// Changes a part of the text, as typing does.
async fn change(page: &Page, from: &str, to: &str) {
    let now: String = page.ask(&format!("return document.querySelector('{TEXT}').value"), Vec::new()).await;
    assert!(now.contains(from), "{from} is not in the text: {now}");
    page.ask::<()>(&set(TEXT, &now.replacen(from, to, 1)), Vec::new()).await;
}

/// Puts a text into a field, with the event that typing makes.
fn set(css: &str, text: &str) -> String {
    format!(
        "const e = document.querySelector({}); e.value = {}; e.dispatchEvent(new Event('input', {{ bubbles: true }}))",
        json!(css),
        json!(text)
    )
}
