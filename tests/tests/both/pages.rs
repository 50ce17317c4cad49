//! A thing's page: values with all that belongs to them, charts of every span, both sides of the shadow, messages as they came.

use fleetlens_tests::page::{Page, by_testid, plain};
use fleetlens_tests::person::SOON;
use fleetlens_tests::wait::until;
use serde_json::json;

use super::street::{LAMP_TOPIC, STAMMER, Street};
use super::told;

/// What the lamp measured before anybody looked: for each span of the chart a value that only this one and longer ones hold.
const BEFORE: [(&str, i64, f64); 7] = [
    ("15 m", 10 * MINUTE_MS, 51.5),
    ("1 h", 50 * MINUTE_MS, 41.5),
    ("6 h", 5 * 60 * MINUTE_MS, 31.5),
    ("24 h", 20 * 60 * MINUTE_MS, 21.5),
    ("7 d", 6 * 24 * 60 * MINUTE_MS, 11.5),
    ("30 d", 25 * 24 * 60 * MINUTE_MS, 6.5),
    ("1 y", 300 * 24 * 60 * MINUTE_MS, 4.5),
];

const MINUTE_MS: i64 = 60_000;

/// Every span of the chart of the open thing reaches as far back as it says, and no further.
pub async fn charts_go_back_from_a_quarter_of_an_hour_to_a_year(page: &Page) {
    page.click("[data-testid=value][data-pointer=\"/power_w\"]").await;
    // The first one is chosen anew as well.
    page.choose_span("1 y").await;
    for (span, _, least) in BEFORE {
        page.choose_span(span).await;
        page.wait_for_text("[data-testid=chart] [role=radio][aria-checked=true]", SOON, |text| text == span).await;
        let script = "return document.querySelector('[data-testid=chart] canvas')?.getAttribute('aria-label')";
        let range = format!("{least:.1} to 61.5 W");
        page.wait_for(&format!("the chart of {span} to say {range}"), SOON, script, |says: Option<String>| {
            let says = plain(&says.unwrap_or_default());
            if says.contains(&format!(", {range}, last 61.5")) { Ok(()) } else { Err(says) }
        })
        .await;
    }
    until("a line on the chart", SOON, async || {
        let drawn = page.drawn_on_canvas("[data-testid=chart] canvas").await;
        if drawn > 200 { Ok(()) } else { Err(format!("{drawn} pixels")) }
    })
    .await;
    told("the chart goes back 15 minutes, 1 h, 6 h, 24 h, 7 days, 30 days and a year");
    page.choose_span("15 m").await;
}

/// With the street's lamp: unit, source, quality and age of each value, and what it was heard to say, a message that was refused
/// with its reason.
pub async fn values_and_messages_are_told_whole(page: &Page, street: &Street) {
    let now = fleetlens_tests::lamp::now_ms();
    for (_, before_ms, power_w) in BEFORE {
        street.lamp.measure(now - before_ms, &json!({ "power_w": power_w })).await;
    }
    page.open_thing(street.lamp.name()).await;
    street.lamp.measure_now().await;
    // A device that dates its values a year ahead is not believed.
    let ahead = now + 365 * 86_400_000;
    street.lamp.measure(ahead, &json!({ "burning_h": 812 })).await;
    let cards = page
        .wait_for_cards("live values", SOON, |cards| {
            cards.get("/power_w").is_some_and(|card| card.tone == "live") && cards.contains_key("/burning_h")
        })
        .await;
    for (pointer, number) in
        [("/power_w", "61.5 W"), ("/temp_c", "24.0 °C"), ("/dim_pct", "100 %"), ("/burning_h", "812 h")]
    {
        assert_eq!(cards[pointer].number, number, "{cards:?}");
        assert!(cards[pointer].age.starts_with("live"), "{cards:?}");
    }
    assert!(cards["/burning_h"].age.contains("estimated"), "a time that is not believed must be told: {cards:?}");
    let title: String =
        page.ask("return document.querySelector('[data-pointer=\"/burning_h\"]').title", Vec::new()).await;
    assert!(title.contains("its own time was not believed") && title.contains("received"), "{title}");
    let (_, wanted, reported) = page.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
    assert_eq!((wanted.as_str(), reported.as_str()), ("–", "100"), "nothing is wanted yet");
    page.click(&by_testid("open-page")).await;
    page.wait_for_element(&by_testid("page"), SOON).await;
    charts_go_back_from_a_quarter_of_an_hour_to_a_year(page).await;

    street.lamp_stammers().await;
    page.click(&by_testid("messages-fold")).await;
    let why = page.wait_for_text(&by_testid("message-refused"), SOON, |text| text.starts_with("Refused: ")).await;
    assert!(why.contains("not JSON"), "{why}");
    let refused = page.text_of("[data-testid=message].refused").await.unwrap_or_default();
    assert!(refused.contains(LAMP_TOPIC) && refused.contains("QoS 1") && refused.contains(STAMMER), "{refused}");
    let messages = page.count(&by_testid("message")).await;
    assert!(messages >= 3, "only {messages} messages are listed");
    told(
        "values say unit, source, quality and age; the last messages stand as they came, a refused one with its reason",
    );
    page.click(&by_testid("open-page")).await;
}

/// The line at the bottom: where from, with which guarantee, how many, how old; and what was refused, with topic and reason.
pub async fn the_status_line_tells_what_comes(page: &Page, street: &Street) {
    page.click(&by_testid("status-link")).await;
    let link = page.wait_for_text(&by_testid("status-link-card"), SOON, |text| text.contains("up since")).await;
    let address = street.broker.url().trim_start_matches("mqtt://").to_owned();
    assert!(link.contains(&address), "{link} does not name {address}");
    assert!(link.contains("QoS 1") && link.contains("Street"), "{link}");
    let guarantee = page.text("status-guarantee").await.unwrap_or_default();
    assert!(guarantee.contains("QoS 1"), "{guarantee}");
    street.lamp.measure_now().await;
    page.wait_for_text(&by_testid("status-rate"), SOON, |text| {
        text.strip_suffix(" msg/s").and_then(|rate| rate.parse().ok()).is_some_and(|rate: f64| rate > 0.0)
    })
    .await;
    // The rate comes with the status, which comes at most twice a second.
    page.wait_for_text(&by_testid("status-last"), SOON, |text| {
        let age = text.strip_prefix("last message ").and_then(|age| age.strip_suffix(" s"));
        age.and_then(|age| age.parse().ok()).is_some_and(|age_s: f64| age_s < 5.0)
    })
    .await;
    page.click(&by_testid("status-refused")).await;
    page.wait_until_gone(&by_testid("status-link-card"), SOON).await;
    let refused = page.wait_for_text(&by_testid("refusals"), SOON, |text| text.contains(LAMP_TOPIC)).await;
    assert!(refused.contains("not JSON") && refused.contains("1×"), "{refused}");
    page.press(thirtyfour::Key::Escape).await;
    page.wait_until_gone(&by_testid("refusals"), SOON).await;
    told("the status line names link, guarantee, rate and age; what was refused stands with topic and reason");
}
