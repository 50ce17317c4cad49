//! The phone's real window at 390 × 844: find a lamp, read it, dim it, lose the broker, and open the app again without one.
#![cfg(test)]

use std::time::Duration;

use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::person::{SOON, numbers};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::window::{Window, by_testid};

/// The phone's program.
const PHONE: &str = "fleetlens-mobile";
/// The lamp a person opens.
const LAMP: &str = "lamp-0001";

async fn open(name: &str, display: &Display, arguments: &[&str]) -> Option<Window> {
    let window = Window::open(name, PHONE, display, arguments.iter().copied()).await?;
    window.resize(390, 844).await;
    Some(window)
}

/// Nothing is cut off at the side: a phone does not scroll sideways.
async fn fits(window: &Window, where_: &str) {
    let widest: Vec<f64> =
        window.ask("return [document.documentElement.scrollWidth, window.innerWidth]", Vec::new()).await;
    assert!(widest[0] <= widest[1], "{where_} is {} px wide on a phone of {} px", widest[0], widest[1]);
}

/// Everything to be touched is at least 44 px high (WCAG 2.5.5), as far as a thumb can miss it.
async fn can_be_touched(window: &Window, css: &str) {
    let heights: Vec<f64> = window
        .ask(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().height).filter(h => h > 0)",
            vec![css.into()],
        )
        .await;
    assert!(!heights.is_empty() && heights.iter().all(|height| *height >= 43.5), "{css}: heights {heights:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_on_the_street_reads_a_lamp_dims_it_and_keeps_the_picture_without_a_broker() {
    let Some(mut broker) = Mosquitto::start("phone") else { return };
    let Some(display) = Display::open("phone", 500, 900) else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let city = fleetlens_sim::start(CityOptions { broker: Some(at), seed: 5, ..CityOptions::default() }).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText { role: "technician", ..ProfileText::new("Phone", broker.url()) }.write(data.path());
    let arguments = ["--data-dir", data.path().to_str().unwrap(), "--profile", profile.to_str().unwrap()];
    let Some(window) = open("phone", &display, &arguments).await else { return };
    window.wait_until_live().await;
    let theme: String = window.ask("return document.documentElement.dataset.theme ?? ''", Vec::new()).await;
    assert_eq!(theme, "light", "a phone starts for the sun");
    fits(&window, "the map").await;
    can_be_touched(&window, "nav.tabs button").await;
    window.still(2_000, SOON).await;
    window.screenshot("phone-map-light-390").await;
    window.set_theme("dark").await;
    window.still(2_000, SOON).await;
    window.screenshot("phone-map-dark-390").await;
    window.set_theme("light").await;

    window.open_thing(LAMP).await;
    let cards = window
        .wait_for_cards("a lamp's live values", SOON, |cards| {
            ["/dim_pct", "/power_w"].iter().all(|pointer| cards.get(*pointer).is_some_and(|card| card.tone == "live"))
        })
        .await;
    assert!(cards.values().all(|card| card.age_s().is_some_and(|age| age < 300)), "{cards:?}");
    fits(&window, "the lamp's page").await;
    // Controls come with the shadow, which may be later than the values.
    window.wait_for_element(&format!("{} button", by_testid("controls")), SOON).await;
    can_be_touched(&window, &format!("{} button", by_testid("controls"))).await;
    window.screenshot("phone-lamp-light-390").await;

    window.click("[data-testid=big][data-pointer=\"/dim_pct\"]").await;
    window.wait_for_element("[data-testid=composer-sheet] [data-testid=slider]", SOON).await;
    fits(&window, "the sheet").await;
    window.screenshot("phone-dim-light-390").await;
    window.dim(40).await;
    let settled = window.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert_eq!(settled.taken(), ["asked", "accepted", "settled"], "{settled:?}");
    window.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "40" && reported == "40").await;
    let known = window.wait_for_cards("the lamp to measure it", SOON, |cards| cards["/dim_pct"].number == "40 %").await;
    window.screenshot("phone-settled-light-390").await;

    broker.stop();
    let notice = window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    assert!(notice.contains("this phone"), "{notice}");
    let lost = window
        .wait_for_cards("every value to be old", SOON, |cards| cards.values().all(|card| card.tone == "old"))
        .await;
    assert_eq!(lost.len(), known.len(), "a value disappeared");
    fits(&window, "the page with the notice").await;
    window.screenshot("phone-offline-light-390").await;
    let took = window.close().await;
    assert!(took < Duration::from_secs(6), "the app took {took:?} to end");

    let Some(window) = open("phone-cached", &display, &arguments).await else { return };
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    window.open_thing(LAMP).await;
    let cards = window
        .wait_for_cards("cached values", SOON, |cards| cards.values().all(|card| card.age.starts_with("cached")))
        .await;
    assert_eq!(numbers(&cards), numbers(&lost), "the cache shows something else");
    window.screenshot("phone-cached-light-390").await;
    window.close().await;
    city.stop().await;
}
