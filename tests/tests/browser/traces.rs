//! The small charts of the table of things, and addresses in a browser: where the page is stands in its address, a link leads there, and what
//! is to be seen in a second window opens as a tab.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;
use serde_json::json;

use super::alone;
use super::both::street::Street;
use super::both::told;

const MINUTE_MS: i64 = 60_000;

/// The row of the lamp.
const LINE: &str = "[data-testid=things-row]:has([title=\"lamp-0042\"]) .trace-line";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_shows_the_last_hours_of_what_is_in_view() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(street) = Street::start("browser-traces", data.path()).await else { return };
    let serve = Serve::start("traces", data.path(), &["--profile", street.profile()]);
    let Some(browser) = Browser::open("browser-traces", &serve, serve.window(), DESKTOP, "dark").await else { return };
    street.speaks().await;
    browser.wait_until_live().await;
    lamp_dims_and_is_silent_for_hours(&street).await;
    for n in 1..6 {
        street.bin(n, json!({ "fill_pct": 10 * n, "temp_c": 21.0 })).await;
    }
    browser.click(&by_testid("rail-things")).await;
    browser.wait_for_element("[data-testid=things-row][data-thing]", SOON).await;
    assert_eq!(browser.count(".trace").await, 0, "nobody asked for charts");
    browser.choose(&by_testid("things-back"), "24h").await;
    // Two runs with a gap between them, and no third.
    let script = format!("const e = document.querySelector({}); return e && e.getAttribute('d')", json!(LINE));
    let line = browser
        .wait_for("a small chart of the lamp", SOON, &script, |line: Option<String>| {
            line.filter(|line| line.matches('M').count() == 2).ok_or_else(|| "no chart with one gap".to_owned())
        })
        .await;
    assert!(line.matches('L').count() > 20, "{line}");
    let words: Option<String> = browser
        .ask("return document.querySelector(arguments[0]).closest('svg').getAttribute('aria-label')", vec![LINE.into()])
        .await;
    let words = words.unwrap_or_default();
    assert!(words.contains("20 to 100") && words.contains("in the last 24 h; newest 100 % at"), "{words}");
    let columns: (String, usize) = browser
        .ask(
            "return [document.querySelector('.th.trace').innerText, \
             document.querySelectorAll('[data-testid=things-table] .thead [role=columnheader]').length]",
            vec![],
        )
        .await;
    assert_eq!(columns, ("Last 24 h".to_owned(), 10));
    browser.screenshot("traces-dark-1440").await;
    assert_accessible(&browser, "the table with small charts, dark").await;
    browser.set_theme("light").await;
    browser.screenshot("traces-light-1440").await;
    browser.resize(1024, 700).await;
    browser.screenshot("traces-light-1024").await;
    assert_accessible(&browser, "the table with small charts, light").await;
    browser.choose(&by_testid("things-back"), "off").await;
    browser.wait_until_gone(".trace", SOON).await;
    told("the last hours of what is in view stand in the table: a gap is a gap, and a sentence says what is drawn");

    addresses_lead_where_they_say(&browser).await;
}

async fn addresses_lead_where_they_say(browser: &Browser) {
    let at = async || browser.ask::<String>("return location.hash", vec![]).await;
    let go = async |hash: &str| browser.ask::<()>("location.hash = arguments[0]", vec![hash.into()]).await;
    browser.resize(DESKTOP.0, DESKTOP.1).await;
    assert_eq!(at().await, "#/view/things");
    go("#/thing/lamp-0042").await;
    browser.wait_for_title("lamp-0042").await;
    browser.screenshot("windows-thing-light-1440").await;
    browser
        .wait_for("the page's address", SOON, "return location.hash", |hash: String| {
            if hash == "#/thing/lamp-0042?in=things" { Ok(()) } else { Err(hash) }
        })
        .await;
    go("#/find?q=kind%3Abin").await;
    browser.wait_for_text(&by_testid("things-total"), SOON, |text| text.starts_with("20 of")).await;
    for (link, sentence) in [
        ("#/thing/%zz", "This link leads nowhere: it is not encoded"),
        ("#/set/lamp-0042?on=true", "This link leads nowhere"),
        ("#/thing/no-such-lamp", "no-such-lamp has not said anything yet"),
        ("#/board/no-such-board", "There is no board no-such-board"),
        ("#/alarm/123456", "There is no alarm 123456"),
    ] {
        go(link).await;
        browser.wait_for_text(&by_testid("notices"), SOON, |text| text.contains(sentence)).await;
    }
    browser.screenshot("windows-notices-light-1440").await;
    let before = browser.driver().windows().await.unwrap().len();
    browser.ask::<()>("document.querySelectorAll('.notice button').forEach(button => button.click())", vec![]).await;
    go("#/thing/lamp-0042").await;
    browser.wait_for_title("lamp-0042").await;
    browser.click(&by_testid("open-window")).await;
    let tabs = browser.driver().windows().await.unwrap();
    assert_eq!(tabs.len(), before + 1, "one more tab");
    browser.driver().switch_to_window(tabs.last().unwrap().clone()).await.unwrap();
    browser.wait_for_title("lamp-0042").await;
    told("addresses lead where they say, those that lead nowhere say why, and a thing opens in a tab of its own");
}

async fn lamp_dims_and_is_silent_for_hours(street: &Street) {
    let now = now_ms();
    let minutes = (1..=88).rev().map(|quarter: i32| quarter * 15).filter(|minute| !(6 * 60..10 * 60).contains(minute));
    for before in minutes {
        let dim_pct = if before / 60 % 2 == 0 { 20 } else { 80 };
        street.lamp.measure(now - i64::from(before) * MINUTE_MS, &json!({ "dim_pct": dim_pct })).await;
    }
    street.lamp.measure(now, &json!({ "dim_pct": 100, "on": true })).await;
    street.lamp.measure_now().await;
}
