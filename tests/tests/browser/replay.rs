//! The past in a browser: a lamp that said 10 and then 50 says 10 at the moment between, in the table and on its page; nothing is commanded
//! there; played on it says 50, and there is a way back.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;
use fleetlens_tests::wait::until;
use serde_json::json;

use super::alone;
use super::both::street::Street;
use super::both::told;

/// Types a moment into the field, as the reader's clock has it.
const TYPE: &str = "const d = new Date(arguments[0]), p = n => String(n).padStart(2, '0'); \
    const field = document.querySelector('[data-testid=replay-exact]'); \
    field.value = `${d.getFullYear()}-${p(d.getMonth() + 1)}-${p(d.getDate())}T${p(d.getHours())}:${p(d.getMinutes())}:${p(d.getSeconds())}`; \
    field.dispatchEvent(new Event('change', { bubbles: true }))";

const POWER: &str = "[data-testid=value][data-pointer=\"/power_w\"]";

async fn says(page: &Browser, watts: &str) {
    page.wait_for_cards(&format!("{watts} W"), SOON, |cards| {
        cards.get("/power_w").is_some_and(|card| card.number.starts_with(watts))
    })
    .await;
}

/// Whole seconds in which nothing happens, so that a moment between two messages can be named by its second.
async fn some_seconds_pass(from_ms: i64) -> i64 {
    until("the clock to go on", SOON, async || {
        let gone_ms = now_ms() - from_ms;
        if gone_ms > 3_000 { Ok(()) } else { Err(format!("{gone_ms} ms")) }
    })
    .await;
    now_ms()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_goes_back_to_what_was_and_on_from_there() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(street) = Street::start("browser-replay", data.path()).await else { return };
    let serve = Serve::start("replay", data.path(), &["--profile", street.profile()]);
    let Some(browser) = Browser::open("browser-replay", &serve, serve.window(), DESKTOP, "dark").await else { return };
    street.speaks().await;
    browser.wait_until_live().await;
    street.bin(1, json!({ "fill_pct": 12, "temp_c": 75.0 })).await;
    street.lamp.measure(now_ms(), &json!({ "power_w": 10.0, "dim_pct": 10, "temp_c": 21.0 })).await;
    browser.open_thing(street.lamp.name()).await;
    says(&browser, "10").await;
    browser.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
    browser.wait_for_element("[data-testid=slider]", SOON).await;
    let between = some_seconds_pass(now_ms()).await;
    let after = some_seconds_pass(between).await;
    street.lamp.measure(after, &json!({ "power_w": 50.0, "dim_pct": 50, "temp_c": 22.0 })).await;
    says(&browser, "50").await;
    some_seconds_pass(now_ms()).await;

    // Closed it takes no room; its key shows it.
    assert_eq!(browser.count(&by_testid("replay-bar")).await, 0);
    browser.ask::<()>("document.activeElement?.blur()", Vec::new()).await;
    browser.keys("p").await;
    browser.wait_for_element(&by_testid("replay-slider"), SOON).await;
    assert_eq!(browser.count(&by_testid("past")).await, 0, "nothing is the past yet");
    browser.ask::<()>(TYPE, vec![between.into()]).await;
    browser.wait_for_element(&by_testid("past"), SOON).await;
    says(&browser, "10").await;
    browser.wait_for_text(&by_testid("past-moment"), SOON, |text| text.contains("stands still")).await;
    browser.wait_until_gone("[data-testid=slider]", SOON).await;
    assert_eq!(browser.count("[data-testid=send]").await, 0, "nothing is commanded in the past");
    browser.wait_for_element(POWER, SOON).await;
    browser.screenshot("replay-thing-dark-1440").await;
    assert_accessible(&browser, "a thing in the past, dark").await;
    told("a moment that is typed shows the lamp as it was, and no control");

    browser.close_thing().await;
    browser.click(&by_testid("rail-things")).await;
    let row = "return [...document.querySelectorAll('[data-testid=things-row]')].map(row => row.textContent).find(text => text.includes('0042')) ?? ''";
    browser
        .wait_for(
            "the lamp's row with 10 %",
            SOON,
            row,
            |text: String| {
                if text.contains("10%") { Ok(()) } else { Err(text) }
            },
        )
        .await;
    browser.screenshot("replay-things-dark-1440").await;
    told("the table says what the page says");

    // Played on, it says what came.
    browser.click_word("[data-testid=replay-bar]", "1×").await;
    browser.click(&by_testid("replay-play")).await;
    browser
        .wait_for("the lamp's row with 50 %", Duration::from_secs(60), row, |text: String| {
            if text.contains("50%") { Ok(()) } else { Err(text) }
        })
        .await;
    told("played on, the lamp says what it said next");

    browser.click(&by_testid("rail-map")).await;
    browser.set_theme("light").await;
    browser.screenshot("replay-map-light-1440").await;
    assert_accessible(&browser, "the map in the past, light").await;
    for (width, height) in [(1024, 700), (700, 800)] {
        browser.resize(width, height).await;
        browser.screenshot(&format!("replay-map-light-{width}")).await;
    }
    browser.resize(DESKTOP.0, DESKTOP.1).await;

    // By the keys of the track.
    let slider = browser.wait_for_element(&by_testid("replay-slider"), SOON).await;
    slider.focus().await.unwrap();
    browser.press(thirtyfour::Key::Home).await;
    let first = browser.wait_for_text(&by_testid("past-moment"), SOON, |text| !text.is_empty()).await;
    browser.press(thirtyfour::Key::End).await;
    browser.wait_for_text(&by_testid("past-moment"), SOON, |text| text != first).await;
    let words: Option<String> = browser
        .ask("return document.querySelector('[data-testid=replay-slider]').getAttribute('aria-valuetext')", Vec::new())
        .await;
    assert!(words.is_some_and(|words| words.contains(':')), "the moment is told in words");

    browser.click(&by_testid("replay-now")).await;
    browser.wait_until_gone(&by_testid("past"), SOON).await;
    browser.open_thing(street.lamp.name()).await;
    says(&browser, "50").await;
    browser.wait_for_element("[data-testid=slider]", SOON).await;
    told("back to now there is everything again");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}
