//! A person and a city: look, dim, lose the broker, close, open again.

use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::person::{ENDS_WITHIN, SOON};
use fleetlens_tests::process::age_of;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::window::{Window, by_testid};

use super::both::{city, history, told};
use super::{alone, open, open_at_once, screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_the_demo_city_dims_a_lamp_and_finds_it_again_without_a_broker() {
    let _alone = alone().await;
    let Some(display) = screen("window-demo") else { return };
    let data = tempfile::tempdir().unwrap();
    let Some(window) = open("window-demo", &display, data.path(), &["--theme", "dark"]).await else { return };
    window.wait_until_live().await;
    assert!(window.text("demo").await.is_some_and(|text| text.contains("made up")), "the demo must say what it is");
    city::streets_and_marks_are_drawn(&window).await;
    window.screenshot("desktop-dark-1440").await;
    city::the_whole_island_has_a_thousand_things(&window).await;
    window.screenshot("island-dark-1440").await;

    let before = city::a_lamp_is_opened(&window).await;
    window.screenshot("lamp-dark-1440").await;
    city::a_lamp_is_dimmed_and_settles(&window, &before, 40).await;
    window.screenshot("settled-dark-1440").await;
    history::of_a_lamp_tells_the_person_and_the_device(&window, [25, 65]).await;
    window.screenshot("history-dark-1440").await;
    pictures_in_both_themes_and_sizes(&window).await;

    window.open_thing(city::LAMP).await;
    let known = city::just_said(&window).await;
    let took = window.close().await;
    assert!(took < ENDS_WITHIN, "the app took {took:?} to end");
    told(&format!("the app ended in order, {} ms after it was asked to", took.as_millis()));

    let Some(window) = open_at_once("window-demo-cached", &display, data.path(), &["--no-broker"]).await else {
        return;
    };
    the_cached_picture_is_there(&window).await;
    city::the_same_values_are_there(&window, &known).await;
    window.screenshot("cached-1440").await;
    history::outlives_the_program(&window, 65).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_on_mosquitto_stays_on_the_screen_while_the_broker_is_away() {
    let _alone = alone().await;
    let Some(mut broker) = Mosquitto::start("window-city") else { return };
    let Some(display) = screen("window-city") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let malta =
        fleetlens_sim::start(CityOptions { broker: Some(at), seed: 3, ..CityOptions::default() }).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Mosquitto", broker.url()).write(data.path());
    let arguments = ["--profile", profile.to_str().unwrap(), "--theme", "dark"];
    let Some(window) = open("window-city", &display, data.path(), &arguments).await else { return };
    window.wait_until_live().await;
    city::streets_and_marks_are_drawn(&window).await;
    let before = city::a_lamp_is_opened(&window).await;
    city::a_lamp_is_dimmed_and_settles(&window, &before, 40).await;

    city::the_picture_stays_without_a_broker(&window, &mut broker, "1440").await;

    // The same without a broker behind the profile.
    let known = city::just_said(&window).await;
    window.close().await;
    broker.stop();
    let Some(window) = open_at_once("window-city-cached", &display, data.path(), &arguments).await else { return };
    the_cached_picture_is_there(&window).await;
    city::the_same_values_are_there(&window, &known).await;
    window.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "70" && reported == "70").await;
    let why = "[data-testid=offline] button";
    window.click(why).await;
    let reason = window.wait_for_text(&by_testid("offline-reason"), SOON, |text| !text.is_empty()).await;
    assert!(reason.contains("no broker listens at"), "the reason must say what is wrong: {reason}");
    told("opened while the broker is away, the window shows what it knew and why");
    window.close().await;
    malta.stop().await;
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
    window.close_thing().await;
    window.set_theme("light").await;
    window.still(2_000, SOON).await;
    window.screenshot("desktop-light-1440").await;
    window.set_theme("dark").await;
}

/// The picture from the cache. How soon is told and not judged: here is a development build that draws in software beside other
/// programs, and `cargo xtask bench startup` measures it.
async fn the_cached_picture_is_there(window: &Window) {
    let age = || age_of(window.app()).expect("the app runs");
    window.wait_for_element(&by_testid("chip"), SOON).await;
    let known = age();
    let live = "return document.documentElement.dataset.live ?? ''";
    window
        .wait_for("the cached picture", SOON, live, |live: String| if live == "true" { Ok(()) } else { Err(live) })
        .await;
    let drawn = age();
    assert!(window.things_drawn().await > 100, "the cached map is empty");
    told(&format!(
        "after the start, what was known is there in {} ms and drawn on the map in {} ms",
        known.as_millis(),
        drawn.as_millis()
    ));
    window.resize(1440, 900).await;
}
