//! `cargo xtask bench window`: how evenly the real window draws while a city of 10 000 and one of 100 000 things speak, through
//! Mosquitto as Fleetlens configures it, beside the same window on the same city while nobody speaks; and what the web process takes
//! of memory meanwhile.
//!
//! ```text
//! cargo xtask bench window --json -- --few 10000 --many 100000 --minutes 60
//! ```
//!
//! The few say 5 000 messages a second, of the many one in a hundred speaks each 100 ms for the window to draw, which is 10 000 a
//! second. The table is scrolled twice: while the city says that much and while it is silent, the latter beside a dot of ten pixels
//! that changes its colour, which is the least a turn of this screen can cost. A frame is the time between two turns of
//! `requestAnimationFrame`. The screen is Xvfb's and all drawing is done in software, so the figures are worth something only beside
//! their baseline. *Growth* is the slope of the web process's memory over the second half of the minutes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fleetlens_sim::{BrokerAt, City, CityOptions};
use fleetlens_tests::bench::{Arguments, Failure, Memory, Report, folder_on_a_disk, growth_per_h, median};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::process::children_of;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use fleetlens_tests::window::Window;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long each stretch is looked at beside the minutes.
const QUIET: Duration = Duration::from_secs(15);
const CITY: Duration = Duration::from_secs(60);
const SCROLL: Duration = Duration::from_secs(20);
/// The frame of which 19 in 20 are shorter, at most, in milliseconds: the map's while the city says so much, and the
/// table's while it is scrolled.
const MAP_P95_MS: f64 = 50.0;
const TABLE_P95_MS: f64 = 33.0;
/// Growth of the web process that an hour cannot tell from none, in megabytes.
const GROWTH_MB_PER_H: f64 = 10.0;
/// How often its memory is looked at.
const EVERY: Duration = Duration::from_secs(10);
/// A broken run ends here.
const WITHIN: Duration = Duration::from_secs(600);

/// Frames of a stretch, in milliseconds.
#[derive(Debug, Deserialize)]
struct Frames {
    count: u32,
    p50_ms: f64,
    p95_ms: f64,
    longest_ms: f64,
}

impl Frames {
    fn as_json(&self) -> Value {
        json!({ "frames": self.count, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "longest_ms": self.longest_ms })
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

/// A city to be looked at.
struct Size {
    name: &'static str,
    things: usize,
    per_s: f64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["few", "many", "minutes"])?;
    let few: usize = arguments.number("few", 10_000, 1_000)?;
    let many: usize = arguments.number("many", 100_000, 0)?;
    let minutes: f64 = arguments.number("minutes", 3.0, 0.5)?;
    let mut report = Report::new("window");
    report.setting("screen", "Xvfb 1440×900, drawn in software");
    report.setting("minutes", minutes);
    let sizes = [
        Size { name: "few", things: few, per_s: few as f64 / 2.0 },
        Size { name: "many", things: many, per_s: many as f64 / 10.0 },
    ];
    // None of a size: it is not wanted.
    for size in sizes.iter().filter(|size| size.things > 0) {
        look(size, Duration::from_secs_f64(minutes * 60.0), &mut report).await?;
    }
    report.print(&arguments);
    Ok(())
}

async fn look(size: &Size, time: Duration, report: &mut Report) -> Result<(), Failure> {
    let broker = Mosquitto::start_shipped("bench-window").ok_or("the benchmark needs mosquitto")?;
    let display = Display::open("bench-window", 1440, 900).ok_or("the benchmark needs Xvfb")?;
    let folder = folder_on_a_disk()?;
    let profile = ProfileText::new("Bench window", broker.url()).write(folder.path());
    let summary = folder.path().join("summary.json");
    let data = folder.path().join("data");
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a folder with a plain name");
    let options = CityOptions {
        things: size.things,
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

    let city: City = fleetlens_sim::start(CityOptions { rate: Some(size.per_s), ..options }).await?;
    let begun = read(&summary)?;
    until("the city to have come in again", WITHIN, async || {
        let now = read(&summary)?;
        if now.received > begun.received + 3 * all { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    let (before, begun) = (read(&summary)?, Instant::now());
    let map = frames(&window, CITY.min(time)).await;
    let seen = live(&window, begun, time).await?;
    let (after, took) = (read(&summary)?, begun.elapsed());
    window.driver().active_element().await?.send_keys("gt").await?;
    window.wait_for_element("[data-testid=things-table]", Duration::from_secs(30)).await;
    let busy_table = scroll(&window, SCROLL).await;
    window.screenshot(&format!("bench-window-{}", size.name)).await;
    city.stop().await;
    all_stored(&summary).await;
    let dot = dot(&window, QUIET).await;
    let table = scroll(&window, SCROLL).await;
    let last = read(&summary)?;
    window.close().await;

    let name = size.name;
    let half: Vec<(f64, f64)> = seen.iter().skip(seen.len() / 2).copied().collect();
    let steady: Vec<f64> = half.iter().map(|seen| seen.1).collect();
    report.setting(&format!("things_{name}"), last.things);
    report.figure(
        name,
        json!({
            "messages_per_s": (after.received - before.received) as f64 / took.as_secs_f64(),
            "received": last.received, "stored": last.stored, "refused": last.refused, "shed": last.shed, "repeated": last.repeated,
            "map_silent": quiet.as_json(), "map": map.as_json(), "busy_table_scrolling": busy_table.as_json(),
            "dot_over_the_table": dot.as_json(), "table_scrolling": table.as_json(),
            "web_process_mb": seen.iter().map(|seen| (seen.1 / 1e4).round() / 100.0).collect::<Vec<f64>>(),
            "web_process_steady_mb": median(&steady) / 1e6, "web_process_growth_mb_per_h": growth_per_h(&half) / 1e6,
        }),
    );
    report.ratio(&format!("map_to_silent_map_{name}"), map.p95_ms, quiet.p95_ms);
    report.ratio(&format!("table_to_dot_{name}"), table.p95_ms, dot.p95_ms);
    report.at_most(&format!("map_p95_ms_{name}"), map.p95_ms, MAP_P95_MS);
    report.at_most(&format!("table_p95_ms_{name}"), table.p95_ms, TABLE_P95_MS);
    report.at_most(&format!("web_process_growth_mb_per_h_{name}"), growth_per_h(&half) / 1e6, GROWTH_MB_PER_H);
    let lost = last.received.saturating_sub(last.stored + last.repeated) + last.shed;
    report.at_most(&format!("not_stored_{name}"), lost as f64, 0.0);
    Ok(())
}

/// Looks at the memory of the window's web process until the time is over: seconds and bytes.
async fn live(window: &Window, begun: Instant, time: Duration) -> Result<Vec<(f64, f64)>, Failure> {
    let web = web_process(window.app()).ok_or("the window has no web process")?;
    let mut seen = Vec::new();
    while begun.elapsed() < time || seen.len() < 2 {
        tokio::time::sleep(EVERY.min(time / 12)).await;
        let memory = Memory::of(web).ok_or("the web process has ended")?;
        seen.push((begun.elapsed().as_secs_f64(), memory.resident as f64));
    }
    Ok(seen)
}

/// Below a process, in whatever sandbox, the one that runs the page.
fn web_process(of: u32) -> Option<u32> {
    children_of(of).into_iter().find_map(|child| {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        // The kernel keeps fifteen letters of a name.
        if name.trim_end().starts_with("WebKitWebProce") { Some(child) } else { web_process(child) }
    })
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
