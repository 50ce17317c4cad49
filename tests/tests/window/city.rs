//! A person and a city: look, dim, lose the broker, close, open again.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::person::{Card, SOON, numbers};
use fleetlens_tests::picture::Area;
use fleetlens_tests::process::age_of;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::window::{Window, by_testid};

use super::both::ground;
use super::{alone, open, open_at_once, screen, told};

/// The lamp a person opens.
const LAMP: &str = "lamp-0001";
/// What counts as at once, from the start of the process: for what is known to be on the screen, and for the drawn map. People
/// get the former within two seconds; here is a development build that draws in software while other programs are compiled.
const KNOWN_WITHIN: Duration = Duration::from_secs(6);
const DRAWN_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_the_demo_city_dims_a_lamp_and_finds_it_again_without_a_broker() {
    let _alone = alone().await;
    let Some(display) = screen("window-demo") else { return };
    let data = tempfile::tempdir().unwrap();
    let Some(window) = open("window-demo", &display, data.path(), &["--theme", "dark"]).await else { return };
    window.wait_until_live().await;
    assert!(window.text("demo").await.is_some_and(|text| text.contains("made up")), "the demo must say what it is");
    streets_and_marks_are_drawn(&window).await;
    window.screenshot("desktop-dark-1440").await;
    the_whole_island_has_a_thousand_things(&window).await;

    let before = a_lamp_is_opened(&window).await;
    window.screenshot("lamp-dark-1440").await;
    a_lamp_is_dimmed_and_settles(&window, &before, 40).await;
    window.screenshot("settled-dark-1440").await;
    pictures_in_both_themes_and_sizes(&window).await;

    window.open_thing(LAMP).await;
    let known = window.cards().await;
    let took = window.close().await;
    assert!(took < Duration::from_secs(6), "the app took {took:?} to end");
    told("the app ends in order within its five seconds");

    let Some(window) = open_at_once("window-demo-cached", &display, data.path(), &["--no-broker"]).await else {
        return;
    };
    the_cached_picture_is_there_at_once(&window).await;
    the_same_values_are_there(&window, &known).await;
    window.screenshot("cached-1440").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_on_mosquitto_stays_on_the_screen_while_the_broker_is_away() {
    let _alone = alone().await;
    let Some(mut broker) = Mosquitto::start("window-city") else { return };
    let Some(display) = screen("window-city") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let city = fleetlens_sim::start(CityOptions { broker: Some(at), seed: 3, ..CityOptions::default() }).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Mosquitto", broker.url()).write(data.path());
    let arguments = ["--profile", profile.to_str().unwrap(), "--theme", "dark"];
    let Some(window) = open("window-city", &display, data.path(), &arguments).await else { return };
    window.wait_until_live().await;
    streets_and_marks_are_drawn(&window).await;
    let before = a_lamp_is_opened(&window).await;
    a_lamp_is_dimmed_and_settles(&window, &before, 40).await;

    // The broker goes.
    let drawn = window.things_drawn().await;
    let live = window.cards().await;
    broker.stop();
    let notice = window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    assert!(notice.contains("showing what this computer knew"), "{notice}");
    told("the notice says since when and as of when");
    let lost = window.wait_for_cards("every value to be old", SOON, all_old).await;
    assert_eq!(window.things_drawn().await, drawn, "something disappeared from the map");
    assert_eq!(lost.keys().collect::<Vec<_>>(), live.keys().collect::<Vec<_>>(), "a value disappeared");
    let first = lost["/power_w"].age_s().expect("an age in seconds or minutes");
    window
        .wait_for_cards("ages to grow", SOON, |cards| {
            numbers(cards) == numbers(&lost) && all_old(cards) && cards["/power_w"].age_s() > Some(first + 1)
        })
        .await;
    told("nothing disappeared, every value is marked as old and its age grows");
    let freshness = window.text("freshness").await.unwrap_or_default();
    assert!(freshness.contains("Unknown since"), "{freshness}");
    window.screenshot("offline-1440").await;

    // A command asked for now waits, and says so.
    window.dim(70).await;
    let waiting = window.wait_for_timeline("the command to wait", SOON, |t| t.title.contains("70 %")).await;
    assert_eq!(waiting.standing, "waiting");
    assert_eq!(waiting.taken(), ["asked"], "{waiting:?}");
    assert!(waiting.text.contains("waits for the link"), "{waiting:?}");
    let wanted = "1 command waits for the link";
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains(wanted)).await;
    told("a command asked for without a broker waits in sight");

    // The broker is back.
    broker.start_again();
    window.wait_until_gone(&by_testid("offline"), SOON).await;
    let settled = window.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert!(settled.title.contains("70 %"), "{settled:?}");
    window.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "70" && reported == "70").await;
    window.wait_for_cards("live values", SOON, |cards| cards.get("/power_w").is_some_and(is_live)).await;
    told("it went out when the broker was back and settled; values are live again");

    // The same without a broker behind the profile.
    let known = window.cards().await;
    window.close().await;
    broker.stop();
    let Some(window) = open_at_once("window-city-cached", &display, data.path(), &arguments).await else { return };
    the_cached_picture_is_there_at_once(&window).await;
    the_same_values_are_there(&window, &known).await;
    window.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "70" && reported == "70").await;
    let why = "[data-testid=offline] button";
    window.click(why).await;
    let reason = window.wait_for_text(&by_testid("offline-reason"), SOON, |text| !text.is_empty()).await;
    assert!(reason.contains("no broker listens at"), "the reason must say what is wrong: {reason}");
    told("opened while the broker is away, the window shows what it knew and why");
    window.close().await;
    city.stop().await;
}

fn is_live(card: &Card) -> bool {
    card.tone == "live" && card.age.starts_with("live")
}

fn all_old(cards: &BTreeMap<String, Card>) -> bool {
    !cards.is_empty() && cards.values().all(|card| card.tone == "old")
}

/// The ground has streets and their names; marks are there, in their colours, and go away with their kind's chip.
async fn streets_and_marks_are_drawn(window: &Window) {
    assert_eq!(window.count(&by_testid("no-map")).await, 0, "{:?}", window.text("no-map").await);
    let map = window.area_of(&by_testid("map")).await;
    assert!(map.width > 800 && map.height > 600, "the map is {map:?}");
    let chip = |kind: &str| format!("{}[data-kind={kind}]", by_testid("chip"));
    window.wait_for_element(&chip("lamp"), SOON).await;
    let middle =
        Area { x: map.x + map.width / 4, y: map.y + map.height / 4, width: map.width / 2, height: map.height / 2 };
    let shown = window.still(300, SOON).await;
    ground::is_drawn(window, &shown, map).await;

    let marks_of = async |picture: &fleetlens_tests::picture::Picture| {
        let mut count = 0;
        for colour in ["--mark-ok", "--mark-lit"] {
            count += picture.count_of(middle, window.token(colour).await, 12);
        }
        count
    };
    let with_marks = marks_of(&shown).await;
    for kind in ["lamp", "parking"] {
        window.click(&format!("{}[aria-pressed=true]", chip(kind))).await;
        window.wait_for_element(&format!("{}[aria-pressed=false]", chip(kind)), SOON).await;
    }
    let bare = window.still(300, SOON).await;
    let without_marks = marks_of(&bare).await;
    let differing = bare.differing(&shown, middle, 24);
    for kind in ["lamp", "parking"] {
        window.click(&format!("{}[aria-pressed=false]", chip(kind))).await;
        window.wait_for_element(&format!("{}[aria-pressed=true]", chip(kind)), SOON).await;
    }
    let again = window.still(300, SOON).await;
    assert!(differing > 400, "taking every kind away changed only {differing} pixels: no marks are drawn");
    assert!(
        with_marks > without_marks + 100,
        "{with_marks} pixels of the marks' colours with them, {without_marks} without"
    );
    let back = again.differing(&bare, middle, 24);
    assert!(back * 10 > differing * 8, "the marks did not come back: {back} of {differing} pixels");
    told("streets, names and live marks are drawn, and marks go with their kind's chip");
}

async fn the_whole_island_has_a_thousand_things(window: &Window) {
    // The zoom button, until the whole of Malta is in the picture.
    for _ in 0..4 {
        window.click("button[aria-label=Further]").await;
        window.still(2_000, SOON).await;
    }
    let script = "return Number(document.documentElement.dataset.things ?? 0)";
    window
        .wait_for("a thousand things on the map", SOON, script, |things: u32| {
            if things > 1000 { Ok(()) } else { Err(format!("{things}")) }
        })
        .await;
    window.screenshot("island-dark-1440").await;
    told("more than a thousand things are on the map of the whole island");
}

/// Opens the lamp through the find box: values with ages, a chart, a shadow.
async fn a_lamp_is_opened(window: &Window) -> BTreeMap<String, Card> {
    window.open_thing(LAMP).await;
    let cards = window
        .wait_for_cards("a lamp's live values", SOON, |cards| {
            ["/dim_pct", "/power_w"].iter().all(|pointer| cards.get(*pointer).is_some_and(is_live))
        })
        .await;
    for card in cards.values() {
        assert!(card.age_s().is_some_and(|age| age < 300), "a value without its age: {card:?}");
        assert!(card.number.chars().any(|c| c.is_ascii_digit()), "a card without a number: {card:?}");
    }
    assert!(cards["/power_w"].number.ends_with('W') && cards["/dim_pct"].number.ends_with('%'), "{cards:?}");
    let canvas = "[data-testid=chart] canvas";
    window.wait_for_element(canvas, SOON).await;
    fleetlens_tests::wait::until("a line on the chart", SOON, async || {
        let drawn = window.drawn_on_canvas(canvas).await;
        if drawn > 200 { Ok(()) } else { Err(format!("{drawn} pixels")) }
    })
    .await;
    window.wait_for_leaf("/dim_pct", |_, reported| !reported.is_empty() && reported != "–").await;
    assert!(window.leaves().await.len() >= 3, "{:?}", window.leaves().await);
    told("a lamp shows its values with ages, a chart and its shadow");
    cards
}

/// Asked, accepted and settled were each on the screen, in this order, and both sides of the shadow agree at the end.
async fn a_lamp_is_dimmed_and_settles(window: &Window, before: &BTreeMap<String, Card>, pct: u8) {
    window.dim(pct).await;
    let settled = window.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert_eq!(settled.taken(), ["asked", "accepted", "settled"], "{settled:?}");
    assert!(settled.title.contains(&format!("{pct} %")), "{settled:?}");
    let shown = window.timelines_shown().await;
    let moments: Vec<(&str, usize)> = ["asked", "accepted", "settled"]
        .into_iter()
        .map(|step| {
            (
                step,
                shown.iter().position(|t| t.has(step)).unwrap_or_else(|| panic!("{step} was never shown: {shown:?}")),
            )
        })
        .collect();
    assert!(moments.is_sorted_by_key(|(_, at)| *at), "{moments:?}");
    let accepted_alone = shown.iter().any(|t| t.has("accepted") && !t.has("settled") && t.standing == "waiting");
    assert!(accepted_alone, "accepted was never shown apart from settled: {shown:?}");
    let want = pct.to_string();
    window.wait_for_leaf("/dim_pct", |wanted, reported| wanted == want && reported == want).await;
    assert_eq!(window.count("[data-testid=shadow][data-shadow=\"\"] tr.differs").await, 0);
    // The lamp's own measurements follow.
    let (dim, power) = (format!("{pct} %"), before["/power_w"].number.clone());
    window
        .wait_for_cards("the lamp to measure what it was told", SOON, |cards| {
            cards["/dim_pct"].number == dim && cards["/power_w"].number != power
        })
        .await;
    told("asked, accepted and settled were shown in this order; wanted and reported agree; the lamp measures it");
}

async fn pictures_in_both_themes_and_sizes(window: &Window) {
    window.set_theme("light").await;
    window.still(2_000, SOON).await;
    window.screenshot("settled-light-1440").await;
    window.resize(1024, 700).await;
    window.still(2_000, SOON).await;
    window.screenshot("settled-light-1024").await;
    window.set_theme("dark").await;
    window.still(2_000, SOON).await;
    window.screenshot("settled-dark-1024").await;
    window.resize(1440, 900).await;
    window.click(&by_testid("close")).await;
    window.set_theme("light").await;
    window.still(2_000, SOON).await;
    window.screenshot("desktop-light-1440").await;
    window.set_theme("dark").await;
}

/// The picture from the cache, soon after the program was started.
async fn the_cached_picture_is_there_at_once(window: &Window) {
    let age = || age_of(window.app()).expect("the app runs");
    window.wait_for_element(&by_testid("chip"), SOON).await;
    let known = age();
    let live = "return document.documentElement.dataset.live ?? ''";
    window
        .wait_for("the cached picture", SOON, live, |live: String| if live == "true" { Ok(()) } else { Err(live) })
        .await;
    let drawn = age();
    assert!(window.things_drawn().await > 100, "the cached map is empty");
    assert!(known < KNOWN_WITHIN && drawn < DRAWN_WITHIN, "known after {known:?}, drawn after {drawn:?}");
    told(&format!(
        "after the start, what was known is there in {} ms and drawn on the map in {} ms",
        known.as_millis(),
        drawn.as_millis()
    ));
    window.resize(1440, 900).await;
}

/// What was known, marked as cached, with the notice.
async fn the_same_values_are_there(window: &Window, known: &BTreeMap<String, Card>) {
    window.open_thing(LAMP).await;
    let cards = window.wait_for_cards("cached values", SOON, all_old).await;
    assert_eq!(numbers(&cards), numbers(known), "the cache shows something else");
    assert!(cards.values().all(|card| card.age.starts_with("cached")), "{cards:?}");
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    told("without a broker the same values are there, marked as cached, with the notice");
}
