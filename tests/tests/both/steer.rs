//! What a person sets on things of the demo city: each control of issue 3, and JSON for the rest.

use fleetlens_sim::CityOptions;
use fleetlens_sim::dice::Dice;
use fleetlens_sim::places::Places;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::{SOON, Timeline};
use serde_json::json;

use super::told;

fn control(pointer: &str) -> String {
    format!("[data-testid=control][data-pointer=\"{pointer}\"]")
}

/// Presses Send and waits until the device has obeyed.
async fn send_and_settle(page: &Page, pointer: &str, title: &str) -> Timeline {
    page.click(&format!("{} [data-testid=send]:not([disabled])", control(pointer))).await;
    settles(page, title).await
}

async fn settles(page: &Page, title: &str) -> Timeline {
    let what = format!("“{title}” to settle");
    let settled = page.wait_for_timeline(&what, SOON, |t| t.title.contains(title) && t.standing == "settled").await;
    assert_eq!(settled.taken(), ["asked", "accepted", "settled"], "{settled:?}");
    settled
}

/// A charger's limit settles; taking it out of service is asked about first, and “Do nothing” does nothing.
pub async fn a_charger_is_limited_and_taken_out_of_service(page: &Page) {
    page.open_thing("charger-0001").await;
    let limit = control("/limit_kw");
    let now = page.wait_for_leaf("/limit_kw", |_, reported| !reported.is_empty() && reported != "–").await.2;
    let want = if now == "7" { 11.0 } else { 7.0 };
    page.slide(&format!("{limit} [data-testid=slider]"), want).await;
    let delta = page.wait_for_text(&format!("{limit} [data-testid=delta]"), SOON, |text| text.contains('→')).await;
    assert_eq!(delta, format!("{now} kW → {want} kW"), "what will change stands before Send");
    let text = want.to_string();
    send_and_settle(page, "/limit_kw", &format!("{want} kW")).await;
    page.wait_for_leaf("/limit_kw", |wanted, reported| wanted == text && reported == text).await;
    told("a charger's limit says what will change, and settles");

    let commands = page.count(&by_testid("command")).await;
    let service = control("/enabled");
    page.click_word(&service, "No").await;
    for (answer, is_sent) in [("confirm-no", false), ("confirm-yes", true)] {
        page.click(&format!("{service} [data-testid=send]:not([disabled])")).await;
        let asked =
            page.wait_for_text("[data-testid=confirm][open]", SOON, |text| text.contains("out of service?")).await;
        assert!(asked.contains("the session ends"), "the question must say what happens to people: {asked}");
        page.click(&format!("[data-testid=confirm][open] [data-testid={answer}]")).await;
        page.wait_until_gone("[data-testid=confirm][open]", SOON).await;
        if is_sent {
            page.wait_for_leaf("/enabled", |wanted, reported| wanted == "false" && reported == "false").await;
            assert_eq!(page.timeline().await.map(|t| t.standing).as_deref(), Some("settled"));
        } else {
            assert_eq!(page.count(&by_testid("command")).await, commands, "“Do nothing” did something");
        }
    }
    told("taking a charger out of service asks first, says what happens, and does nothing until it is confirmed");
}

/// A barrier is moved only after a question.
pub async fn a_barrier_asks_first(page: &Page) {
    page.open_thing(&barred_car_park()).await;
    let barrier = control("/barrier");
    let now = page.wait_for_leaf("/barrier", |_, reported| reported.len() > 2).await.2;
    let (verb, want) = if now == "\"open\"" { ("Close", "\"closed\"") } else { ("Open", "\"open\"") };
    page.click_word(&barrier, verb).await;
    page.click(&format!("{barrier} [data-testid=send]:not([disabled])")).await;
    let question = format!("{verb} barrier of ");
    let asked = page.wait_for_text("[data-testid=confirm][open]", SOON, |text| text.contains(&question)).await;
    assert!(asked.contains("the wish is taken back"), "{asked}");
    page.click("[data-testid=confirm][open] [data-testid=confirm-yes]").await;
    page.wait_for_leaf("/barrier", |wanted, reported| wanted == want && reported == want).await;
    told("a barrier is moved only after a question");
}

/// A lamp is switched to what it is not, and back.
pub async fn a_lamp_is_switched_off_and_on(page: &Page) {
    page.open_thing("lamp-0003").await;
    let switch = control("/on");
    let now = page.wait_for_leaf("/on", |_, reported| matches!(reported, "true" | "false")).await.2;
    let first = now == "false";
    for on in [first, !first] {
        page.click_word(&switch, if on { "On" } else { "Off" }).await;
        page.click(&format!("{switch} [data-testid=send]:not([disabled])")).await;
        let text = on.to_string();
        page.wait_for_leaf("/on", |wanted, reported| wanted == text && reported == text).await;
        page.wait_for_timeline("the switch to settle", SOON, |t| t.standing == "settled").await;
    }
    told("a lamp is switched off and on");
}

/// A car park of the demo city that has a barrier.
fn barred_car_park() -> String {
    let city = CityOptions::default();
    let places = Places::of(city.things, Dice::new(city.seed)).expect("the city can be read");
    let barred = places.car_parks.into_iter().find(|park| park.barrier);
    barred.map(|park| park.spot.thing).expect("some car park has a barrier")
}

/// The sampling interval is typed; what no control sets is written as JSON, whose mistakes are told with their place.
pub async fn an_interval_is_typed_and_the_rest_is_json(page: &Page) {
    page.open_thing("lamp-0002").await;
    let interval = control("/interval_s");
    page.replace(&format!("{interval} [data-testid=number]"), "25").await;
    send_and_settle(page, "/interval_s", "25 s").await;
    page.wait_for_leaf("/interval_s", |wanted, reported| wanted == "25" && reported == "25").await;
    told("the sampling interval is typed and settles");

    page.click(&by_testid("json-fold")).await;
    let send = "[data-testid=json-send]";
    for (text, want) in [
        ("{\"interval_s\": 15,\n  on: true}", "Line 2, column 3: a name in quotes belongs here"),
        ("{\"interval_s\": 15", "Line 1, column 17: the object does not end"),
        ("{\"x\": {}}", "empty object"),
    ] {
        write(page, text).await;
        page.wait_for_text(&by_testid("json-wrong"), SOON, |told| told.contains(want)).await;
        page.wait_for_element(&format!("{send}[disabled]"), SOON).await;
    }
    write(page, "{\"interval_s\": 15, \"dim_pct\": 55}").await;
    page.wait_until_gone(&by_testid("json-wrong"), SOON).await;
    let mut changes = page.texts_of("[data-testid=json-changes] li").await;
    changes.sort();
    assert_eq!(changes.len(), 2, "exactly what changes: {changes:?}");
    assert!(changes[0].starts_with("dim_pct") && changes[0].ends_with("→ 55"), "{changes:?}");
    assert_eq!(changes[1], "interval_s 25 → 15");
    page.click(&format!("{send}:not([disabled])")).await;
    page.wait_for_leaf("/interval_s", |wanted, reported| wanted == "15" && reported == "15").await;
    page.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "55" && reported == "55").await;
    page.wait_for_timeline("the document to settle", SOON, |t| t.standing == "settled").await;
    told(
        "wrong JSON is told with line and column and cannot be sent; right JSON lists exactly what changes, and settles",
    );
}

/// Writes into the editor as typing does; the driver would type one key after another.
async fn write(page: &Page, text: &str) {
    let css = by_testid("json-text");
    page.wait_for_element(&css, SOON).await;
    let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                  e.dispatchEvent(new Event('input', { bubbles: true }))";
    page.ask::<()>(script, vec![json!(css), json!(text)]).await;
}
