//! `cargo xtask run`: from a fresh checkout to a living city on the screen, or on a virtual one.

mod group;
mod picture;
mod screen;
mod summary;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::setup::{self, Purpose};
use crate::steps::{Steps, elapsed};
use crate::{programs, window};
use group::Group;
use screen::Screen;
use summary::Summary;

/// How often the app's summary and its life are looked at.
const POLL: Duration = Duration::from_millis(100);

/// How many of the log's last lines an error carries.
const LOG_TAIL_LINES: usize = 30;

/// What to run, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// Open the phone app instead of the desktop app
    #[arg(long)]
    mobile: bool,
    /// End by itself after this time, counted from the app's start (`60s`, `5min`); without it, at Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    length: Option<Duration>,
    /// Fail when there are no live data on the screen after this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "2min")]
    patience: Duration,
    #[command(flatten)]
    window: window::Optimisation,
    #[command(flatten)]
    city: City,
    /// Further arguments for the app
    #[arg(last = true)]
    app: Vec<OsString>,
}

/// The demo city's settings; the app knows them under the same names and has their defaults.
#[derive(clap::Args)]
struct City {
    /// How many things the demo city has
    #[arg(long, value_name = "COUNT")]
    things: Option<u32>,
    /// How many messages the demo city sends, per second
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Which demo city: the same number makes the same one
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How fast the demo city's day passes; 1 is as in life
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    /// Where the app keeps its data
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

impl City {
    fn arguments(&self) -> Vec<OsString> {
        let settings = [
            ("--things", self.things.map(|value| value.to_string().into())),
            ("--rate", self.rate.map(|value| value.to_string().into())),
            ("--seed", self.seed.map(|value| value.to_string().into())),
            ("--speed", self.speed.map(|value| value.to_string().into())),
            ("--data-dir", self.data_dir.as_ref().map(|folder| folder.as_os_str().to_owned())),
        ];
        settings.into_iter().filter_map(|(name, value)| Some([name.into(), value?])).flatten().collect()
    }
}

/// Whether this session has no screen to show a window on.
pub fn is_screenless() -> bool {
    screen::is_missing()
}

/// Sets up, builds, opens the app and stays with it until it is closed, interrupted or its time is over.
pub fn run(place: &Place, options: &Options) -> Result<ExitCode> {
    let screenless = screen::is_missing();
    let purposes: &[Purpose] = if screenless { &[Purpose::Run, Purpose::Screenless] } else { &[Purpose::Run] };
    let mut steps = Steps::new(setup::STEPS + if screenless { 4 } else { 3 });
    setup::prepare(place, &mut steps, purposes)?;
    steps.step("the window", |step| window::build(place, step, options.window))?;
    steps.step("the programs", |step| programs::build(place, step))?;

    let folder = place.run();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // From here on an interrupt ends the app in order; before, it ends whatever is being built.
    let stop = Arc::new(AtomicBool::new(false));
    for signal in signal_hook::consts::TERM_SIGNALS {
        signal_hook::flag::register(*signal, Arc::clone(&stop)).context("cannot listen for interrupts")?;
    }

    let screen = if screenless { Screen::open_virtual(options.mobile)? } else { Screen::Real };
    let mut app = App::start(place, options, &screen)?;
    let live = steps.step("live data on the screen", |step| {
        step.say("waiting");
        app.wait_until_live(options.patience, &stop)
    })?;
    let Some(summary) = live else {
        return Ok(ExitCode::from(130)); // what a shell reports of an interrupted program
    };
    if let Screen::Virtual(screen) = &screen {
        let file = folder.join("fleetlens.png");
        steps.step("the picture", |step| {
            step.say(&place.show(&file).to_string());
            picture::take(screen, &file, &stop, step)
        })?;
    }
    // A reader that has gone (`| head`) is no reason to end the app.
    let line = serde_json::to_string(&summary).context("cannot write the summary as JSON")?;
    let _ = writeln!(stdout(), "{line}");
    eprintln!("{} is running; Ctrl-C ends it", app.name);
    app.stay(options.length, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// The app while it runs; dropping it ends it.
struct App {
    name: &'static str,
    group: Group,
    started: Instant,
    summary: PathBuf,
    log: PathBuf,
}

impl App {
    fn start(place: &Place, options: &Options, screen: &Screen) -> Result<Self> {
        let name = if options.mobile { "fleetlens-mobile" } else { "fleetlens-desktop" };
        let (summary, log) = (place.run().join("summary.json"), place.run().join("fleetlens.log"));
        if summary.exists() {
            fs::remove_file(&summary).with_context(|| format!("cannot remove the old {}", summary.display()))?;
        }
        let output = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("cannot write to {} twice", log.display()))?;
        let mut command = Command::new(place.program(name));
        command
            .args(options.city.arguments())
            .args(&options.app)
            .env("FLEETLENS_SUMMARY", &summary)
            .stdout(output)
            .stderr(errors);
        screen.show(&mut command);
        Ok(Self { name, group: Group::spawn(&mut command)?, started: Instant::now(), summary, log })
    }

    /// Waits for a window's word that it shows live values; `None` when interrupted before.
    fn wait_until_live(&mut self, patience: Duration, stop: &AtomicBool) -> Result<Option<Summary>> {
        while !stop.load(Ordering::Relaxed) {
            let summary = Summary::read(&self.summary)?;
            if let Some(live) = summary.filter(|summary| summary.first_live_ms.is_some()) {
                return Ok(Some(live));
            }
            if let Some(status) = self.group.ended()? {
                bail!("{} ended with {status} before it showed live data\n{}", self.name, tail(&self.log));
            }
            if self.started.elapsed() > patience {
                let state = summary.map_or("it wrote no summary".to_owned(), |summary| summary.to_string());
                bail!("{} showed no live data within {}: {state}\n{}", self.name, elapsed(patience), tail(&self.log));
            }
            thread::sleep(POLL);
        }
        Ok(None)
    }

    /// Stays until the app is closed, its time is over or we are interrupted; an app that fails meanwhile is an error.
    fn stay(&mut self, length: Option<Duration>, stop: &AtomicBool) -> Result<()> {
        while !stop.load(Ordering::Relaxed) && length.is_none_or(|length| self.started.elapsed() < length) {
            match self.group.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    bail!(
                        "{} ended with {status} after {}\n{}",
                        self.name,
                        elapsed(self.started.elapsed()),
                        tail(&self.log)
                    );
                }
                None => thread::sleep(POLL),
            }
        }
        self.group.end()
    }
}

/// The end of the app's log, for an error.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LOG_TAIL_LINES)).copied().collect::<Vec<_>>().join("\n");
    if last.is_empty() { "its log is empty".to_owned() } else { format!("its log ends with:\n{last}") }
}

/// Whether a variable is set to something.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_citys_settings_reach_the_app_under_their_own_names() {
        let none = City { things: None, rate: None, seed: None, speed: None, data_dir: None };
        assert!(none.arguments().is_empty());
        let some = City { things: Some(20), rate: Some(0.5), seed: None, speed: None, data_dir: Some("d".into()) };
        assert_eq!(some.arguments(), ["--things", "20", "--rate", "0.5", "--data-dir", "d"]);
    }

    #[test]
    fn an_error_carries_only_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(tail(&log), "its log is empty");
        let lines: Vec<String> = (1..=100).map(|number| format!("line {number}")).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        let told = tail(&log);
        assert!(told.starts_with("its log ends with:\nline 71\n") && told.ends_with("\nline 100"), "{told}");
    }
}
