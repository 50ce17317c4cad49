//! `cargo xtask bench opening`: from exec to the first picture of cached things in the real window, without a broker.
//!
//! ```text
//! cargo xtask bench opening --json -- --few 10000 --many 100000 --times 5
//! ```
//!
//! Each start is the desktop app itself, as users get it, on a screen of Xvfb's with all drawing in software. The clock starts before
//! exec and stops when the app says in its summary that its window has drawn what is known: the window tells that from the frame in
//! which it drew, so the picture is on the screen a frame later at most. The baseline is the same app with an empty cache, whose map
//! has nothing on it: WebKit, the wasm, the styles and the ground cost the same.
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

/// Milliseconds of so many starts, sorted: by our clock since before exec, and by the app's own since its `main`.
struct Starts {
    whole: Vec<f64>,
    own: Vec<f64>,
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
        let Starts { whole, own } = starts(&display, &folder, times)?;
        report.figure(
            &format!("{name}_ms"),
            json!({ "median": median(&whole), "worst": quantile(&whole, 1.0), "since_main": median(&own) }),
        );
        if things == 0 {
            empty_ms = median(&whole);
        } else {
            report.ratio(&format!("{name}_to_empty"), median(&whole), empty_ms);
            report.at_most(&format!("{name}_ms"), median(&whole), GOAL_MS);
        }
    }
    report.print(&arguments);
    Ok(())
}

fn starts(display: &Display, folder: &Path, times: usize) -> Result<Starts, Failure> {
    let mut starts = Starts { whole: Vec::new(), own: Vec::new() };
    // The first makes what the page keeps, and is warm at the latest after itself.
    for n in 0..=times {
        let (whole, own) = start(display, folder)?;
        if n > 0 {
            starts.whole.push(whole);
            starts.own.push(own);
        }
    }
    starts.whole.sort_by(f64::total_cmp);
    starts.own.sort_by(f64::total_cmp);
    Ok(starts)
}

/// One start of the app, until it has drawn, and its end.
fn start(display: &Display, folder: &Path) -> Result<(f64, f64), Failure> {
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
    let drawn = loop {
        if let Some(own) = first_drawn_ms(&summary) {
            break (ms(begun.elapsed()), own);
        }
        if begun.elapsed() > WITHIN {
            return Err(format!("the app has drawn nothing; {}", place::tail(&log)).into());
        }
        std::thread::sleep(LOOK);
    };
    app.end();
    Ok(drawn)
}

/// When the app's window had drawn; the summary is replaced whole, so it is never half a file.
fn first_drawn_ms(summary: &Path) -> Option<f64> {
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(summary).ok()?).ok()?;
    summary.get("first_drawn_ms")?.as_f64()
}
