//! Several windows: what was open comes back with what it showed, on a screen that is there, and a second start hands its link over.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fleetlens_tests::display::Display;
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use fleetlens_tests::process::{Group, Output};
use fleetlens_tests::wait::{until, until_sync};
use fleetlens_tests::window::Window;
use serde_json::{Value, json};

use super::{DESKTOP, alone, open_at_once, screen};

/// A second start does nothing but hand over; the machine may be busy.
const HANDS_OVER_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_come_back_with_what_they_showed_and_links_go_to_the_one_that_runs() {
    let _alone = alone().await;
    if place::system_program("xwininfo").is_none() {
        return;
    }
    let Some(display) = screen("windows") else { return };
    let data = tempfile::tempdir().unwrap();
    let arguments = ["--things", "200", "--theme", "dark"];
    let Some(window) = open_at_once("windows", &display, data.path(), &arguments).await else { return };
    window.wait_until_live().await;
    wait_for_titles(&display, &["Map · Fleetlens"]).await;

    // A link, by a second start, in the first one's window.
    let name = any_thing(&window).await;
    start_again(&display, data.path(), &format!("fleetlens://thing/{name}"));
    window.wait_for_title(&name).await;
    let title = window.text("title").await.unwrap();
    wait_for_titles(&display, &[&format!("{title} · Fleetlens")]).await;
    // It is said once the window rests.
    window
        .wait_for("the page's address", SOON, "return location.hash", |hash: String| {
            if hash == format!("#/thing/{name}") { Ok(()) } else { Err(hash) }
        })
        .await;
    for (link, sentence) in [
        ("fleetlens://set/lamp?on=true", "This link leads nowhere"),
        ("fleetlens://thing/no-such-thing", "no-such-thing has not said anything yet"),
        ("fleetlens://thing/%00\"); location.hash = \"x", "This link leads nowhere"),
        ("https://example.org/", "This link leads nowhere"),
    ] {
        start_again(&display, data.path(), link);
        window.wait_for_text("[data-testid=notices]", SOON, |text| text.contains(sentence)).await;
        assert_eq!(page_address(&window).await, format!("#/thing/{name}"), "{link} moved the window");
        window.ask::<()>("document.querySelectorAll('.notice button').forEach(b => b.click())", vec![]).await;
    }

    // The first window goes to the alarms, and a second one shows the map.
    window.close_thing().await;
    window.click("[data-testid=rail-alarms]").await;
    wait_for_titles(&display, &["Alarms · Fleetlens"]).await;
    window.keys("\u{e009}\u{e008}n").await;
    wait_for_titles(&display, &["Alarms · Fleetlens", "Map · Fleetlens"]).await;
    start_again(&display, data.path(), "fleetlens://view/things");
    wait_for_titles(&display, &["Alarms · Fleetlens", "Things · Fleetlens"]).await;
    window.screenshot("windows-first").await;
    window.close().await;

    // Meanwhile the second one's screen was taken away.
    let file = data.path().join("windows.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(addresses(&kept), ["view/alarms", "view/things"], "{kept}");
    kept["windows"][1]["place"] = json!({ "x": 5000, "y": 40, "width": 900, "height": 700 });
    std::fs::write(&file, kept.to_string()).unwrap();
    let Some(window) = open_at_once("windows-again", &display, data.path(), &arguments).await else { return };
    wait_for_titles(&display, &["Alarms · Fleetlens", "Things · Fleetlens"]).await;
    window.wait_for_element(".sheet.alarms", SOON).await;
    let second = windows_of(&display).into_iter().find(|one| one.title.starts_with("Things")).unwrap();
    assert!(second.x >= 0 && second.x + 900 <= 1600, "it is off the screen: {second:?}");

    // What is damaged costs the windows and nothing else.
    window.close().await;
    std::fs::write(&file, "{\"windows\":[{\"addr").unwrap();
    let Some(window) = open_at_once("windows-damaged", &display, data.path(), &arguments).await else { return };
    wait_for_titles(&display, &["Map · Fleetlens"]).await;
    window.close().await;
    println!(
        "two windows came back with their views, links went to the program that ran, and hostile ones moved nothing"
    );
}

/// A window as the screen has it.
#[derive(Debug)]
struct Shown {
    title: String,
    x: i32,
}

fn windows_of(display: &Display) -> Vec<Shown> {
    let mut command = Command::new("xwininfo");
    command.args(["-root", "-tree"]).env("LC_ALL", "C.UTF-8");
    display.show(&mut command);
    let said = command.output().expect("xwininfo can be started");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    // `     0x600003 "Map · Fleetlens": ("fleetlens-desktop" "Fleetlens-desktop")  1440x900+0+0  +0+0`
    let shown = |line: &str| {
        let (_, rest) = line.split_once('"')?;
        let (title, rest) = rest.split_once("\": (")?;
        let (x, _) = rest.rsplit_once(' ')?.1.trim_start_matches('+').split_once('+')?;
        title.ends_with("Fleetlens").then(|| Shown { title: title.to_owned(), x: x.parse().unwrap_or(-1) })
    };
    said.lines().filter_map(shown).collect()
}

async fn wait_for_titles(display: &Display, wanted: &[&str]) {
    until(&format!("windows called {wanted:?}"), SOON, async || {
        let mut titles: Vec<String> = windows_of(display).into_iter().map(|one| one.title).collect();
        titles.sort();
        if titles == wanted { Ok(()) } else { Err(format!("{titles:?}")) }
    })
    .await;
}

/// Starts the program on the same data folder with a link; it must end by itself, having handed over.
fn start_again(display: &Display, data: &Path, link: &str) {
    let mut command = Command::new(place::program(DESKTOP));
    command.args(["--data-dir", data.to_str().unwrap(), link]);
    display.show(&mut command);
    let mut second = Group::spawn(&mut command, &place::log("windows-second"), Output::Logged);
    let status = until_sync(&format!("a second start with {link} to end"), HANDS_OVER_WITHIN, || {
        second.ended().ok_or_else(|| "it goes on running".to_owned())
    });
    assert!(status.success(), "{link}: {status}");
}

/// The name of some thing of the demo city.
async fn any_thing(window: &Window) -> String {
    window.ask::<()>("document.querySelector('[data-testid=rail-things]').click()", vec![]).await;
    let cell = "[data-testid=things-row][data-thing] .td.title";
    window.wait_for_element(cell, SOON).await;
    let name: String = window.ask("return document.querySelector(arguments[0]).title", vec![cell.into()]).await;
    window.ask::<()>("document.querySelector('[data-testid=rail-map]').click()", vec![]).await;
    name
}

async fn page_address(window: &Window) -> String {
    window.ask("return location.hash", vec![]).await
}

fn addresses(kept: &Value) -> Vec<&str> {
    kept["windows"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap()).collect()
}
