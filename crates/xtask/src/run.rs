//! `cargo xtask run`: from a fresh checkout to a living city on the screen, or on a virtual one.

mod app;
mod group;
mod picture;
mod screen;
mod summary;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::place::Place;
use crate::setup::{self, Purpose};
use crate::steps::{Steps, elapsed, tell};
use crate::{drawer, interrupt, programs, window};
use app::{App, Seen};
use screen::Screen;
use summary::Summary;

/// What to run, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// Open the phone app instead of the desktop app
    #[arg(long)]
    mobile: bool,
    /// End by itself after this time, counted from the app's start (`60s`, `5min`); without it, at Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    length: Option<Duration>,
    /// How long to wait for live data; then, on a virtual screen, an app on its demo city has failed
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

/// What is to be seen of an app before its picture is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Live data: the demo city is inside the program, so they come.
    Live,
    /// Live data if somebody else's broker, or a city without a pulse, has any.
    Perhaps,
    /// The cache alone: there is no broker.
    Cache,
}

impl Expected {
    fn title(self) -> &'static str {
        match self {
            Self::Live | Self::Perhaps => "live data on the screen",
            Self::Cache => "what the cache holds",
        }
    }

    fn is_met_by(self, summary: &Summary) -> bool {
        match self {
            Self::Live | Self::Perhaps => summary.first_live_ms.is_some(),
            Self::Cache => true, // it wrote one, so it runs
        }
    }
}

impl Options {
    /// Everything the app is told. Without a profile it is to show the demo city, and not to ask.
    fn arguments(&self) -> Vec<OsString> {
        let demo = if self.has("--profile") { None } else { Some("--demo".into()) };
        demo.into_iter().chain(self.city.arguments()).chain(self.app.iter().cloned()).collect()
    }

    /// Whether the app is given this flag.
    fn has(&self, flag: &str) -> bool {
        let is = |given: &OsString| {
            given
                .to_str()
                .and_then(|given| given.strip_prefix(flag))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        self.app.iter().any(is)
    }

    /// What the app's arguments let one expect.
    fn expected(&self) -> Expected {
        let has = |flag| self.has(flag);
        if has("--no-broker") {
            Expected::Cache
        } else if has("--broker") || has("--profile") || self.city.things == Some(0) || self.city.rate == Some(0.0) {
            Expected::Perhaps
        } else {
            Expected::Live
        }
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
    let mut steps = Steps::new(setup::STEPS + if screenless { 5 } else { 4 });
    setup::prepare(place, &mut steps, purposes)?;
    steps.step("the window", |step| window::build(place, step, options.window))?;
    steps.step("the programs", |step| programs::build(place, step))?;
    steps.step("the drawer of small maps", |step| drawer::build(place, step))?;

    let folder = place.run();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // From here on an interrupt ends the app in order; before, it ends whatever is being built.
    interrupt::hold();
    let screen = if screenless { Screen::open_virtual(options.mobile)? } else { Screen::Real };
    let mut app = App::start(place, options, &screen)?;
    let expected = options.expected();
    let seen = steps.step(expected.title(), |step| {
        step.say("waiting");
        let seen = app.wait_for(expected, options)?;
        match seen {
            Seen::Late if screenless && expected == Expected::Live => Err(app.late(options.patience)),
            Seen::Late => {
                step.say(&format!("nothing yet after {}; the app stays open", elapsed(options.patience)));
                Ok(seen)
            }
            Seen::Expected | Seen::Closed | Seen::Interrupted => Ok(seen),
        }
    })?;
    match seen {
        Seen::Expected | Seen::Late => {}
        Seen::Closed => return Ok(ExitCode::SUCCESS),
        Seen::Interrupted => return Ok(ExitCode::from(interrupt::EXIT_CODE)),
    }
    if let Screen::Virtual(screen) = &screen {
        let file = folder.join("fleetlens.png");
        steps.step("the picture", |step| {
            step.say(&place.show(&file).to_string());
            picture::take(screen, &file, step)
        })?;
    }
    let summary = app.settle()?;
    if interrupt::came() {
        return Ok(ExitCode::from(interrupt::EXIT_CODE));
    }
    // A reader that has gone (`| head`) is no reason to end the app.
    let line = serde_json::to_string(&summary).context("cannot write the summary as JSON")?;
    let _ = writeln!(stdout(), "{line}");
    tell(&format!("{} is running; Ctrl-C ends it", app.name));
    app.stay(options.length)?;
    Ok(ExitCode::SUCCESS)
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
    fn the_demo_city_is_opened_without_a_question_unless_a_profile_is_named() {
        let options = |app: &[&str]| Options {
            mobile: false,
            length: None,
            patience: Duration::ZERO,
            window: window::Optimisation::default(),
            city: City { things: None, rate: None, seed: None, speed: None, data_dir: None },
            app: app.iter().map(OsString::from).collect(),
        };
        assert_eq!(options(&["--role", "viewer"]).arguments(), ["--demo", "--role", "viewer"]);
        assert_eq!(options(&["--profile=x.toml"]).arguments(), ["--profile=x.toml"]);
    }

    #[test]
    fn live_data_are_expected_only_where_they_must_come() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            options: Options,
        }
        for (line, want) in [
            (&["x"][..], Expected::Live),
            (&["x", "--things", "50", "--", "--role", "viewer"], Expected::Live),
            (&["x", "--", "--no-broker"], Expected::Cache),
            (&["x", "--", "--theme", "dark", "--no-broker"], Expected::Cache),
            (&["x", "--", "--broker", "mqtt://h"], Expected::Perhaps),
            (&["x", "--", "--broker=mqtt://h"], Expected::Perhaps),
            (&["x", "--", "--profile", "city.toml"], Expected::Perhaps),
            (&["x", "--rate", "0"], Expected::Perhaps),
            (&["x", "--things", "0"], Expected::Perhaps),
        ] {
            let options =
                <Line as clap::Parser>::try_parse_from(line).unwrap_or_else(|e| panic!("{line:?}: {e}")).options;
            assert_eq!(options.expected(), want, "{line:?}");
        }
    }
}
