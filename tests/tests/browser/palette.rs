//! The command palette in a browser: opened by its key, it leads to views, things, places, groups and controls, and to a viewer no control.

use std::fs;

use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;
use thirtyfour::Key;

use super::alone;
use super::both::{city, told};

const TEXT: &str = "[data-testid=palette][open] [data-testid=palette-text]";

/// The line on which Enter acts.
const AT: &str = "[data-testid=palette][open] [data-testid=palette-row][aria-selected=true]";

async fn press_for_it(page: &Page) {
    page.keys(&format!("{}k", Key::Control.value())).await;
    page.wait_for_element(TEXT, SOON).await;
}

async fn is_gone(page: &Page) {
    page.wait_until_gone("[data-testid=palette][open]", SOON).await;
}

/// Opens it, types, and waits until the first line that is meant says so.
async fn find(page: &Page, text: &str, first: &str) {
    press_for_it(page).await;
    page.keys(text).await;
    page.wait_for_text(AT, SOON, |line| line.contains(first)).await;
}

async fn kinds_of_lines(page: &Page) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-testid=palette-row]')].map(e => e.dataset.entry)";
    page.ask(script, Vec::new()).await
}

/// Longitude and latitude at which the map was left.
async fn place_of_map(page: &Page, profile: &str) -> Option<(f64, f64)> {
    let word: Option<String> =
        page.ask("return localStorage.getItem(arguments[0])", vec![format!("fleetlens.map.{profile}").into()]).await;
    let word = word?;
    let mut numbers = word.split(' ').map(|number| number.parse::<f64>().ok());
    Some((numbers.next()??, numbers.next()??))
}

async fn pictures(page: &Page, what: &str, name: &str) {
    for theme in ["light", "dark"] {
        // What changes it otherwise lies under the sheet.
        page.ask::<()>("document.documentElement.dataset.theme = arguments[0]", vec![theme.into()]).await;
        page.screenshot(&format!("{name}-{theme}-1440")).await;
        assert_accessible(page, &format!("{what}, {theme}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anything_is_found_and_done_by_its_name() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("browser-palette") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let malta = fleetlens_sim::start(CityOptions { broker: Some(at), seed: 3, things: 400, ..CityOptions::default() })
        .await
        .unwrap();
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Palette", broker.url()).write(data.path());
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[[group]]\nname = \"All lamps\"\nkinds = [\"lamp\"]\n")).unwrap();
    let serve = Serve::start("palette", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(browser) = Browser::open("browser-palette", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;

    it_opens_by_key_and_leads_to_views(&browser).await;
    a_thing_is_found_and_steered(&browser).await;
    the_map_goes_to_a_place(&browser).await;
    a_group_is_shown_and_another_kept(&browser, &file).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    serve.close().await;

    // The same window for somebody who only watches.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("role = \"operator\"", "role = \"viewer\"")).unwrap();
    let serve = Serve::start("palette-viewer", data.path(), &["--profile", file.to_str().unwrap()]);
    browser.goto(serve.window()).await;
    browser.wait_until_live().await;
    browser.open_thing(city::LAMP).await;
    browser.wait_for_leaf("/on", |_, reported| !reported.is_empty()).await;
    press_for_it(&browser).await;
    browser.wait_for_element(AT, SOON).await;
    let lines = kinds_of_lines(&browser).await;
    assert!(lines.iter().any(|kind| kind == "act") && !lines.iter().any(|kind| kind == "control"), "{lines:?}");
    let words = browser.text_of(&by_testid("palette-list")).await.unwrap_or_default();
    assert!(!words.contains("rules"), "a viewer has none: {words}");
    browser.press(Key::Escape).await;
    is_gone(&browser).await;
    told("a viewer finds views and things, and no command");
    serve.close().await;

    // And for a driver.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("role = \"viewer\"", "role = \"driver\"")).unwrap();
    let serve = Serve::start("palette-driver", data.path(), &["--profile", file.to_str().unwrap()]);
    browser.goto(serve.window()).await;
    browser.wait_until_live().await;
    press_for_it(&browser).await;
    browser.keys("marsa").await;
    browser.wait_for_element("[data-testid=palette][open] [data-entry=place]", SOON).await;
    let lines = kinds_of_lines(&browser).await;
    assert!(lines.iter().all(|kind| kind == "place" || kind == "act"), "{lines:?}");
    pictures(&browser, "the driver's palette", "browser-palette-driver").await;
    browser.press(Key::Escape).await;
    is_gone(&browser).await;
    told("a driver finds views and places, and nothing else");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    malta.stop().await;
}

async fn it_opens_by_key_and_leads_to_views(page: &Page) {
    press_for_it(page).await;
    page.wait_for_text(AT, SOON, |line| line.contains("map")).await;
    pictures(page, "the palette with nothing typed", "browser-palette-empty").await;
    page.press(Key::Escape).await;
    is_gone(page).await;
    find(page, "things", "Go to the things").await;
    page.press(Key::Enter).await;
    page.wait_for_element(&by_testid("things-table"), SOON).await;
    is_gone(page).await;
    // Also out of a text, and what was used last comes first.
    page.click(&by_testid("things-filter")).await;
    press_for_it(page).await;
    page.wait_for_text(AT, SOON, |line| line.contains("Go to the things")).await;
    page.press(Key::End).await;
    let lines: i64 = page.ask("return document.querySelectorAll('[data-testid=palette-row]').length", Vec::new()).await;
    let place =
        "return [...document.querySelectorAll('[data-testid=palette-row]')].findIndex(e => e.ariaSelected === 'true')";
    page.wait_for("End to lead to the last line", SOON, place, |at: i64| {
        if at == lines - 1 { Ok(()) } else { Err(format!("{at} of {lines}")) }
    })
    .await;
    page.press(Key::Home).await;
    page.wait_for_text(AT, SOON, |line| line.contains("Go to the things")).await;
    page.press(Key::Escape).await;
    is_gone(page).await;
    told("Ctrl-K opens the palette, also out of a text; it leads to views and remembers them");
}

async fn a_thing_is_found_and_steered(page: &Page) {
    find(page, city::LAMP, city::LAMP).await;
    page.press(Key::Enter).await;
    page.wait_for_title(city::LAMP).await;
    page.wait_for_leaf("/on", |_, reported| !reported.is_empty()).await;
    press_for_it(page).await;
    page.keys("switch").await;
    page.wait_for_text(AT, SOON, |line| line.contains("Switch o")).await;
    pictures(page, "the palette with commands", "browser-palette-commands").await;
    let word = page.text_of(AT).await.unwrap_or_default();
    let wants = if word.contains("off") { "false" } else { "true" };
    page.press(Key::Enter).await;
    page.wait_for_element("[data-testid=palette-steer][open] .send:not(:disabled)", SOON).await;
    pictures(page, "the control on its sheet", "browser-palette-steer").await;
    page.click("[data-testid=palette-steer][open] [data-testid=send]").await;
    page.wait_until_gone("[data-testid=palette-steer][open]", SOON).await;
    page.wait_for_leaf("/on", |wanted, reported| wanted == wants && reported == wants).await;
    told("the open thing is steered through the palette, with the control of its page");

    // A query is completed as in the filter.
    press_for_it(page).await;
    page.keys("kind:la").await;
    page.wait_for_element("[data-testid=palette][open] [data-entry=choice]", SOON).await;
    page.press(Key::Tab).await;
    let typed = "return document.querySelector('[data-testid=palette-text]').value";
    page.wait_for(
        "the query to be completed",
        SOON,
        typed,
        |text: String| {
            if text == "kind:lamp " { Ok(()) } else { Err(text) }
        },
    )
    .await;
    page.wait_for_element("[data-testid=palette][open] [data-entry=thing]", SOON).await;
    pictures(page, "the palette with things", "browser-palette-things").await;
    page.press(Key::Escape).await;
    is_gone(page).await;
    page.close_thing().await;
}

async fn the_map_goes_to_a_place(page: &Page) {
    press_for_it(page).await;
    page.keys("marsascala").await;
    page.wait_for_element("[data-testid=palette][open] [data-entry=place]", SOON).await;
    pictures(page, "the palette with places", "browser-palette-places").await;
    page.click("[data-testid=palette][open] [data-entry=place]").await;
    is_gone(page).await;
    page.wait_until_gone(&by_testid("things-table"), SOON).await;
    let mut at = None;
    for _ in 0..50 {
        at = place_of_map(page, "Palette").await;
        if at.is_some_and(|(lon, lat)| (lon - 14.56).abs() < 0.03 && (lat - 35.86).abs() < 0.03) {
            told("a place that was found is shown on the map");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the map is at {at:?}");
}

async fn a_group_is_shown_and_another_kept(page: &Page, file: &std::path::Path) {
    find(page, "all lamps", "All lamps").await;
    page.press(Key::Enter).await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text.contains(" of 400 things")).await;
    let group = "return document.querySelector('[data-testid=things-group]').value";
    assert_eq!(page.ask::<String>(group, Vec::new()).await, "All lamps");
    told("a group of the palette filters the table");

    press_for_it(page).await;
    page.keys("kind:bin").await;
    page.click("[data-testid=palette][open] [data-entry=table]").await;
    let typed = "return document.querySelector('[data-testid=things-filter]').value";
    page.wait_for(
        "the query in the filter",
        SOON,
        typed,
        |text: String| {
            if text == "kind:bin" { Ok(()) } else { Err(text) }
        },
    )
    .await;
    page.click(&by_testid("save-group")).await;
    page.type_into("[data-testid=save-group-name]", "All lamps").await;
    page.wait_for_element(&by_testid("save-group-taken"), SOON).await;
    page.screenshot("browser-save-group-taken-dark-1440").await;
    page.replace("[data-testid=save-group-name]", "The bins").await;
    page.wait_until_gone(&by_testid("save-group-taken"), SOON).await;
    pictures(page, "the sheet that keeps a group", "browser-save-group").await;
    page.click(&by_testid("save-group-yes")).await;
    page.wait_until_gone("[data-testid=save-group-sheet][open]", SOON).await;
    let groups = "return [...document.querySelector('[data-testid=things-group]').options].map(o => o.value)";
    page.wait_for("the group to be there", SOON, groups, |groups: Vec<String>| {
        if groups == ["", "All lamps", "The bins"] { Ok(()) } else { Err(format!("{groups:?}")) }
    })
    .await;
    assert_eq!(page.ask::<String>(typed, Vec::new()).await, "kind:bin", "the view is as it was");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("[[group]]\nname = \"The bins\"\nsearch = \"kind:bin\"\n"), "{text}");
    page.screenshot("browser-save-group-kept-dark-1440").await;
    find(page, "the bins", "The bins").await;
    page.press(Key::Escape).await;
    is_gone(page).await;
    told("a search is kept as a group, which is there at once");
}
