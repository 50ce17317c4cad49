//! `cargo xtask bench map`: what the live layer of 100 000 things costs the window, beside MapLibre's own GeoJSON source with the same
//! things on the same map in the same run.
//!
//! ```text
//! cargo xtask bench map --json -- --things 100000 --seconds 20
//! ```
//!
//! The page is the real one, served by `fleetlens serve` out of a cache, in Chromium without a screen (1280×800, WebGL in software).
//! Every tenth of a second one thing in a hundred says another value through Mosquitto. Nothing in the page knows that it is measured:
//! what it does with each message of its socket and in each animation frame is timed around it (`probe.js`), and the map it shows is
//! the one that is panned.
//!
//! | figure | from | to |
//! |---|---|---|
//! | first draw | the things come out of the socket, or into `addSource` | the second turn of the screen after their picture |
//! | update | what the page does with one parcel of changes; or `setData` with them | returned |
//! | picture | what it does in the animation frame that draws them | returned |
//! | pan | 90 turns of the screen, the map moved in each | turn to turn |

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use fleetlens_tests::bench::resting;
use fleetlens_tests::bench::{Arguments, Failure, Report, folder_on_a_disk};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::Browser;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::serve::Serve;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

/// The screen, in CSS pixels.
const SCREEN: (u32, u32) = (1280, 800);
/// How often things change, and one in how many.
const EVERY: Duration = Duration::from_millis(100);
const ONE_IN: u32 = 100;
/// Milliseconds of the page's own thread that an update may take.
const UPDATE_MS: f64 = 8.0;
/// What a turn of the screen may cost while the map is panned, beside the same map without things.
const PAN_RATIO: f64 = 1.5;
/// Of theirs, what our first draw may take.
const FIRST_RATIO: f64 = 0.2;
/// A page that does not answer ends the benchmark.
const WITHIN: Duration = Duration::from_secs(180);

const PROBE: &str = include_str!("probe.js");

/// Some times, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Times {
    count: u32,
    p50_ms: f64,
    p95_ms: f64,
    longest_ms: f64,
}

impl Times {
    fn as_json(self) -> Value {
        json!({ "count": self.count, "p50": self.p50_ms, "p95": self.p95_ms, "longest": self.longest_ms })
    }
}

/// What the page did while things changed.
#[derive(Debug, Deserialize)]
struct Changing {
    updates: Times,
    pictures: Times,
    rows_per_s: f64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["things", "seconds"])?;
    let things: u32 = arguments.number("things", 100_000, 10_000)?;
    let seconds: u64 = arguments.number("seconds", 20, 5)?;
    let broker = Mosquitto::start_shipped("bench-map").ok_or("the benchmark needs mosquitto")?;
    let folder = folder_on_a_disk()?;
    resting::cache(folder.path(), things).await?;
    speak_with(&folder.path().join("profile.toml"), &broker.url())?;
    let profile = folder.path().join("profile.toml").display().to_string();
    let serve = Serve::start("bench-map", &folder.path().join("data"), &["--profile", &profile]);
    let page = Browser::open("bench-map", &serve, serve.window(), SCREEN, "dark")
        .await
        .ok_or("the benchmark needs chromium and chromedriver")?;
    page.before_pages(PROBE).await;
    page.goto(serve.window()).await;
    page.wait_until_live().await;
    page.ask::<bool>(&format!("window.bench.begin({things}); return true"), Vec::new()).await;
    // The map of the page shows itself to the probe when it is asked to draw.
    page.keys("f").await;

    let ours_first: f64 = run(&page, "first()").await?;
    let ours_pan: Times = run(&page, "pan()").await?;
    let peer = Peer::connect(&broker.url(), "bench-map-lamps", &[]).await;
    let changing = tokio::select! {
        changing = async {
            // Until the first of them are there.
            tokio::time::sleep(Duration::from_secs(2)).await;
            run::<Changing>(&page, &format!("changing({})", seconds * 1_000)).await
        } => changing?,
        never = speak(&peer, things) => match never {},
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.screenshot("bench-map").await;

    let bare_pan: Times = run(&page, "bare()").await?;
    let (theirs, clustered): (Theirs, Theirs) = (run(&page, "theirs(false)").await?, run(&page, "theirs(true)").await?);
    page.close().await;

    let mut report = Report::new("map");
    report.setting("things", things);
    report.setting("changing_per_s", things / ONE_IN * 10);
    report.setting("screen", "Chromium 1280×800, drawn in software");
    report.figure("first_draw_ms", ours_first);
    report.figure("update_ms", changing.updates.as_json());
    report.figure("picture_ms", changing.pictures.as_json());
    report.figure("rows_per_s", changing.rows_per_s);
    report.figure("pan_ms", ours_pan.as_json());
    report.figure("bare_pan_ms", bare_pan.as_json());
    for (name, theirs) in [("set_data", &theirs), ("clustered_set_data", &clustered)] {
        report.figure(&format!("{name}_first_draw_ms"), theirs.first_ms);
        report.figure(&format!("{name}_update_ms"), theirs.updates.as_json());
        report.figure(&format!("{name}_pan_ms"), theirs.pan.as_json());
        report.ratio(&format!("first_draw_to_{name}"), ours_first, theirs.first_ms);
        report.ratio(&format!("update_to_{name}"), changing.updates.p50_ms, theirs.updates.p50_ms);
    }
    report.ratio("pan_to_bare", ours_pan.p50_ms, bare_pan.p50_ms);
    report.at_most("update_p95_ms", changing.updates.p95_ms, UPDATE_MS);
    report.at_most("pan_to_bare", ours_pan.p50_ms / bare_pan.p50_ms, PAN_RATIO);
    report.at_most("first_draw_to_set_data", ours_first / theirs.first_ms, FIRST_RATIO);
    report.print(&arguments);
    Ok(())
}

/// What MapLibre's own source cost with the same things.
#[derive(Debug, Deserialize)]
struct Theirs {
    first_ms: f64,
    updates: Times,
    pan: Times,
}

/// Lets the probe do something that takes a while, and waits for what came of it.
async fn run<T: DeserializeOwned>(page: &Browser, call: &str) -> Result<T, Failure> {
    let begin = format!(
        "window.__came = undefined; window.bench.{call}.then(came => {{ window.__came = {{ came }} }}, \
         error => {{ window.__came = {{ error: String(error) }} }}); return true"
    );
    page.ask::<bool>(&begin, Vec::new()).await;
    let came = page
        .wait_for(call, WITHIN, "return window.__came ?? null", |came: Option<Value>| {
            came.ok_or_else(|| "nothing yet".to_owned())
        })
        .await;
    let what = came.get("came").ok_or_else(|| format!("{call}: {came}"))?;
    Ok(serde_json::from_value(what.clone())?)
}

/// Writes another broker into the profile of a resting city.
fn speak_with(profile: &Path, url: &str) -> Result<(), Failure> {
    let text = std::fs::read_to_string(profile)?;
    std::fs::write(profile, text.replace("mqtt://127.0.0.1:9", url))?;
    Ok(())
}

/// One thing in a hundred says another value every tenth of a second, another hundredth each time.
async fn speak(peer: &Peer, things: u32) -> Infallible {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut turn = 0_u32;
    loop {
        turns.tick().await;
        turn = turn.wrapping_add(1);
        let (ts, value) = (now_ms(), turn % 100);
        for thing in (1..=things).skip((turn % ONE_IN) as usize).step_by(ONE_IN as usize) {
            let payload = format!(r#"{{"ts":{ts},"values":{{"dim_pct":{value}}}}}"#);
            peer.say(&format!("city/valletta/lamp/lamp-{thing:06}/telemetry"), payload).await;
        }
    }
}
