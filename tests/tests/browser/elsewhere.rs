//! Cities of which we have no map, as their own feeds tell them: the window is there before the first message, and shows them without
//! anybody moving its map; beyond the tiles there are lines with their degrees.

use std::path::{Path, PathBuf};
use std::process::Command;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use fleetlens_tests::serve::Serve;
use fleetlens_tests::wait::until;

use super::{alone, told};

/// What the recordings hold: Helsinki's vehicles.
const VEHICLES: usize = 5;

/// What the tiles of Malta cover: west, south, east, north, in degrees.
const TILES: [f64; 4] = [14.15, 35.78, 14.6, 36.1];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helsinkis_buses_are_seen_without_anybody_moving_the_map() {
    let _alone = alone().await;
    let Some(recordings) = recordings() else { return };
    let Some(broker) = Mosquitto::start("browser-helsinki") else { return };
    let profile = place::root().join("assets/profiles/hsl.toml");
    let profile = profile.to_str().expect("the checkout has a plain name");
    let folder = tempfile::tempdir().unwrap();
    let url = broker.url();
    let serve = Serve::start("helsinki", folder.path(), &["--profile", profile, "--broker", &url]);
    let Some(desk) = Browser::open("browser-helsinki", &serve, serve.window(), DESKTOP, "dark").await else { return };
    desk.wait_for_text(&by_testid("empty"), SOON, |text| text.contains("said nothing yet")).await;
    assert_eq!(desk.count(&by_testid("bare-note")).await, 0, "before anything is known the map stands on its tiles");
    told("the window listens to Helsinki before the first message");

    recordings.iter().for_each(|file| replay(file, &url, profile));
    shows(&desk, VEHICLES).await;
    let note = desk.wait_for_text(&by_testid("bare-note"), SOON, |_| true).await;
    assert!(note.contains("No map data here"), "{note}");
    has_lines(&desk).await;
    for theme in ["dark", "light"] {
        desk.set_theme(theme).await;
        assert_accessible(&desk, &format!("the map beyond its tiles, {theme}")).await;
        desk.screenshot(&format!("browser-helsinki-{theme}-1440")).await;
    }
    told("its buses are on the map, on lines with their degrees, and nobody has moved it");

    // Somebody comes closer, so that none is in the picture, and wants the whole fleet again: by the key and by the button.
    for by_key in [true, false] {
        comes_close(&desk).await;
        if by_key {
            desk.keys("f").await
        } else {
            desk.click(&by_testid("whole-fleet")).await
        }
        shows(&desk, VEHICLES).await;
    }
    told("the whole fleet is shown again by a key and by a button");

    // Where a person left the map it is the next time.
    comes_close(&desk).await;
    desk.goto(serve.window()).await;
    desk.wait_for_element(".maplibregl-canvas", SOON).await;
    shows(&desk, 0).await;
    desk.keys("f").await;
    shows(&desk, VEHICLES).await;
    told("where a person left the map it is the next time");

    let phone = Browser::open("browser-helsinki-phone", &serve, serve.phone(), PHONE, "light").await;
    let phone = phone.expect("there was a browser a moment ago");
    shows(&phone, VEHICLES).await;
    has_lines(&phone).await;
    assert_accessible(&phone, "the phone's map beyond its tiles").await;
    phone.screenshot("browser-helsinki-light-390").await;
    told("and so they are on the phone");

    for page in [&desk, &phone] {
        asked_for_no_tile_beyond(page).await;
        assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    }
    phone.close().await;
    desk.close().await;
    serve.close().await;
}

/// The recordings' files; `None`, told as skipped, where there is no data.
fn recordings() -> Option<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = place::data("fleet/hsl-mqtt")?
        .read_dir()
        .expect("the recordings can be listed")
        .map(|entry| entry.expect("the recordings can be listed").path().join("hfp.dump"))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    Some(files)
}

/// Plays a recording as if it had ended now.
fn replay(file: &Path, url: &str, profile: &str) {
    let mut command = Command::new(place::program("fleetlens"));
    command.arg("replay").arg(file).args(["--broker", url, "--speed", "max", "--rebase-time", "--profile", profile]);
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
}

/// For how many things the last picture of the map stands; nothing before the first.
async fn things(page: &Page) -> Option<usize> {
    let shown: Option<String> = page.ask("return document.documentElement.dataset.things ?? null", Vec::new()).await;
    shown.map(|count| count.parse().expect("a count is a number"))
}

async fn shows(page: &Page, count: usize) {
    until(&format!("{count} things on the map"), SOON, async || match things(page).await {
        Some(shown) if shown == count => Ok(()),
        shown => Err(format!("{shown:?}")),
    })
    .await;
}

/// Comes closer until no thing is in the picture any more.
async fn comes_close(page: &Page) {
    until("a picture without a thing", SOON, async || match things(page).await {
        Some(0) => Ok(()),
        shown => {
            page.click(".zoom [aria-label=Closer]").await;
            Err(format!("{shown:?}"))
        }
    })
    .await;
}

/// Lines and their degrees are in the picture, and the vehicles' marks.
async fn has_lines(page: &Page) {
    let map = page.area_of(&by_testid("map")).await;
    until("lines, words and marks on the map", SOON, async || {
        let shown = page.screenshot("browser-elsewhere").await;
        let mut missing = Vec::new();
        for (colour, tolerance, least) in [("--map-line", 2, 400), ("--map-place", 24, 40)] {
            let count = shown.count_of(map, page.token(colour).await, tolerance);
            if count < least {
                missing.push(format!("{count} pixels of {colour}"));
            }
        }
        let mut marks = 0;
        for colour in ["--mark-ok", "--mark-unknown", "--mark-warn", "--mark-crit"] {
            marks += shown.count_of(map, page.token(colour).await, 12);
        }
        if marks < 30 {
            missing.push(format!("{marks} pixels of marks"));
        }
        if missing.is_empty() { Ok(()) } else { Err(missing.join(", ")) }
    })
    .await;
}

/// No tile was asked for that does not touch what the tiles cover.
async fn asked_for_no_tile_beyond(page: &Page) {
    let script = "return performance.getEntriesByType('resource').map(e => e.name).filter(n => n.includes('/tiles/'))";
    let addresses: Vec<String> = page.ask(script, Vec::new()).await;
    for address in addresses {
        let numbers: Vec<f64> = address.rsplit('/').take(3).filter_map(|part| part.parse().ok()).collect();
        let [y, x, z] = numbers[..] else { panic!("{address}") };
        let across = z.exp2();
        let longitude = |x: f64| x / across * 360.0 - 180.0;
        let latitude = |y: f64| (std::f64::consts::PI * (1.0 - 2.0 * y / across)).sinh().atan().to_degrees();
        let [west, south, east, north] = TILES;
        let touches =
            longitude(x) < east && longitude(x + 1.0) > west && latitude(y) > south && latitude(y + 1.0) < north;
        assert!(touches, "{address} was asked for, where there are no tiles");
    }
}
