//! Somebody looks for a place to park, in the phone's real window and in Chromium: the nearest car park first, spaces of their class,
//! and never a number without its age, with and without a network. Nothing else of the city is there for them.
#![cfg(test)]

mod both;
mod driver {
    pub mod lots;
    pub mod screen;
}

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::display::Display;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;
use fleetlens_tests::window::Window;

use both::told;
use driver::lots::{Lots, PARKS};
use driver::screen;

/// One window at a time: two cores draw both in software.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A bin that burns is an alarm; a driver is not told.
const RULES: &str = "\n[[alarm]]\nid = \"fire\"\nname = \"is burning\"\nkind = \"bin\"\nwhen = \"/temp_c >= 60\"\n\
                     priority = \"critical\"\nwhat_to_do = \"call the fire brigade\"\n";

fn profile(broker: &Mosquitto, folder: &std::path::Path) -> String {
    let text = ProfileText { role: "driver", ..ProfileText::new("Parking", broker.url()) };
    let file = folder.join("profile.toml");
    std::fs::write(&file, text.toml() + RULES).unwrap();
    file.into_os_string().into_string().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_finds_a_space_by_tapping_and_keeps_the_counts_with_their_age_without_a_network() {
    let _alone = ALONE.lock().await;
    let Some(mut broker) = Mosquitto::start("driver") else { return };
    let Some(display) = Display::open("driver", 500, 900) else { return };
    let lots = Lots::describe(&broker.url()).await;
    let data = tempfile::tempdir().unwrap();
    let profile = profile(&broker, data.path());
    let arguments = ["--data-dir", data.path().to_str().unwrap(), "--profile", &profile];
    let Some(window) = Window::open("driver", "fleetlens-mobile", &display, arguments).await else { return };
    window.resize(390, 844).await;
    screen::is_the_first(&window).await;
    lots.count().await;
    screen::tells_them_apart(&window).await;
    screen::is_nearest_first_from_a_tapped_point(&window).await;
    screen::switches_between_classes(&window, &lots).await;
    screen::has_every_class_in_the_details(&window).await;
    lots.a_late_count_changes_nothing(&window).await;
    screen::has_nothing_else(&window).await;
    for theme in ["dark", "light"] {
        window.set_theme(theme).await;
        window.still(1_000, SOON).await;
        window.screenshot(&format!("driver-{theme}-390")).await;
    }

    let known = screen::lots(&window).await;
    lots.leave().await;
    broker.stop();
    screen::is_the_same_without_a_network(&window, &known).await;
    window.screenshot("driver-offline-light-390").await;
    window.close().await;

    let arguments = ["--data-dir", data.path().to_str().unwrap(), "--profile", &profile, "--no-broker"];
    let Some(window) = Window::open("driver-cached", "fleetlens-mobile", &display, arguments).await else { return };
    window.resize(390, 844).await;
    screen::is_the_same_without_a_network(&window, &known).await;
    window.still(1_000, SOON).await;
    window.screenshot("driver-cached-light-390").await;
    told("started without any broker, it shows the same counts from the cache");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser_the_nearest_car_park_is_nearest_to_the_position_that_the_device_tells() {
    let _alone = ALONE.lock().await;
    let Some(mut broker) = Mosquitto::start("driver-browser") else { return };
    let lots = Lots::describe(&broker.url()).await;
    let data = tempfile::tempdir().unwrap();
    let profile = profile(&broker, data.path());
    let serve = Serve::start("driver", data.path(), &["--profile", &profile]);
    let Some(browser) = Browser::open("driver-browser", &serve, serve.phone(), PHONE, "dark").await else { return };
    screen::is_the_first(&browser).await;
    lots.count().await;
    screen::tells_them_apart(&browser).await;

    browser.forbid_position().await;
    browser.click(&by_testid("locate")).await;
    let words = browser.wait_for_text(&by_testid("no-position"), SOON, |text| !text.is_empty()).await;
    assert!(words.contains("may not tell its position") && words.contains("Tap on the map"), "{words}");
    told(&format!("a position that may not be told is told in words: {words}"));
    screen::is_nearest_first_from_a_tapped_point(&browser).await;
    screen::switches_between_classes(&browser, &lots).await;
    screen::has_every_class_in_the_details(&browser).await;
    for park in PARKS.iter().filter(|park| !park.is_in_the_middle()) {
        browser.tell_position(park.lat + 0.0002, park.lon + 0.0001).await;
        browser.click(&by_testid("locate")).await;
        browser.wait_for_text(&by_testid("near-what"), SOON, |text| text.starts_with("Near your position (±")).await;
        screen::wait_for_nearest(&browser, park.title).await;
    }
    assert_eq!(
        browser.count(&by_testid("no-position")).await,
        0,
        "a position was found and is still said to be missing"
    );
    told("by the device's position, the car park beside it comes first");
    screen::has_nothing_else(&browser).await;

    for (theme, what) in [("dark", "browser-dark"), ("light", "browser-light")] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the car parks, {theme}")).await;
        browser.screenshot(&format!("driver-{what}-390")).await;
    }
    let known = screen::lots(&browser).await;
    lots.leave().await;
    broker.stop();
    screen::is_the_same_without_a_network(&browser, &known).await;
    for theme in ["light", "dark"] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the car parks without a network, {theme}")).await;
    }
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");

    // The same person at a desk.
    browser.goto(serve.window()).await;
    browser.resize(DESKTOP.0, DESKTOP.1).await;
    for theme in ["dark", "light"] {
        screen::is_the_same_without_a_network(&browser, &known).await;
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the car parks at a desk, {theme}")).await;
        browser.screenshot(&format!("driver-desk-{theme}-1440")).await;
    }
    told("axe-core finds nothing, dark and light, on the phone and at a desk, with and without a network");
    browser.close().await;
    serve.close().await;
}
