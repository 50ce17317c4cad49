//! `cargo xtask bench window`: how evenly the real window draws while a city of 10 000 things says 5 000 messages a second,
//! through Mosquitto as Fleetlens configures it, beside the same window on the same city while nobody speaks. The table is scrolled
//! twice: while the city says that much and while it is silent, the latter beside a dot of ten pixels that changes its colour, which
//! is the least a turn of this screen can cost.
//!
//! A frame is the time between two turns of `requestAnimationFrame`. The screen is Xvfb's and all drawing is done in software, so
//! the figures are worth something only beside their baseline. With `--json` one object is printed, without it sentences.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fleetlens_sim::{BrokerAt, City, CityOptions};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use fleetlens_tests::window::Window;
use serde::Deserialize;
use serde_json::{Value, json};

/// How many things, and how many messages a second they say together.
const THINGS: usize = 10_000;
const PER_S: f64 = 5_000.0;
/// How long each stretch is looked at.
const QUIET: Duration = Duration::from_secs(15);
const CITY: Duration = Duration::from_secs(60);
const SCROLL: Duration = Duration::from_secs(20);
/// The frame of which 19 in 20 are shorter, at most, in milliseconds: the map's while the city says so much, and the
/// table's while it is scrolled.
const MAP_P95_MS: f64 = 50.0;
const TABLE_P95_MS: f64 = 33.0;
/// A broken run ends here.
const WITHIN: Duration = Duration::from_secs(180);

type Failure = Box<dyn std::error::Error>;

/// Frames of a stretch, in milliseconds.
#[derive(Debug, Deserialize)]
struct Frames {
    count: u32,
    p50_ms: f64,
    p95_ms: f64,
    longest_ms: f64,
}

impl Frames {
    fn as_json(&self, baseline: &Frames) -> Value {
        json!({
            "frames": self.count, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "longest_ms": self.longest_ms,
            "p95_ratio": self.p95_ms / baseline.p95_ms,
        })
    }

    fn line(&self) -> String {
        format!(
            "p50 {:.0} ms, p95 {:.0} ms, longest {:.0} ms ({} frames)",
            self.p50_ms, self.p95_ms, self.longest_ms, self.count
        )
    }
}

/// What the app tells about itself.
#[derive(Debug, Deserialize)]
struct Summary {
    things: u64,
    received: u64,
    stored: u64,
    refused: u64,
    shed: u64,
    repeated: u64,
}

impl Summary {
    /// Nothing is on its way any more, and nothing was refused.
    fn is_all_stored(&self) -> bool {
        self.stored + self.repeated == self.received
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let broker = Mosquitto::start_shipped("bench-window").ok_or("the benchmark needs mosquitto")?;
    let display = Display::open("bench-window", 1440, 900).ok_or("the benchmark needs Xvfb")?;
    let folder = tempfile::tempdir()?;
    let profile = ProfileText::new("Bench window", broker.url()).write(folder.path());
    let summary = folder.path().join("summary.json");
    let data = folder.path().join("data");
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a folder with a plain name");
    let options = CityOptions {
        things: THINGS,
        broker: Some(BrokerAt { url: broker.url(), credentials: None }),
        ..CityOptions::default()
    };

    // First the city says who it is, then it is silent: the baseline is the same picture standing still.
    let city = fleetlens_sim::start(options.clone()).await?;
    let arguments =
        ["--profile", &text(&profile)?, "--data-dir", &text(&data)?, "--theme", "dark", "--summary", &text(&summary)?];
    let window = Window::open("bench-window", "fleetlens-desktop", &display, arguments)
        .await
        .ok_or("the benchmark needs WebKitWebDriver")?;
    window.resize(1440, 900).await;
    window.wait_until_live().await;
    let all = u64::try_from(city.things())?;
    until("every thing to be known", WITHIN, async || {
        let now = read(&summary)?;
        if now.things >= all && now.is_all_stored() { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    city.stop().await;
    let quiet = frames(&window, QUIET).await;

    let city: City = fleetlens_sim::start(CityOptions { rate: Some(PER_S), ..options }).await?;
    let begun = read(&summary)?;
    until("the city to have come in again", WITHIN, async || {
        let now = read(&summary)?;
        if now.received > begun.received + 3 * all { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    let before = read(&summary)?;
    let map = frames(&window, CITY).await;
    let after = read(&summary)?;
    window.driver().active_element().await?.send_keys("gt").await?;
    window.wait_for_element("[data-testid=things-table]", Duration::from_secs(30)).await;
    let busy_table = scroll(&window, SCROLL).await;
    window.screenshot("bench-window").await;
    city.stop().await;
    all_stored(&summary).await;
    let dot = dot(&window, QUIET).await;
    let table = scroll(&window, SCROLL).await;
    let last = read(&summary)?;
    window.close().await;

    let is_all_stored = last.is_all_stored() && last.shed == 0;
    let per_s = (after.received - before.received) as f64 / CITY.as_secs_f64();
    if as_json {
        println!(
            "{}",
            json!({
                "name": "window", "unit": "ms between frames", "screen": "Xvfb 1440×900, drawn in software",
                "things": last.things, "messages_per_s": per_s.round(),
                "received": last.received, "stored": last.stored, "refused": last.refused, "shed": last.shed,
                "repeated": last.repeated, "all_stored": is_all_stored,
                "holds": is_all_stored && map.p95_ms <= MAP_P95_MS && table.p95_ms <= TABLE_P95_MS,
                "baseline": quiet.as_json(&quiet), "map": map.as_json(&quiet), "busy_table_scrolling": busy_table.as_json(&quiet),
                "dot_over_the_table": dot.as_json(&quiet), "table_scrolling": table.as_json(&quiet),
            })
        );
    } else {
        println!("{} things, {per_s:.0} messages/s: {last:?}", last.things);
        println!("the map, nobody speaks:    {}", quiet.line());
        println!("the map, the city speaks:  {} ({:.1} times)", map.line(), map.p95_ms / quiet.p95_ms);
        println!("the table scrolled then:   {} ({:.1} times)", busy_table.line(), busy_table.p95_ms / quiet.p95_ms);
        println!("a dot over the table:      {} ({:.1} times)", dot.line(), dot.p95_ms / quiet.p95_ms);
        println!("it scrolled, nobody speaks: {} ({:.1} times)", table.line(), table.p95_ms / quiet.p95_ms);
    }
    Ok(())
}

/// Waits until nothing is on its way any more.
async fn all_stored(summary: &Path) {
    until("everything to be stored", WITHIN, async || {
        let now = read(summary)?;
        if now.stored + now.refused + now.repeated >= now.received { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
}

fn read(summary: &Path) -> Result<Summary, String> {
    let text = fs::read_to_string(summary).map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

/// Lets the page count its frames; `each` is run in every one of them.
async fn record(window: &Window, each: &str, time: Duration) -> Frames {
    let script = format!(
        "window.__frames = []; let last = performance.now(); const begun = last; \
         const turn = now => {{ window.__frames.push(now - last); last = now; const t = now - begun; {each}; \
         if (t < {}) requestAnimationFrame(turn); else window.__done = true; }}; \
         window.__done = false; requestAnimationFrame(turn); return true",
        time.as_millis()
    );
    let _: bool = window.ask(&script, Vec::new()).await;
    window
        .wait_for("the frames to be counted", time + Duration::from_secs(60), "return window.__done", |done: bool| {
            if done { Ok(()) } else { Err("still counting".to_owned()) }
        })
        .await;
    let figures = "const f = window.__frames.slice(1).sort((a, b) => a - b); const at = q => f[Math.floor(q * (f.length - 1))]; \
                   return { count: f.length, p50_ms: at(0.5), p95_ms: at(0.95), longest_ms: at(1) }";
    window.ask(figures, Vec::new()).await
}

async fn frames(window: &Window, time: Duration) -> Frames {
    record(window, "", time).await
}

/// A dot of ten pixels over the table changes its colour: the least that can change on the screen, so what a turn of it costs at all.
async fn dot(window: &Window, time: Duration) -> Frames {
    let lay = "const dot = document.createElement('div'); dot.id = 'dot'; dot.style.position = 'fixed'; dot.style.inset = '0 auto auto 0'; \
               dot.style.width = dot.style.height = '10px'; dot.style.zIndex = '99'; document.body.append(dot); return true";
    let _: bool = window.ask(lay, Vec::new()).await;
    let frames =
        record(window, "document.getElementById('dot').style.background = `rgb(${t % 255}, 0, 0)`", time).await;
    let _: bool = window.ask("document.getElementById('dot').remove(); return true", Vec::new()).await;
    frames
}

/// Scrolls the table as a wheel that never rests does: a row and a half each frame, from top to bottom and back.
async fn scroll(window: &Window, time: Duration) -> Frames {
    let each = "const e = document.querySelector('[data-testid=things-table]'); const most = e.scrollHeight - e.clientHeight; \
                const way = (t * 2.7) % (2 * most); e.scrollTop = way < most ? way : 2 * most - way";
    record(window, each, time).await
}
