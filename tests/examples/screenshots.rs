//! The user guide's pictures, of the real windows on the demo city: an evening in June, the same one every time.
//!
//! `cargo xtask screenshots` runs it and copies what it leaves in `FLEETLENS_SCREENSHOTS` into `docs/guide/img`. Without that
//! variable the pictures go to `target/screenshots`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use fleetlens_sim::dice::Dice;
use fleetlens_sim::{City, CityOptions};
use fleetlens_tests::display::Display;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use fleetlens_tests::window::{Window, by_testid};

/// 20 June 2026, 20:55 on Malta: the lamps have been on for some minutes, and the evening's car parks fill.
const EVENING_MS: i64 = 1_781_981_700_000;
/// The lamp in the pictures.
const LAMP: &str = "lamp-0001";
/// A lamp that does nothing that is wanted, so that something needs a person.
const STUCK: &str = "lamp-0062";
/// How much of the lamp's past the cache holds already.
const PAST_MS: i64 = 3_600_000;
/// Where a broker usually listens; the pictures show the address.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1883);

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let folder =
        std::env::var_os("FLEETLENS_SCREENSHOTS").map_or_else(|| place::target().join("screenshots"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let display = Display::open("screenshots", 1600, 1000).ok_or("the pictures need Xvfb")?;
    let listen = if TcpListener::bind(USUAL).is_ok() { USUAL } else { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
    let options = CityOptions {
        seed: 1,
        begin_ms: Some(EVENING_MS),
        listen,
        stuck: vec![STUCK.to_owned()],
        ..CityOptions::default()
    };
    let mut city = fleetlens_sim::start(options.clone()).await?;
    desktop(&mut city, &options, &display, &folder).await?;
    city.stop().await;
    let city = fleetlens_sim::start(options.clone()).await?;
    phone(&city, &options, &display, &folder).await?;
    city.stop().await;
    Ok(())
}

async fn open(program: &str, city: &City, display: &Display, data: &Path, theme: &str) -> Result<Window, Failure> {
    let data = data.to_str().ok_or("a folder with a plain name")?;
    let address = city.address();
    let arguments = ["--data-dir", data, "--broker", &address, "--theme", theme];
    let name = format!("screenshots-{program}");
    Ok(Window::open(&name, program, display, arguments).await.ok_or("the pictures need WebKitWebDriver")?)
}

async fn desktop(city: &mut City, options: &CityOptions, display: &Display, folder: &Path) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let window = open("fleetlens-desktop", city, display, data.path(), "dark").await?;
    window.resize(1440, 900).await;
    window.wait_until_live().await;
    tell_the_past(city, options).await?;

    // Something needs a person: the stuck lamp lets a command of half a minute expire.
    window.open_thing(STUCK).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    window.prepare_dim(60).await;
    window.choose("[data-testid=control][data-pointer=\"/dim_pct\"] [data-testid=expiry]", "30000").await;
    window.send_dim().await;
    window.wait_for_timeline("the stuck lamp's command to expire", SOON, |t| t.has("withdrawn")).await;

    window.open_thing(LAMP).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    window.choose_span("15 m").await;
    window.choose_span("1 h").await;
    window.click("[data-testid=value][data-pointer=\"/power_w\"]").await;
    window.dim(40).await;
    window.wait_for_timeline("the lamp to obey", SOON, |t| t.standing == "settled").await;
    window
        .wait_for_cards("the lamp to measure it", SOON, |cards| {
            cards.get("/dim_pct").is_some_and(|c| c.number == "40 %")
        })
        .await;
    window.wait_for_element(&by_testid("attention"), SOON).await;
    settle(&window).await;
    window.screenshot_to(&folder.join("operator-dark.png")).await;

    window.set_theme("light").await;
    window.click(&by_testid("open-page")).await;
    window.wait_for_element(&by_testid("page"), SOON).await;
    settle(&window).await;
    window.screenshot_to(&folder.join("command-settled.png")).await;
    window.click(&by_testid("open-page")).await;
    window.wait_for_element(&by_testid("drawer"), SOON).await;

    city.stop_broker().await;
    window.wait_for_element(&by_testid("offline"), SOON).await;
    window.dim(70).await;
    window.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("1 command waits")).await;
    settle(&window).await;
    window.screenshot_to(&folder.join("offline.png")).await;
    window.close().await;
    Ok(())
}

async fn phone(city: &City, options: &CityOptions, display: &Display, folder: &Path) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let window = open("fleetlens-mobile", city, display, data.path(), "light").await?;
    window.resize(390, 844).await;
    window.wait_until_live().await;
    tell_the_past(city, options).await?;
    window.open_thing(LAMP).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    window.click("[data-testid=big][data-pointer=\"/dim_pct\"]").await;
    window.dim(40).await;
    window.wait_for_timeline("the lamp to obey", SOON, |t| t.standing == "settled").await;
    window
        .wait_for_cards("the lamp to measure it", SOON, |cards| {
            cards.get("/dim_pct").is_some_and(|c| c.number == "40 %")
        })
        .await;
    settle(&window).await;
    window.screenshot_to(&folder.join("phone.png")).await;
    window.close().await;
    Ok(())
}

/// The last hour of the lamp, as it would have told it: late samples, which the cache takes like any other.
async fn tell_the_past(city: &City, options: &CityOptions) -> Result<(), Failure> {
    let begin_ms = EVENING_MS - PAST_MS;
    let mut devices = fleetlens_sim::devices(options, Dice::new(options.seed), begin_ms)?;
    let lamp = devices.iter_mut().find(|device| device.thing() == LAMP).ok_or("the city has no such lamp")?;
    let (topic, now) = (lamp.topic("telemetry"), now_ms());
    let peer = Peer::connect(&city.address(), "past", &[&topic]).await;
    let step_ms = i64::try_from(lamp.interval_ms())?;
    for ago_ms in (1..=PAST_MS / step_ms).rev().map(|n| n * step_ms) {
        lamp.tick(EVENING_MS - ago_ms);
        peer.publish(&topic, lamp.telemetry(now - ago_ms, EVENING_MS - ago_ms)).await;
    }
    // Leaving does not wait for what is still on its way.
    let last = format!("\"ts\":{}", now - step_ms);
    peer.wait_for("the broker to have the past", |m| String::from_utf8_lossy(&m.payload).contains(&last).then_some(()))
        .await;
    peer.leave().await;
    Ok(())
}

/// Everything from its top, the map at rest. A command that was just sent brings itself into sight first.
async fn settle(window: &Window) {
    window.still(2_500, SOON).await;
    window.tidy_up().await;
    window.still(2_500, SOON).await;
}
