//! The user guide's pictures, of the real windows on the demo city: an evening in June, the same one every time.
//!
//! `cargo xtask screenshots` runs it and copies what it leaves in `FLEETLENS_SCREENSHOTS` into `docs/guide/img`. Without that
//! variable the pictures go to `target/screenshots`.

mod desktop;
mod first;
mod phones;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use fleetlens_sim::dice::Dice;
use fleetlens_sim::faults::Fault;
use fleetlens_sim::{City, CityOptions, JobPace};
use fleetlens_tests::display::Display;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::Page;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use fleetlens_tests::window::Window;

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
        jobs: Some(JobPace::default()),
        faults: [Fault::DeadGateway, Fault::Silence].into_iter().collect(),
        ..CityOptions::default()
    };
    let mut city = fleetlens_sim::start(options.clone()).await?;
    first::pictures(&city, &display, &folder).await?;
    desktop::pictures(&mut city, &options, &display, &folder).await?;
    city.stop().await;
    let mut city = fleetlens_sim::start(options.clone()).await?;
    phones::driver(&city, &display, &folder).await?;
    phones::technician(&mut city, &options, &display, &folder).await?;
    city.stop().await;
    Ok(())
}

async fn open(
    program: &str,
    city: &City,
    display: &Display,
    data: &Path,
    arguments: &[&str],
) -> Result<Window, Failure> {
    let data = data.to_str().ok_or("a folder with a plain name")?;
    let address = city.address();
    let arguments = ["--data-dir", data, "--broker", &address].into_iter().chain(arguments.iter().copied());
    let name = format!("screenshots-{program}");
    Ok(Window::open(&name, program, display, arguments).await.ok_or("the pictures need WebKitWebDriver")?)
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

/// The open lamp obeys a command and measures what it did.
async fn dim(page: &Page, pct: u8) {
    page.dim(pct).await;
    page.wait_for_timeline("the lamp to obey", SOON, |t| t.standing == "settled").await;
    let number = format!("{pct} %");
    page.wait_for_cards("the lamp to measure it", SOON, |cards| {
        cards.get("/dim_pct").is_some_and(|card| card.number == number)
    })
    .await;
}

/// Takes the picture with everything from its top, the pointer aside and the map at rest.
async fn take(page: &Page, folder: &Path, name: &str) {
    // A command that was just sent brings itself into sight first.
    page.still(2_500, SOON).await;
    page.tidy_up().await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join(format!("{name}.png"))).await;
}
