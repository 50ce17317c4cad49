//! The flags that every program with a host has: the two apps and `fleetlens serve`.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use fleetlens_model::identity::Role;
use fleetlens_sim::{Faults, JobPace};

use crate::host::EXPORTS;
use crate::{BrokerChoice, CityOptions, HostOptions};

/// The environment variable with the file that a program tells about itself in, once a second.
const SUMMARY: &str = "FLEETLENS_SUMMARY";

/// The desktop app's folder among those of all programs: its identifier in `src-tauri/tauri.conf.json`.
const DESKTOP: &str = "org.fleetlens.desktop";

/// The most things the engine keeps; a larger city would be refused in part.
const THINGS_MAX: usize = 200_000;

/// What a host is told on the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct HostFlags {
    /// Where the caches are kept; the system's place for data without it
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Which profile (TOML); without it the one that was chosen in the window, which asks at the first start
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Connect to this broker instead, with the profile's topics: mqtt://host[:port]
    #[arg(long, value_name = "URL")]
    pub broker: Option<String>,
    /// Start without any broker and show what the cache holds
    #[arg(long, conflicts_with = "broker")]
    pub no_broker: bool,
    /// A role instead of the profile's
    #[arg(long)]
    pub role: Option<RoleFlag>,
    /// The demo city until another profile is chosen, without asking at the first start
    #[arg(long, conflicts_with = "profile")]
    pub demo: bool,
    /// How many things the demo city has, 1 to 200 000
    #[arg(long, value_name = "COUNT", conflicts_with = "profile", value_parser = things)]
    pub things: Option<usize>,
    /// How many messages the demo city sends, per second
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "profile")]
    pub rate: Option<f64>,
    /// Which demo city: the same number makes the same one
    #[arg(long, value_name = "NUMBER", conflicts_with = "profile")]
    pub seed: Option<u64>,
    /// How fast the demo city's day passes; 1 is as in life
    #[arg(long, value_name = "FACTOR", conflicts_with = "profile")]
    pub speed: Option<f64>,
    /// What goes wrong in the demo city: all, or words such as silence,late (`fleetlens sim --help` explains them)
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "all", conflicts_with = "profile")]
    pub faults: Option<Faults>,
    /// Where to write, once a second, what the program counts (JSON); FLEETLENS_SUMMARY says the same
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// A role by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleFlag {
    /// Watches and steers everything.
    Operator,
    /// Works on things on site.
    Technician,
    /// Sees everything, steers nothing.
    Viewer,
    /// Looks for a place to park.
    Driver,
}

fn things(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=THINGS_MAX).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(format!("a city has 1 to {THINGS_MAX} things")),
    }
}

impl HostFlags {
    /// Whether the command line says what to show, or as whom: a program of its own, also beside one that runs.
    pub fn says_what(&self) -> bool {
        self.says_city() || self.role.is_some()
    }

    /// Whether nobody has to be asked what to show.
    fn says_city(&self) -> bool {
        self.demo
            || self.profile.is_some()
            || self.broker.is_some()
            || self.no_broker
            || self.things.is_some()
            || self.rate.is_some()
            || self.seed.is_some()
            || self.speed.is_some()
            || self.faults.is_some()
    }

    /// What the host is told; `default_data_dir` is the system's place for data.
    pub fn options(&self, default_data_dir: impl FnOnce() -> PathBuf, started: Instant) -> HostOptions {
        let usual = CityOptions::default();
        let city = CityOptions {
            things: self.things.unwrap_or(usual.things),
            rate: self.rate.or(usual.rate),
            seed: self.seed.unwrap_or(usual.seed),
            speed: self.speed.unwrap_or(usual.speed),
            faults: self.faults.clone().unwrap_or_default(),
            jobs: Some(JobPace::default()),
            ..usual
        };
        let broker = match (&self.broker, self.no_broker) {
            (Some(url), _) => BrokerChoice::At(url.clone()),
            (None, true) => BrokerChoice::None,
            (None, false) => BrokerChoice::Own,
        };
        let data_dir = self.data_dir.clone().unwrap_or_else(default_data_dir);
        HostOptions {
            ask: !self.says_city(),
            served: false,
            downloads: dirs::download_dir().unwrap_or_else(|| data_dir.join(EXPORTS)),
            data_dir,
            profile: self.profile.clone(),
            cache: None,
            demo: self.profile.is_none().then_some(city),
            broker,
            role: self.role.map(RoleFlag::role),
            summary: self.summary.clone().or_else(|| std::env::var_os(SUMMARY).map(PathBuf::from)),
            started,
        }
    }
}

impl RoleFlag {
    fn role(self) -> Role {
        match self {
            RoleFlag::Operator => Role::Operator,
            RoleFlag::Technician => Role::Technician,
            RoleFlag::Viewer => Role::Viewer,
            RoleFlag::Driver => Role::Driver,
        }
    }
}

/// The folder where the desktop app keeps its caches, so that a program without a window finds them; `None` where the system has
/// no place for data, such as without a home.
pub fn desktop_data_dir() -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join(DESKTOP))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        flags: HostFlags,
    }

    fn options(arguments: &[&str]) -> HostOptions {
        let program = Program::try_parse_from([&["fleetlens"], arguments].concat()).unwrap();
        program.flags.options(|| "system".into(), Instant::now())
    }

    #[test]
    fn without_flags_the_window_asks_and_whoever_names_a_city_is_not_asked() {
        let usual = options(&[]);
        assert_eq!((usual.demo, usual.broker, usual.profile), (Some(with_jobs()), BrokerChoice::Own, None));
        assert!(usual.ask);
        for said in [&["--demo"][..], &["--things", "5"], &["--faults"], &["--no-broker"], &["--broker", "mqtt://h"]] {
            assert!(!options(said).ask, "{said:?}");
        }
        assert!(!options(&["--profile", "x.toml"]).ask);
        assert_eq!(usual.data_dir, PathBuf::from("system"));
    }

    fn with_jobs() -> CityOptions {
        CityOptions { jobs: Some(JobPace::default()), ..CityOptions::default() }
    }

    #[test]
    fn flags_say_what_differs() {
        let city = options(&["--things", "50", "--rate", "9.5", "--seed", "7", "--speed", "60", "--data-dir", "d"]);
        let want = CityOptions { things: 50, rate: Some(9.5), seed: 7, speed: 60.0, ..with_jobs() };
        assert_eq!((city.demo, city.data_dir), (Some(want), PathBuf::from("d")));

        for (arguments, want) in [(&["--faults"][..], "all"), (&["--faults", "slow,late"], "late,slow")] {
            assert_eq!(options(arguments).demo.map(|city| city.faults.to_string()).as_deref(), Some(want));
        }

        let real = options(&["--profile", "malta.toml", "--role", "driver"]);
        assert_eq!((real.demo, real.profile, real.role), (None, Some("malta.toml".into()), Some(Role::Driver)));

        let elsewhere = options(&["--broker", "mqtt://h:1884"]);
        assert_eq!(elsewhere.broker, BrokerChoice::At("mqtt://h:1884".into()));
        assert_eq!(options(&["--no-broker", "--things", "50"]).broker, BrokerChoice::None);
    }

    #[test]
    fn flags_that_exclude_each_other_are_refused() {
        for wrong in [
            &["--no-broker", "--broker", "mqtt://h"][..],
            &["--profile", "x.toml", "--things", "5"],
            &["--role", "boss"],
            &["--things", "-1"],
            &["--faults", "fire"],
            &["somewhere.toml"],
        ] {
            assert!(Program::try_parse_from([&["fleetlens"], wrong].concat()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_desktop_keeps_its_caches_where_its_configuration_says() {
        let config = include_str!("../../../src-tauri/tauri.conf.json");
        assert!(config.contains(&format!("\"identifier\": \"{DESKTOP}\"")), "the identifier has changed");
    }
}
