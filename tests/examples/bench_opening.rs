//! `cargo xtask bench opening`: from exec to the first picture of cached things in the real window, and to the first over all of its
//! ground, without a broker.
//!
//! ```text
//! cargo xtask bench opening --json -- --few 10000 --many 100000 --times 5
//! ```
//!
//! Each start is the desktop app itself, as users get it, on a screen of Xvfb's with all drawing in software. The clock starts before
//! exec and stops when the app says in its summary that its window has drawn what is known: the window tells that from the frame in
//! which it drew, so the picture is on the screen a frame later at most. *Shown* is the first with every figure, list and mark out of
//! the cache; *drawn* is the one below whose marks the streets are all there, too. The baseline is the same app with an empty cache,
//! whose map has nothing on it: WebKit, the wasm, the styles and the ground cost the same.
//!
//! Nothing is cold: the programs and WebKit's libraries were read by the start before.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fleetlens_tests::bench::resting;
use fleetlens_tests::bench::{Arguments, Failure, Report, folder_on_a_disk, median, ms, quantile};
use fleetlens_tests::display::Display;
use fleetlens_tests::place;
use fleetlens_tests::process::{Group, Output};
use serde_json::{Value, json};

/// Milliseconds that the first picture may take, however many things there are.
const GOAL_MS: f64 = 1_000.0;
/// How often the summary is looked at; so much later at most is a picture noticed.
const LOOK: Duration = Duration::from_millis(2);
/// A broken start ends here.
const WITHIN: Duration = Duration::from_secs(60);

/// When a start had come how far, in milliseconds since before exec.
#[derive(Clone, Copy)]
struct Start {
    shown: f64,
    drawn: f64,
    /// Of `shown`, before the app's `main`.
    before_main: f64,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["few", "many", "times"])?;
    let few: u32 = arguments.number("few", 10_000, 1_000)?;
    let many: u32 = arguments.number("many", 100_000, 10_000)?;
    let times: usize = arguments.number("times", 5, 2)?;
    let display = Display::open("bench-opening", 1440, 900).ok_or("the benchmark needs Xvfb")?;
    let folder = folder_on_a_disk()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;

    let mut report = Report::new("opening");
    report.setting("few", few);
    report.setting("many", many);
    report.setting("screen", "Xvfb 1440×900, drawn in software");
    let mut empty_ms = f64::NAN;
    for (name, things) in [("empty", 0), ("few", few), ("many", many)] {
        let folder = folder.path().join(name);
        runtime.block_on(resting::cache(&folder, things))?;
        let starts = starts(&display, &folder, times)?;
        let of = |what: fn(&Start) -> f64| {
            let mut sorted: Vec<f64> = starts.iter().map(what).collect();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let (shown, drawn) = (of(|start| start.shown), of(|start| start.drawn));
        report.figure(
            &format!("{name}_ms"),
            json!({
                "shown": median(&shown), "shown_worst": quantile(&shown, 1.0),
                "drawn": median(&drawn), "drawn_worst": quantile(&drawn, 1.0),
                "before_main": median(&of(|start| start.before_main)),
            }),
        );
        if things == 0 {
            empty_ms = median(&shown);
        } else {
            report.ratio(&format!("{name}_to_empty"), median(&shown), empty_ms);
            report.at_most(&format!("{name}_shown_ms"), median(&shown), GOAL_MS);
        }
    }
    report.print(&arguments);
    Ok(())
}

fn starts(display: &Display, folder: &Path, times: usize) -> Result<Vec<Start>, Failure> {
    // The first makes what the page keeps, and is warm at the latest after itself.
    start(display, folder)?;
    (0..times).map(|_| start(display, folder)).collect()
}

/// One start of the app, until it has drawn, and its end.
fn start(display: &Display, folder: &Path) -> Result<Start, Failure> {
    let summary = folder.join("summary.json");
    if summary.exists() {
        std::fs::remove_file(&summary)?;
    }
    let mut app = Command::new(place::program("fleetlens-desktop"));
    app.arg("--profile").arg(folder.join("profile.toml")).arg("--data-dir").arg(folder.join("data"));
    app.args(["--theme", "dark", "--summary"]).arg(&summary);
    display.show(&mut app);
    let log = place::log("bench-opening-app");
    let begun = Instant::now();
    let app = Group::spawn(&mut app, &log, Output::Logged);
    let mut shown = None;
    let start = loop {
        let (shown_own, drawn_own) = firsts(&summary);
        let now = ms(begun.elapsed());
        if let Some(own) = shown_own.filter(|_| shown.is_none()) {
            shown = Some((now, now - own));
        }
        if let (Some((shown, before_main)), Some(_)) = (shown, drawn_own) {
            break Start { shown, drawn: now, before_main };
        }
        if begun.elapsed() > WITHIN {
            return Err(format!("the app has drawn nothing; {}", place::tail(&log)).into());
        }
        std::thread::sleep(LOOK);
    };
    app.end();
    Ok(start)
}

/// When the app's window had shown what is known, and drawn it over all of its ground, since its `main`; the summary is replaced
/// whole, so it is never half a file.
fn firsts(summary: &Path) -> (Option<f64>, Option<f64>) {
    let text = std::fs::read_to_string(summary).unwrap_or_default();
    let summary: Value = serde_json::from_str(&text).unwrap_or_default();
    let first = |name| summary.get(name).and_then(Value::as_f64);
    (first("first_shown_ms"), first("first_drawn_ms"))
}
