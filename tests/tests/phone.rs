//! The technician's phone, in its real window and in Chromium, at 390 × 844: find a lamp near and by its name, read it, dim it, lose
//! the broker, go on working, and open the app again without one.
#![cfg(test)]

mod both;
mod phone {
    pub mod basement;
}

use fleetlens_sim::shadows::Shadows;
use fleetlens_sim::{BrokerAt, CityOptions, ShadowService};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{self, Browser};
use fleetlens_tests::display::Display;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::person::{ENDS_WITHIN, SOON, numbers};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;
use fleetlens_tests::window::{Window, by_testid};

use phone::basement;

/// The phone's program.
const PHONE: &str = "fleetlens-mobile";
/// The button that opens dimming.
const BIG_DIM: &str = "[data-testid=big][data-pointer=\"/dim_pct\"]";
/// One window at a time: two cores draw both in software.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
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

/// The ground with its names, and marks in their colours on it.
async fn map_is_drawn(window: &Window) {
    let map = window.area_of(&by_testid("map")).await;
    let shown = window.still(2_000, SOON).await;
    both::ground::is_drawn(window, &shown, map).await;
    let mut marks = 0;
    for colour in ["--mark-ok", "--mark-lit"] {
        marks += shown.count_of(map, window.token(colour).await, 12);
    }
    assert!(marks > 60, "only {marks} pixels of the marks' colours: no marks are drawn");
}

/// A technician's profile whose commands for dimming may wait 4 s, with the basement's rule.
fn short_lived(broker: &Mosquitto, folder: &std::path::Path) -> String {
    let role = "technician";
    let text = ProfileText { role, expiry_s: vec![("/dim_pct", 4)], ..ProfileText::new("Basement", broker.url()) };
    let file = folder.join("profile.toml");
    std::fs::write(&file, text.toml() + basement::RULES).unwrap();
    file.into_os_string().into_string().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_technician_goes_on_working_without_a_signal_and_rejected_and_expired_are_told_apart() {
    let _alone = ALONE.lock().await;
    let Some(mut broker) = Mosquitto::start("phone-basement") else { return };
    let Some(display) = Display::open("phone-basement", 500, 900) else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    basement::has_a_neighbour(&lamp).await;
    let data = tempfile::tempdir().unwrap();
    let profile = short_lived(&broker, data.path());
    let arguments = ["--data-dir", data.path().to_str().unwrap(), "--profile", &profile];
    let Some(window) = open("phone-basement", &display, &arguments).await else { return };
    lamp.measure_now().await;
    window.wait_until_live().await;
    basement::finds_what_is_near_a_tapped_point(&window).await;
    fits(&window, "what is near").await;
    window.screenshot("phone-near-light-390").await;
    window.open_thing(lamp.name()).await;
    let dim = async |pct| {
        window.wait_for_element(BIG_DIM, SOON).await;
        window.click(BIG_DIM).await;
        window.dim(pct).await
    };
    both::refusals::are_told_apart(&window, &mut lamp, dim, ["phone-expired-390", "phone-rejected-390"]).await;
    // Room for wishes again.
    lamp.report(&serde_json::json!({ "filler": null })).await;
    basement::works_without_a_signal(&window, &mut lamp, &mut broker, "phone").await;
    window.close().await;

    let arguments = [&arguments[..], &["--no-broker"]].concat();
    let Some(window) = open("phone-basement-again", &display, &arguments).await else { return };
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    basement::is_acknowledged(&window).await;
    window.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser_too_a_technician_finds_what_is_near_and_goes_on_working_without_a_signal() {
    let _alone = ALONE.lock().await;
    let Some(mut broker) = Mosquitto::start("phone-browser") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    basement::has_a_neighbour(&lamp).await;
    let data = tempfile::tempdir().unwrap();
    let profile = short_lived(&broker, data.path());
    let serve = Serve::start("phone", data.path(), &["--profile", &profile]);
    let opened = Browser::open("phone-browser", &serve, serve.phone(), browser::PHONE, "light").await;
    let Some(browser) = opened else { return };
    lamp.measure_now().await;
    browser.wait_until_live().await;
    basement::finds_what_is_near_a_tapped_point(&browser).await;
    basement::finds_what_is_near_the_position(&browser).await;
    basement::works_without_a_signal(&browser, &mut lamp, &mut broker, "phone-browser").await;
    basement::is_accessible(&browser, lamp.name()).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_on_the_street_reads_a_lamp_dims_it_and_keeps_the_picture_without_a_broker() {
    let _alone = ALONE.lock().await;
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
    map_is_drawn(&window).await;
    window.screenshot("phone-map-light-390").await;
    window.set_theme("dark").await;
    map_is_drawn(&window).await;
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

    window.click(BIG_DIM).await;
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
        .wait_for_cards("every value to be old", SOON, |cards| {
            !cards.is_empty() && cards.values().all(|card| card.tone == "old")
        })
        .await;
    assert_eq!(lost.len(), known.len(), "a value disappeared");
    fits(&window, "the page with the notice").await;
    window.screenshot("phone-offline-light-390").await;
    let took = window.close().await;
    assert!(took < ENDS_WITHIN, "the app took {took:?} to end");

    let Some(window) = open("phone-cached", &display, &arguments).await else { return };
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    window.open_thing(LAMP).await;
    let cards = window
        .wait_for_cards("cached values", SOON, |cards| {
            !cards.is_empty() && cards.values().all(|card| card.age.starts_with("cached"))
        })
        .await;
    assert_eq!(numbers(&cards), numbers(&lost), "the cache shows something else");
    window.screenshot("phone-cached-light-390").await;
    window.close().await;
    city.stop().await;
}
