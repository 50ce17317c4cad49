//! A technician goes into a basement: finds the lamp near them and by its name, loses the signal, and goes on working. On whichever
//! page in the phone's form.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::Browser;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::{SOON, numbers};
use fleetlens_tests::wait::until;
use serde_json::json;
use thirtyfour::Key;

use super::super::both::told;

/// The lamp that is worked on is hot, and that is an alarm.
pub const RULES: &str = "\n[[alarm]]\nid = \"hot\"\nname = \"is hot\"\nkind = \"lamp\"\nwhen = \"/temp_c >= 20\"\n\
                         what_to_do = \"look at its driver\"\n";

/// The button that opens dimming, and the sheet that it opens.
const BIG_DIM: &str = "[data-testid=big][data-pointer=\"/dim_pct\"]";
const SHEET: &str = "[data-testid=composer-sheet][open]";

/// What is said of the alarm.
const COMMENT: &str = "driver changed";

/// A lamp to the west of the one worked on, and where it stands from the middle of the map at the start, in CSS pixels: a degree has
/// 24 974 px of longitude and 30 829 px of latitude there (zoom 14.1 at 35.8955° north, tiles of 512 px).
const WEST: (&str, f64, f64) = ("lamp-0043", 14.5040, 35.8980);
const WEST_PX: (f64, f64) = (-75.0, -77.0);

/// Describes a lamp to the west.
pub async fn has_a_neighbour(lamp: &Lamp) {
    let (name, lon, lat) = WEST;
    let meta =
        json!({ "kind": "lamp", "name": "Lamp 0043", "lat": lat, "lon": lon, "area": "Valletta", "interval_s": 600 });
    lamp.peer().publish_retained(&format!("city/valletta/lamp/{name}/meta"), meta.to_string()).await;
}

/// The list of what is near: titles and distances in metres, as read.
async fn wait_for_nearest(page: &Page, title: &str) {
    nearest(page, title).await;
}

/// [`wait_for_nearest`]; what is read of the lamp that is worked on.
async fn nearest(page: &Page, title: &str) -> String {
    let script = "const flat = e => (e?.innerText ?? '').replace(/\\s+/g, ' ').trim(); \
        return [...document.querySelectorAll('[data-testid=near-row]')].map(e => [flat(e.querySelector('b')), flat(e.querySelector('[data-testid=near-far]'))])";
    let rows = page
        .wait_for(&format!("{title} to be the nearest"), SOON, script, |rows: Vec<(String, String)>| {
            if rows.len() == 2 && rows[0].0 == title { Ok(rows) } else { Err(format!("{rows:?}")) }
        })
        .await;
    let metres: Vec<f64> = rows.iter().map(|(_, far)| metres(far)).collect();
    assert!(metres[0] < 200.0 && metres[0] < metres[1], "{rows:?}");
    let rows = page.texts_of(&by_testid("near-row")).await;
    let worked_on = rows.iter().find(|row| row.contains("Lamp 0042"));
    worked_on.cloned().unwrap_or_else(|| panic!("the lamp that is worked on is not near: {rows:?}"))
}

fn metres(far: &str) -> f64 {
    let (number, unit) = far.split_once(' ').unwrap_or_else(|| panic!("{far:?} is no distance"));
    let number: f64 = number.parse().unwrap_or_else(|_| panic!("{far:?} is no distance"));
    if unit == "km" { number * 1_000.0 } else { number }
}

/// Bare ground is tapped on the map, and near means near that.
pub async fn finds_what_is_near_a_tapped_point(page: &Page) {
    page.click(&by_testid("tab-map")).await;
    page.still(2_000, SOON).await;
    let map = page.area_of(&by_testid("map")).await;
    // Beside the lamp, not on it: a finger reaches 22 px.
    let x = map.x as f64 + map.width as f64 / 2.0 + WEST_PX.0 - 40.0;
    let y = map.y as f64 + map.height as f64 / 2.0 + WEST_PX.1;
    let tap = page.driver().action_chain().move_to(x as i64, y as i64).click().perform().await;
    tap.unwrap_or_else(|e| panic!("cannot tap at {x}, {y}: {e}"));
    page.click(&by_testid("tab-find")).await;
    page.wait_for_text(&by_testid("near-what"), SOON, |text| text == "Near the point you tapped").await;
    wait_for_nearest(page, "Lamp 0043").await;
    assert_eq!(page.count(&by_testid("no-position")).await, 0, "who tapped is told to tap");
    told("near a tapped point the nearest thing comes first");
}

/// The device's position, or in words why there is none.
pub async fn finds_what_is_near_the_position(browser: &Browser) {
    browser.forbid_position().await;
    browser.click(&by_testid("tab-find")).await;
    browser.click(&by_testid("locate")).await;
    let words = browser.wait_for_text(&by_testid("no-position"), SOON, |text| !text.is_empty()).await;
    assert!(words.starts_with("This device may not tell its position."), "{words}");
    browser.tell_position(35.8977, 14.5124).await;
    browser.click(&by_testid("locate")).await;
    browser.wait_for_text(&by_testid("near-what"), SOON, |text| text == "Near your position (±10 m)").await;
    wait_for_nearest(browser, "Lamp 0042").await;
    told(&format!("a position that may not be told is told in words ({words}); one that is brings what is near it"));
}

/// Without a signal: the page from the cache, an alarm acknowledged, one command that expires unsent and one that goes out when the
/// link is back.
pub async fn works_without_a_signal(page: &Page, lamp: &mut Lamp, broker: &mut Mosquitto, name: &str) {
    page.click(&by_testid("tab-alarms")).await;
    let card = page.wait_for_text(&by_testid("alarm-card"), SOON, |text| text.contains("Lamp 0042 is hot")).await;
    assert!(card.contains("Look at its driver") && card.contains("Active"), "{card}");
    assert_eq!(page.text("tab-alarms-count").await.as_deref(), Some("1"));
    page.click(&by_testid("alarm-open")).await;
    page.wait_for_title(lamp.name()).await;
    page.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
    let live = page.cards().await;
    broker.stop();
    page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    let old = |cards: &std::collections::BTreeMap<_, fleetlens_tests::person::Card>| {
        !cards.is_empty() && cards.values().all(|card| card.tone == "old")
    };
    let lost = page.wait_for_cards("every value to be old", SOON, old).await;
    assert_eq!(numbers(&lost), numbers(&live), "a value disappeared");

    page.click(&by_testid("tab-alarms")).await;
    page.click(&by_testid("alarm-acknowledge")).await;
    page.type_into("[data-testid=acknowledge-dialog][open] [data-testid=comment]", COMMENT).await;
    page.screenshot(&format!("{name}-acknowledge-390")).await;
    page.click("[data-testid=acknowledge-dialog][open] [data-testid=acknowledge-yes]").await;
    is_acknowledged(page).await;
    page.screenshot(&format!("{name}-alarms-390")).await;
    told("an alarm is acknowledged with a comment without a signal, and says who, when and what");

    page.open_thing(lamp.name()).await;
    dim(page, 30, None).await;
    let expired =
        page.wait_for_timeline("a command nobody could send to expire", SOON, |t| t.standing == "expired").await;
    assert_eq!(
        expired.taken(),
        ["asked", "expired"],
        "it was never sent, so there is nothing to take back: {expired:?}"
    );
    dim(page, 70, Some("600000")).await;
    let card = page.wait_for_text(&by_testid("waiting"), SOON, |text| text.contains("70 %")).await;
    assert!(card.starts_with("Waiting to be sent: dim to 70 %"), "{card}");
    let left = card.split("expires in ").nth(1).unwrap_or_else(|| panic!("no expiry: {card}"));
    assert!(left.starts_with("9 min") || left.starts_with("10 min"), "{card}");
    page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("1 command waits for the link")).await;
    page.screenshot(&format!("{name}-queued-390")).await;
    told("without a signal a command waits with its expiry, and one whose time is over is not sent any more");
    the_queue_and_what_is_near_say_so(page, name).await;

    lamp.peer().forget();
    broker.start_again();
    page.wait_until_gone(&by_testid("offline"), SOON).await;
    page.wait_for_timeline("the command to be accepted", SOON, |t| t.title.contains("70 %") && t.has("accepted")).await;
    lamp.peer().wait_until_up().await;
    let wanted = until("the service to want it", SOON, async || {
        let wanted = lamp.document().await.desired;
        let wanted = serde_json::to_value(wanted).unwrap_or_default();
        if wanted["dim_pct"] == 70 { Ok(wanted) } else { Err(wanted.to_string()) }
    })
    .await;
    assert_eq!(wanted, json!({ "dim_pct": 70 }), "what expired was sent all the same");
    lamp.report(&json!({ "dim_pct": 70 })).await;
    let settled = page.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert_eq!(settled.taken(), ["asked", "accepted", "settled"], "{settled:?}");
    told("when the link is back it goes out and settles");
}

/// Still without a signal: the queue tab has both commands, and the list of what is near has its rows, the waiting one marked.
async fn the_queue_and_what_is_near_say_so(page: &Page, name: &str) {
    assert_eq!(page.text("tab-queue-count").await.as_deref(), Some("1"));
    page.click(&by_testid("tab-queue")).await;
    let order = |list: &str| format!("{} {}", by_testid(list), by_testid("order"));
    let waits = page.wait_for_text(&order("outbox"), SOON, |text| text.contains("70 %")).await;
    for part in ["Waits for the link", "Dim to 70 %", "Lamp 0042", "expires in"] {
        assert!(waits.contains(part), "the queue does not say {part}: {waits}");
    }
    let ended = page.wait_for_text(&order("history"), SOON, |text| text.contains("30 %")).await;
    assert!(ended.contains("Expired") && !ended.contains("expires in"), "{ended}");
    assert_eq!(page.count(&order("outbox")).await, 1, "what expired still waits");
    page.screenshot(&format!("{name}-queue-390")).await;

    page.click(&by_testid("tab-find")).await;
    page.tidy_up().await;
    let what = page.wait_for_text(&by_testid("near-what"), SOON, |text| !text.is_empty()).await;
    let title = if what.contains("your position") { "Lamp 0042" } else { "Lamp 0043" };
    let near = nearest(page, title).await;
    assert!(near.contains("1 waiting") && near.contains("is hot"), "{near}");
    page.open_thing("lamp-0042").await;
    told("without a signal the queue and the list of what is near are there, with what waits");
}

/// The alarm says who has seen it, when, and what was said.
pub async fn is_acknowledged(page: &Page) {
    page.click(&by_testid("tab-alarms")).await;
    let state = page.wait_for_text(&by_testid("alarm-state"), SOON, |text| text.contains("seen by")).await;
    assert!(state.starts_with("Unknown since our link is down"), "{state}");
    assert!(state.contains("seen by T. Ester ") && state.contains(&format!("“{COMMENT}”")), "{state}");
    assert_eq!(page.count(&by_testid("alarm-acknowledge")).await, 0, "it can be acknowledged twice");
}

/// Every tab, what is found, the sheet that sends a command, dark and light.
pub async fn is_accessible(browser: &Browser, thing: &str) {
    for theme in ["light", "dark"] {
        browser.click(&by_testid("tab-map")).await;
        if browser.count(&by_testid("short")).await > 0 {
            browser.click("[data-testid=short] .answers .big").await;
        }
        browser.set_theme(theme).await;
        assert_accessible(browser, &format!("the phone's map, {theme}")).await;
        for tab in ["tab-find", "tab-alarms", "tab-queue"] {
            browser.click(&by_testid(tab)).await;
            if tab == "tab-find" {
                // A name left in the box shows what is found, and not what is near.
                browser.tidy_up().await;
                browser.wait_for_element(&by_testid("near-row"), SOON).await;
            }
            browser.still(2_000, SOON).await;
            assert_accessible(browser, &format!("{tab}, {theme}")).await;
            browser.screenshot(&format!("technician-{tab}-{theme}-390")).await;
        }
        browser.open_thing(thing).await;
        assert_accessible(browser, &format!("the thing's page, {theme}")).await;
        browser.screenshot(&format!("technician-thing-{theme}-390")).await;
        browser.click(BIG_DIM).await;
        browser.wait_for_element(&format!("{SHEET} [data-testid=slider]"), SOON).await;
        assert_accessible(browser, &format!("the sheet that dims, {theme}")).await;
        browser.screenshot(&format!("technician-sheet-{theme}-390")).await;
        browser.press(Key::Escape).await;
        browser.wait_until_gone(SHEET, SOON).await;
        browser.click(&by_testid("tab-find")).await;
        assert_accessible(browser, &format!("what is found, {theme}")).await;
    }
    told("axe-core finds nothing on any of the phone's tabs, dark and light");
}

async fn dim(page: &Page, pct: u8, expiry_ms: Option<&str>) {
    page.click(BIG_DIM).await;
    page.prepare_dim(pct).await;
    if let Some(expiry_ms) = expiry_ms {
        page.choose(&format!("{SHEET} [data-testid=expiry]"), expiry_ms).await;
    }
    page.send_dim().await;
}
